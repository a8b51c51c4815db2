"""`scanmill pair`."""

from pathlib import Path

from flows.cli.answers import Json, Profile, Verbose
from flows.cli.request_options import request_command
from flows.cli.run_answers import run_and_answer
from flows.run_starts import find_nothing_to_pair
from schemas.requests import PairRequest
from tasks.video.sequences import find_sequences

EXAMPLES = (
    "scanmill pair --data DIR --out sets/dances",
    "scanmill pair --data DIR --out sets/dances --min-neighbours 2",
    "scanmill pair --data DIR --out sets/dances --policy widest --reach 24 --left-right-px 2",
    "DIR/tiktok/VIDEO/color/0000001.png, densepose/0000001.png, mask/0000001.png; or DIR=VIDEO",
)


@request_command(PairRequest)
def pair(
    request: PairRequest,
    *,
    profile: Profile = False,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Find correspondences between the frames of videos; only what is not done yet.

    Ends with 1 when frames or videos were rejected; they are listed with their reasons.
    """
    find_sequences(Path(request.data))
    run_and_answer(
        "pair", request, find_finished=lambda: find_nothing_to_pair(request),
        json=json, profile=profile, verbose=verbose,
    )  # fmt: skip
