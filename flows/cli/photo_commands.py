"""The command on photographs: `scanmill reconstruct`."""

from pathlib import Path

import typer

from flows.cli.answers import Json, Verbose, print_list, say
from flows.cli.flow_runs import answer_flow
from flows.cli.request_options import request_command
from flows.progress import format_seconds
from schemas.reconstruct_request import ReconstructRequest
from tasks.reconstruction.outcomes import ReconstructSummary
from tasks.reconstruction.photo_jobs import plan_photos

EXAMPLES = {
    "reconstruct": (
        "scanmill reconstruct 2k2k photo.jpg --checkpoint runs/rp/2k2k-depth --out people",
        "scanmill reconstruct 2k2k photos --checkpoint runs/depth --out people --remove-background",
        "scanmill reconstruct 2k2k photos --checkpoint published.pth --out people \\",
        "    --keypoints openpose --mask masks",
        "scanmill reconstruct hdnet photos --mask masks --densepose iuv --out people \\",
        "    --checkpoint runs/hdnet-depth --normal-checkpoint runs/hdnet-normal",
    ),
}


@request_command(ReconstructRequest)
def reconstruct(
    request: ReconstructRequest, *, json: Json = False, verbose: Verbose = False
) -> None:
    """Reconstruct the people of photographs: depth, normals, point clouds, a mesh, a page.

    Repeat the command to go on: what is done is not done again. Ends with 1 when photographs
    failed; they are listed with their reasons.
    """
    summary = answer_flow(
        "reconstruct", request, answer=ReconstructSummary, show=show_people, json=json,
        verbose=verbose, find_finished=lambda: find_finished(request),
    )  # fmt: skip
    raise typer.Exit(0 if summary.passed else 1)


def find_finished(request: ReconstructRequest) -> ReconstructSummary | None:
    """Sum up when every photograph is done already; None when some are left."""
    plan = plan_photos(request)
    photos = tuple(plan.known[name] for name in plan.names if name in plan.known)
    if plan.jobs or any(one.state == "failed" for one in photos):
        return None
    return ReconstructSummary(method=request.method, out=request.out, photos=photos)


def show_people(summary: ReconstructSummary) -> None:
    """Say what came out, for people."""
    failed = [(one.name, one.reason) for one in summary.failed]
    print_list("photographs failed", ("photograph", "why"), failed)
    took = f" {format_seconds(summary.seconds)}" if summary.seconds else ""
    memory = f", {summary.memory_mib} MiB for the nets" if summary.memory_mib else ""
    say(summary.sentence + f"{took}{memory}" * bool(took))
    for one in summary.photos[:1]:
        if one.folder:
            say(f"  look at it  {Path(one.folder) / 'view.html'}")
