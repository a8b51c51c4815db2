"""Read the published 2K2K layout by its rules alone, as its training code does.

Written from the description of the layout (docs/2k2k-dataset.md); imports nothing of the project.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

STORED_PER_PIXEL = 32
QUARTER = 512
"""A stored number is divided by 32 and then by 512 at 2048 pixels."""


@dataclass(frozen=True)
class PublishedView:
    """Everything that training opens for one line of a list. Images are BGR, as OpenCV's."""

    shaded: np.ndarray
    color_front: np.ndarray
    color_back: np.ndarray
    depth_front: np.ndarray
    depth_back: np.ndarray
    keypoints: np.ndarray


def read_list(root: Path, name: str) -> list[list[str]]:
    """Split the lines of a list at single spaces."""
    lines = (root / "list" / name).read_text().splitlines()
    return [line.split(" ") for line in lines]


def read_view(root: Path, columns: list[str]) -> PublishedView:
    """Open the files of one line; the paths of the others are made by replacing words."""
    shaded, _, depth = columns
    unlit = shaded.replace("SHADED", "NOSHADING")
    keypoints = depth.replace("DEPTH", "keypoint").replace("png", "npy")
    return PublishedView(
        shaded=_open(root, shaded),
        color_front=_open(root, unlit),
        color_back=_open(root, unlit.replace("front", "back")),
        depth_front=_open(root, depth) / STORED_PER_PIXEL / QUARTER,
        depth_back=_open(root, depth.replace("front", "back")) / STORED_PER_PIXEL / QUARTER,
        keypoints=np.load(str(root) + keypoints),
    )


def ray_lengths(network_depth: np.ndarray) -> np.ndarray:
    """Undo the encoding for images of any side: the plane of the origin is 16 x side."""
    side = len(network_depth)
    focal = side / (2 * np.tan(np.radians(25)))
    stored = network_depth * QUARTER * STORED_PER_PIXEL
    return np.where(stored > 0, ((stored + 0.5) / 32 - side / 2) / focal + 1, 0)


def _open(root: Path, path: str) -> np.ndarray:
    image = cv2.imread(str(root) + path, cv2.IMREAD_UNCHANGED)
    if image is None:
        raise FileNotFoundError(path)
    return image
