"""Flows started from the command line: loaded when needed, quiet, their errors as ours.

Prefect is imported here, at run time, and nowhere else in the command line: it takes two seconds
that `--help`, `status`, `inspect` and `doctor` do without.
"""

import importlib
import signal
from types import FrameType
from typing import TypeVar

from pydantic import BaseModel

from flows.prefect_settings import apply_prefect_defaults
from flows.progress import Style, showing
from flows.unfinished import UnfinishedWork
from schemas.errors import MachineError

R = TypeVar("R", bound=BaseModel)


def run_flow(name: str, request: BaseModel, *, answer: type[R], style: Style, verbose: bool) -> R:
    """Run the flow `flows.<name>.<name>` in this process; return its answer, finished or not.

    Raises what the flow raises; Ctrl-C and a polite kill end it with KeyboardInterrupt.
    """
    apply_prefect_defaults(verbose=verbose)
    # Ctrl-C too: Python's own handler would be replaced inside event loops, where an interrupt
    # that meets a coroutine's last step is lost.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    start = getattr(importlib.import_module(f"flows.{name}"), name)
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


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
