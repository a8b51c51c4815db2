"""The samples of a data set that checkpoints are measured on, and the scans behind them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from schemas.camera import CameraName
from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError, RequestError
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from tasks.dataset.planning import planned_scans, read_plan
from tasks.dataset.run_records import data_root_of, find_roots
from tasks.dataset.shards import RowFile, read_rows
from tasks.dataset.stored_rows import read_stored_rows
from tasks.dataset.stored_sample import StoredSample
from tasks.scans.input_files import Roots
from tasks.scans.layouts import LAYOUTS, find_scan

_INDEX_COLUMNS = ("sample_id", "dataset", "item", "split", "camera", "yaw")


@dataclass(frozen=True, slots=True)
class DataItem:
    """One sample to measure. shard_sha256: of the file it is in. scan: its mesh, None: unknown."""

    sample_id: str
    shard: Path
    shard_sha256: str
    row: int
    settings: RenderSettings
    scan: Path | None
    yaw: float = 0.0

    def read(self) -> StoredSample:
        """Read the sample; raises InputError when its shard can't be read."""
        return StoredSample(RowFile(self.shard).read(self.row), self.settings)

    def find_scan(self) -> Path:
        """Return the scan's mesh; raises InputError where it is unknown."""
        if self.scan is None:
            raise InputError(
                self.sample_id, found="no scan", expected="its mesh in the data root",
                hint="Put the data root of the last run back.",
            )  # fmt: skip
        return self.scan


def list_items(
    uris: Sequence[str], splits: Sequence[str], camera: CameraName, limit: int | None
) -> tuple[DataItem, ...]:
    """List the samples of splits that a camera sees, in order; limit: the first of them.

    Raises RequestError when there is none.
    """
    items: list[DataItem] = []
    for uri in uris:
        items += _items_of(DatasetFolder.at(uri), splits, camera)
    if not items:
        raise RequestError(
            ", ".join(uris), found=f"no sample of split {', '.join(splits)} of camera {camera}",
            expected="samples to measure",
            hint="Name another --split, or render more subjects.",
        )  # fmt: skip
    return tuple(items[:limit])


def straightest_of_scans(items: Sequence[DataItem]) -> list[DataItem]:
    """Return, for each scan, the sample that looks straightest at the camera."""
    best: dict[str, DataItem] = {}
    for item in items:
        scan_id = "/".join(item.sample_id.split("/")[:2])
        if scan_id not in best or abs(item.yaw) < abs(best[scan_id].yaw):
            best[scan_id] = item
    return list(best.values())


def choose_split(uris: Sequence[str], camera: CameraName) -> tuple[str, ...]:
    """Return the first of test, val and train that has samples; raises RequestError for none."""
    found = {
        str(row["split"])
        for uri in uris
        for folder in [DatasetFolder.at(uri)]
        for shard_id in folder.committed_shards()
        for row in read_stored_rows(folder, shard_id, columns=_INDEX_COLUMNS)
        if row["camera"] == camera
    }
    for split in ("test", "val", "train"):
        if split in found:
            return (split,)
    raise RequestError(
        ", ".join(uris), found="no sample", expected="samples to measure",
        hint="Render some with scanmill render.",
    )  # fmt: skip


def scan_to_world(sample: StoredSample) -> Float64[np.ndarray, "4 4"]:
    """Return the similarity from the scan's file to the sample's world axes."""
    return sample.numbers("mesh_to_world").reshape(4, 4)


def _items_of(
    folder: DatasetFolder, splits: Sequence[str], camera: CameraName
) -> Iterator[DataItem]:
    settings, roots = folder.read_description().settings, find_roots(folder, {})
    refs = {ref.scan_id: ref for ref in planned_scans(read_plan(folder))}
    for shard_id in folder.committed_shards():
        path, digest = folder.shard_path(shard_id), folder.read_manifest(shard_id).sha256
        for number, row in enumerate(read_rows(path, _INDEX_COLUMNS)):
            if row["split"] in splits and row["camera"] == camera:
                ref = refs.get(f"{row['dataset']}/{row['item']}")
                yield DataItem(
                    str(row["sample_id"]),
                    path,
                    digest,
                    number,
                    settings,
                    _find_mesh(ref, roots),
                    float(str(row["yaw"])),
                )


def _find_mesh(ref: ScanRef | None, roots: Roots) -> Path | None:
    """Return the mesh of a scan where it is still in its data root."""
    if ref is None or ref.dataset not in LAYOUTS:
        return None
    root = roots.get(data_root_of(ref.dataset))
    return find_scan(root, ref.dataset, ref.item).mesh if root else None
