"""The order of samples: a pure function of (seed, epoch, rank, world), so that ranks agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from schemas.seeds import generator


@runtime_checkable
class Ordering(Protocol):
    """Say which samples a batch holds."""

    @property
    def batch(self) -> int:
        """Samples a batch."""

    def batch_of(self, number: int) -> tuple[int, Sequence[int]]:
        """Return the epoch and the samples of batch `number`, counted from 0."""


@dataclass(frozen=True, slots=True)
class InTurn:
    """One sample a batch, this rank's share of all in their order: for validation."""

    rank: int
    world: int
    batch: ClassVar[int] = 1

    def batch_of(self, number: int) -> tuple[int, Sequence[int]]:
        """Return epoch 0 and the one sample."""
        return 0, [number * self.world + self.rank]

    def count(self, samples: int) -> int:
        """Return how many of the samples are this rank's."""
        return len(range(self.rank, samples, self.world))


@dataclass(frozen=True, slots=True)
class Order:
    """Which samples each rank sees in each batch of each epoch.

    Every epoch is one permutation of all samples, filled up from its own beginning to a whole
    number of batches on every rank.
    """

    samples: int
    seed: int
    rank: int
    world: int
    batch: int

    @property
    def batches_per_epoch(self) -> int:
        """Return how many batches each rank sees in an epoch; at least one."""
        return -(-self.samples // (self.world * self.batch))

    def batch_of(self, number: int) -> tuple[int, Sequence[int]]:
        """Return the epoch and the samples of this rank's batch `number`, counted from 0."""
        epoch, place = divmod(number, self.batches_per_epoch)
        permutation = generator(self.seed, "order", str(epoch)).permutation(self.samples)
        first = (place * self.world + self.rank) * self.batch
        chosen = np.arange(first, first + self.batch) % self.samples
        return epoch, [int(index) for index in permutation[chosen]]
