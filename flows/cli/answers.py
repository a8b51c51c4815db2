"""How commands answer, and the options for it: JSON for programs, tables and errors for people."""

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from flows.progress import Style
from schemas.errors import ScanmillError

Uri = Annotated[
    str, typer.Argument(help="Folder of a data set.", metavar="URI", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show Prefect's log too.")]

WIDTH_WITHOUT_TERMINAL = 160
SHOWN = 50
"""Rows of a list that people read; --json has all."""


def print_json(answer: BaseModel) -> None:
    """Write a value as JSON on standard output."""
    sys.stdout.write(answer.model_dump_json(indent=2) + "\n")


def print_error(error: ScanmillError) -> None:
    """Write one line on standard error."""
    sys.stderr.write(f"scanmill: {error}\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table on standard output; without a terminal wide enough for a log."""
    table = Table(show_edge=False, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)


def print_list(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write what went wrong as a table under its number, the first of many; nothing for none."""
    if rows:
        say(f"{len(rows)} {title}:")
        print_table(columns, rows[:SHOWN])
        say("")


def console() -> Console:
    """Make the console of standard output."""
    width = None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL
    return Console(file=sys.stdout, width=width, markup=False, highlight=False, soft_wrap=False)


def say(line: str) -> None:
    """Write one line of an answer for people on standard output."""
    typer.echo(line)


def style_of(*, json: bool) -> Style:
    """Choose how progress is shown: a program that reads JSON gets none."""
    return "silent" if json else "auto"
