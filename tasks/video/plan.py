"""Which video belongs to which shard of frames and pairs; decided once, never moved."""

from collections.abc import Sequence
from pathlib import Path

from schemas.dataset_folder import DatasetFolder, create_atomically
from schemas.manifest import PlannedVideo, PlanSegment
from schemas.scan import VideoRef
from tasks.dataset.lease import hold_lease
from tasks.dataset.planning import read_segments, segment_path
from tasks.dataset.splits import split_of
from tasks.video.sequences import find_sequences


def list_videos(data_root: Path, *, split_seed: int) -> tuple[VideoRef, ...]:
    """Name the videos below a data root, each with its split; reads no image.

    Raises RequestError when there is none.
    """
    return tuple(
        VideoRef(
            video=name,
            folder=folder.relative_to(data_root).as_posix(),
            split=split_of(split_seed, name),
        )
        for name, folder in find_sequences(data_root)
    )


def read_video_plan(folder: DatasetFolder) -> tuple[PlannedVideo, ...]:
    """Read which videos are planned, in the order of their planning."""
    return tuple(planned for segment in read_segments(folder) for planned in segment.videos)


def plan_new_videos(folder: DatasetFolder, refs: Sequence[VideoRef]) -> tuple[PlannedVideo, ...]:
    """Give the videos that no segment holds new shards, one each, and return these."""
    with hold_lease(folder.plan_folder) as lease:
        segments = read_segments(folder)
        held = [planned for segment in segments for planned in segment.videos]
        known = {planned.video.video for planned in held}
        new = sorted((ref for ref in refs if ref.video not in known), key=lambda ref: ref.video)
        if not new:
            return ()
        planned = tuple(
            PlannedVideo(shard_id=f"shard-{number:05d}", video=ref)
            for number, ref in enumerate(new, start=len(held))
        )
        segment = PlanSegment(segment=len(segments), shards=(), videos=planned)
        lease.check()
        create_atomically(segment_path(folder, segment.segment), segment.model_dump_json(indent=1))
    return planned
