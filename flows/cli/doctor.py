"""`scanmill doctor`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.answers import Json, print_json, print_table, say
from tasks.machine.doctor import DoctorReport, examine_machine

EXAMPLES = {"doctor": ("scanmill doctor", "scanmill doctor --out /data/sets --json")}


def doctor(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where data will be written: its disk is looked at.")
    ] = Path(),
    json: Json = False,
) -> None:
    """Look at the machine: EGL devices, GPU, disk, versions, extras; and how to fix them.

    Ends with 1 when something that is needed does not work.
    """
    found = examine_machine(out)
    if json:
        print_json(found)
    else:
        _show(found)
    raise typer.Exit(0 if found.healthy else 1)


def _show(found: DoctorReport) -> None:
    rows = [
        (one.topic, one.name, one.state + (" (needed)" if one.hurts else ""), one.detail)
        for one in found.findings
    ]
    print_table(("what", "name", "state", "detail"), rows)
    say("")
    for one in found.findings:
        if one.fix and (one.hurts or one.state == "broken"):
            say(f"{one.topic} {one.name}: {one.fix}")
    say("All that is needed works." if found.healthy else "Something that is needed does not work.")
