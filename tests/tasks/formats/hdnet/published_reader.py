"""A reader of the published layout, written from its description alone.

It knows nothing of the exporter: numpy's text reader, OpenCV, and the rules as they are stated.
Rows and columns count from 1, limits from 0 with the last row included, the images are read as
RGB, correspondences are padded to 25,000 rows.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

PADDED_ROWS = 25_000


@dataclass
class Pair:
    """One frame i with one of its neighbours, as the published loss slices it."""

    frame_i: int
    frame_j: int
    rows: np.ndarray
    limits: np.ndarray

    def part(self, part: int) -> np.ndarray:
        """Return the 0-based pixels of a part: row and column in i, row and column in j."""
        first, last = self.limits[part - 1, 1:]
        if first < 0:
            return np.empty((0, 4), int)
        return self.rows[first : last + 1, 1:] - 1


def read_rgb(path: Path) -> np.ndarray:
    """Read a PNG as RGB."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert image is not None, path
    return image[..., ::-1]


def read_pairs(root: Path) -> list[Pair]:
    """Read all pairs by corr_mat.txt."""
    listed = np.genfromtxt(root / "correspondences/corr_mat.txt", delimiter=",")
    assert listed.ndim == 2, "a one-row corr_mat.txt makes the published reader fail"
    pairs = []
    for row in listed.astype(int):
        for other in row[1:]:
            stem = f"{row[0]:07d}_{other:07d}_i"
            corrs = root / "correspondences/corrs"
            rows = np.genfromtxt(corrs / f"{stem}_r1_c1_r2_c2.txt", delimiter=",")
            limits = np.genfromtxt(corrs / f"{stem}_limit.txt", delimiter=",")
            assert rows.ndim == 2
            assert rows.shape[1] == 5
            assert len(rows) <= PADDED_ROWS
            assert limits.shape == (24, 3)
            pairs.append(Pair(row[0], other, rows.astype(int), limits.astype(int)))
    return pairs


def read_frame(root: Path, number: int) -> dict[str, np.ndarray]:
    """Read the images of a frame."""
    names = ("color", "color_WO_bg", "mask", "densepose")
    return {name: read_rgb(root / name / f"{number:07d}.png") for name in names}


def read_text(root: Path, folder: str, stem: str, delimiter: str | None) -> np.ndarray:
    """Read a grid of numbers; delimiter: None for spaces."""
    grid = np.genfromtxt(root / folder / f"{stem}.txt", delimiter=delimiter)
    assert grid.shape == (256, 256)
    return grid
