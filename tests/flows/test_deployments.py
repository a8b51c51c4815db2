"""The deployments of prefect.yaml on a real server, with a real worker."""

import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from prefect import Flow

from flows.cli.app import COMMANDS
from flows.request_flow import RequestFlow, read_parameters
from schemas.errors import RequestError
from schemas.prepare_request import PrepareRequest
from schemas.request_base import make_request
from schemas.requests import DemoRequest, RenderRequest, RerunRequest
from schemas.train_forms import StageName
from tests.flows.conftest import Command, refusal
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
    make_request(RenderRequest, DEPLOYMENTS["nightly"]["parameters"])
    make_request(RerunRequest, DEPLOYMENTS["hourly"]["parameters"])
    make_request(PrepareRequest, DEPLOYMENTS["weights"]["parameters"])


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_flow_of_a_deployment_has_the_name_of_its_command(name: str) -> None:
    module, flow = DEPLOYMENTS[name]["entrypoint"].rsplit(".", 1)
    assert module == f"flows.{flow}"
    assert flow.rstrip("_").replace("_", "-") in COMMANDS


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_entrypoint_of_a_deployment_is_a_flow_that_takes_its_parameters(name: str) -> None:
    module, function = DEPLOYMENTS[name]["entrypoint"].rsplit(".", 1)
    flow = getattr(importlib.import_module(module), function)
    assert isinstance(flow, Flow)
    assert isinstance(flow, RequestFlow)
    make_request(flow.request_kind, DEPLOYMENTS[name]["parameters"])
    assert set(DEPLOYMENTS[name]["parameters"]) <= set(flow.parameters.properties)


def test_every_flow_has_a_deployment_with_tags_that_runs_alone() -> None:
    """Of the demo's parts `synth` alone is no flow: it takes seconds."""
    deployed = {one["entrypoint"].rsplit(".", 1)[1] for one in DEPLOYMENTS.values()}
    assert deployed == set(FLOWS)
    assert all(one["tags"] for one in DEPLOYMENTS.values())
    assert all(one["concurrency_limit"]["limit"] == 1 for one in DEPLOYMENTS.values())
    assert all("scheduled" in one["tags"] for one in DEPLOYMENTS.values() if "schedules" in one)


FLOWS = ("render", "pair", "rerun", "validate", "export", "import_", "report", "demo", "train",
         "prepare_and_train", "reconstruct", "evaluate")  # fmt: skip


def parameters_of(name: str) -> dict[str, dict[str, Any]]:
    """Return what Prefect's run form shows of a flow: its parameters by name."""
    properties = getattr(importlib.import_module(f"flows.{name}"), name).parameters.properties
    assert isinstance(properties, dict)
    return properties


@pytest.mark.parametrize("name", FLOWS)
def test_each_option_is_a_parameter_with_its_description(name: str) -> None:
    found = parameters_of(name)
    assert "request" not in found
    assert all(one.get("description") for one in found.values())


@pytest.mark.parametrize(
    ("flow", "name", "default", "choices"),
    [
        ("render", "camera", "2k2k", ["2k2k", "hdnet"]),
        ("render", "resolution", 2048, None),
        ("render", "dataset", None, ["RP", "THuman2", "2K2K"]),
        ("pair", "policy", "nearest", ["nearest", "overlap", "widest"]),
        ("train", "precision", "fp32", ["fp32", "bf16"]),
        ("train", "stage", None, list(get_args(StageName))),
        ("prepare_and_train", "train_width", 1.0, None),
        ("demo", "size", "small", ["tiny", "small", "full"]),
    ],
)
def test_run_form_shows_defaults_and_choices(
    flow: str, name: str, default: object, choices: list[str] | None
) -> None:
    shown = parameters_of(flow)[name]
    assert shown.get("default") == default
    assert shown.get("enum") == choices


def test_deployment_of_an_earlier_version_is_told_to_deploy_again() -> None:
    with pytest.raises(RequestError, match=r"`request` of an earlier version.*prefect .*deploy"):
        read_parameters(RerunRequest, {"request": {"uri": "sets/rp"}})
    flow = importlib.import_module("flows.rerun").rerun
    with pytest.raises(RequestError, match="of an earlier version"):
        flow.validate_parameters({"request": {"uri": "sets/rp"}})


def test_mistyped_parameter_suggests_the_right_name() -> None:
    with pytest.raises(RequestError, match=r"'resolutoin'.*Did you mean resolution"):
        read_parameters(RenderRequest, {"resolutoin": 512})


def test_scheduled_run_is_refused_in_the_words_of_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both come from the check of the request; the flow says it before any work."""
    words = ["rerun", tmp_path, "--accept-rejects", "few"]
    code, said = refusal(words, capsys)
    flow = importlib.import_module("flows.rerun").rerun
    with pytest.raises(RequestError) as refused:
        flow.fn(uri=str(tmp_path), accept_rejects="few")
    assert code == 2
    assert said == f"scanmill: {refused.value}\n"


def test_flow_checks_its_request_before_its_body(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    flow = importlib.import_module("flows.demo").demo
    with pytest.raises(RequestError, match=r"--out: .*file is a file"):
        flow.fn(**DemoRequest(out=str(tmp_path / "file" / "out")).flat())


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
        "resolution": 128, "yaws": [0],
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
        "deployment", "run", name, "--params", json.dumps(request),
        "--watch", "--watch-timeout", "900", fails=None,
    )  # fmt: skip


@pytest.mark.long
def test_demo_ends_with_a_report_and_is_quick_when_done(scanmill: Command, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    first = scanmill("demo", "--out", out, "--json")
    assert first.returncode == 0, first.stderr
    answer = json.loads(first.stdout)
    assert Path(answer["report"]).is_file()
    assert [one["stage"] for one in answer["trainings"]] == [
        "2k2k-normal", "2k2k-depth", "hdnet-normal", "hdnet-predict-normals", "hdnet-depth",
        "hdnet-video",
    ]  # fmt: skip
    trained = [one for one in answer["trainings"] if one["stage"] != "hdnet-predict-normals"]
    assert all(one["last_loss"] < one["first_loss"] for one in trained)
    again = scanmill("demo", "--out", out)
    assert again.returncode == 0
    assert "everything is done already" in again.stdout
