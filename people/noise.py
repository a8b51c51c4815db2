"""Smooth value noise in three dimensions: the same for the same seed, everywhere in space."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from people.shapes import Distances, Points

LATTICE = 64
"""The noise repeats after so many cells."""


@dataclass(frozen=True, slots=True)
class Noise:
    """A periodic lattice of random values in 0..1."""

    lattice: Float32[np.ndarray, " L"]


def make_noise(seed: int) -> Noise:
    """Return the noise of a seed."""
    rng = np.random.default_rng(seed)
    return Noise(rng.random(LATTICE**3, dtype=np.float32))


def sample_noise(noise: Noise, points: Points) -> Distances:
    """Return values in 0..1 at points measured in cells (mean 0.5)."""
    cell = np.floor(points).astype(np.int32)
    share = (points - cell).astype(np.float32)
    share = share * share * (3 - 2 * share)
    low, high = cell % LATTICE, (cell + 1) % LATTICE
    total = np.zeros(len(points), np.float32)
    for corner in range(8):
        upper = [(corner >> axis) & 1 for axis in range(3)]
        place = [high[:, a] if upper[a] else low[:, a] for a in range(3)]
        part = [share[:, a] if upper[a] else 1 - share[:, a] for a in range(3)]
        index = (place[0] * LATTICE + place[1]) * LATTICE + place[2]
        total += noise.lattice[index] * part[0] * part[1] * part[2]
    return total


def sample_ridges(noise: Noise, points: Points) -> Distances:
    """Return 0..1 with soft crests along the noise's middle level: cloth folds."""
    crest: Distances = 1 - np.abs(2 * sample_noise(noise, points) - 1) * np.float32(2.2)
    clipped = np.clip(crest, 0, 1)
    ridges: Distances = clipped * clipped * (3 - 2 * clipped)
    return ridges
