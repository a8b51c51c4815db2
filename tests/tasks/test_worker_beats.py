from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from tasks import worker_beats
from tasks.worker_beats import FOLDER, at_unit, begin_job, count_row, read_beats


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let this process beat below a folder, without the thread."""
    (tmp_path / FOLDER).mkdir()
    monkeypatch.setattr(worker_beats, "_HEART", worker_beats._Heart(tmp_path / FOLDER))
    yield tmp_path
    begin_job("")


def test_scan_is_named_from_its_begin_to_its_end(marks: Path) -> None:
    begin_job("shard-00000", units=2)
    with at_unit("RP/ann", lambda: "draw"):
        beat = read_beats(marks)["shard-00000"]
        assert (beat.unit, beat.stage, beat.units) == ("RP/ann", "draw", 2)
        assert 0 <= monotonic() - beat.since_s < 60
    assert read_beats(marks)["shard-00000"].unit == ""


def test_rows_are_counted_from_the_begin_of_the_job(marks: Path) -> None:
    for _ in range(2):
        begin_job("shard-00000")
        count_row(100)
        count_row(20)
        with at_unit("RP/bob"):
            beat = read_beats(marks)["shard-00000"]
        assert (beat.rows, beat.bytes) == (2, 120)


def test_worker_between_jobs_is_at_none(marks: Path) -> None:
    begin_job("shard-00000")
    begin_job("")
    assert read_beats(marks) == {}


def test_file_that_is_no_heartbeat_hides_no_other(marks: Path) -> None:
    begin_job("shard-00000")
    (marks / FOLDER / "1.json").write_text("{")
    assert list(read_beats(marks)) == ["shard-00000"]
