"""The flow `demo`: the main job end to end, on people that it makes itself.

OUT/people    data root          OUT/dataset   shards of samples
OUT/training  a short training   OUT/report.html, OUT/demo.json: what was done
"""

from pathlib import Path
from time import monotonic

from prefect import flow

from flows.demonstration import DemoRequest, DemoSummary, Stages, stages_of
from flows.progress import say
from flows.render import render
from flows.report import report
from flows.synthesis import make_people
from flows.train import train
from flows.validate import validate
from schemas.dataset_folder import write_atomically
from schemas.errors import RequestError
from tasks.inspection import inspect_root


@flow(name="demo", flow_run_name="demo to {request.out}")
def demo(request: DemoRequest) -> DemoSummary:
    """Make people, inspect, render, validate, train, report; each stage does only what is left."""
    began_s, stages = monotonic(), stages_of(request)
    say("1/6 synth: people and rooms")
    make_people(stages.synth, on_item=say)
    say("2/6 inspect: what the data root holds")
    inspect_people(stages)
    say("3/6 render: samples in shards")
    rendered = render(stages.render)
    say("4/6 validate: every byte read back")
    validate(stages.validate)
    say(f"5/6 train: {stages.train.stage} on {stages.train.ranks} ranks")
    trained = train(stages.train)
    say("6/6 report: one page")
    page = report(stages.report)
    summary = DemoSummary.of(
        request, rendered, trained, report=page.path, seconds=monotonic() - began_s
    )
    write_atomically(Path(request.out) / "demo.json", summary.model_dump_json(indent=1))
    return summary


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
            stages.synth.out, met=f"{found.broken} broken scans", wanted="whole ones",
            way_out="Remove that folder and run the demo again.",
        )  # fmt: skip
