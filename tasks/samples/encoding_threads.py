"""Encode samples in threads behind the drawing; what comes out keeps the order."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from time import perf_counter

from schemas.sample import Sample
from schemas.scan import InputFile
from schemas.settings import RenderSettings
from schemas.work import map_in_pool
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
    drawn: Iterator[Sample | ViewFailure], settings: RenderSettings
) -> Iterator[EncodedSample | ViewFailure]:
    """Encode each sample while the next views are drawn; failures pass through in their place."""
    encode = partial(_encode, settings=settings)
    return map_in_pool(encode, drawn, _encoders(), ahead=ENCODERS)


@cache
def _encoders() -> ThreadPoolExecutor:
    """Make the threads once a process: OpenCV never frees the 880 bytes that it keeps for each."""
    return ThreadPoolExecutor(ENCODERS, thread_name_prefix="encoder")


def _encode(sample: Sample | ViewFailure, settings: RenderSettings) -> EncodedSample | ViewFailure:
    start = perf_counter()
    if isinstance(sample, ViewFailure):
        return sample
    try:
        row = encode_sample(sample, settings)
    except Exception as error:  # noqa: BLE001 - one view fails alone, whatever it meets
        return ViewFailure(sample.sample_id, "encode", error)
    return EncodedSample(sample.sample_id, row, sample.background, perf_counter() - start)
