"""A published labelled set as a data set: frames named, planned, read in threads, committed.

Our own exports carry frames.csv, which says what sample a frame was: it keeps its split, and all
views of one scan stay together. Frames of others are people of their own, split by hash.
"""

import csv
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.dataset_folder import DatasetFolder, write_atomically
from schemas.errors import InputError, RequestError, ScanmillError
from schemas.manifest import Failure, Manifest, PlannedShard
from schemas.scan import DatasetName, InputFile, ScanRef
from schemas.settings import digest_of
from tasks.dataset.card import write_card
from tasks.dataset.code_digest import code_digest
from tasks.dataset.planning import plan_new, read_plan
from tasks.dataset.preparation import prepare_dataset, settle_backgrounds
from tasks.dataset.shards import Row, write_shard
from tasks.dataset.splits import Split, split_of
from tasks.dataset.versions import deciding_versions
from tasks.hdnet.checker import find_published
from tasks.hdnet.labelled_import import SETTINGS, import_frame
from tasks.hdnet.layout import FRAME_NAME, HdnetFolder, seven_digits
from tasks.hdnet.picture_checks import list_numbers
from tasks.published.import_set import RENDERER, ImportSummary, Progress
from tasks.samples.encoding import encode_sample
from tasks.samples.shard_work import utc_now
from tasks.scans.files import read_whole

FRAMES_PER_SHARD = 64
"""About 8 MB: a frame is a fiftieth of a scan's views in the 2K2K layout."""

LARGEST_LIST_BYTES = 256 << 20
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
            str(source), met="no labelled frame", wanted="color/, mask/, depth/ and normal/",
            way_out="Give the folder that holds Tang_data.",
        )  # fmt: skip
    target = DatasetFolder.at(uri)
    prepare_dataset(target, SETTINGS)
    settle_backgrounds(target, None)
    plan_new(target, refs, scans_per_shard=FRAMES_PER_SHARD)
    done = set(target.committed_shards())
    left = [shard for shard in read_plan(target) if shard.shard_id not in done]
    manifests: list[Manifest] = []
    if progress is not None:
        progress(0, len(left))
    with ThreadPoolExecutor(workers) as pool:
        for shard in left:
            found = pool.map(partial(_read_frame, source, folder), shard.scans)
            manifests.append(_commit(target, shard, found))
            if progress is not None:
                progress(len(manifests), len(left))
    write_card(target)
    return ImportSummary(
        uri=uri,
        scans=sum(len(shard.scans) for shard in left),
        samples=sum(one.rows for one in manifests),
        failures=tuple(failure for one in manifests for failure in one.failures),
    )


Read = tuple[Row, tuple[InputFile, ...]] | Failure


def _read_frame(source: Path, folder: HdnetFolder, ref: ScanRef) -> Read:
    (view,) = SETTINGS.views
    try:
        made = import_frame(source, folder, ref)
        return encode_sample(made.sample, jpeg_quality=SETTINGS.jpeg_quality), made.files
    except ScanmillError as error:
        return Failure(
            sample_id=view.sample_id(ref.scan_id), stage="read", kind=error.kind,
            error=type(error).__name__, message=str(error),
        )  # fmt: skip


def _commit(target: DatasetFolder, shard: PlannedShard, frames: Iterable[Read]) -> Manifest:
    started, began = utc_now(), perf_counter()
    inputs: dict[str, InputFile] = {}
    failures: list[Failure] = []
    with write_shard(target.shard_path(shard.shard_id)) as writer:
        for found in frames:
            if isinstance(found, Failure):
                failures.append(found)
                continue
            writer.write(found[0])
            inputs.update((one.path, one) for one in found[1])
        written = writer.finish()
    manifest = Manifest(
        shard_id=shard.shard_id, rows=len(written.sample_ids), bytes=written.bytes,
        sha256=written.sha256, settings_digest=digest_of(SETTINGS), code_digest=code_digest(),
        renderer=RENDERER, versions=deciding_versions(),
        inputs=tuple(inputs[name] for name in sorted(inputs)), sample_ids=written.sample_ids,
        failures=tuple(failures), started=started, ended=utc_now(),
        seconds={"read": round(perf_counter() - began, 4)}, host=socket.gethostname(),
    )  # fmt: skip
    write_atomically(target.manifest_path(shard.shard_id), manifest.model_dump_json(indent=1))
    return manifest


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
    text = read_whole(path, LARGEST_LIST_BYTES).decode("utf-8", "replace")
    for line, values in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            yield NamedSample.model_validate(values)
        except ValidationError as error:
            raise InputError(
                str(path), met=f"line {line}: {error.errors()[0]['msg']}",
                wanted="name, sample_id and split of each frame",
                way_out="Export the set again, or take the file away.",
            ) from error  # fmt: skip
