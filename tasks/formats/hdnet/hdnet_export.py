"""Data sets written as the published folders: planned, written in pieces, put in place whole.

    DIR/tiktok_data   frames and pairs of every video       DIR/Tang_data   labelled samples

Owns: the folder that is being made, `.tmp-export-...`, until it is renamed.
"""

import multiprocessing
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.dataset_folder import TEMPORARY_PREFIX, DatasetFolder
from schemas.errors import RequestError
from schemas.manifest import Manifest
from tasks.formats.hdnet.hdnet_layout import LABELLED_FOLDER, TIKTOK_FOLDER, HdnetFolder
from tasks.formats.hdnet.labelled_export import (
    ExportedSamples,
    LabelledWork,
    export_samples,
    format_sample_list,
    plan_samples,
)
from tasks.formats.hdnet.numbering import choose_shifts
from tasks.formats.hdnet.video_export import (
    ExportedVideo,
    export_video,
    format_number_list,
    format_pair_list,
    put,
)

MIN_PROCESSES = 2
Progress = Callable[[int, int], None]
"""Called with pieces written, and pieces in all."""


class VideoWork(BaseModel):
    """One video to be written; crosses process borders."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str
    shard_id: str
    video: str
    shift: int
    pairs: tuple[tuple[int, int], ...]
    neighbours: int


class ExportPlan(BaseModel):
    """All that an export has to write, and where it is put together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    videos: tuple[VideoWork, ...]
    samples: tuple[LabelledWork, ...]
    left_out: tuple[str, ...]


class ExportReport(BaseModel):
    """What was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: str
    videos: int
    frames: int
    pairs: int
    samples: int
    warnings: tuple[str, ...]


def count_pieces(folders: Sequence[DatasetFolder]) -> int:
    """Count what an export of these data sets writes one by one."""
    plan = plan_export(folders)
    return len(plan.videos) + len(plan.samples)


def plan_export(folders: Sequence[DatasetFolder]) -> ExportPlan:
    """List the videos and samples of these data sets with their numbers; reads records only.

    Raises RequestError when there is nothing to export, or seven digits can't name it all.
    """
    found = [(folder, shard_id) for folder in folders for shard_id in _committed(folder)]
    manifests = {
        (str(folder.root), shard_id): _read_both(folder, shard_id) for folder, shard_id in found
    }
    usable = {key: both for key, both in manifests.items() if both[1].rows}
    left_out = [
        f"{_videos_of(frames)}: no pairs, left out"
        for key, (frames, _) in manifests.items()
        if key not in usable
    ]
    shifts = choose_shifts({key: _frames_of(frames) for key, (frames, _) in usable.items()})
    neighbours = {str(folder.root): _neighbours(folder) for folder in folders}
    videos = tuple(
        VideoWork(
            uri=uri, shard_id=shard_id, video=_videos_of(frames), shift=shifts[uri, shard_id],
            pairs=_pairs_of(pairs), neighbours=max(neighbours.values()),
        )
        for (uri, shard_id), (frames, pairs) in usable.items()
    )  # fmt: skip
    samples = plan_samples(folders)
    if not videos and not samples:
        raise RequestError(
            ", ".join(str(folder.root) for folder in folders),
            found="no pairs of frames, and no samples that HDNet's camera could see",
            expected="a data set of `scanmill pair`, or of `scanmill render`",
            hint="Run `scanmill status` on it.",
        )
    return ExportPlan(videos=videos, samples=samples, left_out=tuple(left_out))


def write_video(work: VideoWork, staging: Path) -> ExportedVideo:
    """Write one video below the folder that is being made."""
    target = HdnetFolder(staging / TIKTOK_FOLDER)
    return export_video(DatasetFolder(Path(work.uri)), work.shard_id, target, shift=work.shift)


def write_samples(work: LabelledWork, staging: Path) -> ExportedSamples:
    """Write the samples of one shard below the folder that is being made."""
    return export_samples(work, HdnetFolder(staging / LABELLED_FOLDER))


def finish_export(
    plan: ExportPlan,
    videos: Sequence[ExportedVideo],
    samples: Sequence[ExportedSamples],
    *,
    staging: Path,
    to: Path,
) -> ExportReport:
    """Write the lists, put the folders in place, and sum up."""
    if plan.videos:
        _write_lists(plan, videos, HdnetFolder(staging / TIKTOK_FOLDER))
    named = [one for shard in samples for one in shard.samples]
    if named:
        target = HdnetFolder(staging / LABELLED_FOLDER)
        put({target.number_list: format_sample_list(named).encode()})
    for folder in sorted(staging.iterdir()):
        folder.replace(to / folder.name)
    return ExportReport(
        to=str(to),
        videos=len(videos),
        frames=sum(len(one.frames) for one in videos),
        pairs=sum(one.pairs for one in videos),
        samples=len(named),
        warnings=tuple(_collect_warnings(plan, videos, samples)),
    )


def export_hdnet(
    folders: Sequence[DatasetFolder],
    to: Path,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> ExportReport:
    """Write data sets as published folders, piece by piece in processes.

    workers: 1 writes in this process. progress: called with pieces written, and pieces in all.
    Raises RequestError when DIR holds such a folder already.
    """
    plan = plan_export(folders)
    total = len(plan.videos) + len(plan.samples)

    def count(done: int) -> None:
        if progress is not None:
            progress(done, total)

    with staging_folder(to) as staging, _open_pool(min(workers, total)) as pool:
        videos, samples = list[ExportedVideo](), list[ExportedSamples]()
        for video in pool(partial(write_video, staging=staging), plan.videos):
            videos.append(video)
            count(len(videos))
        for shard in pool(partial(write_samples, staging=staging), plan.samples):
            samples.append(shard)
            count(len(videos) + len(samples))
        return finish_export(plan, videos, samples, staging=staging, to=to)


@contextmanager
def _open_pool(workers: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """Yield a `map` that keeps the order: in processes, or in this one when there is one worker."""
    if workers < MIN_PROCESSES:
        yield map
        return
    spawn = multiprocessing.get_context("spawn")  # a fork after drawing would hang
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        yield pool.map


@contextmanager
def staging_folder(to: Path) -> Iterator[Path]:
    """Make a folder to put an export together in; gone at the end, whatever happens."""
    for name in (TIKTOK_FOLDER, LABELLED_FOLDER):
        if (to / name).exists():
            raise RequestError(
                str(to / name), found="it is there already", expected="a place for a new folder",
                hint="Give another --to, or move it away.",
            )  # fmt: skip
    staging = to / f"{TEMPORARY_PREFIX}export-{uuid.uuid4().hex}"
    staging.mkdir(parents=True)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write_lists(plan: ExportPlan, videos: Sequence[ExportedVideo], target: HdnetFolder) -> None:
    neighbours = max(work.neighbours for work in plan.videos)
    pairs = [
        (frame_i + work.shift, frame_j + work.shift)
        for work in plan.videos
        for frame_i, frame_j in work.pairs
    ]
    frames = (frame for video in videos for frame in video.frames)
    put({
        target.pair_list: format_pair_list(pairs, neighbours=neighbours).encode(),
        target.number_list: format_number_list(frames).encode(),
    })  # fmt: skip


def _collect_warnings(
    plan: ExportPlan, videos: Sequence[ExportedVideo], samples: Sequence[ExportedSamples]
) -> Iterator[str]:
    yield from plan.left_out
    bare = sum(one.bare for one in videos)
    if bare:
        yield (
            f"{bare} frames have no predicted normals and were written without: the published "
            "reader opens pred_normals for every frame. The stage hdnet-predict-normals makes "
            "them; this version does not have it yet."
        )
    blind = sum(not one.has_iuv for shard in samples for one in shard.samples)
    if blind:
        yield (
            f"{blind} labelled samples have no DensePose image and were written without: the "
            "published reader opens one for every sample. Render with --densepose."
        )
    for shard in samples:
        yield from shard.refused


def _committed(folder: DatasetFolder) -> tuple[str, ...]:
    folder.read_description()
    frames = set(folder.committed_shards("frames"))
    return tuple(one for one in folder.committed_shards("pairs") if one in frames)


def _read_both(folder: DatasetFolder, shard_id: str) -> tuple[Manifest, Manifest]:
    return folder.read_manifest(shard_id, "frames"), folder.read_manifest(shard_id, "pairs")


def _neighbours(folder: DatasetFolder) -> int:
    pairing = folder.read_description().pairing
    return pairing.neighbours if pairing else 1


def _videos_of(frames: Manifest) -> str:
    names = {name.rpartition("/")[0] for name in frames.sample_ids}
    return ", ".join(sorted(names)) or frames.shard_id


def _frames_of(frames: Manifest) -> tuple[int, ...]:
    return tuple(int(name.rpartition("/")[2]) for name in frames.sample_ids)


def _pairs_of(pairs: Manifest) -> tuple[tuple[int, int], ...]:
    ends = (name.rpartition("/")[2].split("--") for name in pairs.sample_ids)
    return tuple((int(frame_i), int(frame_j)) for frame_i, frame_j in ends)
