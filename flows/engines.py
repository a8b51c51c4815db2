"""Which workers the option `--runner` asks for: a table of engines, each in a module of its own.

A new engine is a subclass of flows.cluster_workers.ClusterWorkers in a module, a row here, its name
or the scheme of its addresses in schemas.requests.RUNNER_NAMES and RUNNER_SCHEMES, and an extra.
"""

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from prefect.context import FlowRunContext

from flows.prefect_workers import ThreadWorkers
from flows.process_workers import Beats, ProcessWorkers
from flows.worker_pool import Workers
from schemas.errors import DependencyError, RequestError
from schemas.requests import LOCAL, engine_of
from schemas.worker_limits import WorkerLimits

Place = Literal["drawing", "processes", "threads"]


class Engine(NamedTuple):
    """An engine. variables: defaults of its environment, which it reads when it is imported."""

    module: str
    workers: str
    variables: Mapping[str, str] = MappingProxyType({})


ENGINES = {
    "dask": Engine("flows.dask_workers", "DaskWorkers"),
    "ray": Engine(
        "flows.ray_workers",
        "RayWorkers",
        {
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # on Linux: listen on loopback alone
            "RAY_metrics_report_interval_ms": "0",
        },
    ),
}
"""By name, which is that of its extra too. A Ray cluster made here reports nothing to anybody."""


def choose_workers(
    place: Place, count: int, device: int | None, on_beats: Callable[[Beats], None]
) -> Workers:
    """Make the workers that the options of this flow run ask for.

    on_beats: called with the heartbeats of worker processes here. Raises DependencyError when the
    engine is not installed, RequestError when it can't hold the limits that are asked for.
    """
    context = FlowRunContext.get()
    options = (context.parameters or {}) if context else {}
    runner = str(options.get("runner", LOCAL))
    engine = engine_of(runner)
    limits = WorkerLimits(**{name: options.get(name) for name in WorkerLimits.model_fields})
    if engine == LOCAL and place == "threads":
        return ThreadWorkers(count)
    if engine == LOCAL:
        return ProcessWorkers(count, place == "drawing", device, limits, on_beats)
    _refuse_limits(limits, runner)
    address = runner if runner != engine else None
    made: Workers = _load(engine, runner)(count, place == "drawing", device, address)
    return made


def _refuse_limits(limits: WorkerLimits, runner: str) -> None:
    """Refuse limits that only processes of this machine are held to."""
    for name in limits.model_dump(exclude_none=True):
        raise RequestError(
            f"--{name.replace('_', '-')}", found=f"--runner {runner}",
            expected="--runner local, whose workers are watched by this command",
            hint="Leave one of the two out; a cluster has limits of its own.",
        )  # fmt: skip


def _load(engine: str, runner: str) -> Any:  # noqa: ANN401 - a class of an optional module
    found = ENGINES[engine]
    for name, value in found.variables.items():
        os.environ.setdefault(name, value)
    try:
        return getattr(import_module(found.module), found.workers)
    except ImportError as error:
        raise DependencyError(
            f"--runner {runner}", found=f"no {error.name}",
            expected=f"Prefect's runner for {engine.capitalize()}",
            hint=f"Install it with pip install 'scanmill[{engine}]', or leave --runner out.",
        ) from error  # fmt: skip
