"""Questions to a real server: which of its runs have lost their process, and which only rest."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import sleep
from typing import Any, ClassVar
from uuid import uuid4

import httpx
import pytest
import yaml

from flows.server_api import ServerApi, without_credentials
from schemas.manifest import utc_now
from tests.flows.live_server import ROOT, LiveServer

pytestmark = pytest.mark.xdist_group("prefect-server")

DEAD_PID = 2**31 - 1
TRIES = 10
AUTOMATIONS = yaml.safe_load((ROOT / "prefect.yaml").read_text())["automations"]


def post(server: LiveServer, path: str, body: object) -> dict[str, Any]:
    """Ask as Prefect's client does: again while the server's database is busy (503)."""
    for _ in range(TRIES):
        answer = httpx.post(f"{server.address}/{path}", json=body)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
        sleep(0.5)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


def make_pool(server: LiveServer) -> str:
    name = f"pool-{uuid4().hex}"
    post(server, "work_pools/", {"name": name, "type": "process"})
    return name


def make_run(server: LiveServer, state: dict[str, str], pool: str | None = None) -> str:
    """Create a run in a state; one of a pool has the number of a process that is gone."""
    flow = post(server, "flows/", {"name": "resting"})
    asked = {"flow_id": flow["id"], "work_pool_name": pool}
    run_id = str(post(server, "flow_runs/", asked)["id"])
    if pool:
        gone = {"infrastructure_pid": f"here:{DEAD_PID}"}
        httpx.patch(f"{server.address}/flow_runs/{run_id}", json=gone).raise_for_status()
    post(server, f"flow_runs/{run_id}/set_state", {"state": state, "force": True})
    return run_id


def beat(server: LiveServer, run_id: str) -> None:
    """Send a heartbeat as the process of a run does."""
    event = {
        "id": str(uuid4()), "occurred": utc_now(), "event": "prefect.flow-run.heartbeat",
        "resource": {"prefect.resource.id": f"prefect.flow-run.{run_id}"}, "payload": {},
    }  # fmt: skip
    httpx.post(f"{server.address}/events", json=[event]).raise_for_status()


def test_run_without_process_is_crashed_and_a_suspended_one_rests(server: LiveServer) -> None:
    api, pool = ServerApi(server.address), make_pool(server)
    running = make_run(server, {"type": "RUNNING"}, pool)
    suspended = make_run(server, {"type": "PAUSED", "name": "Suspended"}, pool)
    assert len(api.crash_dead_runs(pool)) == 1
    assert api.state_of(running) == "CRASHED"
    assert api.state_of(suspended) == "PAUSED"


def test_run_that_is_named_is_crashed_unless_it_has_ended_or_rests(server: LiveServer) -> None:
    api = ServerApi(server.address)
    states = ({"type": "RUNNING"}, {"type": "COMPLETED"}, {"type": "PAUSED", "name": "Suspended"})
    runs = [make_run(server, state) for state in states]
    assert [api.crash_run(one) for one in runs] == [True, False, False]
    assert [api.state_of(one) for one in runs] == ["CRASHED", "COMPLETED", "PAUSED"]


def test_run_that_is_alive_takes_its_mark_back(server: LiveServer) -> None:
    api, run = ServerApi(server.address), make_run(server, {"type": "CRASHED"})
    api.set_running(run, "alive")
    assert api.state_of(run) == "RUNNING"


def test_only_runs_that_have_not_beaten_are_crashed(server: LiveServer) -> None:
    api, since = ServerApi(server.address), utc_now()
    silent, healthy = (make_run(server, {"type": "RUNNING"}) for _ in range(2))
    rests = make_run(server, {"type": "PAUSED", "name": "Suspended"})
    beat(server, healthy)
    while not api._has_beaten(healthy, since):  # events are stored behind the answer
        pass
    api.crash_silent_runs(make_pool(server), since, before=utc_now())
    assert [api.state_of(one) for one in (silent, healthy, rests)] == [
        "CRASHED", "RUNNING", "PAUSED",
    ]  # fmt: skip


def test_automations_of_prefect_yaml_are_taken_and_not_doubled(server: LiveServer) -> None:
    api = ServerApi(server.address)
    for _ in range(2):
        for one in AUTOMATIONS:
            api.replace_automation(one)
    found = post(server, "automations/filter", {})
    names = [one["name"] for one in found]  # type: ignore[index]
    assert names.count("scanmill-crashed-runs") == 1


class Busy(BaseHTTPRequestHandler):
    """Answers 503 once, as Prefect's server does while its database is locked, then the path."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answer."""
        self.asked.append(self.path)
        body = b'{"state": {"type": "RUNNING"}}'
        self.send_response(503 if len(self.asked) == 1 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_busy_server_is_asked_again() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as busy:
        Thread(target=busy.serve_forever, daemon=True).start()
        assert ServerApi(f"http://127.0.0.1:{busy.server_port}").state_of("one") == "RUNNING"
        busy.shutdown()
    assert Busy.asked == ["/flow_runs/one", "/flow_runs/one"]


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("", ""),
        ("http://node0:4200/api", "http://node0:4200/api"),
        ("https://ann:secret@node0:4200/api", "https://node0:4200/api"),
    ],
)
def test_address_is_written_without_credentials(address: str, written: str) -> None:
    assert without_credentials(address) == written
