"""Sequences on disk, written without the code under test: six parts of ramped U and V, moved."""

from pathlib import Path

import cv2
import numpy as np

PARTS = (1, 2, 3, 15, 16, 24)
PART_ROWS, PART_COLUMNS = 20, 12
SIDE = 256


def paint_iuv(row: int = 100, column: int = 90, side: int = SIDE) -> np.ndarray:
    """Paint I, U, V: parts side by side from (row, column); V falls with rows, U with columns."""
    iuv = np.zeros((side, side, 3), np.uint8)
    for place, part in enumerate(PARTS):
        left = column + place * PART_COLUMNS
        box = iuv[row : row + PART_ROWS, left : left + PART_COLUMNS]
        box[..., 0] = part
        box[..., 1] = 30 + 18 * np.arange(PART_COLUMNS)[None, :]
        box[..., 2] = 25 + 11 * np.arange(PART_ROWS)[:, None]
    return iuv


def write_iuv(path: Path, iuv: np.ndarray, *, order: str = "VUI") -> None:
    """Write I, U, V; order: how an RGB reader will see the channels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # OpenCV takes the first channel for blue, so that I, U, V is read as V, U, I in RGB.
    cv2.imwrite(str(path), np.ascontiguousarray(iuv if order == "VUI" else iuv[..., ::-1]))


def write_frame(
    folder: Path, number: str, iuv: np.ndarray, *, order: str = "VUI", seed: int = 0
) -> None:
    """Write colour, mask and IUV of one frame."""
    write_iuv(folder / "densepose" / f"{number}.png", iuv, order=order)
    for name in ("color", "mask"):
        (folder / name).mkdir(exist_ok=True)
    mask = (iuv[..., 0] > 0).astype(np.uint8) * 255
    cv2.imwrite(str(folder / "mask" / f"{number}.png"), mask)
    noise = np.random.default_rng(seed).integers(0, 256, iuv.shape).astype(np.uint8)
    cv2.imwrite(str(folder / "color" / f"{number}.png"), noise)


def write_sequence(
    folder: Path, count: int = 5, *, step: int = 3, first: int = 1, digits: int = 7
) -> Path:
    """Write frames that move by (1, 2) pixels each; returns the folder."""
    for index in range(count):
        number = f"{first + step * index:0{digits}d}"
        write_frame(folder, number, paint_iuv(100 + index, 90 + 2 * index), seed=index)
    return folder


def write_normals(folder: Path, number: str, normal: tuple[float, float, float]) -> None:
    """Write predicted normals as text: one normal in a small box, 0 outside."""
    (folder / "pred_normals").mkdir(exist_ok=True)
    for axis, value in enumerate(normal, start=1):
        grid = np.zeros((256, 256))
        grid[50:60, 70:90] = value
        np.savetxt(folder / f"pred_normals/{number}_{axis}.txt", grid, fmt="%.4f")
