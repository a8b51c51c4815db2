"""A Parquet file that is read by ranges of bytes: the footer once, then only what is asked for.

Made for object stores, where every request costs tens of milliseconds and a shard holds hundreds
of megabytes. Reading columns of a row group takes as many requests as there are gaps, all at once.
"""

import io
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

GAP_BYTES = 16 << 10
"""Reading over a gap as small as this costs less than another request."""

TAIL_BYTES = 64 << 10
"""What Arrow reads from a file's end to find the footer: so it is fetched at once."""

Range = tuple[int, int]
Fetch = Callable[[Sequence[Range]], list[bytes]]
"""Fetch ranges (first byte, end), at once where the place can; raises OSError."""


class RangedParquet:
    """Row groups by ranges. Owns: the footer. Any thread may read."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        """Read the footer of a file of `size` bytes; raises ArrowInvalid when there is none."""
        self._fetch, self._size = fetch, size
        tail = (max(0, size - TAIL_BYTES), size)
        with _RangedFile(fetch, size, [tail]) as file:
            opened = pq.ParquetFile(file)
            self._metadata, self._schema = opened.metadata, opened.schema_arrow

    @property
    def metadata(self) -> pq.FileMetaData:
        """The footer."""
        return self._metadata

    @property
    def schema_arrow(self) -> pa.Schema:
        """Names and types of the columns."""
        return self._schema

    def read_row_group(self, i: int, columns: list[str]) -> pa.Table:
        """Fetch and read these columns of a row group; a checksum that differs raises OSError."""
        ranges = merge_ranges(column_ranges(self._metadata.row_group(i), columns), gap=GAP_BYTES)
        with _RangedFile(self._fetch, self._size, ranges) as file:
            opened = pq.ParquetFile(
                file, metadata=self._metadata, pre_buffer=False, page_checksum_verification=True
            )
            return opened.read_row_group(i, columns=columns)

    def close(self) -> None:
        """Do nothing: no file is open between two reads."""


def column_ranges(group: pq.RowGroupMetaData, columns: Sequence[str]) -> list[Range]:
    """Return where these columns of a row group lie; a nested one's name takes all below it."""
    ranges = []
    for place in range(group.num_columns):
        chunk = group.column(place)
        path = chunk.path_in_schema
        if any(path == name or path.startswith(f"{name}.") for name in columns):
            first = chunk.data_page_offset
            if chunk.has_dictionary_page:
                first = min(first, chunk.dictionary_page_offset)
            ranges.append((first, first + chunk.total_compressed_size))
    return ranges


def merge_ranges(ranges: Sequence[Range], *, gap: int) -> list[Range]:
    """Join ranges that lie at most `gap` bytes apart; the answer is in order."""
    merged: list[Range] = []
    for first, end in sorted(ranges):
        if merged and first - merged[-1][1] <= gap:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((first, end))
    return merged


class _RangedFile(io.RawIOBase):
    """A file of which some ranges are fetched at the start, and the rest when it is asked for."""

    def __init__(self, fetch: Fetch, size: int, ranges: Sequence[Range]) -> None:
        self._fetch, self._size, self._position = fetch, size, 0
        self._parts = list(zip(ranges, fetch(ranges), strict=True)) if ranges else []

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        first = self._position
        end = self._size if size < 0 else min(first + size, self._size)
        data = self._between(first, max(first, end))
        self._position += len(data)
        return data

    def _between(self, first: int, end: int) -> bytes:
        for (start, stop), data in self._parts:
            if start <= first and end <= stop:
                return data[first - start : end - start]
        return self._fetch([(first, end)])[0]
