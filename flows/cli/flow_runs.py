"""Flows started from the command line: loaded when needed, quiet, their errors as ours.

Prefect is imported here, at run time, and nowhere else in the command line: it takes two seconds
that `--help`, `status`, `inspect` and `doctor` do without.
"""

import importlib
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

from pydantic import BaseModel

from flows.cli.answers import print_json, style_of
from flows.prefect_settings import API_URL, apply_prefect_defaults
from flows.progress import Style, showing
from flows.summary import UnfinishedWork
from schemas.errors import MachineError
from schemas.many_imports import many_imports

R = TypeVar("R", bound=BaseModel)


def run_flow(
    name: str,
    request: BaseModel,
    *,
    answer: type[R],
    style: Style,
    verbose: bool,
    find_finished: Callable[[], R | None] | None = None,
) -> R:
    """Run the flow `flows.<name>.<name>` in this process; return its answer, finished or not.

    find_finished: sums up when nothing is left to do. It spares the seconds of starting Prefect;
    with a server to show it, the flow runs all the same. Raises what the flow raises; Ctrl-C and a
    polite kill end it with KeyboardInterrupt.
    """
    if find_finished is not None and not os.environ.get(API_URL):
        finished = find_finished()
        if finished is not None:
            return finished
    apply_prefect_defaults(verbose=verbose)
    end_by_interrupt()
    start = _load(name)
    with showing(style):
        try:
            result = start(request)
        except UnfinishedWork as unfinished:
            result = unfinished.answer
            if not isinstance(result, answer):  # a flow within this one ended so
                raise MachineError(
                    name, found=str(unfinished), expected="all of it done",
                    hint="Look at it with scanmill status and scanmill validate.",
                ) from unfinished  # fmt: skip
    if not isinstance(result, answer):
        message = f"flow {name} returned {type(result).__name__}, not {answer.__name__}"
        raise TypeError(message)
    return result


def _load(name: str) -> Callable[[BaseModel], object]:
    """Import a flow while a temporary server starts, where one is needed."""
    with many_imports():
        server = importlib.import_module("flows.temporary_server").start_where_none_is_chosen()
        flow: Callable[[BaseModel], object] = getattr(
            importlib.import_module(f"flows.{name}"), name
        )
    if server is not None:
        server.wait()
    return flow


def answer_flow(
    name: str,
    request: BaseModel,
    *,
    answer: type[R],
    show: Callable[[R], None],
    json: bool,
    verbose: bool,
    find_finished: Callable[[], R | None] | None = None,
) -> R:
    """Run a flow as run_flow does, and print its answer: as JSON, or by `show` for people."""
    found = run_flow(
        name, request, answer=answer, style=style_of(json=json), verbose=verbose,
        find_finished=find_finished,
    )  # fmt: skip
    if json:
        print_json(found)
    else:
        show(found)
    return found


def end_by_interrupt() -> None:
    """Let Ctrl-C and a polite kill raise KeyboardInterrupt.

    Ctrl-C too: Python's own handler would be replaced inside event loops, where an interrupt that
    meets a coroutine's last step is lost.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
