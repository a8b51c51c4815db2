"""`scanmill inspect`."""

from pathlib import Path

import typer

from flows.cli.answers import Json, print_json, print_table, say, style_of
from flows.cli.request_options import request_command
from flows.progress import showing, tracking
from schemas.errors import RequestError
from schemas.requests import InspectRequest
from schemas.wording import format_bytes
from tasks.checks.inspection import Inspection, ScanInspection, inspect_root
from tasks.scans.layouts import list_scans

EXAMPLES = {
    "inspect": (
        "scanmill inspect --data DIR --dataset RP",
        "scanmill inspect --data DIR --dataset RP --resolution 1024 --yaws 0:350:10 --json",
    ),
}


@request_command(InspectRequest)
def inspect(request: InspectRequest, *, json: Json = False) -> None:
    """List what a data root holds: scans, what is missing or broken and why, expected size.

    Ends with 1 when a scan is broken.
    """
    data, name, settings = Path(request.data), request.dataset, request.settings
    total = len(list_scans(data, name))
    with (
        showing(style_of(json=json)),
        tracking("inspect", total=total, unit="scans") as tracker,
    ):
        found = inspect_root(
            data, name, resolution=settings.resolution, views=len(settings.views),
            decode=request.decode, on_scan=lambda _done, _all: tracker.advance(),
        )  # fmt: skip
    if not found.scans:
        raise RequestError(
            "--data", found=f"no scan of {name} in {data}", expected="at least one scan",
            hint="Check --dataset, and the folder names below the data root.",
        )  # fmt: skip
    if json:
        print_json(found)
    else:
        _show(found)
    raise typer.Exit(1 if found.broken else 0)


def _show(found: Inspection) -> None:
    print_table(("scan", "triangles", "textures", "joints", "state"), map(_row, found.scans))
    say("")
    for scan in found.scans:
        for problem in scan.problems:
            say(f"broken   {scan.scan_id}: {problem}")
        for warning in scan.warnings:
            say(f"warning  {scan.scan_id}: {warning}")
    say(
        f"{len(found.scans)} scans of {found.subjects} people, {found.readable} can be rendered, "
        f"{found.broken} broken, {found.with_warnings} with warnings; "
        f"{format_bytes(found.input_bytes)} of input."
    )
    say(
        f"At {found.resolution} pixels with {found.views} views: {found.expected_samples} samples, "
        f"about {format_bytes(found.expected_bytes)} on disk."
    )


def _row(scan: ScanInspection) -> tuple[str, ...]:
    textures = ", ".join(f"{one.width} x {one.height}" for one in scan.textures)
    joints = "-" if scan.joints_total is None else f"{scan.joints_visible} of {scan.joints_total}"
    triangles = "-" if scan.triangles is None else f"{scan.triangles:,}"
    state = "broken" if scan.problems else "warning" if scan.warnings else "good"
    return scan.scan_id, triangles, textures or "-", joints, state
