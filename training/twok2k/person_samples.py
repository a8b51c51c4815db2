"""One sample read from its shard and decoded: only the columns that training needs.

Dimension letters: H rows, W columns (both the training resolution).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from schemas.codecs import decode_depth, decode_image
from schemas.errors import RequestError
from schemas.keypoints import JOINT_COUNT
from training.data.batches import Batch, Drawing, Sample, stack_samples
from training.data.row_reader import RowReader
from training.data.shard_index import SampleAddress

_COLUMNS = ("depth", "keypoints", "intrinsics", "metres_per_unit")


class SampleReader:
    """Read samples by address from any thread, and stack them. Owns: open files."""

    def __init__(self, resolution: int, *, with_stored: bool) -> None:
        """Read at this resolution; with_stored: decode the stored background too."""
        self._resolution, self._with_stored = resolution, with_stored
        self._rows = RowReader([*_COLUMNS, "shaded.bytes", *(["image.bytes"] * with_stored)])

    def read(self, address: SampleAddress) -> Sample:
        """Read and decode one sample; raises InputError when an image can't be decoded."""
        row = self._rows.read(address)
        return _decode(address.sample_id, row, self._resolution, with_stored=self._with_stored)

    def stack(self, samples: Sequence[Sample], drawing: Drawing, epoch: int) -> Batch:
        """Make a batch, with the jitter and the backgrounds that this epoch draws."""
        return stack_samples(samples, drawing, epoch)


def check_resolution(width: int, resolution: int) -> None:
    """Refuse a resolution that the stored images can't give without resampling depth."""
    if width % resolution:
        raise RequestError(
            f"--resolution {resolution}",
            found=f"samples {width} pixels wide",
            expected="their width or an integer part of it, a multiple of 128",
            hint=f"Leave --resolution out to train at {width}.",
        )


def _decode(
    sample_id: str, raw: Mapping[str, Any], resolution: int, *, with_stored: bool
) -> Sample:
    front, back = decode_depth(raw["depth"])
    every = front.shape[1] // resolution
    pick = np.s_[(every - 1) // 2 :: every, (every - 1) // 2 :: every]
    keypoints = np.array(raw["keypoints"], np.float32).reshape(JOINT_COUNT, 3)
    keypoints[:, :2] /= every
    stored = _image(raw["image"], resolution) if with_stored else None
    intrinsics = np.array(raw["intrinsics"], np.float64)
    return Sample(
        sample_id,
        _image(raw["shaded"], resolution),
        stored,
        np.ascontiguousarray(front[pick]),
        np.ascontiguousarray(back[pick]),
        keypoints,
        float(intrinsics[0]) / every,
        float(raw["metres_per_unit"]),
    )


def _image(stored: Mapping[str, bytes], resolution: int) -> UInt8[np.ndarray, "H W 3"]:
    image = decode_image(stored["bytes"])
    if image.shape[1] == resolution:
        return image
    size = (resolution, resolution)
    small: UInt8[np.ndarray, "H W 3"] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return small
