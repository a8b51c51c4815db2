"""Where matches end up when the truth is a whole-pixel shift.

    python -m benchmarks.shifts PUBLISHED/tiktok_data 17634=0,0 17637=3,5 17640=-2,4

Reads an export (`scanmill pair`, `scanmill export hdnet`) as text and PNG, by nothing of ours. The
numbers after each frame are the rows and columns by which its content was moved; those above are
of three frames made from the published test frame. A match of distance 0 can only be the shifted
pixel or another one of equal part, U and V (about 2% of a real frame's pixels have such a double;
which one is taken is a rule: lowest row, then column). A match of a distance above 0 has no
partner: the pixel that it came from was moved out of the image, or behind its border.

Wanted: every match of distance 0 at the known shift or on an equal UV; 99% of all within 2 pixels.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

TITLES = ("matches", "distance 0", "at the shift", "on an equal UV", "elsewhere", "within 2 px")
WIDTH = 15
NEAR_PX = 2.0
WANTED_NEAR = 0.99
Shift = tuple[int, int]


def main(folder: Path, shifts: dict[int, Shift]) -> int:
    """Print one line a pair, and all of them together; return 1 when something is missed."""
    iuv = {frame: read_iuv(folder, frame) for frame in shifts}
    print(f"{'pair':>20}" + "".join(f"{title:>{WIDTH}}" for title in TITLES))
    totals = np.zeros(6, np.int64)
    for path in sorted((folder / "correspondences/corrs").glob("*_i_r1_c1_r2_c2.txt")):
        frame_i, frame_j = (int(part) for part in path.name.split("_")[:2])
        table = np.loadtxt(path, delimiter=",", dtype=np.int64) - (0, 1, 1, 1, 1)
        moved = np.subtract(shifts[frame_j], shifts[frame_i])
        counts = count_ends(table, iuv[frame_i], iuv[frame_j], moved)
        totals += counts
        show(f"{frame_i} -> {frame_j}", counts)
    show("all", totals)
    return 0 if totals[4] == 0 and totals[5] >= WANTED_NEAR * totals[0] else 1


def count_ends(
    table: np.ndarray, iuv_i: np.ndarray, iuv_j: np.ndarray, moved: np.ndarray
) -> np.ndarray:
    """Count all, those of distance 0, at the shift, on an equal UV, elsewhere; and all near it.

    table: part, row and column in i, row and column in j, from 0.
    """
    start, end = table[:, 1:3], table[:, 3:5]
    values_i = iuv_i[start[:, 0], start[:, 1]].astype(np.int64)
    values_j = iuv_j[end[:, 0], end[:, 1]].astype(np.int64)
    is_equal = (values_i == values_j).all(axis=1)
    off = np.linalg.norm(end - start - moved, axis=1)
    at_shift = is_equal & (off == 0)
    on_double = is_equal & (off > 0) & has_double(values_i, iuv_j)
    elsewhere = is_equal & ~at_shift & ~on_double
    groups = (is_equal, at_shift, on_double, elsewhere, off <= NEAR_PX)
    return np.array([len(table), *(int(group.sum()) for group in groups)])


def has_double(values: np.ndarray, iuv: np.ndarray) -> np.ndarray:
    """Tell which part, U, V stand in an image more than once."""
    codes = iuv.astype(np.int64).reshape(-1, 3) @ (65536, 256, 1)
    found: np.ndarray = np.bincount(codes)[values @ (65536, 256, 1)] > 1
    return found


def read_iuv(folder: Path, frame: int) -> np.ndarray:
    """Return I, U, V: blue, green and red of the file."""
    path = folder / f"densepose/{frame:07d}.png"
    image = cv2.imread(str(path))
    if image is None:
        sys.exit(f"{path}: no image")
    return image


def show(name: str, counts: np.ndarray) -> None:
    """Print a line."""
    *whole, near = counts.tolist()
    cells = "".join(f"{count:{WIDTH}}" for count in whole)
    print(f"{name:>20}{cells}{near / whole[0]:{WIDTH}.3%}")


def parse_shift(text: str) -> tuple[int, Shift]:
    """Read FRAME=ROWS,COLUMNS."""
    frame, _, moved = text.partition("=")
    rows, columns = moved.split(",")
    return int(frame), (int(rows), int(columns))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), dict(map(parse_shift, sys.argv[2:]))))
