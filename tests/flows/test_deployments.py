"""The deployments of prefect.yaml on a real server, with a real worker."""

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import get_type_hints

import pytest
import yaml
from prefect import Flow

from flows.cli.app import COMMANDS
from flows.prepare_requests import PrepareRequest
from flows.run_requests import RenderRequest, RerunRequest
from tests.flows.conftest import Command
from tests.flows.live_server import POOL, ROOT, LiveServer, program
from tests.flows.test_render import make_people

pytestmark = pytest.mark.xdist_group("prefect-server")

DEPLOYMENTS = {
    one["name"]: one for one in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
}


def test_nightly_render_is_due_once_a_day() -> None:
    assert [one["cron"] for one in DEPLOYMENTS["nightly"]["schedules"]] == ["0 2 * * *"]


def test_rerun_is_due_every_hour() -> None:
    assert [one["interval"] for one in DEPLOYMENTS["hourly"]["schedules"]] == [3600]


def test_parameters_of_the_schedules_are_requests() -> None:
    RenderRequest.model_validate(DEPLOYMENTS["nightly"]["parameters"]["request"])
    RerunRequest.model_validate(DEPLOYMENTS["hourly"]["parameters"]["request"])
    PrepareRequest.model_validate(DEPLOYMENTS["weights"]["parameters"]["request"])


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_flow_of_a_deployment_has_the_name_of_its_command(name: str) -> None:
    module, flow = DEPLOYMENTS[name]["entrypoint"].rsplit(".", 1)
    assert module == f"flows.{flow}"
    assert flow.replace("_", "-") in COMMANDS


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_entrypoint_of_a_deployment_is_a_flow_that_takes_its_parameters(name: str) -> None:
    module, function = DEPLOYMENTS[name]["entrypoint"].rsplit(".", 1)
    flow = getattr(importlib.import_module(module), function)
    assert isinstance(flow, Flow)
    request = get_type_hints(flow.fn)["request"]
    request.model_validate(DEPLOYMENTS[name]["parameters"]["request"])


@pytest.mark.long
def test_worker_runs_deployments_to_their_end(server: LiveServer, tmp_path: Path) -> None:
    """The demo's chain completes; a render with a broken scan fails; both are on the page."""
    server.prefect("work-pool", "create", POOL, "--type", "process")
    server.prefect("--no-prompt", "deploy", "--all")
    chain = {"out": str(tmp_path / "demo"), "size": "tiny"}
    people = make_people(tmp_path)
    next(people.glob("obj/RP/*/*.obj")).write_text("no mesh")
    night = {
        "data": str(people), "dataset": "RP", "out": str(tmp_path / "night"),
        "settings": {"resolution": 128, "yaws": [0]},
    }  # fmt: skip
    with program(server, "worker", "worker", "start", "--pool", POOL):
        done = run_deployment(server, "demo/chain", chain)
        assert "finished successfully in 'Completed'" in done
        failed = run_deployment(server, "render/nightly", night)
        assert "Failed" in failed
    assert (tmp_path / "demo" / "report.html").is_file()
    shown = server.prefect("artifact", "ls", "--limit", "50")
    assert all(key in shown for key in ("render-re", "render-pr", "contact-s"))
    assert "shard-00000" in server.prefect("task-run", "ls", "--limit", "50")
    assert {"demo/chain", "render/nightly", "rerun/hourly"} <= set(
        server.prefect("deployment", "ls").replace("│", " ").split()
    )


def run_deployment(server: LiveServer, name: str, request: Mapping[str, object]) -> str:
    """Let the worker run a deployment and wait for its end; returns what Prefect says."""
    return server.prefect(
        "deployment", "run", name, "--param", f"request={json.dumps(request)}",
        "--watch", "--watch-timeout", "300", fails=None,
    )  # fmt: skip


@pytest.mark.long
def test_demo_ends_with_a_report_and_is_quick_when_done(scanmill: Command, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    first = scanmill("demo", "--out", out, "--json")
    assert first.returncode == 0, first.stderr
    answer = json.loads(first.stdout)
    assert Path(answer["report"]).is_file()
    assert [one["stage"] for one in answer["trainings"]] == ["2k2k-normal", "2k2k-depth"]
    assert all(one["last_loss"] < one["first_loss"] for one in answer["trainings"])
    again = scanmill("demo", "--out", out)
    assert again.returncode == 0
    assert "everything is done already" in again.stdout
