"""Where a command writes files of its own: a folder, or a place in a store."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.addresses import is_address
from schemas.work import map_in_threads

if TYPE_CHECKING:
    from schemas.s3_store import S3Store

UPLOADS = 8
"""Files that are uploaded at a time: what waits is the store."""


@contextmanager
def output_folder(text: str, *, replaces: bool = False) -> Iterator[Path]:
    """Give a folder to write to for the length of a block.

    A path is its own folder. For the address of a store it is a temporary one, of which every file
    is uploaded and checked at the end; after an error nothing is. replaces: files that are there
    are replaced; else other content there raises ConflictError, and equal content is kept.
    """
    if not is_address(text):
        yield Path(text)
        return
    # What works on local folders does without the drivers of stores.
    from schemas.s3_store import open_store  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="scanmill-") as name:
        yield Path(name)
        _upload_all(Path(name), open_store(text), replaces=replaces)


def _upload_all(folder: Path, store: "S3Store", *, replaces: bool) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())

    def upload(path: Path) -> None:
        store.put_file(path, path.relative_to(folder).as_posix(), replaces=replaces)

    for _ in map_in_threads(upload, files, threads=UPLOADS):
        pass
