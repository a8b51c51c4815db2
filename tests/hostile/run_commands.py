"""Run many commands in one process, each under a time limit: argv lists as JSON lines on stdin.

    python -m tests.hostile.run_commands flows.cli.app|training.run

Prints a JSON line a command: its exit code (null: it hung) and what it printed. The imports, which
cost more than most commands that are refused, are paid once.
"""

import contextlib
import importlib
import io
import json
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType

SECONDS = 20


class HangError(BaseException):
    """A command took longer than its limit; no Exception, so that nothing handles it."""


def run(main: Callable[[], int | None], arguments: list[str]) -> dict[str, object]:
    """Run one command and say how it ended."""
    printed = io.StringIO()
    sys.argv = ["scanmill", *arguments]
    signal.alarm(SECONDS)
    code: object = 0
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            code = main() or 0
        except SystemExit as ended:
            code = ended.code
        except HangError:
            code = None
        except BaseException:  # noqa: BLE001 - a traceback is what is looked for
            traceback.print_exc()
            code = 1
        finally:
            signal.alarm(0)
    return {"code": code, "text": printed.getvalue()}


def _ring(_signal: int, _frame: FrameType | None) -> None:
    raise HangError


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, _ring)
    program = importlib.import_module(sys.argv[1]).main
    answers = sys.stdout
    for line in sys.stdin:
        answers.write(json.dumps(run(program, json.loads(line))) + "\n")
        answers.flush()
