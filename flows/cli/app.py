"""The command `scanmill`: its commands, and how it ends.

Exit codes: 0 done, 1 some work failed (and is listed), 2 the request itself is wrong,
130 interrupted. Imports neither Prefect nor torch, and of the modules that hold commands only the
called one's. There a command is the function of its name, and a row of EXAMPLES.
"""

import importlib
import keyword
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from types import ModuleType
from typing import Annotated, NamedTuple

import typer

from flows.cli.answers import print_error
from schemas.errors import RequestError, ScanmillError
from schemas.many_imports import many_imports

PROGRAM = "scanmill"
WORK_FAILED, REQUEST_WRONG, INTERRUPTED = 1, 2, 130


class Command(NamedTuple):
    """A command of the list. module: below flows.cli; line: what the list says of it."""

    module: str
    line: str


COMMANDS = {
    "demo": Command("people_commands", "Make people, render, train, report: all end to end."),
    "synth": Command("people_commands", "Make a licence-free data root of people and rooms."),
    "doctor": Command("doctor", "Look at the machine: what works, how to fix the rest."),
    "inspect": Command("inspect", "List what a data root holds before any work."),
    "render": Command("run_commands", "Render scans into shards of training samples."),
    "pair": Command("run_commands", "Find correspondences between the frames of videos."),
    "status": Command("status", "Show the state of each shard of a data set, and why."),
    "rerun": Command("run_commands", "Redo only what is not done."),
    "validate": Command("dataset_commands", "Read a data set back and check every byte."),
    "export": Command("dataset_commands", "Write data sets in a published layout."),
    "import": Command("dataset_commands", "Make a data set of a published layout."),
    "report": Command("dataset_commands", "Write one page about data sets and trainings."),
    "train": Command("network_commands", "Train a network from data sets."),
    "reconstruct": Command("photo_commands", "Reconstruct the people of photographs."),
    "evaluate": Command("measure_commands", "Measure meshes and checkpoints against scans."),
    "prepare-and-train": Command(
        "network_commands", "Inspect, render, validate, train: from scans to weights."
    ),
    "serve": Command("serve", "Start a Prefect server, a worker and all deployments here."),
}
COMPLETING = "_SCANMILL_COMPLETE"
"""Set by the shell while it completes a line; then every command has to be known."""

KEEP_LINES = "\b\n"
HELP = "Turn human scans into training sets for clothed-person reconstruction, and train."
EPILOG = """\b
Begin with: scanmill doctor, then scanmill demo.
Exit codes: 0 done, 1 some work failed (and is listed), 2 the request is wrong."""


def main() -> None:
    """Run the command line and exit with its code; one line on standard error when it fails."""
    app = make_app(sys.argv[1:])
    try:
        app(prog_name=PROGRAM)
    except RequestError as error:
        print_error(error)
        sys.exit(REQUEST_WRONG)
    except ScanmillError as error:
        print_error(error)
        sys.exit(WORK_FAILED)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # Typer ends so after Ctrl-C
            sys.stderr.write("scanmill: interrupted; run the same command again to go on.\n")
        raise


def make_app(arguments: Sequence[str]) -> typer.Typer:
    """Make the application in which the command that is called is loaded, and no other."""
    app = typer.Typer(
        name=PROGRAM, help=HELP, epilog=EPILOG, no_args_is_help=True, rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )  # fmt: skip
    app.callback(invoke_without_command=True)(_take_version)
    called = next((word for word in arguments if not word.startswith("-")), "")
    for name, command in COMMANDS.items():
        if name == called or COMPLETING in os.environ:
            _add_command(app, name)
        else:
            app.command(name, help=command.line)(_stand_in)
    return app


def examples_of(name: str) -> tuple[str, ...]:
    """Return the examples that the help of a command shows."""
    examples: Mapping[str, tuple[str, ...]] = _import(name).EXAMPLES
    return examples[name]


def _add_command(app: typer.Typer, name: str) -> None:
    examples = "\n".join(("Examples:", *(f"  {line}" for line in examples_of(name))))
    function = name.replace("-", "_") + "_" * keyword.iskeyword(name)
    app.command(name, epilog=KEEP_LINES + examples)(getattr(_import(name), function))


def _import(name: str) -> ModuleType:
    with many_imports():
        return importlib.import_module(f"flows.cli.{COMMANDS[name].module}")


def _stand_in() -> None:
    """Be a command that is listed and not called."""


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"{PROGRAM} {metadata.version(PROGRAM)}")
        raise typer.Exit


def _take_version(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Take the options that come before a command."""
