"""`scanmill render`."""

from flows.cli.answers import Json, Profile, Verbose
from flows.cli.request_options import request_command
from flows.cli.run_answers import run_and_answer
from flows.resolve import resolve
from flows.run_starts import find_nothing_to_render
from schemas.requests import RenderRequest

EXAMPLES = (
    "scanmill render --data DIR --dataset RP --out sets/rp",
    "scanmill render --data DIR --dataset RP --out sets/rp --yaws 0:350:10 --resolution 1024",
    "scanmill render --data DIR --dataset RP --out sets/labelled --camera hdnet",
    "scanmill render --config night.yaml --workers 8 --accept-rejects 2%",
    "night.yaml: lines such as  data: DIR   dataset: RP   out: sets/rp   yaws: -30:30:10",
)


@request_command(RenderRequest)
def render(
    request: RenderRequest,
    *,
    profile: Profile = False,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Render scans into shards of training samples; only what is not done yet.

    Ends with 1 when samples failed; they are listed with their reasons.
    """
    request = resolve(request)
    run_and_answer(
        "render", request, find_finished=lambda: find_nothing_to_render(request),
        json=json, profile=profile, verbose=verbose,
    )  # fmt: skip
