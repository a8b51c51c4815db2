"""What the Prefect tasks of all rooms have in common: how they are named, and policy."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE

P = ParamSpec("P")
R = TypeVar("R")


def unit_task(name: str, of: str = "{job.name}") -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function the task `name`, whose runs are named `name of`, filled with its parameters.

    No cache policy: whether work is done is decided by the manifests; Prefect's caches would go by
    parameters, which stay equal when a file's content changes. No retries: a machine that fails
    is an outcome, and a process that dies is started again by the pool or by the launch.
    """
    return task(
        name=name, task_run_name=f"{name} {of}", cache_policy=NO_CACHE, persist_result=False
    )
