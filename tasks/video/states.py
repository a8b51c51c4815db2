"""What the two shards of each video are, from the files alone; `tasks.dataset.states` for videos.

A video is done when both of its shards are. Imports neither Prefect nor torch.
"""

from dataclasses import dataclass
from pathlib import Path

from schemas.dataset_folder import DatasetFolder
from schemas.errors import ScanmillError
from schemas.manifest import Failure, Manifest, PlannedVideo, ShardState, state_by_failures
from schemas.scan import InputFile
from tasks.dataset.fingerprints import FingerprintCache
from tasks.dataset.run_records import last_roots
from tasks.dataset.shards import count_rows
from tasks.dataset.states import DatasetStatus, Progress, ShardStatus
from tasks.video.code import pair_code_digest
from tasks.video.plan import read_video_plan
from tasks.video.sequences import list_frames
from tasks.video.video_shard import VIDEO_PARTS, memory_of

VIDEO_ROOT = "videos"
"""Name of the data root of videos in the records of runs."""


def video_status(
    folder: DatasetFolder,
    *,
    data_root: Path | None = None,
    deep: bool = False,
    progress: Progress | None = None,
) -> DatasetStatus:
    """Decide the state of every video of a data set; samples are pairs here.

    data_root: defaults to that of the last run that paired. Raises RequestError when the folder
    is no data set, InputError when its description or plan can't be read.
    """
    description = folder.read_description()
    plan = read_video_plan(folder)
    chosen = data_root or last_video_root(folder)
    root = chosen if chosen and chosen.is_dir() else None
    inspector = _Inspector(
        folder, description.pairing_digest, root, FingerprintCache(folder.root, deep=deep)
    )
    shards = []
    for planned in plan:
        shards.append(inspector.look_at(planned))
        if progress is not None:
            progress(len(shards), len(plan))
    return DatasetStatus(
        uri=str(folder.root), deep=deep, inputs_checked=root is not None,
        samples_planned=sum(one.rows for one in shards), shards=tuple(shards),
    )  # fmt: skip


def last_video_root(folder: DatasetFolder) -> Path | None:
    """Return the data root of the last run that paired, None when no run has."""
    return last_roots(folder).get(VIDEO_ROOT)


@dataclass(frozen=True, slots=True)
class _Inspector:
    """What all videos of one look share. Owns: the memory of what was hashed."""

    folder: DatasetFolder
    settings_digest: str | None
    root: Path | None
    cache: FingerprintCache

    def look_at(self, planned: PlannedVideo) -> ShardStatus:
        """Decide the state of one video."""
        ref = planned.video
        is_gone = self.root is not None and not (self.root / ref.folder).is_dir()
        reasons = (f"{ref.video}: the video is gone",) if is_gone else ()
        try:
            manifests = self._read_manifests(planned.shard_id)
        except ScanmillError as error:
            return self._report(planned, "corrupt", (*reasons, f"manifest: {error.found}"), is_gone)
        if len(manifests) < len(VIDEO_PARTS):
            state: ShardState = "orphaned" if is_gone else "missing"
            return self._report(planned, state, (*reasons, "no commit record"), is_gone)
        state, more = self._decide(planned, manifests, is_gone=is_gone)
        return self._report(planned, state, (*reasons, *more), is_gone, manifests)

    def _report(
        self,
        planned: PlannedVideo,
        state: ShardState,
        reasons: tuple[str, ...],
        is_gone: bool,
        manifests: tuple[Manifest, ...] = (),
    ) -> ShardStatus:
        return ShardStatus(
            shard_id=planned.shard_id, scans=(planned.video.video,), state=state, reasons=reasons,
            older_code=any(one.code_digest != pair_code_digest() for one in manifests),
            source_gone=is_gone, rows=manifests[-1].rows if manifests else 0,
            bytes=sum(one.bytes for one in manifests),
            attempt=max((one.attempt for one in manifests), default=0),
            failures=_failures_of(manifests),
        )  # fmt: skip

    def _decide(
        self, planned: PlannedVideo, manifests: tuple[Manifest, ...], *, is_gone: bool
    ) -> tuple[ShardState, tuple[str, ...]]:
        self.cache.recall(memory_of(planned.shard_id))
        damage = self._find_damage(manifests)
        if damage:
            return "corrupt", damage
        changes = () if is_gone else self._find_changes(planned, manifests)
        self._remember(planned.shard_id, manifests)
        if is_gone:
            return "orphaned", ()
        if changes:
            return "stale", changes
        failures = _failures_of(manifests)
        reasons = (f"{one.sample_id}: {one.error}: {one.message}" for one in failures)
        return state_by_failures(failures), tuple(reasons)

    def _find_damage(self, manifests: tuple[Manifest, ...]) -> tuple[str, ...]:
        """Compare both files with their records; rows are counted, bytes as deep as asked."""
        found = []
        for part, manifest in zip(VIDEO_PARTS, manifests, strict=True):
            path = self.folder.shard_path(manifest.shard_id, part)
            try:
                file = self.cache.digest(path)
                if file is None:
                    found.append(f"{part}/{path.name} is not there")
                elif (file.size, file.sha256) != (manifest.bytes, manifest.sha256):
                    found.append(f"{part}/{path.name}: not the file that was committed")
                elif not count_rows(path) == manifest.rows == len(manifest.sample_ids):
                    found.append(f"{part}/{path.name}: other rows than were committed")
            except (OSError, ScanmillError) as error:
                found.append(f"{part}/{path.name}: {error}")
        return tuple(found)

    def _find_changes(
        self, planned: PlannedVideo, manifests: tuple[Manifest, ...]
    ) -> tuple[str, ...]:
        changes = []
        if any(one.settings_digest != self.settings_digest for one in manifests):
            changes.append("made with other settings than the data set's")
        if self.root is not None:
            changes += [self._compare(self.root, one) for one in manifests[0].inputs]
            recorded = {one.path for one in manifests[0].inputs}
            changes += _find_new_files(self.root, planned, recorded)
        return tuple(change for change in changes if change)

    def _compare(self, root: Path, recorded: InputFile) -> str:
        """Say how an input differs from its record; empty: not at all."""
        return self.cache.compare(root / recorded.path, recorded)

    def _remember(self, shard_id: str, manifests: tuple[Manifest, ...]) -> None:
        inputs = [one.path for one in manifests[0].inputs] if self.root else []
        paths = [self.folder.shard_path(shard_id, part) for part in VIDEO_PARTS]
        paths += [self.root / path for path in inputs if self.root]
        self.cache.remember(memory_of(shard_id), tuple(paths))

    def _read_manifests(self, shard_id: str) -> tuple[Manifest, ...]:
        return tuple(
            self.folder.read_manifest(shard_id, part)
            for part in VIDEO_PARTS
            if self.folder.manifest_path(shard_id, part).exists()
        )


def _find_new_files(root: Path, planned: PlannedVideo, recorded: set[str]) -> list[str]:
    """Name the frames of a sequence that no record knows; a published set lists its own."""
    if planned.video.layout != "sequence":
        return []
    try:
        sequence = list_frames(planned.video.video, root / planned.video.folder)
    except ScanmillError:
        return []  # it can't be listed now either; its record says why
    found = (path for files in sequence.frames for path in files.images.values())
    names = (path.relative_to(root).as_posix() for path in found)
    return [f"{name} is new" for name in names if name not in recorded]


def _failures_of(manifests: tuple[Manifest, ...]) -> tuple[Failure, ...]:
    return tuple(failure for one in manifests for failure in one.failures)
