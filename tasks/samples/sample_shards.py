"""Shards of samples: their row of the table of kinds, and the job of rendering one.

Imported samples are shards of this kind too: `tasks.formats.importing` makes their rows.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal, get_args

from schemas.dataset_folder import DatasetFolder, Part
from schemas.errors import ScanmillError
from schemas.manifest import DatasetDescription, Failure, PlannedShard, Stage
from schemas.settings import RenderSettings
from tasks.dataset.code_digest import code_digest
from tasks.dataset.planning import read_plan
from tasks.dataset.run_records import BACKGROUNDS, DENSEPOSE, MODELS, data_root_of
from tasks.dataset.shard_kinds import RunRoots, ShardJob, ShardKind
from tasks.dataset.shards import SAMPLE_FORMAT, ShardFormat, sample_format
from tasks.scans.input_files import Roots, is_scan_gone
from tasks.scans.layouts import LAYOUTS, list_items


class SampleShards(ShardKind[PlannedShard]):
    """Shards of samples: views of scans."""

    unit = "scan"
    label = ""
    formats: ClassVar[dict[Part, ShardFormat]] = {"samples": SAMPLE_FORMAT}
    has_views = True

    def code_digest(self) -> str:
        """Digest what decides pixels."""
        return code_digest()

    def settings_digest(self, description: DatasetDescription) -> str | None:
        """Return the digest of the render settings."""
        return description.settings_digest

    def read_plan(self, folder: DatasetFolder) -> tuple[PlannedShard, ...]:
        """Read the planned shards of scans."""
        return read_plan(folder)

    def roots_of(self, shard: PlannedShard, roots: RunRoots) -> Roots:
        """Choose the data root of the shard's dataset."""
        return {
            "data": roots.get(_data_root_of(shard)),
            BACKGROUNDS: roots.get(BACKGROUNDS),
            DENSEPOSE: roots.get(DENSEPOSE),
        }

    def list_gone(self, shard: PlannedShard, data_root: Path) -> tuple[str, ...]:
        """Name the scans whose folder is gone."""
        return tuple(ref.scan_id for ref in shard.scans if is_scan_gone(data_root, ref))

    def list_unplanned(self, plan: Sequence[PlannedShard], roots: RunRoots) -> tuple[str, ...]:
        """Name the scans in the folders of the datasets that are planned already."""
        planned = {ref.scan_id for shard in plan for ref in shard.scans}
        found = []
        for name in sorted({shard.scans[0].dataset for shard in plan} & LAYOUTS.keys()):
            root = roots.get(data_root_of(name))
            if root is not None and (root / LAYOUTS[name].folders).is_dir():
                found += [f"{name}/{item}" for item in list_items(root, name)]
        return tuple(one for one in found if one not in planned)

    def make_job(
        self,
        uri: str,
        shard: PlannedShard,
        roots: RunRoots,
        *,
        description: DatasetDescription,
        attempt: int,
    ) -> ShardJob | None:
        """Describe how a shard is rendered."""
        data_root = roots.get(_data_root_of(shard))
        if data_root is None:
            return None
        return RenderJob(
            uri=uri, data_root=data_root, background_root=roots.get(BACKGROUNDS),
            densepose_root=roots.get(DENSEPOSE), model_root=roots.get(MODELS), shard=shard,
            settings=description.settings, attempt=attempt,
        )  # fmt: skip


SAMPLES = SampleShards()


class RenderJob(ShardJob):
    """Everything that a worker must know to render a shard."""

    kind: ClassVar[SampleShards] = SAMPLES

    shard: PlannedShard
    settings: RenderSettings
    background_root: Path | None = None
    densepose_root: Path | None = None
    model_root: Path | None = None

    @property
    def maker(self) -> Literal["render"]:
        """Scans are rendered."""
        return "render"

    @property
    def roots(self) -> Roots:
        """Folders of the inputs, by the names that schemas.scan.InputFile.root gives them."""
        return {
            "data": self.data_root,
            BACKGROUNDS: self.background_root,
            DENSEPOSE: self.densepose_root,
        }

    @property
    def formats(self) -> Mapping[Part, ShardFormat]:
        """Samples, with their OpenEXR files compressed as the settings say."""
        return {"samples": sample_format(self.settings.exr_compression)}

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Name every view of every scan."""
        views = self.settings.views
        return tuple(view.sample_id(ref.scan_id) for ref in self.shard.scans for view in views)

    @property
    def units(self) -> int:
        """Scans of the shard."""
        return len(self.shard.scans)

    @property
    def rows(self) -> int:
        """Samples of the shard."""
        return len(self.sample_ids)

    @property
    def lost_scans(self) -> frozenset[str]:
        """Scans all of whose samples are lost."""
        lost = {one.sample_id for one in self.lost}
        return frozenset(
            ref.scan_id for ref in self.shard.scans if lost.issuperset(self._ids_of(ref.scan_id))
        )

    def without(self, unit: str, error: ScanmillError, stage: str) -> "RenderJob | None":
        """Leave out a scan; None where it is the last one, or none of the shard's."""
        scans = {ref.scan_id for ref in self.shard.scans}
        if unit not in scans or not scans - self.lost_scans - {unit}:
            return None
        named: Stage = next((one for one in get_args(Stage) if one == stage), "read")
        failures = tuple(Failure.of(one, error, named) for one in self._ids_of(unit))
        return self.model_copy(update={"lost": (*self.lost, *failures)})

    def _ids_of(self, scan_id: str) -> tuple[str, ...]:
        return tuple(view.sample_id(scan_id) for view in self.settings.views)


def _data_root_of(shard: PlannedShard) -> str:
    return data_root_of(shard.scans[0].dataset)
