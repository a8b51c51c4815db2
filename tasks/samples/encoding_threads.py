"""Encode samples in threads behind the drawing; what comes out keeps the order."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

from schemas.sample import Sample
from schemas.scan import InputFile
from tasks.dataset.shards import Row
from tasks.samples.drawing import ViewFailure
from tasks.samples.encoding import encode_sample

ENCODERS = 2
"""Threads that encode; so many samples are in memory besides the one that is drawn."""


@dataclass(frozen=True, slots=True)
class EncodedSample:
    """A row of a shard, and the seconds that its encoding took."""

    sample_id: str
    row: Row
    background: InputFile | None
    seconds: float


def encode_behind(
    drawn: Iterator[Sample | ViewFailure], *, jpeg_quality: int
) -> Iterator[EncodedSample | ViewFailure]:
    """Encode each sample while the next views are drawn; failures pass through in their place."""
    waiting: deque[Future[EncodedSample | ViewFailure] | ViewFailure] = deque()
    with ThreadPoolExecutor(ENCODERS) as pool:
        for one in drawn:
            if isinstance(one, ViewFailure):
                waiting.append(one)
            else:
                waiting.append(pool.submit(_encode, one, jpeg_quality))
            while len(waiting) > ENCODERS:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())


def _encode(sample: Sample, jpeg_quality: int) -> EncodedSample | ViewFailure:
    start = perf_counter()
    try:
        row = encode_sample(sample, jpeg_quality=jpeg_quality)
    except Exception as error:  # noqa: BLE001 - one view fails alone, whatever it meets
        return ViewFailure(sample.sample_id, "encode", error)
    return EncodedSample(sample.sample_id, row, sample.background, perf_counter() - start)


def _result(
    waiting: Future[EncodedSample | ViewFailure] | ViewFailure,
) -> EncodedSample | ViewFailure:
    return waiting if isinstance(waiting, ViewFailure) else waiting.result()
