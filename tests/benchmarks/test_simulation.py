"""The simulation is clean on the code as it is, replays its schedules, and finds planted bugs.

In processes of their own: what checks array shapes in tests would check every simulated call.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLEAN = "0 lost, 0 doubled, 0 undetected"

RENAME_FIRST = """
from schemas.atomic_files import flush_file, flush_folder
from schemas.local_store import _StagedLocally

def rename_then_flush(self, seen):
    path = self.store.root / self.name
    self.temporary.replace(path)
    flush_folder(path.parent)
    flush_file(self.file)
    return self.store.stamp(self.name)

_StagedLocally.publish = rename_then_flush
"""
NEVER_FLUSH = """
from schemas import local_store
local_store.flush_file = lambda file: file.flush()
"""
NO_CONDITIONS = """
from schemas import s3_store
s3_store.conditions = lambda seen: {}
"""
RUN = "from benchmarks.simulation import main; main()"


def simulate(*arguments: object, planted: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", planted + RUN, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def findings(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stdout.splitlines() if line.startswith("seed ")]


def test_nothing_is_lost_doubled_or_hidden() -> None:
    done = simulate("--schedules", 40)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == CLEAN


@pytest.mark.long
def test_nothing_is_lost_doubled_or_hidden_by_many_schedules() -> None:
    done = simulate("--schedules", 2000, "--seed", 20_000)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_finds_two_steps_that_are_switched_and_a_seed_replays_it() -> None:
    """A file that is renamed before it is flushed."""
    found = findings(simulate("--schedules", 40, planted=RENAME_FIRST))
    assert found
    seed = found[0].split(":")[0].removeprefix("seed ")
    again = findings(simulate("--replay", seed, planted=RENAME_FIRST))
    assert [one.split(":")[0] for one in again[:1]] == [f"seed {seed}"]
    assert simulate("--replay", seed).returncode == 0


@pytest.mark.long
@pytest.mark.parametrize("planted", [NEVER_FLUSH, NO_CONDITIONS])
def test_it_finds_other_bugs(planted: str) -> None:
    assert findings(simulate("--schedules", 40, planted=planted))
