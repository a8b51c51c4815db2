"""Which scan belongs to which shard; decided once, never moved.

    plan/00000.json ...   immutable segments; new scans go to new shards in a new segment

A segment is created under a lease, and never replaces another.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from schemas.dataset_folder import DatasetFolder, create_atomically
from schemas.errors import InputError, RequestError
from schemas.manifest import PlannedShard, PlanSegment, parse_record
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from tasks.dataset.lease import hold_lease


def read_plan(folder: DatasetFolder) -> tuple[PlannedShard, ...]:
    """Read all segments; shards in the order of their planning."""
    return tuple(shard for segment in read_segments(folder) for shard in segment.shards)


def planned_scans(plan: Iterable[PlannedShard]) -> tuple[ScanRef, ...]:
    """List the scans of a plan."""
    return tuple(ref for shard in plan for ref in shard.scans)


def plan_new(
    folder: DatasetFolder, refs: Sequence[ScanRef], *, scans_per_shard: int
) -> tuple[PlannedShard, ...]:
    """Give the scans that no segment holds new shards, and return these.

    Raises RequestError when two samples would have one id, or a subject two splits.
    """
    with hold_lease(folder.plan_folder) as lease:
        segments = read_segments(folder)
        held = [shard for segment in segments for shard in segment.shards]
        known = {ref.scan_id for ref in planned_scans(held)}
        new = sorted((ref for ref in refs if ref.scan_id not in known), key=lambda ref: ref.scan_id)
        _check_scans((*planned_scans(held), *new))
        if not new:
            return ()
        shards = _make_shards(new, scans_per_shard, first=len(held))
        segment = PlanSegment(segment=len(segments), shards=shards)
        lease.check()
        create_atomically(segment_path(folder, segment.segment), segment.model_dump_json(indent=1))
    return shards


def check_sample_ids(refs: Iterable[ScanRef], settings: RenderSettings) -> None:
    """Refuse settings and scans that would give two samples one id; names them."""
    names = Counter(view.sample_id(ref.scan_id) for ref in refs for view in settings.views)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise RequestError(
            twice[0],
            found=f"{len(twice)} sample ids that stand for two samples each",
            expected="one id for one sample",
            hint="Name no view and no scan twice.",
        )


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
        PlannedShard(
            shard_id=f"shard-{first + number:05d}",
            scans=tuple(refs[start : start + scans_per_shard]),
        )
        for number, start in enumerate(starts)
    )


def read_segments(folder: DatasetFolder) -> tuple[PlanSegment, ...]:
    """Read the pieces of the plan; raises InputError when one is missing between them."""
    segments: list[PlanSegment] = []
    while (path := segment_path(folder, len(segments))).is_file():
        segments.append(parse_record(PlanSegment, path.read_bytes(), source=str(path)))
    if path_beyond := _find_beyond(folder, len(segments)):
        raise InputError(
            str(path_beyond),
            found=f"no segment {len(segments):05d} before it",
            expected="plan segments without a gap",
            hint="Restore the missing segment from a copy: it says which scan is where.",
        )
    return tuple(segments)


def _find_beyond(folder: DatasetFolder, count: int) -> Path | None:
    paths = sorted(folder.plan_folder.glob("[0-9]*.json"))
    return paths[-1] if len(paths) > count else None


def segment_path(folder: DatasetFolder, number: int) -> Path:
    """Return where a piece of the plan stands: plan/00000.json and so on."""
    return folder.plan_folder / f"{number:05d}.json"
