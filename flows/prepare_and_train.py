"""The flow `prepare-and-train`: from scans to 2K2K, or from scans and videos to HDNet.

RENDER.OUT/        the data set; the camera of its views says which method is trained
OUT/STAGE/         the trainings, as 2k2k-normal or hdnet-video
OUT/evaluation/    figures of the test split, and some of its people as meshes
OUT/report.html    one page       OUT/prepared.json  which shards were read back
"""

from time import monotonic

from flows.evaluate import evaluate_trained
from flows.new_runs import find_nothing_to_pair, find_nothing_to_render, resolve
from flows.pair import pair
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
from flows.report import report
from flows.request_flow import request_flow
from flows.train import train
from flows.validate import validate
from schemas.prepare_request import PrepareRequest


@request_flow(PrepareRequest, name="prepare-and-train", run_name="prepare-and-train to {out}")
def prepare_and_train(request: PrepareRequest) -> PrepareSummary:
    """Inspect, render, pair for HDNet, validate, train, evaluate; what is done is skipped.

    Raises RequestError before any work, InputError when too many scans are lost, and what the
    flows within it raise.
    """
    began_s = monotonic()
    request = request.model_copy(update={"render": resolve(request.render)})
    rendered = find_nothing_to_render(request.rendering)
    if rendered is None:
        say("inspect: what the data root holds")
        inspect_scans(request)
        say("render: samples in shards")
        rendered = render(request.rendering)
    else:
        say("inspect, render: everything is done already")
    check_share(find_lost(rendered), count_scans(request), request)
    if request.pairing is not None and find_nothing_to_pair(request.pairing) is None:
        say("pair: correspondences between the frames of the videos")
        pair(request.pairing)
    if is_validated(request):
        say("validate: these shards were read back already")
    else:
        say("validate: every byte read back")
        validate(request.validation)
        note_validated(request)
    trained = []
    for number, training in enumerate(request.trainings, start=1):
        say(f"train {number}/{len(request.trainings)}: {training.stage}")
        trained.append(train(training))
    evaluation = None
    if not request.no_evaluation:
        say("evaluate: people of the test split, reconstructed and measured")
        evaluation = evaluate_trained(request.evaluation)
        say(f"report: {report(request.report).path}")
    return sum_up_preparation(request, rendered, trained, evaluation, seconds=monotonic() - began_s)
