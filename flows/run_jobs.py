"""Jobs run by the workers of their kind, with progress on the terminal and on Prefect's page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, Literal, NoReturn, TypeVar

from prefect.context import FlowRunContext

from flows.artifacts import ProgressBoard
from flows.prefect_workers import ProcessWorkers, ThreadWorkers
from flows.progress import tracking
from flows.worker_pool import ResilientPool, Workers
from schemas.errors import DependencyError, ScanmillError
from schemas.requests import DASK, LOCAL
from schemas.work import Job, MapUnits, UnitJob

J = TypeVar("J", bound=Job)
R = TypeVar("R")
T = TypeVar("T")
Place = Literal["drawing", "processes", "threads"]


def _say_nothing(_outcome: object) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class JobSpec(Generic[J, R]):
    """How one kind of job is run; must be used inside a flow.

    unit: plural of what people count. task: a Prefect task whose parameter is `job`. give_up:
    makes the outcome of a job that raised, or whose worker died twice. runs_in: "drawing" are
    processes that open a GL context each. note: a line to show as a job ends, or "".
    """

    unit: str
    task: Callable[[J], R]
    give_up: Callable[[J, ScanmillError], R]
    runs_in: Place
    note: Callable[[R], str] = _say_nothing


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
    ended = count(1)
    with tracking(command, total=len(jobs), unit=spec.unit) as tracker:

        def on_end(outcome: R) -> None:
            tracker.advance(note=spec.note(outcome))
            board.show(next(ended))

        pool = ResilientPool(_choose_workers(spec.runs_in, workers, device), spec.give_up)
        return pool.run(jobs, spec.task, on_end)


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


def _choose_workers(place: Place, count: int, device: int | None) -> Workers:
    """Make the workers that the options of this flow run ask for."""
    context = FlowRunContext.get()
    options = (context.parameters or {}) if context else {}
    runner = options.get("runner", LOCAL)
    if runner == LOCAL:
        return WORKERS[place](count, device)
    try:
        from flows.dask_workers import DaskWorkers  # noqa: PLC0415 - of an extra
    except ImportError as error:
        raise DependencyError(
            f"--runner {runner}", found=f"no {error.name}", expected="Prefect's runner for Dask",
            hint="Install it with pip install 'scanmill[dask]', or leave --runner out.",
        ) from error  # fmt: skip
    address = None if runner == DASK else str(runner)
    return DaskWorkers(count, place == "drawing", device, address)


def _raise(_job: Job, error: ScanmillError) -> NoReturn:
    raise error


WORKERS: dict[Place, Callable[[int, int | None], Workers]] = {
    "drawing": lambda count, device: ProcessWorkers(count, draws=True, device=device),
    "processes": lambda count, _device: ProcessWorkers(count),
    "threads": lambda count, _device: ThreadWorkers(count),
}
