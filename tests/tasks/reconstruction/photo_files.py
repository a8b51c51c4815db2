"""Photographs, masks and OpenPose files for tests: a figure that stands in the middle."""

import json
import struct
from pathlib import Path

import cv2
import numpy as np

from tasks.scans.joints import OPENPOSE_INDICES

STANDING = (
    (50, 12), (52, 10), (48, 10), (54, 12), (46, 12),
    (58, 26), (42, 26), (62, 40), (38, 40), (64, 52), (36, 52),
    (55, 54), (45, 54), (56, 72), (44, 72), (56, 90), (44, 90),
    (58, 94), (60, 93), (55, 92), (42, 94), (40, 93), (45, 92),
    (64, 56), (65, 57), (66, 57), (67, 56), (36, 56), (35, 57), (34, 57), (33, 56),
)  # fmt: skip
"""x, y of the 31 joints, in hundredths of a square photograph."""


def draw_figure(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture (RGB) of a coloured ellipse before a gradient, and its mask."""
    rows, columns = np.indices((height, width))
    mask = ((rows / height - 0.5) / 0.45) ** 2 + ((columns / width - 0.5) / 0.2) ** 2 < 1
    image = np.stack([rows * 255 // height, columns * 255 // width, rows * 0 + 90], axis=-1)
    image[mask] = (200, 120, 60)
    return image.astype(np.uint8), mask


def joints_of(height: int, width: int) -> np.ndarray:
    """Return the 31 joints (x, y, known) in a photograph of this size."""
    places = np.array(STANDING) * [width / 100, height / 100]
    return np.column_stack([places, np.ones(len(places))])


def openpose_person(joints: np.ndarray) -> dict[str, list[float]]:
    """Return a person as OpenPose writes one; joints that are not known are 0, 0, 0."""
    rows = np.zeros((67, 3))
    rows[list(OPENPOSE_INDICES)] = joints * joints[:, 2:]
    return {
        "pose_keypoints_2d": rows[:25].ravel().tolist(),
        "hand_left_keypoints_2d": rows[25:46].ravel().tolist(),
        "hand_right_keypoints_2d": rows[46:].ravel().tolist(),
    }


def write_openpose(path: Path, *people: np.ndarray) -> Path:
    """Write OpenPose's JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 1.3, "people": [openpose_person(p) for p in people]}))
    return path


def write_photo(path: Path, image: np.ndarray, *, orientation: int = 1) -> Path:
    """Write RGB, RGBA or grey; JPEGs with EXIF's orientation where it is not 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = 1 if image.ndim == 2 else image.shape[2]
    code = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(channels)
    stored = image if code is None else cv2.cvtColor(image, code)
    data = cv2.imencode(path.suffix, stored)[1].tobytes()
    if orientation != 1:
        data = data[:2] + exif_segment(orientation) + data[2:]
    path.write_bytes(data)
    return path


def exif_segment(orientation: int) -> bytes:
    """Return a JPEG's APP1 segment with nothing but the orientation."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff
