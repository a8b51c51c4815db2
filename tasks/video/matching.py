"""Correspondences of two frames: for each pixel the nearest UV of the same part in the other.

UV are bytes, so the pixels of a frame are sorted into a lattice of 24 parts x 256 x 256 cells;
each cell keeps its first pixel in reading order. A query looks into its own cell, then into rings
of cells around it, nearest ring first, until one holds a pixel: exact, and with a fixed rule for
ties (lowest row, then column), at a cost that grows with the body's pixels alone.
Source: docs/hdnet-dataset.md, "TikTok set".
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, Int, Int16, Int32, UInt8

from schemas.frames import NO_ROW, PART_COUNT
from schemas.pairing import PairSettings

LEVELS = 256
NO_PIXEL = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class BodyPixels:
    """The body pixels of one frame, in reading order.

    place: row * width + column. part: 1..24. u, v: 0..255.
    """

    width: int
    place: Int32[np.ndarray, " N"]
    part: UInt8[np.ndarray, " N"]
    u: UInt8[np.ndarray, " N"]
    v: UInt8[np.ndarray, " N"]


@dataclass(frozen=True, slots=True)
class Matches:
    """Correspondences of frame i with frame j, parts ascending, then frame i's reading order.

    pixels: row and column in i, row and column in j, counted from 0. limits: first and last match
    of parts 1..24, last included, -1 for none. found: matches of parts 1..24 before any was
    dropped or thinned.
    """

    part: UInt8[np.ndarray, " N"]
    pixels: Int16[np.ndarray, "N 4"]
    limits: Int32[np.ndarray, "24 2"]
    found: Int[np.ndarray, " 24"]


def list_body_pixels(iuv: UInt8[np.ndarray, "H W 3"]) -> BodyPixels:
    """List the pixels of a canonical IUV image that belong to a part."""
    place = np.flatnonzero(iuv[..., 0]).astype(np.int32)
    part, u, v = iuv.reshape(-1, 3)[place].T
    return BodyPixels(iuv.shape[1], place, part.copy(), u.copy(), v.copy())


class Lattice:
    """The cells of one frame. Owns: one array, reused for frame after frame."""

    def __init__(self, max_distance: float) -> None:
        """Make room for cells; max_distance: matches are nearer than that, UV units."""
        self.rings = _make_rings(max_distance)
        self._margin = math.ceil(max_distance)
        self._side = LEVELS + self._margin
        self._cells = np.full((PART_COUNT + 1) * self._side**2, NO_PIXEL, np.int32)
        self._filled: Int[np.ndarray, " N"] = np.empty(0, np.int64)

    def fill(self, frame: BodyPixels) -> None:
        """Sort the pixels of a frame into their cells; forgets the frame before."""
        self._cells[self._filled] = NO_PIXEL
        self._filled = self.cells_of(frame)
        # Of pixels in one cell the last one written stays: written backwards, the first one.
        self._cells[self._filled[::-1]] = frame.place[::-1]

    def find(self, frame: BodyPixels) -> Int32[np.ndarray, " N"]:
        """Return the place of each pixel's nearest in the filled frame, NO_PIXEL for none."""
        cells = self.cells_of(frame)
        found: Int32[np.ndarray, " N"] = self._cells[cells]
        open_ones = np.flatnonzero(found == NO_PIXEL)
        for ring in self.rings[1:]:
            if not open_ones.size:
                break
            nearest = self._nearest_in_ring(cells[open_ones], ring)
            found[open_ones] = nearest
            open_ones = open_ones[nearest == NO_PIXEL]
        return found

    def cells_of(self, frame: BodyPixels) -> Int[np.ndarray, " N"]:
        """Return the cell of each pixel.

        Between neighbouring rows of cells, and between parts, are margins that stay empty, so
        that a ring never reaches another row's or another part's cells.
        """
        rows = frame.part.astype(np.int64) * self._side + frame.u
        cells: Int[np.ndarray, " N"] = rows * self._side + frame.v
        return cells

    def _nearest_in_ring(
        self, cells: Int[np.ndarray, " M"], ring: tuple[tuple[int, int], ...]
    ) -> Int32[np.ndarray, " M"]:
        nearest = np.full(cells.shape, NO_PIXEL, np.int32)
        for du, dv in ring:
            np.minimum(nearest, self._cells[cells + (du * self._side + dv)], out=nearest)
        return nearest


def match_frames(
    frame_i: BodyPixels, frame_j: BodyPixels, settings: PairSettings, lattice: Lattice
) -> Matches:
    """Match every body pixel of frame i that has a near UV in frame j.

    Parts with too few matches are dropped; more than max_rows are thinned evenly within parts.
    """
    lattice.fill(frame_j)
    found = lattice.find(frame_i)
    chosen = np.flatnonzero(found != NO_PIXEL)
    if settings.mutual or settings.left_right_px is not None:
        home = _find_way_back(frame_i, frame_j, found[chosen], lattice)
        chosen = chosen[_agrees(frame_i.place[chosen], home, frame_i.width, settings)]
    chosen = chosen[np.argsort(frame_i.part[chosen], kind="stable")]
    counts = np.bincount(frame_i.part[chosen], minlength=PART_COUNT + 1)
    chosen = chosen[(counts >= settings.min_part_matches)[frame_i.part[chosen]]]
    chosen = chosen[thin_evenly(frame_i.part[chosen], settings.max_rows)]
    part = frame_i.part[chosen]
    row_i, column_i = np.divmod(frame_i.place[chosen], frame_i.width)
    row_j, column_j = np.divmod(found[chosen], frame_j.width)
    pixels = np.stack([row_i, column_i, row_j, column_j], axis=1).astype(np.int16)
    return Matches(part, pixels, limits_of(part), counts[1:])


def limits_of(part: UInt8[np.ndarray, " N"]) -> Int32[np.ndarray, "24 2"]:
    """Return first and last row of parts 1..24, last included; -1, -1 for none.

    part: ascending.
    """
    parts = np.arange(1, PART_COUNT + 1)
    first = np.searchsorted(part, parts, side="left")
    last = np.searchsorted(part, parts, side="right") - 1
    limits = np.stack([first, last], axis=1).astype(np.int32)
    limits[last < first] = NO_ROW
    return limits


def thin_evenly(part: UInt8[np.ndarray, " N"], max_rows: int) -> Int[np.ndarray, " M"]:
    """Choose at most max_rows rows, each part keeping its share, evenly spaced in its order.

    part: ascending. Each part keeps at least one row.
    """
    if len(part) <= max_rows:
        return np.arange(len(part))
    counts = np.bincount(part)
    present = np.flatnonzero(counts)
    keep = np.maximum(counts[present] * max_rows // len(part), 1)
    keep[np.argmax(keep)] -= max(int(keep.sum()) - max_rows, 0)
    starts = np.concatenate([[0], np.cumsum(counts[present])[:-1]])
    rows = [
        start + np.arange(kept) * count // kept
        for start, count, kept in zip(starts, counts[present], keep, strict=True)
    ]
    return np.concatenate(rows)


def _find_way_back(
    frame_i: BodyPixels,
    frame_j: BodyPixels,
    found: Int32[np.ndarray, " M"],
    lattice: Lattice,
) -> Int32[np.ndarray, " M"]:
    """Return where in frame i the pixels found in frame j match, NO_PIXEL for nowhere."""
    lattice.fill(frame_i)
    home: Int32[np.ndarray, " M"] = lattice.find(frame_j)[np.searchsorted(frame_j.place, found)]
    return home


def _agrees(
    start: Int32[np.ndarray, " M"],
    home: Int32[np.ndarray, " M"],
    width: int,
    settings: PairSettings,
) -> Bool[np.ndarray, " M"]:
    """Return which ways back end where they began (mutual), or near it (left_right_px)."""
    agrees: Bool[np.ndarray, " M"] = home != NO_PIXEL
    if settings.mutual:
        agrees &= home == start
    if settings.left_right_px is not None:
        away = np.subtract(np.divmod(start, width), np.divmod(home, width)).astype(np.float64)
        agrees &= np.hypot(*away) <= settings.left_right_px
    return agrees


@cache
def _make_rings(max_distance: float) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Group the steps (du, dv) nearer than max_distance by their length, nearest first."""
    reach = math.ceil(max_distance)
    steps = range(-reach, reach + 1)
    rings: dict[int, list[tuple[int, int]]] = {}
    for du in steps:
        for dv in steps:
            squared = du * du + dv * dv
            if squared < max_distance**2:
                rings.setdefault(squared, []).append((du, dv))
    return tuple(tuple(rings[squared]) for squared in sorted(rings))
