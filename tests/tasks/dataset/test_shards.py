import hashlib
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.atomic_files import leftovers, remove_leftovers
from schemas.errors import InputError
from schemas.samples import Column, sample_schema
from tasks.dataset.shards import (
    SAMPLE_FORMAT,
    RowFile,
    WrittenShard,
    count_rows,
    digest_shard,
    read_rows,
    read_shard_schema,
    write_shard,
)
from tests.tasks.data_sets import ball_rows

ENDLESS_WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from tasks.dataset.shards import write_shard
from tests.tasks.sample_rows import ball_row

with write_shard(Path(sys.argv[1])) as writer:
    row = ball_row()
    for number in range(10**9):
        writer.write(row | {"sample_id": str(number)})
        if number == 3:
            print("under way", flush=True)
"""


def write_rows(path: Path, rows: list[dict[str, object]]) -> WrittenShard:
    with write_shard(path) as writer:
        for row in rows:
            writer.write(row)
        return writer.finish()


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    path = tmp_path / "samples/shard-00000.parquet"
    write_rows(path, ball_rows())
    return path


def test_a_file_without_a_later_column_has_the_schema_of_its_time() -> None:
    later = Column("coverage", pa.float32(), "share of the pixels", nullable=True, later=True)
    newer = replace(SAMPLE_FORMAT, columns=(*SAMPLE_FORMAT.columns, later))
    assert newer.schema.names[-1] == "coverage"
    for schema in (sample_schema(), newer.schema):
        assert newer.schema_like(schema).equals(schema, check_metadata=True)


def test_every_sample_is_a_row_group(shard: Path) -> None:
    metadata = pq.read_metadata(shard)
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [1, 1]


def test_nothing_is_compressed_or_in_a_dictionary(shard: Path) -> None:
    group = pq.read_metadata(shard).row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    assert {column.compression for column in columns} == {"UNCOMPRESSED"}
    assert not any(column.has_dictionary_page for column in columns)


def test_only_small_columns_have_statistics(shard: Path) -> None:
    group = pq.read_metadata(shard).row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    with_statistics = {column.path_in_schema for column in columns if column.is_stats_set}
    assert {"sample_id", "split", "yaw"} <= with_statistics
    assert not {"image.bytes", "depth", "normals"} & with_statistics


def test_what_is_reported_is_what_stands_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "shard-00000.parquet"
    written = write_rows(path, ball_rows())
    data = path.read_bytes()
    assert written.sha256 == hashlib.sha256(data).hexdigest() == digest_shard(path)
    assert written.bytes == len(data)
    assert written.sample_ids == ("RP/rp_ball_posed_001/0", "RP/rp_ball_posed_001/10")


def test_the_same_rows_give_the_same_bytes(shard: Path, tmp_path: Path) -> None:
    write_rows(tmp_path / "again.parquet", ball_rows())
    assert (tmp_path / "again.parquet").read_bytes() == shard.read_bytes()


def test_rows_come_back_as_they_were_written(shard: Path) -> None:
    written = ball_rows()[1]
    read = list(read_rows(shard))[1]
    assert {key: read[key] for key in ("sample_id", "depth", "image", "iuv", "yaw", "seed")} == {
        key: written[key] for key in ("sample_id", "depth", "image", "iuv", "yaw", "seed")
    }


def test_the_schema_comes_back_with_all_its_metadata(shard: Path) -> None:
    assert read_shard_schema(shard).equals(sample_schema(), check_metadata=True)


def test_a_shard_without_samples_can_be_read(tmp_path: Path) -> None:
    write_rows(tmp_path / "empty.parquet", [])
    assert count_rows(tmp_path / "empty.parquet") == 0


def test_after_an_error_nothing_is_left(tmp_path: Path) -> None:
    row = ball_rows()[0]
    del row["depth"]
    with pytest.raises(KeyError, match="depth"):
        write_rows(tmp_path / "samples/shard-00000.parquet", [ball_rows()[0], row])
    assert list((tmp_path / "samples").iterdir()) == []


def test_a_flipped_byte_fails_its_pages_checksum(shard: Path) -> None:
    data = bytearray(shard.read_bytes())
    data[data.index(b"\x89PNG") + 40] ^= 1
    shard.write_bytes(data)
    with pytest.raises(InputError, match=r"shard-00000\.parquet"):
        list(read_rows(shard))


@pytest.mark.parametrize(
    "read", [lambda path: list(read_rows(path)), count_rows, read_shard_schema]
)
def test_a_truncated_file_is_refused(shard: Path, read: object) -> None:
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"expected a whole Parquet file"):
        read(shard)  # type: ignore[operator]  # one of three readers


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """Return the path of a shard whose writer was killed in the middle."""
    path = tmp_path / "samples/shard-00000.parquet"
    writer = subprocess.Popen(
        [sys.executable, "-c", ENDLESS_WRITER, str(path)], stdout=subprocess.PIPE
    )
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"under way\n"
        os.kill(writer.pid, signal.SIGKILL)
    return path


def test_a_writer_killed_in_the_middle_leaves_no_shard(killed: Path) -> None:
    assert not killed.exists()
    assert list(killed.parent.glob("*.parquet")) == []


def test_what_a_killed_writer_left_is_found_and_removed(killed: Path) -> None:
    (left,) = killed.parent.iterdir()
    assert leftovers(killed.parent) == (left,)
    assert remove_leftovers(killed.parent) == (left,)
    assert list(killed.parent.iterdir()) == []


def test_work_in_progress_is_no_leftover(tmp_path: Path) -> None:
    with write_shard(tmp_path / "shard-00000.parquet") as writer:
        assert remove_leftovers(tmp_path) == ()
        writer.finish()
    assert (tmp_path / "shard-00000.parquet").is_file()


def test_a_pipe_in_the_place_of_a_shard_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.parquet")
    for read in (count_rows, read_shard_schema, RowFile):
        with pytest.raises(InputError, match="a folder, pipe or device"):
            read(tmp_path / "a.parquet")


def test_a_row_group_of_gigabytes_is_refused_by_the_footer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zeros = pa.table({"zeros": pa.array([bytes(1 << 16)])})
    pq.write_table(zeros, tmp_path / "a.parquet", compression="zstd")
    monkeypatch.setattr("schemas.size_limits.MAX_ROW_BYTES", 1 << 15)
    with pytest.raises(InputError, match="row group 0 of 65"):
        list(read_rows(tmp_path / "a.parquet"))
