"""Batches from shards: samples decoded ahead by threads, in an order that needs no talking.

Threads, never fork: a process that has drawn with GL must not fork. Decoding releases the
interpreter lock for most of its time. The batch of a number is a pure function of (seed, number,
rank, world), so a resume continues at the exact sample.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import tee
from typing import Generic, Protocol, runtime_checkable

from schemas.errors import InputError
from schemas.profiling import span
from schemas.work import map_in_threads
from training.data.augmentation_sampler import AugmentationSampler
from training.data.sample_order import Ordering
from training.data.shard_index import SampleAddress
from training.data.tensor_batch import BatchT, BatchT_co, SampleT

BATCHES_AHEAD = 2
"""Decoded before they are asked for; at least as many as there are threads."""


@runtime_checkable
class Reader(Protocol[SampleT, BatchT_co]):
    """How samples of one kind are read, from any thread, and how they become a batch."""

    def read(self, address: SampleAddress) -> SampleT:
        """Read and decode one sample; raises InputError when it can't be decoded."""

    def stack(
        self, samples: Sequence[SampleT], sampler: AugmentationSampler, epoch: int
    ) -> BatchT_co:
        """Make a batch; what is random in it is drawn for this epoch."""


class Loader(Generic[SampleT, BatchT]):
    """Batches by number. Owns: the decoding threads, the count of samples it had to replace."""

    def __init__(
        self,
        reader: Reader[SampleT, BatchT],
        samples: Sequence[SampleAddress],
        order: Ordering,
        sampler: AugmentationSampler,
        *,
        workers: int,
        max_bad_samples: int = 0,
    ) -> None:
        """Take what to read and in which order; nothing is read yet."""
        self._reader, self._samples, self._order = reader, samples, order
        self._sampler, self._max_bad = sampler, max_bad_samples
        self._workers, self._ahead = workers, max(BATCHES_AHEAD, workers)
        self._open = ExitStack()
        self.bad_samples: list[str] = []

    def batches(self, first: int, end: int) -> Iterator[BatchT]:
        """Yield the batches first..end-1, decoding the next ones meanwhile."""
        planned, coming = tee(map(self._order.batch_of, range(first, end)))
        places = (place for _, chosen in coming for place in chosen)
        ahead = self._ahead * self._order.batch
        decoded = self._open.enter_context(
            closing(map_in_threads(self._read, places, threads=self._workers, ahead=ahead))
        )
        for epoch, chosen in planned:
            samples = [self._replace_bad(place, next(decoded)) for place in chosen]
            yield self._stack(samples, epoch)

    def close(self) -> None:
        """Stop the threads; what is not begun is dropped."""
        self._open.close()

    def _stack(self, samples: Sequence[SampleT], epoch: int) -> BatchT:
        with span("stack"):
            return self._reader.stack(samples, self._sampler, epoch)

    def _read(self, place: int) -> SampleT | InputError:
        try:
            with span("decode"):
                return self._reader.read(self._samples[place])
        except InputError as error:
            return error

    def _replace_bad(self, place: int, found: SampleT | InputError) -> SampleT:
        """Return the sample, or the next good one while the limit of bad ones lasts."""
        while isinstance(found, InputError):
            name = self._samples[place].sample_id
            self.bad_samples.append(name)
            if len(self.bad_samples) > self._max_bad:
                raise InputError(
                    f"sample {name}", found=f"{found}",
                    expected=f"at most {self._max_bad} samples that can't be decoded",
                    hint="Fix the data set, or raise --max-bad-samples.",
                ) from found  # fmt: skip
            place = (place + 1) % len(self._samples)
            found = self._read(place)
        return found
