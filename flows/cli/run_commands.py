"""The commands that start a run over shards: `scanmill render`, `pair`, `rerun`.

They answer alike: the summary, what failed and why, the hint.
"""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import typer
from pydantic import BaseModel

from flows.cli.answers import (
    Json,
    Verbose,
    print_json,
    print_table,
    say,
    style_of,
)
from flows.cli.flow_runs import run_flow
from flows.cli.profile_table import show_profile
from flows.cli.request_options import request_command
from flows.new_runs import find_nothing_to_pair, find_nothing_to_render, resolve
from flows.reruns import find_nothing_to_redo
from flows.summary import RunSummary
from schemas.manifest import Failure
from schemas.requests import PairRequest, RenderRequest, RerunRequest
from schemas.wording import format_bytes
from tasks.video.sequences import find_sequences

EXAMPLES = {
    "render": (
        "scanmill render --data DIR --dataset RP --out sets/rp",
        "scanmill render --data DIR --dataset RP --out sets/rp --yaws 0:350:10 --resolution 1024",
        "scanmill render --data DIR --dataset RP --out sets/labelled --camera hdnet",
        "scanmill render --config night.yaml --workers 8 --accept-rejects 2%",
        "night.yaml: lines such as  data: DIR   dataset: RP   out: sets/rp   yaws: -30:30:10",
    ),
    "pair": (
        "scanmill pair --data DIR --out sets/dances",
        "scanmill pair --data DIR --out sets/dances --min-neighbours 2",
        "scanmill pair --data DIR --out sets/dances --policy widest --reach 24 --left-right-px 2",
        "DIR/tiktok/VIDEO/color/0000001.png, densepose/0000001.png, mask/0000001.png; or DIR=VIDEO",
    ),
    "rerun": (
        "scanmill rerun sets/rp",
        "scanmill rerun sets/rp --data /moved/data --rejects",
        "scanmill rerun sets/rp --deep --json",
    ),
}
SHOWN = 20


@request_command(RenderRequest)
def render(
    request: RenderRequest,
    *,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Render scans into shards of training samples; only what is not done yet.

    Ends with 1 when samples failed; they are listed with their reasons.
    """
    request = resolve(request)
    _run_and_answer(
        "render", request, find_finished=lambda: find_nothing_to_render(request),
        json=json, verbose=verbose,
    )  # fmt: skip


@request_command(PairRequest)
def pair(
    request: PairRequest,
    *,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Find correspondences between the frames of videos; only what is not done yet.

    Ends with 1 when frames or videos were rejected; they are listed with their reasons.
    """
    find_sequences(Path(request.data))
    _run_and_answer(
        "pair", request, find_finished=lambda: find_nothing_to_pair(request),
        json=json, verbose=verbose,
    )  # fmt: skip


@request_command(RerunRequest)
def rerun(
    request: RerunRequest,
    *,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Redo only what is not done: failed, missing, corrupt and stale shards."""
    _run_and_answer(
        "rerun", request, find_finished=lambda: find_nothing_to_redo(request),
        json=json, verbose=verbose,
    )  # fmt: skip


def _run_and_answer(
    name: str,
    request: BaseModel,
    *,
    find_finished: Callable[[], RunSummary | None],
    json: bool,
    verbose: bool,
) -> None:
    """Run a flow on shards, print its summary, and exit with 0 or 1.

    find_finished: as run_flow has it.
    """
    summary = run_flow(
        name, request, answer=RunSummary, style=style_of(json=json), verbose=verbose,
        find_finished=find_finished,
    )  # fmt: skip
    _answer(summary, json=json)
    raise typer.Exit(0 if summary.is_done else 1)


def _answer(summary: RunSummary, *, json: bool) -> None:
    """Print the summary."""
    if json:
        print_json(summary)
        return
    if summary.failures:
        _show_failures(summary)
    for line in summary.warnings[:SHOWN]:
        say(f"warning  {line}")
    for line in summary.unfinished[:SHOWN]:
        say(f"left to do  {line}")
    if summary.profile:
        show_profile(summary.profile, elapsed=summary.seconds * summary.workers)
    say(summary.sentence)
    say(f"Data set: {summary.uri}" + (f" (+{format_bytes(summary.bytes)})" * bool(summary.bytes)))
    if summary.unfinished or summary.rejected:
        say(_hint(summary))


def _show_failures(summary: RunSummary) -> None:
    by_reason: dict[tuple[str, str, str], list[Failure]] = defaultdict(list)
    for one in summary.failures:
        by_reason[one.kind, one.error, one.message].append(one)
    rows = [
        (_samples(failed), failed[0].stage, kind, message)
        for (kind, _error, message), failed in list(by_reason.items())[:SHOWN]
    ]
    say(f"{len(summary.failures)} samples could not be made:")
    print_table(("samples", "stage", "fault of the", "reason and hint"), rows)
    say("")


def _samples(failed: list[Failure]) -> str:
    more = f"\nand {len(failed) - 1} more" if len(failed) > 1 else ""
    return failed[0].sample_id + more


def _hint(summary: RunSummary) -> str:
    if summary.unfinished:
        return f"Redo what is left with: scanmill rerun {summary.uri}"
    if summary.is_done:
        return f"{summary.rejected} rejected samples are accepted."
    return (
        f"Fix the scans and run: scanmill rerun {summary.uri}; "
        f"or go on without them: --accept-rejects {summary.rejected}"
    )
