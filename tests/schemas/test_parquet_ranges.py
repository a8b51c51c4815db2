from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.parquet_ranges import Range, RangedParquet, column_ranges, merge_ranges


class Recorded:
    """A file's bytes by ranges. Owns: the list of what was asked for."""

    def __init__(self, data: bytes) -> None:
        """Take the whole file."""
        self.data, self.asked = data, list[Range]()

    def __call__(self, ranges: Sequence[Range]) -> list[bytes]:
        """Return these ranges, and note them."""
        self.asked += ranges
        return [self.data[first:end] for first, end in ranges]


def write(path: Path, *, rows: int = 3, columns: int = 1) -> Recorded:
    """Write a row group a row: a number, a large binary, a struct, and many more numbers."""
    noise = np.random.default_rng(0).bytes(100_000)
    table = pa.table(
        {"small": list(range(rows)), "large": [noise] * rows, "picture": [{"bytes": b"x"}] * rows}
        | {f"more{n}": [1.5] * rows for n in range(columns)}
    )
    pq.write_table(table, path, row_group_size=1, compression="none", write_page_checksum=True)
    return Recorded(path.read_bytes())


def test_a_row_group_is_read_as_arrow_reads_the_file(tmp_path: Path) -> None:
    fetch = write(tmp_path / "a.parquet")
    ranged = RangedParquet(fetch, len(fetch.data))
    expected = pq.ParquetFile(tmp_path / "a.parquet").read_row_group(1)
    assert ranged.read_row_group(1, columns=expected.column_names) == expected


def test_opening_asks_for_the_end_alone(tmp_path: Path) -> None:
    fetch = write(tmp_path / "a.parquet")
    size = len(fetch.data)
    RangedParquet(fetch, size)
    assert fetch.asked == [(size - 65536, size)]


def test_a_footer_longer_than_the_end_is_read_too(tmp_path: Path) -> None:
    fetch = write(tmp_path / "a.parquet", columns=400)
    assert int.from_bytes(fetch.data[-8:-4], "little") > 65536
    assert RangedParquet(fetch, len(fetch.data)).metadata.num_row_groups == 3


def test_a_small_column_does_not_bring_the_large_one(tmp_path: Path) -> None:
    fetch = write(tmp_path / "a.parquet")
    ranged = RangedParquet(fetch, len(fetch.data))
    fetch.asked.clear()
    assert ranged.read_row_group(2, columns=["small"]).to_pydict() == {"small": [2]}
    assert sum(end - first for first, end in fetch.asked) < 1000


def test_a_nested_column_is_found_by_its_own_name_and_by_its_parent(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet")
    group = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    assert column_ranges(group, ["picture"]) == column_ranges(group, ["picture.bytes"]) != []


def test_a_flipped_bit_is_found_by_the_checksum(tmp_path: Path) -> None:
    fetch = write(tmp_path / "a.parquet")
    ranged = RangedParquet(fetch, len(fetch.data))
    (first, end), *_ = column_ranges(ranged.metadata.row_group(0), ["large"])
    spoilt = bytearray(fetch.data)
    spoilt[(first + end) // 2] ^= 1
    fetch.data = bytes(spoilt)
    with pytest.raises(OSError, match="CRC checksum"):
        ranged.read_row_group(0, columns=["large"])


@pytest.mark.parametrize(
    ("ranges", "merged"),
    [
        ([(0, 5), (5, 9)], [(0, 9)]),
        ([(20, 30), (0, 5)], [(0, 5), (20, 30)]),
        ([(0, 5), (15, 30)], [(0, 30)]),
        ([(0, 30), (10, 20)], [(0, 30)]),
        ([], []),
    ],
)
def test_ranges_merge_over_gaps_of_at_most_ten_bytes(
    ranges: list[Range], merged: list[Range]
) -> None:
    assert merge_ranges(ranges, gap=10) == merged
