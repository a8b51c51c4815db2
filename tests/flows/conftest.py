"""What the tests of flows share: a data root of boxes, a server, the command in a process."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from flows.cli.app import main
from tests.flows.live_server import ROOT, LiveServer, live_server
from tests.tasks.scan_folders import write_scan

Command = Callable[..., subprocess.CompletedProcess[str]]
BOXES = ("rp_ann_posed_001", "rp_bob_posed_001", "rp_cid_posed_001")
SMALL = ("--resolution", "128", "--yaws", "0,30")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One Prefect server for all tests of flows: starting one takes most of a run's time."""
    with live_server(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Make a data root of three textured boxes in RenderPeople's layout."""
    root = tmp_path / "people"
    for seed, item in enumerate(BOXES):
        write_scan(root, item, seed=seed)
    return root


@pytest.fixture
def scanmill(server: LiveServer, tmp_path: Path) -> Command:
    """Return the command line, run to its end in a process of its own with the server."""
    return command_in({**server.environment, **own_folders(tmp_path)})


def refusal(arguments: Iterable[object], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run a command that starts no flow in this process; returns its exit code and errors."""
    with TemporaryDirectory() as cache, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", cache)
        patch.setattr(sys, "argv", ["scanmill", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0), capsys.readouterr().err


def own_folders(tmp_path: Path) -> dict[str, str]:
    """Return the environment in which a command leaves nothing outside of a folder."""
    (tmp_path / "tmp").mkdir(exist_ok=True)
    return {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "TMPDIR": str(tmp_path / "tmp"),
        "PYTHONPATH": str(ROOT),
    }


def command_in(environment: dict[str, str]) -> Command:
    """Return a function that runs `scanmill` with these variables."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "flows.cli", *map(str, arguments)]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
            timeout=900,  # the demo, on a machine that does other work too
        )  # fmt: skip

    return run


def plain_environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment without any Prefect server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return {**kept, **own_folders(tmp_path), "PREFECT_HOME": str(tmp_path / "prefect")}
