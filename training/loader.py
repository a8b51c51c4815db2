"""Batches from shards: samples decoded ahead by threads, in an order that needs no talking.

Threads, never fork: a process that has drawn with GL must not fork. Decoding releases the
interpreter lock for most of its time. The batch of a number is a pure function of (seed, number,
rank, world), so a resume continues at the exact sample.

Dimension letters: B samples, H rows, W columns, h and w those of a background.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from schemas.errors import InputError
from schemas.seeds import generator
from training.augment import Jitter, draw_jitter
from training.backgrounds import BackgroundPool
from training.order import Ordering
from training.samples import Sample, SampleReader
from training.shards import SampleAddress

BATCHES_AHEAD = 2
"""Decoded before they are asked for; at least as many as there are threads."""


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


class Loader:
    """Batches by number. Owns: the decoding threads, the count of samples it had to replace."""

    def __init__(
        self,
        reader: SampleReader,
        samples: Sequence[SampleAddress],
        order: Ordering,
        drawing: Drawing,
        *,
        workers: int,
        max_bad_samples: int = 0,
    ) -> None:
        """Take what to read and in which order; nothing is read yet."""
        self._reader, self._samples, self._order = reader, samples, order
        self._drawing, self._max_bad = drawing, max_bad_samples
        self._ahead = max(BATCHES_AHEAD, workers)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self.bad_samples: list[str] = []

    def batches(self, first: int, end: int) -> Iterator[Batch]:
        """Yield the batches first..end-1, decoding the next ones meanwhile."""
        pending: deque[tuple[int, list[tuple[int, Future[Sample]]]]] = deque()
        numbers = iter(range(first, end))
        for number in numbers:
            pending.append(self._submit(number))
            if len(pending) > self._ahead:
                yield self._collect(*pending.popleft())
        while pending:
            yield self._collect(*pending.popleft())

    def close(self) -> None:
        """Stop the threads; what is not begun is dropped."""
        self._pool.shutdown(cancel_futures=True)

    def _submit(self, number: int) -> tuple[int, list[tuple[int, Future[Sample]]]]:
        epoch, chosen = self._order.batch_of(number)
        read = self._reader.read
        return epoch, [(place, self._pool.submit(read, self._samples[place])) for place in chosen]

    def _collect(self, epoch: int, decoding: list[tuple[int, Future[Sample]]]) -> Batch:
        samples = [self._result(place, future) for place, future in decoding]
        return _stack(samples, self._drawing, epoch)

    def _result(self, place: int, future: Future[Sample]) -> Sample:
        """Return the sample, or the next good one while the limit of bad ones lasts."""
        try:
            return future.result()
        except InputError as error:
            name = self._samples[place].sample_id
            self.bad_samples.append(name)
            if len(self.bad_samples) > self._max_bad:
                raise InputError(
                    f"sample {name}", met=f"{error}",
                    wanted=f"at most {self._max_bad} samples that can't be decoded",
                    way_out="Mend the data set, or raise --max-bad-samples.",
                ) from error  # fmt: skip
        following = (place + 1) % len(self._samples)
        return self._result(
            following, self._pool.submit(self._reader.read, self._samples[following])
        )


def _stack(samples: Sequence[Sample], drawing: Drawing, epoch: int) -> Batch:
    names = tuple(sample.sample_id for sample in samples)
    jitter = None if drawing.seed is None else draw_jitter(drawing.seed, names, epoch)
    return Batch(
        names,
        _stacked([sample.shaded for sample in samples]),
        _backgrounds(samples, drawing, epoch),
        _stacked([sample.front[None] for sample in samples]),
        _stacked([sample.back[None] for sample in samples]),
        _stacked([sample.keypoints_px for sample in samples]),
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
        return _stacked(list(draws))
    stored = [sample.stored for sample in samples if sample.stored is not None]
    return _stacked(stored) if len(stored) == len(samples) else None


def _stacked(arrays: Sequence[np.ndarray]) -> Tensor:
    """Stack into a tensor; one array alone is not copied."""
    if len(arrays) == 1 and arrays[0].flags.writeable:
        return torch.from_numpy(arrays[0][None])
    return torch.from_numpy(np.stack(arrays))
