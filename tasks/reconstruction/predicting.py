"""The nets, started as a program of their own: torch is never imported here."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from schemas.atomic_files import write_atomically
from schemas.errors import MachineError, RequestError, ScanmillError, quote
from schemas.prediction import (
    MEMORY,
    PREDICTED,
    REFUSED,
    STAGE,
    PredictionJob,
    PredictionRequest,
)
from tasks.launching.programs import run_program
from tasks.launching.training_launch import REQUEST_WRONG

OnPhoto = Callable[[PredictionJob, str], None]
"""Takes a photograph whose line has come; the text says why it was refused, empty: predicted."""


class Usage:
    """What the program said about itself. seconds: by stage, summed; memory_mib: its largest."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.seconds: dict[str, float] = {}
        self.memory_mib = 0


def predict_photos(request: PredictionRequest, work: Path, on_photo: OnPhoto) -> Usage:
    """Let the program predict all jobs; on_photo is called while it goes on with the next.

    work: folder for the request. Raises RequestError for weights that can't serve, MachineError
    when the program fails otherwise.
    """
    path, usage = work / "request.json", Usage()
    write_atomically(path, request.model_dump_json())
    listener = _Listener(request.jobs, usage, on_photo)
    command = [sys.executable, "-m", "training.inference.predict", "--request", str(path)]
    ended = run_program(command, on_line=listener.take)
    if ended.code == REQUEST_WRONG:
        raise quote(RequestError, ended.message)
    if ended.final:
        raise quote(ScanmillError, ended.final)
    if ended.code != 0:
        raise MachineError(
            f"the nets of {request.method}", found=f"{ended.how} ({ended.message})",
            expected="exit code 0", hint="Fix the cause; the same command goes on.",
        )  # fmt: skip
    return usage


class _Listener:
    def __init__(self, jobs: Sequence[PredictionJob], usage: Usage, on_photo: OnPhoto) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._usage, self._on_photo = usage, on_photo

    def take(self, line: str) -> None:
        """Act on a line of the program."""
        if line.startswith(PREDICTED):
            self._on_photo(self._jobs[line.removeprefix(PREDICTED)], "")
        elif line.startswith(REFUSED):
            name, _, reason = line.removeprefix(REFUSED).partition(": ")
            self._on_photo(self._jobs[name], reason)
        elif line.startswith(STAGE):
            stage, _, seconds = line.removeprefix(STAGE).rpartition(" ")
            self._usage.seconds[stage] = self._usage.seconds.get(stage, 0.0) + float(seconds)
        elif line.startswith(MEMORY):
            self._usage.memory_mib = int(line.removeprefix(MEMORY))
