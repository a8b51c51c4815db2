from pathlib import Path

import pytest

from schemas.dataset_folder import DatasetFolder
from schemas.manifest import RunRecord
from tasks.dataset.run_records import last_roots, read_runs, write_run


def record(second: int, roots: dict[str, str]) -> RunRecord:
    return RunRecord(
        command="render", started="2026-01-01T00:00:00+00:00",
        ended=f"2026-01-01T00:00:{second:02d}+00:00", seconds=second, workers=1, host="here",
        roots=roots, shards={}, samples=0, failures=0,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> DatasetFolder:
    return DatasetFolder.at(tmp_path)


def test_runs_are_read_in_the_order_of_their_ends(folder: DatasetFolder) -> None:
    for second in (20, 3, 11):
        write_run(folder, record(second, {}))
    assert [run.seconds for run in read_runs(folder)] == [3, 11, 20]


def test_runs_that_end_together_are_both_kept(folder: DatasetFolder) -> None:
    paths = {write_run(folder, record(1, {})) for _ in range(3)}
    assert len(paths) == 3
    assert len(read_runs(folder)) == 3


def test_a_broken_record_hides_no_other(folder: DatasetFolder) -> None:
    write_run(folder, record(1, {}))
    (folder.root / "runs" / "0.json").write_text("{")
    assert [run.command for run in read_runs(folder)] == [record(1, {}).command]


def test_roots_are_those_of_the_last_run_that_has_any(folder: DatasetFolder) -> None:
    write_run(folder, record(1, {"data": "/old"}))
    write_run(folder, record(2, {"data": "/new"}))
    write_run(folder, record(3, {}))
    assert last_roots(folder) == {"data": Path("/new")}


def test_before_any_run_there_are_no_roots(folder: DatasetFolder) -> None:
    assert last_roots(folder) == {}
