"""The flow `prepare-and-train`: from scans to both phases of 2K2K; only what is left to do.

RENDER.OUT/  the data set        OUT/2k2k-normal, OUT/2k2k-depth  the trainings
OUT/prepared.json  which shards were read back
"""

from time import monotonic

from flows.new_runs import find_nothing_to_render, resolve
from flows.prepare_steps import (
    PrepareSummary,
    check_share,
    count_scans,
    find_lost,
    inspect_scans,
    is_validated,
    note_validated,
    sum_up_preparation,
)
from flows.progress import say
from flows.render import render
from flows.request_flow import request_flow
from flows.train import train
from flows.validate import validate
from schemas.prepare_request import PrepareRequest


@request_flow(PrepareRequest, name="prepare-and-train", run_name="prepare-and-train to {out}")
def prepare_and_train(request: PrepareRequest) -> PrepareSummary:
    """Inspect, render, validate, train phase 1, train phase 2; what is done is skipped.

    Raises RequestError before any work, InputError when too many scans are lost, and what the
    flows within it raise.
    """
    began_s = monotonic()
    request = request.model_copy(update={"render": resolve(request.render)})
    rendered = find_nothing_to_render(request.rendering)
    if rendered is None:
        say("1/5 inspect: what the data root holds")
        inspect_scans(request)
        say("2/5 render: samples in shards")
        rendered = render(request.rendering)
    else:
        say("1/5 and 2/5 inspect, render: everything is done already")
    check_share(find_lost(rendered), count_scans(request), request)
    if is_validated(request):
        say("3/5 validate: these shards were read back already")
    else:
        say("3/5 validate: every byte read back")
        validate(request.validation)
        note_validated(request)
    say(f"4/5 train {request.normal.stage}")
    normal = train(request.normal)
    say(f"5/5 train {request.depth.stage}")
    depth = train(request.depth)
    return sum_up_preparation(request, rendered, (normal, depth), seconds=monotonic() - began_s)
