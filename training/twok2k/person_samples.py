"""Samples of 2K2K's camera, read from their shards and stacked: only what training needs.

Dimension letters: B samples, H rows, W columns (both the training resolution), h and w those of a
background.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from schemas.camera import CAMERA_DISTANCE
from schemas.codecs import decode_depth, decode_image
from schemas.keypoints import JOINT_COUNT
from training.data.augmentation_sampler import AugmentationSampler
from training.data.row_reader import RowReader
from training.data.sample_limits import check_range, check_shape, check_size, decoding
from training.data.shard_index import SampleAddress, Selection
from training.data.tensor_batch import TensorBatch, stack_arrays
from training.twok2k.augment import measure_grey

PEOPLE_2K2K = Selection(
    "2k2k", ("image", "shaded", "depth", "keypoints", "intrinsics", "metres_per_unit")
)
MAX_RAY_LENGTH = 4 * CAMERA_DISTANCE
"""Scene units: the person is about 0.7 high, CAMERA_DISTANCE away."""

MAX_JOINT_DISTANCE = 16
"""Image widths from the corner: beyond it a joint is no annotation."""

_COLUMNS = ("depth", "keypoints", "intrinsics", "metres_per_unit")


@dataclass(frozen=True, slots=True)
class PersonSample:
    """One view, decoded, at the training resolution.

    shaded: RGB, the lit person over black. stored: RGB, the person over the stored background;
    None where the background is black or fresh. front, back: ray length in scene units, 0 outside.
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


@dataclass(frozen=True, slots=True)
class PersonBatch(TensorBatch):
    """Decoded samples of one rank and step, before augmentation.

    shaded: the person over black, RGB 0..255. background: RGB 0..255; full size (as stored) or
    half size (a fresh crop, to be enlarged); None: black. front, back: ray length, scene units, 0
    outside. keypoints_px: x, y, known. jitter: factors on brightness, contrast and saturation;
    None without augmentation. mean_grey: of shaded, 0..1.
    """

    shaded: UInt8[Tensor, "B H W 3"]
    background: UInt8[Tensor, "B h w 3"] | None
    front: Float[Tensor, "B 1 H W"]
    back: Float[Tensor, "B 1 H W"]
    keypoints_px: Float[Tensor, "B 31 3"]
    focal_px: Float[Tensor, " B"]
    metres_per_unit: Float[Tensor, " B"]
    jitter: Float[Tensor, "B 3"] | None
    mean_grey: Float[Tensor, " B"]


class PersonReader:
    """Read samples by address from any thread, and stack them. Owns: open files."""

    def __init__(self, resolution: int, *, with_stored: bool) -> None:
        """Read at this resolution; with_stored: decode the stored background too."""
        self._resolution, self._with_stored = resolution, with_stored
        self._rows = RowReader([*_COLUMNS, "shaded.bytes", *(["image.bytes"] * with_stored)])

    def read(self, address: SampleAddress) -> PersonSample:
        """Read and decode one sample; raises InputError when it can't serve."""
        row = self._rows.read(address)
        with decoding(address.sample_id):
            return _decode(address.sample_id, row, self._resolution, with_stored=self._with_stored)

    def stack(
        self, samples: Sequence[PersonSample], sampler: AugmentationSampler, epoch: int
    ) -> PersonBatch:
        """Make a batch, with the jitter and the backgrounds that this epoch draws."""
        names = tuple(sample.sample_id for sample in samples)
        return PersonBatch(
            names,
            stack_arrays([sample.shaded for sample in samples]),
            _stack_backgrounds(samples, sampler, epoch),
            stack_arrays([sample.front[None] for sample in samples]),
            stack_arrays([sample.back[None] for sample in samples]),
            stack_arrays([sample.keypoints_px for sample in samples]),
            torch.tensor([sample.focal_px for sample in samples]),
            torch.tensor([sample.metres_per_unit for sample in samples]),
            sampler.draw_jitter(names, epoch),
            measure_grey([sample.shaded for sample in samples]),
        )


def _stack_backgrounds(
    samples: Sequence[PersonSample], sampler: AugmentationSampler, epoch: int
) -> UInt8[Tensor, "B h w 3"] | None:
    """Stack fresh crops, else the stored images, else nothing."""
    fresh = [sampler.draw_background(sample.sample_id, epoch) for sample in samples]
    chosen = fresh if fresh[0] is not None else [sample.stored for sample in samples]
    whole = [image for image in chosen if image is not None]
    return stack_arrays(whole) if len(whole) == len(samples) else None


def _decode(
    sample_id: str, raw: Mapping[str, Any], resolution: int, *, with_stored: bool
) -> PersonSample:
    front, back = decode_depth(raw["depth"])
    side = front.shape[1]
    every = max(1, side // resolution)
    for name, length in (("front depth", front), ("back depth", back)):
        check_shape(sample_id, name, length, every * resolution)
        check_range(sample_id, name, length, low=0, high=MAX_RAY_LENGTH)
    keypoints = np.array(raw["keypoints"], np.float32).reshape(JOINT_COUNT, 3)
    reach = MAX_JOINT_DISTANCE * side
    check_range(sample_id, "keypoints", keypoints, low=-reach, high=reach)
    keypoints[:, :2] /= every
    focal_px, metres_per_unit = float(raw["intrinsics"][0]), float(raw["metres_per_unit"])
    check_size(sample_id, "intrinsics", focal_px)
    check_size(sample_id, "metres_per_unit", metres_per_unit)
    stored = _decode_image(sample_id, raw["image"], side, resolution) if with_stored else None
    pick = np.s_[(every - 1) // 2 :: every, (every - 1) // 2 :: every]
    return PersonSample(
        sample_id,
        _decode_image(sample_id, raw["shaded"], side, resolution),
        stored,
        np.ascontiguousarray(front[pick]),
        np.ascontiguousarray(back[pick]),
        keypoints,
        focal_px / every,
        metres_per_unit,
    )


def _decode_image(
    sample_id: str, stored: Mapping[str, bytes], side: int, resolution: int
) -> UInt8[np.ndarray, "H W 3"]:
    image = decode_image(stored["bytes"])
    check_shape(sample_id, "image", image, side)
    if side == resolution:
        return image
    size = (resolution, resolution)
    small: UInt8[np.ndarray, "H W 3"] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return small
