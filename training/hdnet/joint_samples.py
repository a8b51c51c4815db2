"""Labelled samples together with pairs of video frames: what HDNet's third stage is fed.

Dimension letters: B samples, as many as pairs; N matches of a pair.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int16, UInt8

from schemas.camera import HDNET_RESOLUTION
from schemas.errors import RequestError
from schemas.frames import PART_COUNT
from schemas.object_store import open_dataset
from training.data.augmentation_sampler import AugmentationSampler
from training.data.frame_index import PairAddress, open_frame_shards, open_pairs
from training.data.row_reader import RowReader
from training.data.sample_limits import check_range, decoding
from training.data.shard_index import SampleAddress, Selection, ShardIndex, name_shards, open_index
from training.data.tensor_batch import TensorBatch
from training.hdnet.labelled_samples import LabelledBatch, LabelledReader, LabelledSample
from training.hdnet.video_frames import FrameBatch, FrameReader, FrameSample, stack_frames
from training.hdnet.warping_loss import PairMatches


@dataclass(frozen=True, slots=True)
class JointAddress(SampleAddress):
    """A labelled sample, and the pair that is seen with it."""

    pair: PairAddress


@dataclass(frozen=True, slots=True)
class JointIndex(ShardIndex):
    """Labelled samples, which validate alone, and the pairs that they are trained with."""

    pairs: tuple[PairAddress, ...]

    def to_train(self, splits: Iterable[str]) -> tuple[SampleAddress, ...]:
        """Return samples with pairs; the shorter list begins again until the longer one ends.

        Raises RequestError when one of them is empty.
        """
        asked = tuple(splits)
        samples = ShardIndex.to_train(self, asked)
        pairs = [pair for pair in self.pairs if pair.split in asked]
        if not pairs:
            raise RequestError(
                ", ".join(one.files.address for one in self.datasets),
                found=f"no pair of split {', '.join(asked)}", expected="pairs to train on",
                hint="Pair more videos with `scanmill pair`, or name another --split.",
            )  # fmt: skip
        return tuple(
            _join(samples[number % len(samples)], pairs[number % len(pairs)])
            for number in range(max(len(samples), len(pairs)))
        )


@dataclass(frozen=True, slots=True)
class PairSample:
    """One pair, decoded. part: 1..24 of each match. pixels: row, column in i, row, column in j."""

    frame_i: FrameSample
    frame_j: FrameSample
    part: UInt8[np.ndarray, " N"]
    pixels: Int16[np.ndarray, "N 4"]


@dataclass(frozen=True, slots=True)
class JointSample:
    """What one step sees at a time; without a pair in a validation."""

    labelled: LabelledSample
    pair: PairSample | None


@dataclass(frozen=True, slots=True)
class PairBatch(TensorBatch):
    """Decoded pairs of one rank and step."""

    frame_i: FrameBatch
    frame_j: FrameBatch
    matches: PairMatches


@dataclass(frozen=True, slots=True)
class JointBatch(TensorBatch):
    """Decoded samples and pairs of one rank and step."""

    labelled: LabelledBatch
    pairs: PairBatch | None


class JointReader:
    """Read samples and pairs from any thread, and stack them. Owns: open files."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._labelled = LabelledReader(with_densepose=True)
        self._frames = FrameReader()
        self._matches = RowReader(["part", "pixels"])

    def read(self, address: SampleAddress) -> JointSample:
        """Read and decode; raises InputError when something can't serve."""
        labelled = self._labelled.read(address)
        pair = self._read_pair(address.pair) if isinstance(address, JointAddress) else None
        return JointSample(labelled, pair)

    def stack(
        self, samples: Sequence[JointSample], sampler: AugmentationSampler, epoch: int
    ) -> JointBatch:
        """Make a batch; nothing in it is random."""
        labelled = self._labelled.stack([one.labelled for one in samples], sampler, epoch)
        pairs = [one.pair for one in samples if one.pair is not None]
        names = tuple(
            name for one in samples for name in (one.labelled.sample_id, *_frame_names(one.pair))
        )  # fmt: skip
        return JointBatch(names, labelled, stack_pairs(pairs) if pairs else None)

    def _read_pair(self, address: PairAddress) -> PairSample:
        row = self._matches.read(address.matches)
        frame_i, frame_j = self._frames.read(address.frame_i), self._frames.read(address.frame_j)
        with decoding(address.pair_id):
            part = np.array(row["part"], np.uint8)
            pixels = np.array(row["pixels"], np.int16).reshape(len(part), 4)
            if part.size:
                check_range(address.pair_id, "part", part, low=1, high=PART_COUNT)
                check_range(address.pair_id, "pixels", pixels, low=0, high=HDNET_RESOLUTION - 1)
        return PairSample(frame_i, frame_j, part, pixels)


def open_joint_index(uris: Sequence[str], selection: Selection) -> JointIndex:
    """Index labelled samples and pairs; a data set may hold the ones, the others or both.

    Raises RequestError as open_index does, and when frames of pairs lack predicted normals.
    """
    shards = open_frame_shards(uris)
    labelled = [uri for uri in uris if open_dataset(uri).committed_shards()]
    index = open_index(labelled or uris, selection)
    pairs, digest = open_pairs(shards) if shards else ((), "")
    named = (*index.shards, *name_shards([shard.file for shard in shards]))
    both = f"{index.digest}+{digest}"
    return JointIndex(index.samples, index.width, both, index.datasets, named, pairs)


def stack_pairs(pairs: Sequence[PairSample]) -> PairBatch:
    """Make a batch of pairs; their matches follow one another."""
    pixels = np.concatenate([one.pixels for one in pairs]).astype(np.int64)
    part = np.concatenate([one.part for one in pairs]).astype(np.int64)
    place = np.repeat(np.arange(len(pairs)), [len(one.part) for one in pairs])
    names = tuple(name for one in pairs for name in _frame_names(one))
    frame_i = stack_frames([one.frame_i for one in pairs])
    frame_j = stack_frames([one.frame_j for one in pairs])
    tensors = (torch.from_numpy(one) for one in (place, part, pixels))
    return PairBatch(names, frame_i, frame_j, PairMatches(names, *tensors))


def _frame_names(pair: PairSample | None) -> tuple[str, ...]:
    return () if pair is None else (pair.frame_i.frame_id, pair.frame_j.frame_id)


def _join(sample: SampleAddress, pair: PairAddress) -> JointAddress:
    return JointAddress(
        sample.sample_id, sample.split, sample.shard, sample.row_group, sample.row, pair
    )
