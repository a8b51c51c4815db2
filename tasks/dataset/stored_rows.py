"""The rows of a committed shard, wherever its data set is."""

from collections.abc import Iterator, Sequence

from schemas.dataset_folder import DatasetFolder, Part
from tasks.dataset.shards import read_rows


def read_stored_rows(
    folder: DatasetFolder,
    shard_id: str,
    part: Part = "samples",
    columns: Sequence[str] | None = None,
) -> Iterator[dict[str, object]]:
    """Read the rows of a shard one by one, in the order of writing; all columns by default.

    Raises InputError when the file is no whole Parquet file or a page fails its checksum.
    """
    with folder.local_shard(shard_id, part) as path:
        yield from read_rows(path, columns)
