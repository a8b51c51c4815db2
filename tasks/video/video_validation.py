"""Read the frames and pairs of a whole data set back, every byte, and list what does not hold.

Pairs are held to the rules of the published reader, against the IUV of both frames.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import cast

import numpy as np
from jaxtyping import UInt8

from schemas.dataset_folder import DatasetFolder, Part
from schemas.errors import ScanmillError
from schemas.frames import pair_id
from schemas.manifest import Manifest, PlannedVideo
from schemas.pairing import PairSettings
from schemas.settings import digest_of
from schemas.work import MapUnits, map_units
from tasks.checks.findings import Breach, Finding, unreadable
from tasks.checks.shard_files import check_folders, check_shard_file
from tasks.checks.validation import Validation
from tasks.dataset.planning import read_video_plan
from tasks.dataset.shards import RowFile
from tasks.dataset.stored_rows import read_stored_rows
from tasks.video.choosing import MIN_ROWS
from tasks.video.frame_checks import Row, check_frame, decode_iuv
from tasks.video.match_rules import StoredMatches, check_matches
from tasks.video.video_shards import VIDEOS

FRAMES_KEPT = 64
"""IUV images that are remembered: neighbours come back soon, memory stays flat."""

ReadIuv = Callable[[int], UInt8[np.ndarray, "H W 3"]]
"""Returns the IUV image of a frame by its number."""


def validate_videos(folder: DatasetFolder, *, run: MapUnits = map_units) -> Validation:
    """Read both shards of every video back and check them, their records, and the folders.

    run: maps over videos.
    Raises RequestError when the folder is no data set, InputError when its plan is unreadable.
    """
    description, plan = folder.read_description(), read_video_plan(folder)
    settings = description.pairing or PairSettings()
    planned = frozenset(one.shard_id for one in plan)
    findings = list(check_folders(folder, VIDEOS.parts, planned, ()))
    if description.pairing is not None and description.pairing_digest != digest_of(settings):
        breach = Breach("pairing digest", str(description.pairing_digest), digest_of(settings))
        findings.append(breach.at("dataset.json"))
    check = partial(_check_video, folder, settings)
    counts = Counter[str]()
    for found, counted in run(check, plan, [f"video {one.shard_id}" for one in plan]):
        findings += found
        counts += counted
    return Validation(
        uri=folder.address, videos=len(plan), frames=counts["frames"], pairs=counts["pairs"],
        findings=tuple(findings),
    )  # fmt: skip


def _check_video(
    folder: DatasetFolder, settings: PairSettings, planned: PlannedVideo
) -> tuple[list[Finding], Counter[str]]:
    checker = _Checker(folder, planned, settings)
    return list(checker.check()), checker.counts


@dataclass(slots=True)
class _Checker:
    """Checks one video. frames: place of each frame's row in its file, by number."""

    folder: DatasetFolder
    planned: PlannedVideo
    settings: PairSettings
    counts: Counter[str] = field(default_factory=Counter)
    frames: dict[int, int] = field(default_factory=dict)

    def check(self) -> Iterator[Finding]:
        """Check frames, then pairs against the frames."""
        manifests: dict[Part, Manifest] = {}
        for part in VIDEOS.parts:
            place = f"{part}/{self.planned.shard_id}.parquet"
            try:
                manifests[part] = self.folder.read_manifest(self.planned.shard_id, part)
                yield from self._check_file(part, manifests[part])
                check = self._check_frames if part == "frames" else self._check_pairs
                yield from check(manifests[part])
            except FileNotFoundError as error:
                yield Breach("shard", f"no {Path(error.filename).name}", "a shard").at(place)
            except (ScanmillError, OSError, KeyError) as error:
                yield unreadable(place, error, "a shard file that can be read")

    def _check_file(self, part: Part, manifest: Manifest) -> Iterator[Finding]:
        yield from check_shard_file(self.folder, part, manifest, VIDEOS.formats[part])
        if manifest.settings_digest != digest_of(self.settings):
            place = f"manifests/{part}/{manifest.shard_id}.json"
            yield Breach("settings", "others", "the settings of dataset.json").at(place)

    def _check_frames(self, manifest: Manifest) -> Iterator[Finding]:
        names = []
        for index, row in enumerate(self._rows("frames")):
            names.append(str(row["frame_id"]))
            self.frames[cast("int", row["frame"])] = index
            for breach in check_frame(row, self.planned.video):
                yield breach.at(names[-1])
        yield from self._check_names("frames", names, manifest)

    def _check_pairs(self, manifest: Manifest) -> Iterator[Finding]:
        names: list[str] = []
        rows_of: Counter[int] = Counter()
        shard_id = self.planned.shard_id
        with self.folder.local_shard(shard_id, "frames") as path, RowFile(path) as frames:

            @lru_cache(FRAMES_KEPT)
            def read_iuv(number: int) -> UInt8[np.ndarray, "H W 3"]:
                return decode_iuv(frames.read(self.frames[number], ["iuv"]))

            for row in self._rows("pairs"):
                names.append(str(row["pair_id"]))
                rows_of[cast("int", row["frame_i"])] += 1
                for breach in self._check_pair(row, read_iuv):
                    yield breach.at(names[-1])
        yield from self._check_names("pairs", names, manifest)
        yield from self._check_counts(rows_of)

    def _check_pair(self, row: Row, read_iuv: ReadIuv) -> Iterator[Breach]:
        ends = cast("int", row["frame_i"]), cast("int", row["frame_j"])
        expected = pair_id(self.planned.video.video, *ends)
        if row["pair_id"] != expected or ends[0] == ends[1]:
            yield Breach("pair_id", str(row["pair_id"]), expected)
        lost = [end for end in ends if end not in self.frames]
        if lost:
            yield Breach("frames", f"no frame {lost}", "two frames of the video")
            return
        stored = StoredMatches.from_row(row)
        iuv_i, iuv_j = read_iuv(ends[0]), read_iuv(ends[1])
        yield from check_matches(stored, iuv_i, iuv_j, max_distance=self.settings.max_distance)

    def _check_names(self, part: Part, names: list[str], manifest: Manifest) -> Iterator[Finding]:
        self.counts[part] += len(names)
        place = f"manifests/{part}/{self.planned.shard_id}.json"
        if tuple(names) != manifest.sample_ids or len(names) != manifest.rows:
            yield Breach("names", f"{manifest.rows} rows", f"the {len(names)} of the file").at(
                place
            )
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            yield Breach("name", f"{len(twice)} names twice", "unique names").at(twice[0])

    def _check_counts(self, rows_of: Counter[int]) -> Iterator[Finding]:
        video, settings = self.planned.video.video, self.settings
        expected = f"{settings.min_neighbours} to {settings.neighbours}"
        if self.planned.video.layout != "sequence":
            return  # what is imported may have lost pairs that break the rules
        if 0 < len(rows_of) < MIN_ROWS:
            yield Breach("frames with pairs", str(len(rows_of)), f"{MIN_ROWS} or none").at(video)
        for frame, count in rows_of.items():
            if not settings.min_neighbours <= count <= settings.neighbours:
                yield Breach("neighbours", str(count), expected).at(f"{video}, frame {frame}")

    def _rows(self, part: Part) -> Iterator[dict[str, object]]:
        return read_stored_rows(self.folder, self.planned.shard_id, part)
