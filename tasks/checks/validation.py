"""Read a whole data set back, every byte, and list all that does not hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from schemas.dataset_folder import DatasetFolder
from schemas.dataset_reader import shard_name
from schemas.errors import ScanmillError
from schemas.exr_compression import EXR_CODECS
from schemas.manifest import Manifest, PlannedShard
from schemas.settings import RenderSettings, digest_of
from schemas.wording import format_bytes
from schemas.work import MapUnits, map_units
from tasks.checks.findings import Breach, Checked, Finding, unreadable
from tasks.checks.sample_checks import check_sample
from tasks.checks.shard_files import check_folders, check_shard_file
from tasks.dataset.planning import read_plan
from tasks.dataset.shards import ShardFormat, read_rows, read_shard_schema, sample_format


class Validation(Checked):
    """What reading everything back has shown."""

    uri: str
    shards: int = Field(default=0, description="planned")
    samples: int = Field(default=0, description="read back")
    bytes: int = Field(default=0, description="of the shard files that were read")
    videos: int = Field(default=0, description="planned")
    frames: int = Field(default=0, description="of videos, read back")
    pairs: int = Field(default=0, description="of frames, read back")
    needs: str = Field(default="", description="what readers of the files need, if not all can")

    @property
    def lines(self) -> tuple[str, ...]:
        """What was read, and how to redo what does not hold."""
        said = []
        if self.shards or not self.videos:
            size = format_bytes(self.bytes)
            said.append(f"validate: {self.samples} samples of {self.shards} shards read, {size}.")
        if self.videos:
            read = f"{self.frames} frames and {self.pairs} pairs of {self.videos} videos"
            said.append(f"validate: {read} read.")
        if self.needs:
            said.append(f"warning  exr_compression: reading needs {self.needs}.")
        if not self.passed:
            said.append(f"Redo what is broken with: scanmill rerun {self.uri} --deep")
        return tuple(said)

    def add(self, other: "Validation") -> "Validation":
        """Add the counts and findings of another part of the same data set."""
        counts = ("shards", "samples", "bytes", "videos", "frames", "pairs")
        sums = {name: getattr(self, name) + getattr(other, name) for name in counts}
        findings = (*self.findings, *other.findings)
        return self.model_copy(update={"findings": findings, **sums})


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one shard gave: its findings, and what has to agree with other shards."""

    findings: tuple[Finding, ...]
    names: tuple[tuple[str, str, str], ...] = ()  # sample id, subject, split
    bytes: int = 0


def validate_dataset(folder: DatasetFolder, *, run: MapUnits = map_units) -> Validation:
    """Read every shard back and check it, its record, and the folder.

    run: maps over shards; threads pay, because decoding runs outside the interpreter lock.
    Raises RequestError when the folder is no data set, InputError when its plan is unreadable.
    """
    settings = folder.read_description().settings
    plan = read_plan(folder)
    backgrounds = frozenset(one.path for one in folder.read_backgrounds().images)
    checker = _Checker(folder, settings, backgrounds | {""})
    readings = run(checker.check_shard, plan, [one.shard_id for one in plan])
    names = [name for reading in readings for name in reading.names]
    planned = frozenset(shard.shard_id for shard in plan)
    findings = (
        *_check_description(folder),
        *check_folders(folder, ("samples",), planned, (".", "plan", "runs")),
        *(finding for reading in readings for finding in reading.findings),
        *_check_names(names),
    )
    return Validation(
        uri=folder.address,
        shards=len(plan),
        samples=len(names),
        bytes=sum(reading.bytes for reading in readings),
        needs=EXR_CODECS[settings.exr_compression].needs if plan else "",
        findings=findings,
    )


@dataclass(frozen=True, slots=True)
class _Checker:
    folder: DatasetFolder
    settings: RenderSettings
    backgrounds: frozenset[str]

    @property
    def layout(self) -> ShardFormat:
        """The columns of the shards."""
        return sample_format(self.settings.exr_compression)

    def check_shard(self, shard: PlannedShard) -> _Reading:
        """Check one shard against its commit record and the columns' promises."""
        place = shard_name(shard.shard_id)
        if not self.folder.is_committed(shard.shard_id):
            return _Reading((Breach("shard", "no commit record", "a committed shard").at(place),))
        try:
            manifest = self.folder.read_manifest(shard.shard_id)
            findings = list(check_shard_file(self.folder, "samples", manifest, self.layout))
            with self.folder.local_shard(shard.shard_id) as path:
                if findings and path.exists() and _lacks_columns(path, self.layout):
                    return _Reading(tuple(findings))
                return self._check_rows(shard, manifest, findings, path)
        except (ScanmillError, OSError) as error:
            return _Reading((unreadable(place, error),))

    def _check_rows(
        self, shard: PlannedShard, manifest: Manifest, findings: list[Finding], path: Path
    ) -> _Reading:
        place, names = shard_name(shard.shard_id), []
        try:
            for row in read_rows(path):
                sample_id = str(row["sample_id"])
                names.append((sample_id, str(row["subject"]), str(row["split"])))
                breaches = (*check_sample(row, self.settings), *self._check_row(row, shard))
                findings += [breach.at(sample_id) for breach in breaches]
        except ScanmillError as error:
            findings.append(unreadable(place, error))
        findings += _check_record(
            shard, manifest, tuple(name for name, _, _ in names), self.settings
        )
        return _Reading(tuple(findings), tuple(names), path.stat().st_size)

    def _check_row(self, row: dict[str, object], shard: PlannedShard) -> Iterator[Breach]:
        if row["background"] not in self.backgrounds:
            yield Breach("background", repr(row["background"]), "one of backgrounds.json, or none")
        found = tuple(str(row[key]) for key in ("dataset", "item", "subject", "split"))
        planned = {(ref.dataset, ref.item, ref.subject, ref.split) for ref in shard.scans}
        if found not in planned:
            yield Breach("dataset, item, subject, split", str(found), "as planned for the shard")


def _check_record(
    shard: PlannedShard, manifest: Manifest, names: tuple[str, ...], settings: RenderSettings
) -> Iterator[Finding]:
    place = f"manifests/samples/{shard.shard_id}.json"
    if names != manifest.sample_ids or manifest.rows != len(names):
        found = f"{manifest.rows} rows, {len(manifest.sample_ids)} names"
        yield Breach("sample ids", found, f"the {len(names)} of the file, in order").at(place)
    planned = [view.sample_id(ref.scan_id) for ref in shard.scans for view in settings.views]
    failed = {failure.sample_id for failure in manifest.failures}
    if tuple(name for name in planned if name not in failed) != manifest.sample_ids:
        found = f"{len(manifest.sample_ids)} samples and {len(failed)} failures"
        yield Breach("samples", found, f"the {len(planned)} planned ones, in order").at(place)
    if manifest.shard_id != shard.shard_id or manifest.settings_digest != digest_of(settings):
        yield Breach("record", manifest.shard_id, f"{shard.shard_id}, same settings").at(place)


def _check_description(folder: DatasetFolder) -> Iterator[Finding]:
    description = folder.read_description()
    digest = digest_of(description.settings)
    if digest != description.settings_digest:
        yield Breach("settings digest", description.settings_digest, digest).at("dataset.json")


def _check_names(names: list[tuple[str, str, str]]) -> Iterator[Finding]:
    seen: set[str] = set()
    splits: dict[str, str] = {}
    for sample_id, subject, split in names:
        if sample_id in seen:
            yield Breach("sample_id", "two samples of this name", "unique names").at(sample_id)
        if splits.setdefault(subject, split) != split:
            found = f"{subject} in {splits[subject]} and {split}"
            yield Breach("split", found, "one split for one subject").at(sample_id)
        seen.add(sample_id)


def _lacks_columns(path: Path, layout: ShardFormat) -> bool:
    found = read_shard_schema(path)
    return not set(layout.schema_like(found).names) <= set(found.names)
