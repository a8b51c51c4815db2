"""`scanmill rerun`."""

from typing import Annotated

import typer

from flows.cli.options import (
    AcceptRejects,
    Backgrounds,
    BodyModels,
    Densepose,
    Device,
    Json,
    Uri,
    Verbose,
    Workers,
)
from flows.cli.run_answers import run_and_answer
from flows.rerun_steps import find_nothing_to_redo
from flows.run_requests import RerunRequest, check_rerun

EXAMPLES = (
    "scanmill rerun sets/rp",
    "scanmill rerun sets/rp --data /moved/data --rejects",
    "scanmill rerun sets/rp --deep --json",
)


def rerun(
    uri: Uri,
    *,
    data: Annotated[
        str | None, typer.Option(metavar="DIR", help="Data root.  [default: of the last run]")
    ] = None,
    backgrounds: Backgrounds = None,
    densepose: Densepose = None,
    smplx_models: BodyModels = None,
    rejects: Annotated[bool, typer.Option("--rejects", help="Redo rejected samples too.")] = False,
    older_code: Annotated[
        bool, typer.Option("--older-code", help="Redo what older code made.")
    ] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every byte to find what is broken.")
    ] = False,
    workers: Workers = None,
    device: Device = None,
    accept_rejects: AcceptRejects = "0",
    profile: Annotated[bool, typer.Option("--profile", help="Show seconds by stage.")] = False,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Redo only what is not done: failed, missing, corrupt and stale shards."""
    request = RerunRequest(
        uri=uri, data=data, backgrounds=backgrounds, densepose=densepose,
        smplx_models=smplx_models, rejects=rejects, older_code=older_code, deep=deep,
        workers=workers, device=device, accept_rejects=accept_rejects,
    )  # fmt: skip
    check_rerun(request)
    run_and_answer(
        "rerun", request, resolved=lambda: find_nothing_to_redo(request),
        json=json, profile=profile, verbose=verbose,
    )  # fmt: skip
