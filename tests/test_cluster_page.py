"""Topic: the commands of docs/cluster.md, run as they stand; only hosts, ports and /data differ."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import psutil
import pytest

from tests.flows.live_server import ROOT, free_port

pytestmark = [pytest.mark.xdist_group("prefect-server"), pytest.mark.long]

PAGE = (ROOT / "docs/cluster.md").read_text()
BLOCKS = [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)]
READY = {
    "scanmill serve": "Ctrl-C ends all of it.",
    "prefect server start": "Check out the dashboard",
    "dask scheduler": "Scheduler at:",
    "dask worker": "Registered to:",
    "ray start": "Ray runtime started",
}
"""Programs that go on until they are ended, and what they say when they are ready."""

PATIENCE_S = 240.0


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """Make the folder that stands for /data; short, because Ray puts sockets below it."""
    with TemporaryDirectory(prefix="page-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def name_of(block: list[str]) -> str:
    """Name a block after its first two programs."""
    return " ".join(line.split(" --")[0] for line in block[:1]) + f", {len(block)} lines"


@pytest.mark.parametrize("block", BLOCKS, ids=map(name_of, BLOCKS))
def test_block_runs(place: Path, block: list[str]) -> None:
    """In the order of the page: the first makes the scans that the others use."""
    if any(line.startswith("ray ") for line in block) and find_spec("prefect_ray") is None:
        pytest.skip("the extra `ray` is not installed")
    environment = environment_in(place)
    ports: dict[str, str] = {}
    with ExitStack() as programs:
        for number, line in enumerate(block):
            words = shlex.split(translate(line, place, ports))
            if words[0] == "export":
                name, _, value = words[1].partition("=")
                environment[name] = value
                continue
            log = place / f"{number}.log"
            ready = next((said for begin, said in READY.items() if line.startswith(begin)), None)
            if ready is None:
                done = subprocess.run(
                    run(words), env=environment, cwd=ROOT, capture_output=True, text=True,
                    check=False, timeout=PATIENCE_S,
                )  # fmt: skip
                assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            else:
                programs.enter_context(program(words, environment, log, ready))


def translate(line: str, place: Path, ports: dict[str, str]) -> str:
    """Put this machine, free ports and the folder in the place of those of the page."""

    def port(found: re.Match[str]) -> str:
        return found[1] + ports.setdefault(found[2], str(free_port()))

    line = line.replace("/data/", f"{place}/").replace("node0", "127.0.0.1")
    return re.sub(r"(port |127\.0\.0\.1:)(\d{4,5})", port, line)


def environment_in(place: Path) -> dict[str, str]:
    """Return an environment without a server, in which nothing is left outside of the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return kept | {
        "PREFECT_HOME": str(place / "prefect"), "XDG_CACHE_HOME": str(place / "cache"),
        "PYTHONPATH": str(ROOT), "TMPDIR": str(place), "COLUMNS": "200",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1",
        "RAY_AUTH_TOKEN": "0123456789abcdef" * 4, "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_TMPDIR": str(place),
        "DASK_DISTRIBUTED__SCHEDULER__DASHBOARD__ADDRESS": "127.0.0.1:0",
    }  # fmt: skip


def run(words: list[str]) -> list[str]:
    """Return a command with the program of this environment."""
    return [str(Path(sys.executable).with_name(words[0])), *words[1:]]


@contextmanager
def program(words: list[str], environment: dict[str, str], log: Path, ready: str) -> Iterator[None]:
    """Run a program beside the block, once it is ready; it and its children end with it."""
    with log.open("wb") as out:
        process = psutil.Popen(run(words), env=environment, cwd=ROOT, stdout=out, stderr=out)
    try:
        deadline = monotonic() + PATIENCE_S
        while ready not in log.read_text(errors="replace"):
            assert process.poll() is None, log.read_text()
            assert monotonic() < deadline, log.read_text()
            sleep(0.2)
        while words[:2] == ["prefect", "server"] and not listens(int(words[-1])):
            assert monotonic() < deadline, log.read_text()
            sleep(0.2)
        yield
    finally:
        family = process.children(recursive=True)
        process.send_signal(
            signal.SIGINT if words[0] in {"scanmill", "prefect"} else signal.SIGTERM
        )
        process.wait(PATIENCE_S)
        for one in psutil.wait_procs(family, timeout=20)[1]:
            one.kill()


def listens(port: int) -> bool:
    """Say whether a program takes connections: Prefect's server says too early that it is ready."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def test_page_has_a_block_for_each_way() -> None:
    programs = {line.split(" --")[0].split(" tcp")[0] for block in BLOCKS for line in block}
    assert {"scanmill serve", "dask scheduler", "dask worker", "ray start"} <= programs
