"""Rows of shards by address, from any thread: only the columns and the row group asked for."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from schemas.dataset_reader import RowGroups
from schemas.profiling import span
from training.data.shard_index import SampleAddress, ShardFile, unreadable_shard

MAX_OPEN = 256
"""Shards that a thread keeps open: what a footer costs is small, but not for thousands."""

Row = dict[str, Any]


class RowReader:
    """Read rows. Owns: the open files of each thread."""

    def __init__(self, columns: Sequence[str]) -> None:
        """Take the columns; nothing is opened yet."""
        self._columns = list(columns)
        self._open = threading.local()

    def read(self, address: SampleAddress) -> Row:
        """Read a row; raises InputError naming a shard that can't be read."""
        with span("read"):
            file = self._file(address.shard)
            try:
                table = file.read_row_group(address.row_group, columns=self._columns)
            except (OSError, pa.ArrowException) as error:
                raise unreadable_shard(address.shard, error) from error
        return {name: table.column(name)[address.row].as_py() for name in table.column_names}

    def _file(self, shard: ShardFile) -> RowGroups:
        files: OrderedDict[ShardFile, RowGroups] = self._open.__dict__.setdefault(
            "files", OrderedDict()
        )
        if shard not in files:
            files[shard] = shard.open()
            if len(files) > MAX_OPEN:
                files.popitem(last=False)[1].close()
        files.move_to_end(shard)
        return files[shard]
