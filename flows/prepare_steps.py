"""What `prepare-and-train` does between its flows: inventory, lost scans, what is done already."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from pydantic import BaseModel, ConfigDict, Field

from flows.new_runs import find_nothing_to_pair, find_nothing_to_render
from flows.progress import say, tracking
from flows.summary import RunSummary
from schemas.atomic_files import write_atomically
from schemas.dataset_folder import DatasetFolder, Part
from schemas.dataset_reader import manifest_name
from schemas.errors import InputError
from schemas.prepare_request import PrepareRequest
from tasks.checks.inspection import inspect_root
from tasks.dataset.planning import planned_scans, read_plan
from tasks.evaluation.evaluation_summary import EvaluationSummary, find_finished_summary
from tasks.launching.training_results import AnySummary, find_finished_stage
from tasks.scans.layouts import list_scans

RECORD = "prepared.json"
NAMED = 5
"""Lost scans that an error names; the rest is counted."""


class LostScan(BaseModel):
    """A scan of which samples could not be made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scan_id: str
    reason: str


class PrepareSummary(BaseModel):
    """What was prepared and trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    samples: int
    scans: int = Field(description="planned in the data set")
    lost: tuple[LostScan, ...]
    trainings: tuple[AnySummary, ...] = Field(description="stages, in their order")
    evaluation: EvaluationSummary | None = Field(default=None, description="of the last stage")
    report: str = Field(default="", description="the page about all of it")
    seconds: float


def find_finished_preparation(request: PrepareRequest) -> PrepareSummary | None:
    """Sum up when shards and all stages are done already; None when anything is left."""
    began_s = monotonic()
    rendered = find_nothing_to_render(request.rendering)
    if rendered is None or not is_validated(request):
        return None
    if request.pairing is not None and find_nothing_to_pair(request.pairing) is None:
        return None
    check_share(find_lost(rendered), count_scans(request), request)
    trained: list[AnySummary] = []
    for training in request.trainings:
        finished = find_finished_stage(training)
        if finished is None:
            return None
        trained.append(finished)
    evaluation = None
    if not request.no_evaluation:
        evaluation = find_finished_summary(request.evaluation)
        if evaluation is None or not Path(request.report.out).is_file():
            return None
    return sum_up_preparation(request, rendered, trained, evaluation, seconds=monotonic() - began_s)


def sum_up_preparation(
    request: PrepareRequest,
    rendered: RunSummary,
    trainings: Sequence[AnySummary],
    evaluation: EvaluationSummary | None,
    *,
    seconds: float,
) -> PrepareSummary:
    """Gather what the steps returned."""
    return PrepareSummary(
        dataset=request.render.out,
        samples=rendered.samples,
        scans=count_scans(request),
        lost=find_lost(rendered),
        trainings=tuple(trainings),
        evaluation=evaluation,
        report=request.report.out if evaluation else "",
        seconds=seconds,
    )


def inspect_scans(request: PrepareRequest) -> None:
    """Look at all scans before any work; raises InputError when too many are broken."""
    render, settings = request.render, request.render.settings
    total = len(list_scans(Path(render.data), render.dataset))
    with tracking("inspect", total=total, unit="scans") as tracker:
        found = inspect_root(
            Path(render.data), render.dataset, resolution=settings.resolution,
            views=len(settings.views), on_scan=lambda _done, _all: tracker.advance(),
        )  # fmt: skip
    broken = [
        LostScan(scan_id=one.scan_id, reason=one.problems[0])
        for one in found.scans
        if one.problems
    ]  # fmt: skip
    say(f"{found.readable} scans of {found.subjects} people can be rendered, {len(broken)} broken")
    check_share(broken, len(found.scans), request)


def find_lost(rendered: RunSummary) -> tuple[LostScan, ...]:
    """Name the scans of which samples are missing, each with the first reason."""
    reasons: dict[str, str] = {}
    for failure in rendered.failures:
        scan_id = "/".join(failure.sample_id.split("/")[:2])
        reasons.setdefault(scan_id, failure.message)
    return tuple(LostScan(scan_id=name, reason=why) for name, why in sorted(reasons.items()))


def count_scans(request: PrepareRequest) -> int:
    """Count the scans that are planned in the data set."""
    return len(planned_scans(read_plan(DatasetFolder.at(request.render.out))))


def check_share(lost: Sequence[LostScan], scans: int, request: PrepareRequest) -> None:
    """Stop before the training when too many scans are lost; raises InputError naming them."""
    share = len(lost) / scans if scans else 0.0
    if share <= request.max_reject_share:
        return
    named = "; ".join(f"{one.scan_id} ({one.reason})" for one in lost[:NAMED])
    more = f"; and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    raise InputError(
        f"{request.render.data}", found=f"{len(lost)} of {scans} scans lost: {named}{more}",
        expected=f"at most {request.max_reject_share:.1%} lost",
        hint=f"Fix these scans and run the same command again, or go on without them: "
        f"--max-reject-share {share:.3g}.",
    )  # fmt: skip


def is_validated(request: PrepareRequest) -> bool:
    """Return whether these very shards were read back already."""
    try:
        record = json.loads((Path(request.out) / RECORD).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and record.get("validated") == _digest_shards(request)


def note_validated(request: PrepareRequest) -> None:
    """Put on record which shards were read back."""
    record = {"dataset": request.render.out, "validated": _digest_shards(request)}
    write_atomically(Path(request.out) / RECORD, json.dumps(record, indent=1) + "\n")


def _digest_shards(request: PrepareRequest) -> str:
    """Return a digest of all manifests: they hold the hashes of the shards."""
    folder = DatasetFolder.at(request.render.out)
    digest = hashlib.sha256()
    parts: tuple[Part, ...] = ("samples", "pairs")  # frames change when normals are predicted
    for part in parts:
        for shard_id in folder.committed_shards(part):
            digest.update(folder.store.read(manifest_name(shard_id, part)))
    return digest.hexdigest()
