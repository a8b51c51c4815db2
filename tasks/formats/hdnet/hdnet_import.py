"""A published labelled set as a data set: frames named, planned, read in threads, committed.

Our own exports carry frames.csv, which says what sample a frame was: it keeps its split, and all
views of one scan stay together. Frames of others are people of their own, split by hash.
"""

import csv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import InputError, RequestError, ScanmillError
from schemas.manifest import PlannedShard
from schemas.regular_files import read_whole
from schemas.scan import DatasetName, ScanRef
from tasks.dataset.imported import (
    Imported,
    ImportedRow,
    ImportSummary,
    Progress,
    import_shards,
    unreadable,
)
from tasks.dataset.splits import Split, split_of
from tasks.formats.hdnet.hdnet_check import find_published
from tasks.formats.hdnet.hdnet_layout import FRAME_NAME, HdnetFolder, seven_digits
from tasks.formats.hdnet.image_checks import list_numbers
from tasks.formats.hdnet.labelled_import import SETTINGS, import_frame
from tasks.samples.encoding import encode_sample

FRAMES_PER_SHARD = 64
"""About 8 MB: a frame is a fiftieth of a scan's views in the 2K2K layout."""

MAX_LIST_BYTES = 256 << 20
DATASET: DatasetName = "HDNet"
"""What stands for the data set in the names of imported frames."""


class NamedSample(BaseModel):
    """One row of the labelled set's frames.csv."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(pattern=FRAME_NAME)
    sample_id: str = Field(min_length=1)
    split: Split


def list_labelled(folder: HdnetFolder) -> tuple[ScanRef, ...]:
    """Name the frames of a labelled set; raises InputError when its frames.csv is broken."""
    named = {row.name: row for row in _read_names(folder.number_list)}
    return tuple(_name_frame(seven_digits(n), named) for n in list_numbers(folder))


def import_labelled(
    source: Path, uri: str, *, workers: int = 1, progress: Progress | None = None
) -> ImportSummary:
    """Make a data set of a labelled set; shards that are committed already are kept.

    A frame that can't be read is recorded as a failure, the others go on. Raises RequestError when
    there is no frame, or the data set has other settings; InputError when frames.csv is broken.
    """
    _, folder = find_published(source)
    refs = list_labelled(folder) if folder else ()
    if folder is None or not refs:
        raise RequestError(
            str(source), found="no labelled frame", expected="color/, mask/, depth/ and normal/",
            hint="Give the folder that holds Tang_data.",
        )  # fmt: skip

    def read(shard: PlannedShard) -> Iterator[Imported]:
        with ThreadPoolExecutor(workers) as pool:
            yield from pool.map(partial(_read_frame, source, folder), shard.scans)

    return import_shards(
        uri, refs, SETTINGS, read, scans_per_shard=FRAMES_PER_SHARD, progress=progress
    )


def _read_frame(source: Path, folder: HdnetFolder, ref: ScanRef) -> Imported:
    (view,) = SETTINGS.views
    try:
        made = import_frame(source, folder, ref)
        row = encode_sample(made.sample, jpeg_quality=SETTINGS.jpeg_quality)
    except ScanmillError as error:
        return unreadable(view.sample_id(ref.scan_id), error)
    return ImportedRow(row, made.files)


def _name_frame(name: str, named: dict[str, NamedSample]) -> ScanRef:
    row = named.get(name)
    if row is None:
        subject = f"{DATASET}/{name}"
        return ScanRef(
            dataset=DATASET, item=name, subject=subject,
            split=split_of(SETTINGS.split_seed, subject),
        )  # fmt: skip
    scan_id = "/".join(row.sample_id.split("/")[:2])
    return ScanRef(dataset=DATASET, item=name, subject=scan_id, split=row.split)


def _read_names(path: Path) -> Iterator[NamedSample]:
    if not path.is_file():
        return
    text = read_whole(path, MAX_LIST_BYTES).decode("utf-8", "replace")
    for line, values in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            yield NamedSample.model_validate(values)
        except ValidationError as error:
            raise InputError(
                str(path), found=f"line {line}: {error.errors()[0]['msg']}",
                expected="name, sample_id and split of each frame",
                hint="Export the set again, or take the file away.",
            ) from error  # fmt: skip
