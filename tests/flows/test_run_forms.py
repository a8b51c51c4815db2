"""Topic: what Prefect's page shows of each deployment of `scanmill serve`, and what it takes."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.flows.live_server import ROOT, LiveServer, free_port
from tests.flows.test_local_server import serve, wait_for

pytestmark = [pytest.mark.xdist_group("prefect-server"), pytest.mark.long]

IN_FILE = {
    one["name"]: one for one in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
}
FORM_KEYS = {"type", "anyOf", "enum", "$ref", "allOf"}
"""Any of these lets the form choose a field: text, number, switch, list or choice."""


def test_every_deployment_can_be_read_and_set_on_the_page(tmp_path: Path) -> None:
    """One server for all: what it lists, and runs that its form would make."""
    port = free_port()
    with serve(tmp_path, port):
        wait_for(tmp_path, "Ctrl-C ends all of it.")
        server = f"http://127.0.0.1:{port}/api"
        listed = {one["name"]: one for one in post(f"{server}/deployments/filter", {})}
        assert listed.keys() == IN_FILE.keys()
        for name, one in listed.items():
            check_deployment(one, IN_FILE[name])
        make_run = f"{server}/deployments/{listed['nightly']['id']}/create_flow_run"
        asked = {"yaws": [0], "runner": "dask", "workers": 2, "orthographic": True}
        made = post(make_run, {"parameters": asked, "state": LATER})
        assert made["parameters"] == IN_FILE["nightly"]["parameters"] | asked
        with pytest.raises(urllib.error.HTTPError, match=r"409|422"):
            post(make_run, {"parameters": {"resolution": "many"}, "state": LATER})


LATER = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2100-01-01T00:00:00Z"}}


@pytest.mark.parametrize("kind", ["docker", "kubernetes"])
def test_server_takes_the_template_of_a_pool_of_containers(server: LiveServer, kind: str) -> None:
    template = ROOT / f"tools/work_pools/{kind}.json"
    server.prefect("work-pool", "create", f"scanmill-{kind}", "--type", kind,
                   "--base-job-template", str(template), "--overwrite")  # fmt: skip
    shown = server.prefect("work-pool", "inspect", f"scanmill-{kind}")
    assert "registry.example.org/scanmill:" in shown


def check_deployment(one: dict[str, Any], written: dict[str, Any]) -> None:
    """Compare what the server lists with the file; each option has a type and a description."""
    assert one["description"] == written["description"]
    assert one["tags"] == written["tags"]
    assert one["enforce_parameter_schema"]
    assert one["global_concurrency_limit"]["limit"] == 1
    strategy = one["concurrency_options"]["collision_strategy"]
    assert strategy == ("CANCEL_NEW" if "schedules" in written else "ENQUEUE")
    assert len(one["schedules"]) == len(written.get("schedules", ()))
    options = one["parameter_openapi_schema"]["properties"]
    assert written["parameters"].keys() <= options.keys()
    assert [name for name, field in options.items() if not field.get("description")] == []
    assert [name for name, field in options.items() if not FORM_KEYS & field.keys()] == []


def post(address: str, body: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Ask the server."""
    request = urllib.request.Request(  # noqa: S310 - our own server
        address, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.loads(answer.read())
