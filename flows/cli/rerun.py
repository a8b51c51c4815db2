"""`scanmill rerun`."""

from flows.cli.answers import Json, Profile, Verbose
from flows.cli.request_options import request_command
from flows.cli.run_answers import run_and_answer
from flows.run_starts import find_nothing_to_redo
from schemas.requests import RerunRequest

EXAMPLES = (
    "scanmill rerun sets/rp",
    "scanmill rerun sets/rp --data /moved/data --rejects",
    "scanmill rerun sets/rp --deep --json",
)


@request_command(RerunRequest)
def rerun(
    request: RerunRequest,
    *,
    profile: Profile = False,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Redo only what is not done: failed, missing, corrupt and stale shards."""
    run_and_answer(
        "rerun", request, find_finished=lambda: find_nothing_to_redo(request),
        json=json, profile=profile, verbose=verbose,
    )  # fmt: skip
