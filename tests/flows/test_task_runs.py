"""Every unit of work that a user waits for is a task run on Prefect's page."""

from pathlib import Path

import httpx
import pytest

from tests.flows.conftest import SMALL, Command
from tests.flows.live_server import LiveServer
from tests.flows.training_programs import NARROW, write_ellipsoids
from tests.tasks.video.sequence_files import write_sequence

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("prefect-server")]


def task_runs(server: LiveServer, out: Path) -> dict[str, str]:
    """Ask the server for the tasks of the flow run whose name holds a path: names to states."""
    runs = httpx.post(f"{server.address}/flow_runs/filter", json={"limit": 200}).json()
    flows = [run["id"] for run in runs if str(out) in run["name"]]
    asked = {"task_runs": {"flow_run_id": {"any_": flows}}}
    found = httpx.post(f"{server.address}/task_runs/filter", json=asked).json()
    return {run["name"]: run["state_type"] for run in found}


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    write_sequence(tmp_path / "videos/tiktok/ann", 3)
    return tmp_path / "videos"


def test_scans_from_render_to_import(
    server: LiveServer, scanmill: Command, people: Path, tmp_path: Path
) -> None:
    out, published, back = (tmp_path / name for name in ("rendered", "published", "back"))
    for command in (
        ("render", "--data", people, "--dataset", "RP", "--out", out, *SMALL, "--workers", 1),
        ("validate", out),
        ("export", "2k2k", out, "--to", published, "--allow-other-resolution"),
        ("import", "2k2k", published, "--out", back),
    ):  # fmt: skip
        done = scanmill(*command)
        assert done.returncode == 0, (command, done.stderr)
    shards = [f"shard-0000{number}" for number in range(3)]
    rendered, exported = task_runs(server, out), task_runs(server, published)
    for name in shards:
        assert rendered[f"render-shard {name}"] == "COMPLETED"
        assert rendered[f"validate-shard {name}"] == "COMPLETED"
    assert sum(name.startswith("export-shard ") for name in exported) == len(shards)
    assert sum(name.startswith("import-batch ") for name in exported) == len(shards)


def test_videos_are_tasks(
    server: LiveServer, scanmill: Command, videos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "paired"
    done = scanmill("pair", "--data", videos, "--out", out, "--min-neighbours", 2)
    assert done.returncode == 0, done.stderr
    assert task_runs(server, out) == {"pair-video shard-00000": "COMPLETED"}


def test_a_training_is_a_task(server: LiveServer, scanmill: Command, tmp_path: Path) -> None:
    data, out = write_ellipsoids(tmp_path / "ellipsoids"), tmp_path / "trained"
    done = scanmill("train", "2k2k-normal", "--data", data, "--out", out, *NARROW)
    assert done.returncode == 0, done.stderr
    assert task_runs(server, out) == {"train-stage 2k2k-normal": "COMPLETED"}
