"""One sample read from its shard and decoded: only the columns that training needs.

Dimension letters: H rows, W columns (both the training resolution).
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from jaxtyping import Float32, UInt8

from schemas.codecs import decode_depth, decode_picture
from schemas.dataset_reader import RowGroups
from schemas.errors import RequestError
from schemas.keypoints import JOINT_COUNT
from training.shards import SampleAddress, ShardFile, unreadable_shard

MOST_OPEN = 256
"""Shards that a thread keeps open: what a footer costs is small, but not for thousands."""

_COLUMNS = ("depth", "keypoints", "intrinsics", "metres_per_unit")


@dataclass(frozen=True, slots=True)
class Sample:
    """One view, decoded, at the training resolution.

    shaded: RGB, the lit person over black. stored: RGB, the person over the stored background;
    None where no stored background is wanted. front, back: ray length in scene units, 0 outside.
    keypoints_px: 31 x (x, y, known), corner-origin pixels.
    """

    sample_id: str
    shaded: UInt8[np.ndarray, "H W 3"]
    stored: UInt8[np.ndarray, "H W 3"] | None
    front: Float32[np.ndarray, "H W"]
    back: Float32[np.ndarray, "H W"]
    keypoints_px: Float32[np.ndarray, "31 3"]
    focal_px: float
    metres_per_unit: float


class SampleReader:
    """Read samples by address from any thread. Owns: one open file for each thread and shard."""

    def __init__(self, resolution: int, *, with_stored: bool) -> None:
        """Read at this resolution; with_stored: decode the stored background too."""
        self._resolution = resolution
        self._columns = [*_COLUMNS, "shaded.bytes", *(["image.bytes"] if with_stored else [])]
        self._with_stored = with_stored
        self._open = threading.local()

    def read(self, address: SampleAddress) -> Sample:
        """Read and decode one sample; raises InputError when a picture can't be decoded."""
        file = self._file(address.shard)
        try:
            table = file.read_row_group(address.row_group, columns=self._columns)
        except (OSError, pa.ArrowInvalid) as error:
            raise unreadable_shard(address.shard, error) from error
        row = {name: table.column(name)[address.row].as_py() for name in table.column_names}
        return _decode(address.sample_id, row, self._resolution, with_stored=self._with_stored)

    def _file(self, shard: ShardFile) -> RowGroups:
        files: OrderedDict[ShardFile, RowGroups] = self._open.__dict__.setdefault(
            "files", OrderedDict()
        )
        if shard not in files:
            files[shard] = shard.open()
            if len(files) > MOST_OPEN:
                files.popitem(last=False)[1].close()
        files.move_to_end(shard)
        return files[shard]


def check_resolution(width: int, resolution: int) -> None:
    """Refuse a resolution that the stored pictures can't give without resampling depth."""
    if width % resolution:
        raise RequestError(
            f"--resolution {resolution}",
            met=f"samples {width} pixels wide",
            wanted="their width or an integer part of it, a multiple of 128",
            way_out=f"Leave --resolution out to train at {width}.",
        )


def _decode(
    sample_id: str, raw: Mapping[str, Any], resolution: int, *, with_stored: bool
) -> Sample:
    front, back = decode_depth(raw["depth"])
    every = front.shape[1] // resolution
    pick = np.s_[(every - 1) // 2 :: every, (every - 1) // 2 :: every]
    keypoints = np.array(raw["keypoints"], np.float32).reshape(JOINT_COUNT, 3)
    keypoints[:, :2] /= every
    stored = _picture(raw["image"], resolution) if with_stored else None
    intrinsics = np.array(raw["intrinsics"], np.float64)
    return Sample(
        sample_id,
        _picture(raw["shaded"], resolution),
        stored,
        np.ascontiguousarray(front[pick]),
        np.ascontiguousarray(back[pick]),
        keypoints,
        float(intrinsics[0]) / every,
        float(raw["metres_per_unit"]),
    )


def _picture(stored: Mapping[str, bytes], resolution: int) -> UInt8[np.ndarray, "H W 3"]:
    picture = decode_picture(stored["bytes"])
    if picture.shape[1] == resolution:
        return picture
    size = (resolution, resolution)
    small: UInt8[np.ndarray, "H W 3"] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return small
