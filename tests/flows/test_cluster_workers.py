"""Runners that are clusters, of any engine: what may be asked for, workers that are killed."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from schemas.errors import RequestError
from schemas.request_base import make_request
from schemas.requests import ExportRequest, RenderRequest
from tests.flows.conftest import Command
from tests.flows.killing import killing_workers
from tests.flows.test_render import request, shards

pytestmark = pytest.mark.xdist_group("prefect-server")

VALUES = {"data": "people", "dataset": "RP", "out": "set"}
WITH_RAY = pytest.mark.skipif(
    find_spec("prefect_ray") is None, reason="the extra `ray` is not installed"
)


@pytest.mark.parametrize(
    "runner",
    ["local", "dask", "ray", "tcp://node0:8786", "tls://10.0.0.7:8786", "ray://node0:10001"],
)
def test_runner_is_here_a_cluster_here_or_an_address(runner: str) -> None:
    assert make_request(RenderRequest, {**VALUES, "runner": runner}).runner == runner
    assert ExportRequest.options()["runner"].field.default == "local"


@pytest.mark.parametrize("runner", ["", "spark", "node0:8786", "tcp://node0", "tcp://a b:1"])
def test_other_runners_are_refused(runner: str) -> None:
    with pytest.raises(RequestError, match=r"^--runner: "):
        make_request(RenderRequest, {**VALUES, "runner": runner})


@pytest.mark.long
@pytest.mark.parametrize("runner", ["dask", pytest.param("ray", marks=WITH_RAY)])
def test_cluster_here_gives_up_a_job_that_kills_its_worker_twice(
    scanmill: Command, people: Path, tmp_path: Path, runner: str
) -> None:
    """The others go on, and are those that processes make; the next run makes the rest."""
    plain, out = tmp_path / "plain", tmp_path / "out"
    assert scanmill(*request(people, plain)).returncode == 0
    with killing_workers(tmp_path / "tmp", out, "shard-00000", times=2) as killed:
        done = scanmill(*request(people, out), "--workers", 2, "--runner", runner, "--json")
    assert len(killed) == 2, done.stderr
    assert done.returncode == 1, done.stderr
    failures = json.loads(done.stdout)["failures"]
    assert {one["kind"] for one in failures} == {"environment"}
    assert all("died twice" in one["message"] for one in failures)
    assert shards(out) == {
        name: made for name, made in shards(plain).items() if name != "shard-00000.parquet"
    }
    again = scanmill("rerun", out, "--runner", runner)
    assert again.returncode == 0, again.stderr
    assert shards(out) == shards(plain)
