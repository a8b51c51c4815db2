"""Image files as arrays, for tests; a missing file is an error, not None."""

from pathlib import Path

import cv2
import numpy as np


def read_pixels(path: Path | str, flags: int = cv2.IMREAD_COLOR) -> np.ndarray:
    """Read an image as OpenCV orders its channels (blue first)."""
    image = cv2.imread(str(path), flags)
    if image is None:
        raise FileNotFoundError(path)
    return image
