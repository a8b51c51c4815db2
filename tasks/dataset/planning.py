"""Which scans and videos belong to which shard; decided once, never moved.

    plan/00000.json ...   immutable segments; what is new goes to new shards in a new segment

A segment is created under a lease, and never replaces another. Shards of scans and shards of
videos are numbered apart.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from schemas.dataset_folder import DatasetFolder
from schemas.dataset_reader import PLAN_FOLDER
from schemas.dataset_store import ConflictError
from schemas.errors import InputError, RequestError
from schemas.manifest import PlannedShard, PlannedVideo, PlanSegment, parse_record
from schemas.scan import ScanRef, VideoRef
from tasks.dataset.lease import hold_lease

Segments = tuple[PlanSegment, ...]
_SEGMENT = re.compile(r"^\d{5,}\.json$")


def read_plan(folder: DatasetFolder) -> tuple[PlannedShard, ...]:
    """Read the shards of scans of all segments, in the order of their planning."""
    return tuple(shard for segment in read_segments(folder) for shard in segment.shards)


def read_video_plan(folder: DatasetFolder) -> tuple[PlannedVideo, ...]:
    """Read the videos of all segments, in the order of their planning."""
    return tuple(planned for segment in read_segments(folder) for planned in segment.videos)


def planned_scans(plan: Iterable[PlannedShard]) -> tuple[ScanRef, ...]:
    """List the scans of a plan."""
    return tuple(ref for shard in plan for ref in shard.scans)


def plan_new(
    folder: DatasetFolder, refs: Sequence[ScanRef], *, scans_per_shard: int
) -> tuple[PlannedShard, ...]:
    """Give the scans that no segment holds new shards, and return these.

    Raises RequestError when two samples would have one id, or a subject two splits.
    """

    def plan(segments: Segments) -> PlanSegment:
        held = [shard for segment in segments for shard in segment.shards]
        known = {ref.scan_id for ref in planned_scans(held)}
        new = sorted((ref for ref in refs if ref.scan_id not in known), key=lambda ref: ref.scan_id)
        _check_scans((*planned_scans(held), *new))
        shards = _make_shards(new, scans_per_shard, first=len(held))
        return PlanSegment(segment=len(segments), shards=shards)

    return _add_segment(folder, plan).shards


def plan_new_videos(folder: DatasetFolder, refs: Sequence[VideoRef]) -> tuple[PlannedVideo, ...]:
    """Give the videos that no segment holds new shards, one each, and return these."""

    def plan(segments: Segments) -> PlanSegment:
        held = [planned for segment in segments for planned in segment.videos]
        known = {planned.video.video for planned in held}
        new = sorted((ref for ref in refs if ref.video not in known), key=lambda ref: ref.video)
        videos = tuple(
            PlannedVideo(shard_id=_shard_id(number), video=ref)
            for number, ref in enumerate(new, start=len(held))
        )
        return PlanSegment(segment=len(segments), shards=(), videos=videos)

    return _add_segment(folder, plan).videos


def read_segments(folder: DatasetFolder) -> Segments:
    """Read the pieces of the plan; raises InputError when one is missing between them."""
    names = {one for one in folder.store.list_names(PLAN_FOLDER) if _SEGMENT.match(one)}
    segments: list[PlanSegment] = []
    while (last := f"{len(segments):05d}.json") in names:
        name = f"{PLAN_FOLDER}/{last}"
        source = folder.store.where(name)
        segments.append(parse_record(PlanSegment, folder.store.read(name), source=source))
    if len(names) > len(segments):
        raise InputError(
            folder.store.where(f"{PLAN_FOLDER}/{max(names)}"),
            found=f"no segment {len(segments):05d} before it",
            expected="plan segments without a gap",
            hint="Restore the missing segment from a copy: it says which scan is where.",
        )
    return tuple(segments)


def _add_segment(folder: DatasetFolder, plan: Callable[[Segments], PlanSegment]) -> PlanSegment:
    """Create the segment that `plan` makes of the existing ones, unless it is empty."""
    with hold_lease(folder.store) as lease:
        while True:
            segment = plan(read_segments(folder))
            if not segment.shards and not segment.videos:
                return segment
            lease.check()
            name, text = _segment_name(segment.segment), segment.model_dump_json(indent=1)
            with suppress(ConflictError):  # the lease was lost, and another planned meanwhile
                folder.store.write(name, text, seen=None)
                return segment


def _check_scans(refs: Sequence[ScanRef]) -> None:
    splits: dict[str, str] = {}
    seen: set[str] = set()
    for ref in refs:
        if ref.scan_id in seen or splits.setdefault(ref.subject, ref.split) != ref.split:
            raise RequestError(
                ref.scan_id,
                found=f"the scan twice, or its subject {ref.subject} in two splits",
                expected="each scan once, and all scans of one person in one split",
                hint="Check the data root for doubled scans, and --splits.",
            )
        seen.add(ref.scan_id)


def _make_shards(
    refs: Sequence[ScanRef], scans_per_shard: int, *, first: int
) -> tuple[PlannedShard, ...]:
    starts = range(0, len(refs), scans_per_shard)
    return tuple(
        PlannedShard(shard_id=_shard_id(number), scans=tuple(refs[start : start + scans_per_shard]))
        for number, start in enumerate(starts, start=first)
    )


def _shard_id(number: int) -> str:
    return f"shard-{number:05d}"


def _segment_name(number: int) -> str:
    """Name a piece of the plan: plan/00000.json and so on."""
    return f"{PLAN_FOLDER}/{number:05d}.json"
