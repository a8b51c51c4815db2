"""The order of samples: a pure function of (seed, epoch, replica), so that ranks agree."""

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
    """Which samples each replica sees in each batch of each epoch; see training/loop/replicas.py.

    Every epoch is one permutation of all samples, filled up from its own beginning to a whole
    number of batches for every replica. Batch `first_batch` begins epoch `first_epoch`: both are 0
    but where a training took in new data.
    """

    samples: int
    seed: int
    replica: int
    replicas: int
    batch: int
    first_batch: int = 0
    first_epoch: int = 0

    @property
    def batches_per_epoch(self) -> int:
        """Return how many batches each replica sees in an epoch; at least one."""
        return -(-self.samples // (self.replicas * self.batch))

    def batch_of(self, number: int) -> tuple[int, Sequence[int]]:
        """Return the epoch and the samples of this replica's batch `number`, counted from 0."""
        since, place = divmod(number - self.first_batch, self.batches_per_epoch)
        epoch = self.first_epoch + since
        permutation = generator(self.seed, "order", str(epoch)).permutation(self.samples)
        first = (place * self.replicas + self.replica) * self.batch
        chosen = np.arange(first, first + self.batch) % self.samples
        return epoch, [int(index) for index in permutation[chosen]]


@dataclass(frozen=True, slots=True)
class SharedOrder:
    """Batches of a rank: in each step those of each of its replicas, `accumulate` of each."""

    orders: tuple[Order, ...]
    accumulate: int

    @property
    def batch(self) -> int:
        """Samples a batch."""
        return max((order.batch for order in self.orders), default=1)

    @property
    def batches_per_step(self) -> int:
        """Return how many batches of this rank a step has; 0 where it has no replica."""
        return len(self.orders) * self.accumulate

    def batch_of(self, number: int) -> tuple[int, Sequence[int]]:
        """Return the epoch and the samples of this rank's batch `number`, counted from 0."""
        step, place = divmod(number, self.batches_per_step)
        which, turn = divmod(place, self.accumulate)
        return self.orders[which].batch_of(step * self.accumulate + turn)


@dataclass(frozen=True, slots=True)
class Epochs:
    """How optimiser steps count in epochs: `first_step` begins epoch `first_epoch`."""

    steps: int
    first_step: int = 0
    first_epoch: int = 0

    def at(self, step: float) -> float:
        """Return the epoch after so many steps, with its fraction."""
        return max(0.0, self.first_epoch + (step - self.first_step) / self.steps)

    def step_of(self, epoch: int) -> int:
        """Return the step with which an epoch begins."""
        return self.first_step + max(0, epoch - self.first_epoch) * self.steps
