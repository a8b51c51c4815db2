"""Runs that say that they are going on, and what becomes of those that died without a word."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.dataset_folder import DatasetFolder
from schemas.manifest import RunRecord, utc_now
from tasks.dataset.lease import LeaseRecord, new_record
from tasks.dataset.run_beats import (
    SILENT_S,
    RunBeat,
    beating_run,
    mark_crashed_runs,
    read_run_beats,
)
from tasks.dataset.run_records import read_runs, write_run

ELSEWHERE = LeaseRecord(owner="r", host="far", pid=1, beat_s=15, process="boot:4026531836:7")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DatasetFolder:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return DatasetFolder.at(tmp_path / "set")


def beat_of(holder: LeaseRecord, run: str = "r", beat: str = "b") -> RunBeat:
    return RunBeat(
        run=run, command="render", started="2026-01-01T00:00:00+00:00", beat=beat,
        holder=holder, workers=2, roots={"data/RP": "/data"},
    )  # fmt: skip


def put(folder: DatasetFolder, beat: RunBeat) -> None:
    folder.store.write(f"runs/{beat.run}.running", beat.model_dump_json(), seen=None)


def holder_that_died() -> LeaseRecord:
    """Describe a real process of this machine that has ended."""
    said = subprocess.run(
        [sys.executable, "-c",
         "from tasks.dataset.lease import new_record; print(new_record(15).model_dump_json())"],
        capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    return LeaseRecord.model_validate_json(said.stdout)


def test_run_is_shown_for_as_long_as_it_goes_on(folder: DatasetFolder) -> None:
    with beating_run(folder.store, beat_of(new_record(15)).model_dump_json()):
        (found,) = read_run_beats(folder)
        assert (found.run, found.command) == ("r", "render")
        assert found.beat != "b"
    assert read_run_beats(folder) == ()


def test_run_whose_process_died_is_marked_crashed_by_the_next_one(folder: DatasetFolder) -> None:
    put(folder, beat_of(holder_that_died()))
    (dead,) = mark_crashed_runs(folder)
    assert dead.run == "r"
    (record,) = read_runs(folder)
    assert (record.state, record.run, record.roots) == ("crashed", "r", {"data/RP": "/data"})
    assert read_run_beats(folder) == ()
    assert mark_crashed_runs(folder) == ()


def test_healthy_run_of_this_machine_is_never_crashed(folder: DatasetFolder) -> None:
    """However old its last heartbeat is: its process exists, be it slow or stopped."""
    with beating_run(folder.store, beat_of(new_record(15)).model_dump_json()):
        for now_s in (0.0, 1e6, 1e9):
            assert mark_crashed_runs(folder, now_s=now_s) == ()


def test_run_of_another_machine_is_healthy_while_it_beats(folder: DatasetFolder) -> None:
    for number in range(5):
        folder.store.write(
            "runs/r.running", beat_of(ELSEWHERE, beat=str(number)).model_dump_json(),
            seen=folder.store.stamp("runs/r.running"),
        )  # fmt: skip
        assert mark_crashed_runs(folder, now_s=number * 2 * SILENT_S) == ()


def test_run_of_another_machine_that_is_silent_is_crashed(folder: DatasetFolder) -> None:
    put(folder, beat_of(ELSEWHERE))
    for now_s, dead in ((0.0, 0), (SILENT_S - 1, 0), (SILENT_S + 1, 1)):
        assert len(mark_crashed_runs(folder, now_s=now_s)) == dead


def test_run_that_was_only_asleep_is_running_again_and_its_own_record_counts(
    folder: DatasetFolder,
) -> None:
    with beating_run(folder.store, beat_of(ELSEWHERE).model_dump_json(), every_s=0.01):
        write_run(folder, beat_of(ELSEWHERE).crashed())
        folder.store.remove("runs/r.running", seen=folder.store.stamp("runs/r.running"))
        while not read_run_beats(folder):
            pass
    assert [one.state for one in read_runs(folder)] == ["crashed"]
    ended = RunRecord(
        run="r", command="render", started="s", ended=utc_now(), seconds=1, workers=1,
        host="far", shards={}, samples=0, failures=0,
    )  # fmt: skip
    write_run(folder, ended)
    assert [one.state for one in read_runs(folder)] == ["ended"]


def test_file_that_is_no_heartbeat_hides_no_other(folder: DatasetFolder) -> None:
    put(folder, beat_of(new_record(15)))
    folder.store.write("runs/x.running", "{", seen=None)
    assert [one.run for one in read_run_beats(folder)] == ["r"]
