"""Decoded samples stacked into tensors, still on the CPU: what every batch has in common."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

SampleT = TypeVar("SampleT")
"""A decoded sample of some kind: arrays."""

BatchT = TypeVar("BatchT", bound="TensorBatch")
"""A batch of such samples."""

BatchT_co = TypeVar("BatchT_co", bound="TensorBatch", covariant=True)


@dataclass(frozen=True, slots=True)
class TensorBatch:
    """Samples of one rank and step. Subclasses add the tensors, the first axis is the sample."""

    sample_ids: tuple[str, ...]

    def to(self: BatchT, device: torch.device) -> BatchT:  # noqa: PYI019 - as PYI034
        """Move all tensors to a device; everything else stays as it is."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if isinstance(value, Tensor):
                values[name] = value.to(device, non_blocking=True)
            elif isinstance(value, TensorBatch):
                values[name] = value.to(device)
        return type(self)(**values)


def stack_arrays(arrays: Sequence[np.ndarray]) -> Tensor:
    """Stack arrays of one shape along a new first axis; one array alone is not copied."""
    if len(arrays) == 1 and arrays[0].flags.writeable:
        return torch.from_numpy(arrays[0][None])
    return torch.from_numpy(np.stack(arrays))
