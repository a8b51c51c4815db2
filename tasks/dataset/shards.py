"""Shard files: rows in, one Parquet file out, whole or not at all; and rows back.

    samples/shard-00000.parquet = one row group a sample, in the order of writing; no compression,
    no dictionary, a checksum on every page, statistics of the small columns only.

Owns: the way Parquet bytes are made. The columns are those of a ShardFormat: schemas.samples'
own, or another part's.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.atomic_files import atomic_file
from schemas.errors import InputError
from schemas.exr_compression import ExrCompression
from schemas.file_status import measure_file
from schemas.profiling import span
from schemas.samples import SAMPLE_COLUMNS, Column, row_table, sample_columns, schema_of
from schemas.size_limits import check_row_group_sizes
from tasks.worker_beats import count_row

STATISTICS_COLUMNS = (
    "sample_id", "dataset", "item", "subject", "split", "yaw", "pitch", "camera", "width", "height",
)  # fmt: skip
"""What readers filter by; without statistics of the rest a footer stays small."""

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ShardFormat:
    """The columns of a part's files: which names the row, and which readers filter by."""

    columns: tuple[Column, ...]
    name_column: str
    statistics: tuple[str, ...]

    @property
    def schema(self) -> pa.Schema:
        """The schema of the files that are written now."""
        return schema_of(self.columns)

    def schema_like(self, found: pa.Schema) -> pa.Schema:
        """Return the schema that a file should have which may be older: see Column.later."""
        return schema_of(one for one in self.columns if not one.later or one.name in found.names)


SAMPLE_FORMAT = ShardFormat(SAMPLE_COLUMNS, "sample_id", STATISTICS_COLUMNS)


def sample_format(compression: ExrCompression) -> ShardFormat:
    """Return the format of samples whose OpenEXR columns are compressed in one way."""
    return ShardFormat(sample_columns(compression), "sample_id", STATISTICS_COLUMNS)


@dataclass(frozen=True, slots=True)
class WrittenShard:
    """What a shard file is: the names of its rows, its size in bytes and its sha256 (hex)."""

    sample_ids: tuple[str, ...]
    bytes: int
    sha256: str


class ShardWriter:
    """Write samples one by one; made by `write_shard`."""

    def __init__(self, sink: BinaryIO, layout: ShardFormat) -> None:
        """Begin a Parquet file; sink is written from its start to its end, never rewound."""
        self._name_column, self._schema = layout.name_column, layout.schema
        self._hashing = _HashingSink(sink)
        self._sample_ids: list[str] = []
        self._writer = pq.ParquetWriter(
            pa.PythonFile(self._hashing, mode="w"),
            self._schema,
            compression="NONE",
            use_dictionary=False,
            write_statistics=list(layout.statistics),
            write_page_checksum=True,
            version="2.6",
            data_page_version="1.0",
        )

    def write(self, row: Row) -> None:
        """Append one sample as a row group; raises KeyError when a column is missing."""
        before = self._hashing.size
        self._writer.write_table(row_table(row, self._schema))
        count_row(self._hashing.size - before)
        self._sample_ids.append(str(row[self._name_column]))

    def abandon(self) -> None:
        """Close without writing any more; else the Parquet writer would, when it is collected."""
        self._hashing.discard()
        self._writer.close()

    def finish(self) -> WrittenShard:
        """Write the footer; nothing can be written afterwards."""
        self._writer.close()
        return WrittenShard(
            tuple(self._sample_ids), self._hashing.size, self._hashing.digest.hexdigest()
        )


@contextmanager
def write_shard(path: Path, layout: ShardFormat = SAMPLE_FORMAT) -> Iterator[ShardWriter]:
    """Write a shard file that appears when the block ends well, and not at all otherwise.

    Call `finish` inside the block, as the last thing.
    """
    with atomic_file(path) as file:
        writer = ShardWriter(file, layout)
        try:
            yield writer
        except BaseException:
            writer.abandon()
            raise


def read_rows(path: Path, columns: Sequence[str] | None = None) -> Iterator[dict[str, object]]:
    """Read the samples of a shard one by one, in the order of writing; all columns by default.

    Raises InputError when the file is no whole Parquet file or a page fails its checksum.
    """
    try:
        with _open_parquet(path) as file:
            for index in range(file.num_row_groups):
                yield from file.read_row_group(index, columns).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


class RowFile:
    """A shard file of which single rows are read, by their number; a context manager.

    Owns: the open file. Raises InputError as read_rows does.
    """

    def __init__(self, path: Path) -> None:
        """Open the file and read its footer."""
        self._path = path
        try:
            self._file = _open_parquet(path)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(path, error) from error

    def read(self, row: int, columns: Sequence[str] | None = None) -> dict[str, object]:
        """Read one row; all columns by default."""
        try:
            rows: list[dict[str, object]] = self._file.read_row_group(row, columns).to_pylist()
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(self._path, error) from error
        return rows[0]

    def __enter__(self) -> "RowFile":
        """Return the open file."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._file.close()


def read_shard_schema(path: Path) -> pa.Schema:
    """Read the schema of a shard file with all its metadata."""
    try:
        with _open_parquet(path) as file:
            return file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def count_rows(path: Path) -> int:
    """Return the number of rows by the file's footer."""
    try:
        with _open_parquet(path) as file:
            rows: int = file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error
    return rows


def digest_shard(path: Path) -> str:
    """Return the sha256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open_parquet(path: Path) -> pq.ParquetFile:
    """Map a file into memory; raises InputError for a pipe, a device, or giant row groups."""
    measure_file(path)
    file = pq.ParquetFile(path, memory_map=True, page_checksum_verification=True)
    groups = range(file.metadata.num_row_groups)
    sizes = (file.metadata.row_group(index).total_byte_size for index in groups)
    check_row_group_sizes(str(path), sizes)
    return file


class _HashingSink:
    """A file that knows the sha256 of what was written to it."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self.digest = hashlib.sha256()
        self.size = 0
        self.closed = False
        self._discards = False

    def discard(self) -> None:
        self._discards = True

    def write(self, data: bytes) -> int:
        if self._discards:
            return len(data)
        with span("write file"):
            self._sink.write(data)
        with span("hash shard"):
            self.digest.update(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None:
        """Do nothing: atomic_file flushes once, at the end."""

    def close(self) -> None:
        self.closed = True


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(
        str(path),
        found=" ".join(str(error).split())[:200],
        expected="a whole Parquet file of samples",
        hint="Run `scanmill rerun` to make the shard again.",
    )
