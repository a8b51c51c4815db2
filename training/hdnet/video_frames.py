"""Frames of videos, read from shards: what HDNet's nets are fed without any label.

Dimension letters: B frames, H rows, W columns. Source: docs/hdnet-dataset.md, "TikTok set".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Float64, UInt8
from torch import Tensor

from schemas.camera import HDNET_RESOLUTION
from schemas.codecs import decode_front_normals, decode_image, decode_mask
from schemas.errors import InputError
from training.data.row_reader import RowReader
from training.data.sample_limits import check_range, check_shape, check_size, decoding
from training.data.shard_index import SampleAddress
from training.data.tensor_batch import TensorBatch, stack_arrays
from training.hdnet.labelled_samples import MAX_COMPONENT, WHITE

IMAGE = ("color.bytes", "mask.bytes")
MAX_PIXELS = 1e6
ALL = (*IMAGE, "iuv.bytes", "pred_normals", "intrinsics")


@dataclass(frozen=True, slots=True)
class FrameSample:
    """One frame, decoded. image: RGB on white. normals: predicted, unit, 0 outside the mask.

    densepose: V, U, I as an RGB reader gives a published file. K: corner-origin pixels.
    """

    frame_id: str
    image: UInt8[np.ndarray, "H W 3"]
    mask: Bool[np.ndarray, "H W"]
    normals: Float32[np.ndarray, "H W 3"]
    densepose: UInt8[np.ndarray, "H W 3"]
    K: Float64[np.ndarray, "3 3"]


@dataclass(frozen=True, slots=True)
class FrameBatch(TensorBatch):
    """Decoded frames of one rank and step; as in FrameSample."""

    image: UInt8[Tensor, "B H W 3"]
    mask: Bool[Tensor, "B 1 H W"]
    normals: Float[Tensor, "B H W 3"]
    densepose: UInt8[Tensor, "B H W 3"]
    K: Float[Tensor, "B 3 3"]


class FrameReader:
    """Read frames by address from any thread. Owns: open files."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._rows = RowReader(ALL)

    def read(self, address: SampleAddress) -> FrameSample:
        """Read and decode one frame; raises InputError when it can't serve."""
        row = self._rows.read(address)
        with decoding(address.sample_id):
            return _decode_frame(address.sample_id, row)


class ImageReader:
    """Read the images alone, for the prediction of normals. Owns: open files."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._rows = RowReader(IMAGE)

    def read(
        self, address: SampleAddress
    ) -> tuple[UInt8[np.ndarray, "H W 3"], Bool[np.ndarray, "H W"]]:
        """Return the image on white and the mask; raises InputError when they can't be decoded."""
        row = self._rows.read(address)
        with decoding(address.sample_id):
            return _decode_image(address.sample_id, row)


def stack_frames(frames: Sequence[FrameSample]) -> FrameBatch:
    """Make a batch."""
    return FrameBatch(
        tuple(one.frame_id for one in frames),
        stack_arrays([one.image for one in frames]),
        stack_arrays([one.mask[None] for one in frames]),
        stack_arrays([one.normals for one in frames]),
        stack_arrays([one.densepose for one in frames]),
        torch.from_numpy(np.stack([one.K for one in frames])).float(),
    )


def _decode_frame(name: str, row: Mapping[str, Any]) -> FrameSample:
    image, mask = _decode_image(name, row)
    if row["pred_normals"] is None:
        raise InputError(
            name, found="no pred_normals", expected="predicted normals",
            hint="Run `scanmill train hdnet-predict-normals` on the data set.",
        )  # fmt: skip
    normals, iuv = decode_front_normals(row["pred_normals"]), decode_image(row["iuv"]["bytes"])
    K = np.asarray(row["intrinsics"], np.float64).reshape(3, 3)
    for what, values in {"pred_normals": normals, "iuv": iuv}.items():
        check_shape(name, what, values, HDNET_RESOLUTION)
    check_range(name, "pred_normals", normals, low=-MAX_COMPONENT, high=MAX_COMPONENT)
    check_size(name, "focal length", min(K[0, 0], K[1, 1]))
    check_range(name, "intrinsics", K, low=-MAX_PIXELS, high=MAX_PIXELS)
    densepose = np.ascontiguousarray(iuv[..., ::-1])
    return FrameSample(name, image, mask, normals * mask[..., None], densepose, K)


def _decode_image(
    name: str, row: Mapping[str, Any]
) -> tuple[UInt8[np.ndarray, "H W 3"], Bool[np.ndarray, "H W"]]:
    color, mask = decode_image(row["color"]["bytes"]), decode_mask(row["mask"]["bytes"])
    for what, values in {"color": color, "mask": mask}.items():
        check_shape(name, what, values, HDNET_RESOLUTION)
    return np.where(mask[..., None], color, np.uint8(WHITE)), mask
