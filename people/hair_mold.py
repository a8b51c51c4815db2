"""Hair of one pose bent into others: the same mesh in every frame of a video.

The lump goes with the head, and every vertex of it with the locks that are next to it.
"""

from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree

from people.garment_surfaces import Points
from people.hair_locks import Head
from people.hair_lump import Lump, Strokes

NEIGHBOURS = 6


class Mold:
    """One person's hair or beard: made in the first pose that is asked for, then bent."""

    def __init__(self) -> None:
        """Start without hair."""
        self._skin: Points | None = None
        self._made: tuple[Lump, Points, Points, np.ndarray] | None = None

    def skin(self, posed: Points) -> Points:
        """Return the skin of the first pose, from whose areas roots are drawn in all."""
        if self._skin is None:
            self._skin = posed
        return self._skin

    def shape(self, strokes: list[Strokes], head: Head, fuse: Callable[[], Lump]) -> Lump:
        """Return the lump of locks: fused at first, later the same one where they lie now."""
        locks = head.canonical(np.concatenate([one.free.reshape(-1, 3) for one in strokes]))
        if self._made is None:
            lump = fuse()
            place = head.canonical(lump.vertices)
            near = cKDTree(locks).query(place, k=NEIGHBOURS)[1]
            self._made = (lump, place, locks, near)
            return lump
        lump, place, first, near = self._made
        moved = (locks - first)[near].mean(axis=1)
        return Lump(head.world(place + moved), lump.faces, lump.uv)


class Molds:
    """A person's hair and beard for several poses."""

    def __init__(self) -> None:
        """Start without either."""
        self.hair, self.beard = Mold(), Mold()
