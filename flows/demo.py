"""The flow `demo`: the main job end to end, on people that it makes itself.

OUT/people    data root          OUT/dataset   shards of samples, frames and pairs
OUT/labelled  samples of HDNet's camera   OUT/hdnet  the videos in HDNet's published layout
OUT/training  all stages of 2K2K and of HDNet, short
OUT/evaluation: a person to turn round, and figures   OUT/report.html, OUT/demo.json: what was done
"""

from pathlib import Path
from time import monotonic

from flows.demonstration import DemoSummary, Stages, stages_of
from flows.evaluate import evaluate_trained
from flows.export import export
from flows.pair import pair
from flows.progress import say
from flows.render import render
from flows.report import report
from flows.request_flow import request_flow
from flows.synthesis import make_people
from flows.train import train
from flows.validate import validate
from schemas.atomic_files import write_atomically
from schemas.errors import RequestError
from schemas.requests import DemoRequest
from tasks.checks.inspection import inspect_root
from tasks.formats.hdnet.hdnet_check import check_folder
from tasks.formats.hdnet.hdnet_layout import TIKTOK


@request_flow(DemoRequest, name="demo", run_name="demo to {out}")
def demo(request: DemoRequest) -> DemoSummary:
    """Make people, inspect, render, pair, validate, train, export, evaluate, report."""
    began_s, stages = monotonic(), stages_of(request)
    say("1/10 synth: people, rooms and a dance")
    make_people(stages.synth, on_item=say)
    say("2/10 inspect: what the data root holds")
    inspect_people(stages)
    say("3/10 render: samples in shards, of 2K2K's camera and of HDNet's")
    rendered = render(stages.render)
    render(stages.labelled)
    say("4/10 pair: correspondences between the frames of the dance")
    paired = pair(stages.pair)
    say("5/10 validate: every byte read back")
    validate(stages.validate)
    say(f"6/10 train: both phases of 2K2K on {stages.normal.nproc} ranks")
    phases = (train(stages.normal), train(stages.depth))
    say("7/10 train: all stages of HDNet, with the predicted normals of the dance")
    trained = (*phases, *(train(one) for one in stages.hdnet))
    say("8/10 export: the published HDNet layout, checked by its reader's rules")
    export_and_check(stages)
    say("9/10 evaluate: people reconstructed by 2K2K, and measured")
    evaluation = evaluate_trained(stages.evaluate)
    say("10/10 report: one page")
    page = report(stages.report)
    summary = DemoSummary.of(
        request,
        rendered,
        paired,
        trained,
        evaluation,
        report=page.path,
        seconds=monotonic() - began_s,
    )
    write_atomically(Path(request.out) / "demo.json", summary.model_dump_json(indent=1))
    return summary


def export_and_check(stages: Stages) -> None:
    """Write the published folders where they are missing; raises RequestError for a bad one."""
    to = Path(stages.export.to)
    if not (to / TIKTOK.folder).is_dir():
        export(stages.export)
    check = check_folder(to)
    say(f"{check.frames} frames, {check.pairs} pairs, {check.samples} labelled samples")
    if not check.passed:
        first = check.findings[0]
        raise RequestError(
            first.where, found=f"{first.what}: {first.found}", expected=first.expected,
            hint=f"Remove {to} and run the demo again.",
        )  # fmt: skip


def inspect_people(stages: Stages) -> None:
    """Look at the people before any work; raises RequestError when one of them is broken."""
    settings = stages.render.settings
    found = inspect_root(
        Path(stages.synth.out), stages.render.dataset,
        resolution=settings.resolution, views=len(settings.views),
    )  # fmt: skip
    say(f"{found.readable} scans of {found.subjects} people, {found.expected_samples} samples")
    if found.broken:
        raise RequestError(
            stages.synth.out, found=f"{found.broken} broken scans", expected="whole ones",
            hint="Remove that folder and run the demo again.",
        )  # fmt: skip
