"""Jobs run by the workers of their kind, with progress on the terminal and on Prefect's page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

from flows.artifacts import ProgressBoard
from flows.engines import Place, choose_workers
from flows.process_workers import Beats
from flows.progress import tracking
from flows.worker_pool import ResilientPool
from schemas.errors import ScanmillError
from schemas.work import Job, MapUnits, UnitJob

J = TypeVar("J", bound=Job)
R = TypeVar("R")
T = TypeVar("T")


def _say_nothing(_outcome: object) -> str:
    return ""


def _write_nothing(_outcome: object) -> tuple[int, int]:
    return 0, 0


@dataclass(frozen=True, slots=True)
class JobSpec(Generic[J, R]):
    """How one kind of job is run; must be used inside a flow.

    unit: plural of what people count. task: a Prefect task whose parameter is `job`. give_up:
    makes the outcome of a job that raised, or whose worker died twice. runs_in: "drawing" are
    processes that open a GL context each. note: a line to show as a job ends, or "". written: rows
    and bytes of an outcome, where the job writes any.
    """

    unit: str
    task: Callable[[J], R]
    give_up: Callable[[J, ScanmillError], R]
    runs_in: Place
    note: Callable[[R], str] = _say_nothing
    written: Callable[[R], tuple[int, int]] = _write_nothing


def run_jobs(
    command: str,
    jobs: Sequence[J],
    spec: JobSpec[J, R],
    *,
    workers: int,
    device: int | None = None,
) -> list[R]:
    """Run all jobs; returns their outcomes in the order of the jobs.

    workers: how many jobs run at a time. device: EGL device, None chooses. Where they run is the
    option `runner` of the flow run. Raises as ResilientPool.
    """
    if not jobs:
        return []
    board = ProgressBoard(f"{command}-progress", f"{command}: {len(jobs)} {spec.unit}", len(jobs))
    board.show(0)
    ended = 0
    with tracking(command, total=len(jobs), unit=spec.unit) as tracker:
        amount = tracker.amount
        amount.total_rows = sum(job.rows for job in jobs)

        def on_end(outcome: R) -> None:
            nonlocal ended
            ended += 1
            rows, size = spec.written(outcome)
            amount.rows, amount.bytes = amount.rows + rows, amount.bytes + size
            amount.running_rows = amount.running_bytes = 0
            tracker.advance(note=spec.note(outcome))
            board.show(ended, amount)

        def on_beats(beats: Beats) -> None:
            amount.running_rows = sum(one.rows for one in beats.values())
            amount.running_bytes = sum(one.bytes for one in beats.values())
            tracker.look()
            board.show(ended, amount)

        chosen = choose_workers(spec.runs_in, workers, device, on_beats)
        return ResilientPool(chosen, spec.give_up).run(jobs, spec.task, on_end)


def as_tasks(
    command: str, unit: str, task: Callable[[UnitJob], Any], *, workers: int, runs_in: Place
) -> MapUnits:
    """Return a map that runs each unit as a task run, with progress; as run_jobs.

    A unit that raises, or kills its worker twice, ends the run with its error.
    """

    def run(function: Callable[[T], R], units: Sequence[T], names: Sequence[str]) -> list[R]:
        jobs = [
            UnitJob(title=name, function=function, unit=one)
            for name, one in zip(names, units, strict=True)
        ]
        spec: JobSpec[UnitJob, R] = JobSpec(unit, task, _raise, runs_in)
        return run_jobs(command, jobs, spec, workers=workers)

    return run


def _raise(_job: Job, error: ScanmillError) -> NoReturn:
    raise error
