"""Questions to a Prefect server that need no Prefect: its health, deployments, dead runs."""

import json
import urllib.request
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from time import sleep
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit

MAX_ROWS = 200
"""As many as the server returns at once."""

ANSWER_S = 10.0
TRIES, BUSY_S = 20, 0.5
"""How often a busy server is asked, and the seconds between."""

_UNFINISHED = ("RUNNING", "PENDING", "CANCELLING")
"""States of runs that have a process. One that is paused may have none, and go on later."""

_GONE = "The process of this run is gone."
_SILENT = "No heartbeat since the server started."
_RUN_VARIABLE = "PREFECT__FLOW_RUN_ID"
"""A worker gives it to the process of a run."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """One deployment as the server holds it. schedule: cron lines, seconds, or "by hand"."""

    name: str
    schedule: str


@dataclass(frozen=True, slots=True)
class ServerApi:
    """A server by the address of its API. Methods raise OSError when it does not answer."""

    address: str

    def check_health(self) -> None:
        """Ask whether it is up."""
        self._ask("GET", "health")

    def list_deployments(self) -> tuple[Deployed, ...]:
        """Return all deployments in the order of their names."""
        flows = {one["id"]: one["name"] for one in self._filter("flows")}
        found = (
            Deployed(f"{flows[one['flow_id']]}/{one['name']}", _schedule(one))
            for one in self._filter("deployments")
        )
        return tuple(sorted(found, key=lambda one: one.name))

    def crash_dead_runs(self, pool: str) -> tuple[str, ...]:
        """Mark runs of a pool crashed whose process on this machine is gone; returns their names.

        A run whose process is alive, or was never started, stays as it is. Flows within such a run
        are marked with it.
        """
        started = self._unfinished({}, work_pools={"name": {"any_": [pool]}})
        dead = [one for one in started if _is_dead(one)]
        reached = dead
        while reached:
            parents = {"parent_flow_run_id": {"any_": [one["id"] for one in reached]}}
            reached = self._unfinished(parents)
            dead += reached
        for run in dead:
            self._set_state(run["id"], "CRASHED", _GONE)
        return tuple(run["name"] for run in dead)

    def crash_run(self, run_id: str) -> bool:
        """Mark one run crashed, unless it has ended or is paused; returns whether it was."""
        found = self._unfinished({"id": {"any_": [run_id]}})
        for run in found:
            self._set_state(run["id"], "CRASHED", _GONE)
        return bool(found)

    def crash_silent_runs(self, pool: str, since: str, *, before: str = "") -> tuple[str, ...]:
        """Mark runs crashed that have not beaten once since a time (ISO 8601); returns their names.

        Those of the pool are left to crash_dead_runs, which looks at their processes. before: a
        time before which they have begun; by default since.
        """
        of_pool = {one["id"] for one in self._unfinished({}, work_pools={"name": {"any_": [pool]}})}
        began = {
            "start_time": {"before_": before or since},
            "state": {"type": {"any_": ["RUNNING"]}},
        }
        runs = [
            one for one in self._filter("flow_runs", flow_runs=began) if one["id"] not in of_pool
        ]
        silent = [one for one in runs if not self._has_beaten(one["id"], since)]
        for run in silent:
            self._set_state(run["id"], "CRASHED", _SILENT)
        return tuple(run["name"] for run in silent)

    def _has_beaten(self, run_id: str, since: str) -> bool:
        asked = {
            "occurred": {"since": since}, "event": {"name": ["prefect.flow-run.heartbeat"]},
            "resource": {"id": [f"prefect.flow-run.{run_id}"]},
        }  # fmt: skip
        return bool(self._ask("POST", "events/filter", {"filter": asked, "limit": 1})["events"])

    def state_of(self, run_id: str) -> str:
        """Return the type of a run's state; empty where it has none."""
        state = self._ask("GET", f"flow_runs/{run_id}").get("state") or {}
        return str(state.get("type", ""))

    def set_running(self, run_id: str, why: str) -> None:
        """Take back that a run was marked crashed."""
        self._set_state(run_id, "RUNNING", why)

    def replace_automation(self, automation: dict[str, Any]) -> None:
        """Create an automation; older ones of its name are deleted, with what they counted."""
        named = {"name": {"any_": [automation["name"]]}}
        for one in list(self._filter("automations", automations=named)):
            self._ask("DELETE", f"automations/{one['id']}")
        self._ask("POST", "automations/", automation)

    def _set_state(self, run_id: str, kind: str, message: str) -> None:
        state = {"type": kind, "message": message}
        self._ask("POST", f"flow_runs/{run_id}/set_state", {"state": state, "force": True})

    def _unfinished(self, runs: dict[str, Any], **others: object) -> list[dict[str, Any]]:
        filters = {**runs, "state": {"type": {"any_": list(_UNFINISHED)}}}
        return list(self._filter("flow_runs", flow_runs=filters, **others))

    def _filter(self, kind: str, **filters: object) -> Iterable[dict[str, Any]]:
        offset = 0
        while True:
            rows = self._ask(
                "POST", f"{kind}/filter", {"limit": MAX_ROWS, "offset": offset, **filters}
            )
            yield from rows
            if len(rows) < MAX_ROWS:
                return
            offset += MAX_ROWS

    def _ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        asked = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.address}/{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        text = _answer(asked)
        return json.loads(text) if text else None


def _answer(asked: urllib.request.Request) -> bytes:
    """Return an answer; a server whose database is busy is asked again, as Prefect's client does.

    It did nothing when it says so. Raises OSError.
    """
    for _ in range(TRIES - 1):
        try:
            return _answer_once(asked)
        except HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
        sleep(BUSY_S)
    return _answer_once(asked)


def _answer_once(asked: urllib.request.Request) -> bytes:
    with urllib.request.urlopen(asked, timeout=ANSWER_S) as answer:  # noqa: S310 - our own server
        return bytes(answer.read())


def without_credentials(address: str) -> str:
    """Return an address as it may be written into a data set: without a user and a password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def crash_run(server: str, run_id: str) -> None:
    """Mark a run crashed on its server, if it has one that answers."""
    if server and run_id:
        with suppress(OSError, ValueError):
            ServerApi(server).crash_run(run_id)


def _schedule(deployment: dict[str, Any]) -> str:
    rows = [one["schedule"] for one in deployment.get("schedules", []) if one.get("active")]
    shown = [
        f"cron {row['cron']}" if "cron" in row else f"every {row['interval']:g} s"
        for row in rows
        if "cron" in row or "interval" in row
    ]
    return ", ".join(shown) or ("scheduled" if rows else "by hand")


def _is_dead(run: dict[str, Any]) -> bool:
    """Whether the process that a worker of this machine started for a run is gone."""
    pid = str(run.get("infrastructure_pid") or "").rpartition(":")[2]
    if not pid.isdigit():
        return False
    try:
        variables = Path("/proc", pid, "environ").read_bytes().split(b"\0")
    except PermissionError:
        return False
    except OSError:
        return Path("/proc").exists()
    return f"{_RUN_VARIABLE}={run['id']}".encode() not in variables
