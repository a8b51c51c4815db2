"""Labelled samples of HDNet's camera, read from shards: one surface, metres, a white ground.

Dimension letters: B samples, H rows, W columns. Source: docs/hdnet-dataset.md, "Labelled set".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, UInt8
from torch import Tensor

from schemas.camera import HDNET_RESOLUTION, camera_hdnet, ray_directions
from schemas.codecs import decode_depth, decode_image, decode_mask, decode_normals
from schemas.errors import InputError
from training.data.augmentation_sampler import AugmentationSampler
from training.data.row_reader import RowReader
from training.data.sample_limits import check_range, check_shape, check_size, decoding
from training.data.shard_index import SampleAddress, Selection
from training.data.tensor_batch import TensorBatch, stack_arrays

NEAREST_M, FARTHEST_M = 1.0, 8.0
"""Depth is used between these. Source: docs/hdnet-dataset.md, "Labelled set"."""

MAX_RAY_LENGTH = 1e4
"""Scene units: whatever the unit is, no camera of the data set is as far away."""

MAX_COMPONENT = 1.01
"""Of a unit normal, stored with 16 bits."""

MEDIAN_M = 4.0
"""Where the reader puts the median of every depth map.

Source: docs/cameras.md, "HDNet's camera".
"""

WHITE = 255
_ROW = ("shaded", "mask", "depth", "normals", "metres_per_unit")

LABELLED = Selection("hdnet", _ROW)
LABELLED_WITH_IUV = Selection(
    "hdnet", (*_ROW, "iuv"), filled="iuv",
    without_it="Render with --densepose, or train hdnet-normal, which needs none.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelledSample:
    """One view, decoded.

    image: RGB on white. mask: the person, where its depth may be used. depth_m: z, the median
    at 4 m, 0 outside. shift_m: by how much that is farther than where the person stood. normals:
    unit, camera axes, n_z < 0 towards the viewer, 0 outside. densepose: V, U, I as an RGB reader
    gives a published file; None where it is not read.
    """

    sample_id: str
    image: UInt8[np.ndarray, "H W 3"]
    mask: Bool[np.ndarray, "H W"]
    depth_m: Float32[np.ndarray, "H W"]
    shift_m: float
    normals: Float32[np.ndarray, "H W 3"]
    densepose: UInt8[np.ndarray, "H W 3"] | None


@dataclass(frozen=True, slots=True)
class LabelledBatch(TensorBatch):
    """Decoded samples of one rank and step; as in LabelledSample."""

    image: UInt8[Tensor, "B H W 3"]
    mask: Bool[Tensor, "B 1 H W"]
    depth_m: Float[Tensor, "B 1 H W"]
    shift_m: Float[Tensor, "B 1 1 1"]
    normals: Float[Tensor, "B H W 3"]
    densepose: UInt8[Tensor, "B H W 3"] | None


class LabelledReader:
    """Read labelled samples by address from any thread, and stack them. Owns: open files."""

    def __init__(self, *, with_densepose: bool) -> None:
        """Read with or without the DensePose image."""
        images = ["shaded.bytes", "mask.bytes", *(["iuv.bytes"] * with_densepose)]
        self._rows = RowReader([*images, "depth", "normals", "metres_per_unit"])

    def read(self, address: SampleAddress) -> LabelledSample:
        """Read and decode one sample; raises InputError when it can't serve."""
        row = self._rows.read(address)
        with decoding(address.sample_id):
            return decode_labelled(address.sample_id, row)

    def stack(
        self, samples: Sequence[LabelledSample], sampler: AugmentationSampler, epoch: int
    ) -> LabelledBatch:
        """Make a batch; nothing in it is random."""
        del sampler, epoch
        densepose = [sample.densepose for sample in samples if sample.densepose is not None]
        return LabelledBatch(
            tuple(sample.sample_id for sample in samples),
            stack_arrays([sample.image for sample in samples]),
            stack_arrays([sample.mask[None] for sample in samples]),
            stack_arrays([sample.depth_m[None] for sample in samples]),
            torch.tensor([sample.shift_m for sample in samples]).reshape(-1, 1, 1, 1),
            stack_arrays([sample.normals for sample in samples]),
            stack_arrays(densepose) if len(densepose) == len(samples) else None,
        )


def decode_labelled(sample_id: str, row: Mapping[str, Any]) -> LabelledSample:
    """Decode a row of a shard; raises InputError when no depth of the person may be used."""
    length, normals = decode_depth(row["depth"])[0], decode_normals(row["normals"])[0]
    person = decode_mask(row["mask"]["bytes"])
    image = decode_image(row["shaded"]["bytes"])
    iuv = None if row.get("iuv") is None else decode_image(row["iuv"]["bytes"])
    maps = {"depth": length, "normals": normals, "mask": person, "shaded": image, "iuv": iuv}
    for name, values in maps.items():
        if values is not None:
            check_shape(sample_id, name, values, HDNET_RESOLUTION)
    check_size(sample_id, "metres_per_unit", float(row["metres_per_unit"]))
    check_range(sample_id, "depth", length, low=0, high=MAX_RAY_LENGTH)
    check_range(sample_id, "normals", normals, low=-MAX_COMPONENT, high=MAX_COMPONENT)
    depth_m = length * _ray_z() * np.float32(row["metres_per_unit"])
    mask = person & (depth_m >= NEAREST_M) & (depth_m <= FARTHEST_M)
    if not mask.any():
        raise InputError(
            sample_id, found="no depth of the person in that range",
            expected=f"{NEAREST_M:g} to {FARTHEST_M:g} m",
            hint="Render the scan with --camera hdnet, and check its size with `inspect`.",
        )  # fmt: skip
    shift_m = MEDIAN_M - float(np.median(depth_m[mask]))
    return LabelledSample(
        sample_id,
        np.where(person[..., None], image, np.uint8(WHITE)),
        mask,
        np.where(mask, depth_m + shift_m, 0).astype(np.float32),
        shift_m,
        _unit(normals) * mask[..., None],
        None if iuv is None else np.ascontiguousarray(iuv[..., ::-1]),
    )


@cache
def _ray_z() -> Float32[np.ndarray, "H W"]:
    """Return z of the unit ray through every pixel: z depth of a ray length of 1."""
    rays: Float32[np.ndarray, "H W"] = ray_directions(camera_hdnet(np.eye(4)))[..., 2].astype(
        np.float32
    )
    return rays


def _unit(normals: Float32[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W 3"]:
    """Take away what 16-bit storage did to the length; 0 stays 0."""
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    unit: Float32[np.ndarray, "H W 3"] = normals / np.where(length > 0, length, 1)
    return unit
