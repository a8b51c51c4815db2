"""Anybody's folder in HDNet's layout, held to the rules of the published reader.

    DIR/tiktok_data and DIR/Tang_data, or DIR is itself one of them

Reads only; whatever can't be read is a finding.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import UInt8
from pydantic import BaseModel, ConfigDict

from schemas.errors import InputError, RequestError, ScanmillError
from schemas.frames import PART_COUNT
from schemas.pairing import FRAME_SIDE_PX, PairSettings
from tasks.checks.findings import Breach, Finding
from tasks.formats.hdnet.hdnet_layout import (
    LABELLED_FOLDER,
    TIKTOK_FOLDER,
    HdnetFolder,
    seven_digits,
)
from tasks.formats.hdnet.image_checks import check_video_frame, list_numbers
from tasks.formats.hdnet.labelled_checks import check_labelled_frame
from tasks.video.choosing import MIN_ROWS
from tasks.video.images import read_iuv
from tasks.video.match_rules import StoredMatches, check_matches
from tasks.video.number_grids import read_integers

FRAMES_KEPT = 64
"""IUV images that are remembered: neighbours come back soon, memory stays flat."""

MIN_COLUMNS = 2
T = TypeVar("T")
MATCH_COLUMNS, LIMIT_COLUMNS = 5, 3
Progress = Callable[[int, int], None]
"""Called with items looked at and items in all; again from 0 for frames, pairs, samples."""


class LayoutCheck(BaseModel):
    """What the checker saw. notes: what the reader will miss, where nothing is wrong in itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    frames: int
    pairs: int
    samples: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Tell whether everything holds."""
        return not self.findings


def check_hdnet(
    root: Path,
    *,
    max_distance: float = PairSettings().max_distance,
    progress: Progress | None = None,
) -> LayoutCheck:
    """Check the published folders below a root.

    max_distance: matches are nearer than that, UV units of 0..255.
    Raises RequestError when there is none.
    """
    videos, labelled = find_published(root)
    findings: list[Finding] = []
    notes: list[str] = []
    frames = pairs = samples = 0
    if videos is not None:
        checker = _VideoChecker(videos, max_distance, progress)
        findings += checker.check()
        notes += checker.notes
        frames, pairs = checker.frames, checker.pairs
    if labelled is not None:
        numbers = list_numbers(labelled)
        samples = len(numbers)
        notes += _note_absent(labelled, numbers, ("densepose",))
        findings += _check_labelled(labelled, numbers, progress)
    return LayoutCheck(
        path=str(root), frames=frames, pairs=pairs, samples=samples,
        findings=tuple(findings), notes=tuple(notes),
    )  # fmt: skip


def find_published(root: Path) -> tuple[HdnetFolder | None, HdnetFolder | None]:
    """Return the TikTok set and the labelled set below a root, None for what is not there."""
    videos, labelled = root / TIKTOK_FOLDER, root / LABELLED_FOLDER
    if not videos.is_dir() and not labelled.is_dir():
        videos = root if (root / "correspondences").is_dir() else videos
        labelled = root if (root / "depth").is_dir() else labelled
    found = tuple(HdnetFolder(path) if path.is_dir() else None for path in (videos, labelled))
    if found == (None, None):
        raise RequestError(
            str(root), found=f"neither {TIKTOK_FOLDER} nor {LABELLED_FOLDER} in it",
            expected="a folder in HDNet's published layout",
            hint="Give the folder that holds them, as `scanmill export hdnet --to` made it.",
        )  # fmt: skip
    return found[0], found[1]


class _VideoChecker:
    """Checks one TikTok set. Owns: the memory of IUV images."""

    def __init__(self, folder: HdnetFolder, max_distance: float, progress: Progress | None) -> None:
        self.folder, self.max_distance, self.progress = folder, max_distance, progress
        self.notes: list[str] = []
        self.frames, self.pairs = 0, 0
        self._read_iuv = lru_cache(FRAMES_KEPT)(self._read_iuv_file)

    def check(self) -> Iterator[Finding]:
        """Check the images of all frames, then the list of pairs, then each pair."""
        numbers = list_numbers(self.folder)
        self.frames = len(numbers)
        self.notes += _note_absent(self.folder, numbers, ("pred_normals", "pred_normals_png"))
        for number in _counted(numbers, self.progress):
            yield from _findings(self.folder, number, check_video_frame(self.folder, number))
        try:
            listed: list[list[int]] = read_integers(self.folder.pair_list).tolist()
        except ScanmillError as error:
            yield _finding(error.thing, "corr_mat", error.found, error.expected)
            return
        yield from self._check_list(listed, set(numbers))
        for frame_i, *neighbours in _counted(listed, self.progress):
            for frame_j in dict.fromkeys(neighbours):
                yield from self._check_pair(frame_i, frame_j)

    def _check_list(self, rows: list[list[int]], numbers: set[int]) -> Iterator[Finding]:
        place = self._place(self.folder.pair_list)
        if len(rows) < MIN_ROWS or len(rows[0]) < MIN_COLUMNS:
            found = f"{len(rows)} rows of {len(rows[0]) if rows else 0} numbers"
            yield _finding(place, "size", found, f"{MIN_ROWS} rows or more: a frame, its others")
        named = [row[0] for row in rows]
        if len(set(named)) != len(named):
            yield _finding(place, "frames", "a frame with two rows", "one row a frame")
        absent = sorted({number for row in rows for number in row} - numbers)
        if absent:
            found = f"{len(absent)} frames without images, such as {absent[0]}"
            yield _finding(place, "frames", found, "frames that are there")

    def _check_pair(self, frame_i: int, frame_j: int) -> Iterator[Finding]:
        self.pairs += 1
        path = self.folder.matches(frame_i, frame_j)
        place = self._place(path)
        try:
            table = read_integers(path, columns=MATCH_COLUMNS)
            limits = read_integers(self.folder.limits(frame_i, frame_j), columns=LIMIT_COLUMNS)
            if limits[:, 0].tolist() != list(range(1, PART_COUNT + 1)):
                yield _finding(place, "limits", f"{len(limits)} rows", "rows of parts 1 to 24")
                return
            stored = StoredMatches(table[:, 0], table[:, 1:] - 1, limits[:, 1:])
            iuv_i, iuv_j = self._read_iuv(frame_i), self._read_iuv(frame_j)
            for breach in check_matches(stored, iuv_i, iuv_j, max_distance=self.max_distance):
                yield _finding(place, breach.what, breach.found, breach.expected)
        except ScanmillError as error:
            yield _finding(place, error.thing, error.found, error.expected)

    def _place(self, path: Path) -> str:
        return path.relative_to(self.folder.root.parent).as_posix()

    def _read_iuv_file(self, number: int) -> UInt8[np.ndarray, "256 256 3"]:
        path = self.folder.image("densepose", number)
        iuv = read_iuv(path).iuv
        if iuv.shape[:2] != (FRAME_SIDE_PX, FRAME_SIDE_PX):
            raise InputError(
                str(path), found=f"{iuv.shape[1]} x {iuv.shape[0]} pixels", expected="256 x 256",
                hint="Crop and scale the frames.",
            )  # fmt: skip
        return iuv


def _check_labelled(
    folder: HdnetFolder, numbers: tuple[int, ...], progress: Progress | None
) -> Iterator[Finding]:
    if not numbers:
        yield _finding(folder.root.name, "frames", "none", "at least one")
    for number in _counted(numbers, progress):
        yield from _findings(folder, number, check_labelled_frame(folder, number))


def _counted(items: Sequence[T], progress: Progress | None) -> Iterator[T]:
    """Yield items; tell before the first and after each how far it is."""
    if progress is not None:
        progress(0, len(items))
    for done, item in enumerate(items, start=1):
        yield item
        if progress is not None:
            progress(done, len(items))


def _note_absent(
    folder: HdnetFolder, numbers: tuple[int, ...], names: tuple[str, ...]
) -> list[str]:
    """Say once which of the folders that the published reader opens are not there at all."""
    absent = [name for name in names if not (folder.root / name).is_dir()]
    if not absent or not numbers:
        return []
    return [f"{folder.root.name}: no {' and no '.join(absent)}; the published reader opens them"]


def _findings(folder: HdnetFolder, number: int, breaches: Iterable[Breach]) -> Iterator[Finding]:
    where = f"{folder.root.name}/{seven_digits(number)}"
    for breach in breaches:
        yield _finding(where, breach.what, breach.found, breach.expected)


def _finding(where: str, what: str, found: str, expected: str) -> Finding:
    return Finding(where=where, what=what, found=found, expected=expected)
