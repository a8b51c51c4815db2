"""Samples as they are decoded, and batches of them as they go to the training device.

Dimension letters: B samples, H rows, W columns, h and w those of a background.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from schemas.seeds import generator
from training.data.background_pool import BackgroundPool
from training.twok2k.augment import Jitter, draw_jitter


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


@dataclass(frozen=True, slots=True)
class Batch:
    """Decoded samples of one rank and step, before augmentation.

    shaded: the person over black, RGB 0..255. background: RGB 0..255; full size (as stored) or
    half size (a fresh crop, to be enlarged); None: black. front, back: ray length, scene units, 0
    outside. keypoints_px: x, y, known. jitter: None without augmentation.
    """

    sample_ids: tuple[str, ...]
    shaded: UInt8[Tensor, "B H W 3"]
    background: UInt8[Tensor, "B h w 3"] | None
    front: Float[Tensor, "B 1 H W"]
    back: Float[Tensor, "B 1 H W"]
    keypoints_px: Float[Tensor, "B 31 3"]
    focal_px: Float[Tensor, " B"]
    metres_per_unit: Float[Tensor, " B"]
    jitter: Jitter | None

    def to(self, device: torch.device) -> "Batch":
        """Move all tensors to a device."""
        moved = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in moved.items():
            if isinstance(value, Tensor):
                moved[name] = value.to(device, non_blocking=True)
        if self.jitter is not None:
            moved["jitter"] = Jitter(self.jitter.factors.to(device))
        return Batch(**moved)


@dataclass(frozen=True, slots=True)
class Drawing:
    """How samples vary from epoch to epoch. seed None: they do not (validation)."""

    seed: int | None
    backgrounds: BackgroundPool | None


def stack_samples(samples: Sequence[Sample], drawing: Drawing, epoch: int) -> Batch:
    """Make a batch, with the jitter and the backgrounds that this epoch draws."""
    names = tuple(sample.sample_id for sample in samples)
    jitter = None if drawing.seed is None else draw_jitter(drawing.seed, names, epoch)
    return Batch(
        names,
        stack_arrays([sample.shaded for sample in samples]),
        _backgrounds(samples, drawing, epoch),
        stack_arrays([sample.front[None] for sample in samples]),
        stack_arrays([sample.back[None] for sample in samples]),
        stack_arrays([sample.keypoints_px for sample in samples]),
        torch.tensor([sample.focal_px for sample in samples]),
        torch.tensor([sample.metres_per_unit for sample in samples]),
        jitter,
    )


def _backgrounds(samples: Sequence[Sample], drawing: Drawing, epoch: int) -> Tensor | None:
    if drawing.backgrounds is not None and drawing.seed is not None:
        draws = (
            drawing.backgrounds.draw(
                generator(drawing.seed, "background", sample.sample_id, str(epoch))
            )
            for sample in samples
        )
        return stack_arrays(list(draws))
    stored = [sample.stored for sample in samples if sample.stored is not None]
    return stack_arrays(stored) if len(stored) == len(samples) else None


def stack_arrays(arrays: Sequence[np.ndarray]) -> Tensor:
    """Stack into a tensor; one array alone is not copied."""
    if len(arrays) == 1 and arrays[0].flags.writeable:
        return torch.from_numpy(arrays[0][None])
    return torch.from_numpy(np.stack(arrays))
