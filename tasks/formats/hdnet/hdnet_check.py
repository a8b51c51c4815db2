"""Anybody's folder in HDNet's layout, held to the rules of the published reader.

Reads only; whatever can't be read is a finding. Source: docs/hdnet-dataset.md.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from schemas.errors import ScanmillError
from schemas.pairing import FRAME_SIDE_PX, PairSettings
from schemas.work import MapUnits, map_units
from tasks.checks.findings import Breach, Finding
from tasks.formats.hdnet.hdnet_frames import (
    read_colors,
    read_densepose,
    read_depth,
    read_normals,
    read_pair,
    read_pair_list,
    read_person,
)
from tasks.formats.hdnet.hdnet_layout import (
    LABELLED,
    TIKTOK,
    HdnetFolder,
    find_sets,
    seven_digits,
)
from tasks.formats.hdnet.labelled_sample import FARTHEST_M, NEAREST_M
from tasks.formats.outcomes import FolderCheck
from tasks.video.choosing import MIN_ROWS
from tasks.video.match_rules import check_matches

FRAMES_PER_UNIT = 64
"""Frames, or rows of the list of pairs, that one task checks; IUV images that it remembers."""

MIN_COLUMNS = 2
MAX_LOST = 0.05
"""Share of the person that may lack depth or normals: borders of masks differ by a pixel."""

FACING_SHARE = 0.9
"""Share of the normals that have n_z < 0. The camera is off axis: a few at the rim may not."""

MAX_LENGTH_ERROR = 0.02
"""Of a unit normal printed with at least two decimals, downwards."""

MAX_LENGTH = 1 + 1e-6
"""Of a normal: what six decimals round. The published angle loss takes the arc cosine of a product
with it over |p|^2 + 1e-5, which is NaN from about 1.00001 on."""

T = TypeVar("T")


class HdnetCheck(FolderCheck):
    """What the check of HDNet's sets saw."""

    frames: int
    pairs: int
    samples: int

    @property
    def sentence(self) -> str:
        """What was read, in one line."""
        read = f"{self.frames} frames, {self.pairs} pairs, {self.samples} labelled samples"
        return f"validate: {read}."


def check_folder(root: Path, run: MapUnits = map_units) -> HdnetCheck:
    """Check the published sets below a root; run: maps over units of some dozens of frames.

    Raises RequestError when there is none.
    """
    videos, labelled = find_sets(root)
    findings, notes = list[Finding](), list[str]()
    counts = dict.fromkeys(("frames", "pairs", "samples"), 0)
    for folder in filter(None, (videos, labelled)):
        numbers = folder.list_numbers()
        counts["frames" if folder.kind is TIKTOK else "samples"] = len(numbers)
        notes += _note_absent(folder, numbers)
        findings += _run(partial(_check_frames, folder), numbers, "frames", run)
        if folder.kind is LABELLED and not numbers:
            findings.append(Breach("frames", "none", "at least one").at(folder.root.name))
    if videos is not None:
        seen = _check_pairs(videos, run)
        counts["pairs"], findings = seen.pairs, findings + list(seen.findings)
    return HdnetCheck(path=str(root), findings=tuple(findings), notes=tuple(notes), **counts)


def _run(
    check: Callable[[Sequence[T]], list[Finding]], items: Sequence[T], what: str, run: MapUnits
) -> Iterator[Finding]:
    """Check items in units of some dozens."""
    starts = range(0, len(items), FRAMES_PER_UNIT)
    units = [items[start : start + FRAMES_PER_UNIT] for start in starts]
    for findings in run(check, units, [f"{what} from {start}" for start in starts]):
        yield from findings


def _check_frames(folder: HdnetFolder, numbers: Sequence[int]) -> list[Finding]:
    return [
        breach.at(f"{folder.root.name}/{seven_digits(number)}")
        for number in numbers
        for breach in _check_frame(folder, number)
    ]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the files of one frame. Owns: the breaches that were found so far."""

    folder: HdnetFolder
    number: int
    breaches: list[Breach] = field(default_factory=list)

    def read(self, read: Callable[[HdnetFolder, int], T]) -> T | None:
        """Read something of the frame; None when it can't be, which is a breach."""
        try:
            return read(self.folder, self.number)
        except ScanmillError as error:
            path = Path(error.thing)
            name = f"{path.parent.name}/{path.name}"
            self.breaches.append(Breach(name, error.found, error.expected))
            return None


def _check_frame(folder: HdnetFolder, number: int) -> list[Breach]:
    """Check images, normals and depth of one frame."""
    frame, kind = _Reader(folder, number), folder.kind
    for name in ("color", "color_WO_bg", kind.normals_image):
        if folder.has(name) or name not in kind.optional:
            frame.read(partial(read_colors, name=name))
    mask = frame.read(read_person)
    if mask is not None and not mask.any():
        found = f"{FRAME_SIDE_PX} x {FRAME_SIDE_PX}, 0 inside"
        frame.breaches.append(Breach("mask", found, "a person above level 100"))
    if folder.has("densepose"):
        iuv = frame.read(read_densepose)
        if iuv is not None and iuv.order != "VUI":
            expected = "blue, green, red = I, U, V, as the published reader takes them"
            frame.breaches.append(Breach("densepose", "red, green, blue = I, U, V", expected))
    if folder.has(kind.normals) or kind.normals not in kind.optional:
        frame.breaches.extend(_check_numbers(frame, mask))
    return frame.breaches


def _check_numbers(frame: _Reader, mask: Bool[np.ndarray, "256 256"] | None) -> Iterator[Breach]:
    """Check the normals, and the depth of a labelled frame."""
    normals = frame.read(read_normals)
    if normals is not None:
        yield from _check_lengths(normals.reshape(-1, 3))
    if frame.folder.kind is not LABELLED:
        return
    depth = frame.read(read_depth)
    if mask is None or not mask.any():
        return
    if depth is not None:
        yield from _check_depth(depth[mask])
    if normals is not None:
        yield from _check_facing(normals[mask])


def _check_lengths(normals: Float64[np.ndarray, "N 3"]) -> Iterator[Breach]:
    """Check that normals have unit length and not more, or are 0."""
    lengths = np.linalg.norm(normals, axis=-1)
    off = lengths[(lengths > MAX_LENGTH) | ((lengths > 0) & (lengths < 1 - MAX_LENGTH_ERROR))]
    if off.size:
        found = f"{off.size} lengths off by up to {np.abs(off - 1).max():.3g}"
        yield Breach("normals", found, "unit length and not more, or 0 outside")


def _check_depth(depth_m: Float64[np.ndarray, " N"]) -> Iterator[Breach]:
    used = (depth_m >= NEAREST_M) & (depth_m <= FARTHEST_M)
    lost = 1 - float(used.mean())
    if lost > MAX_LOST:
        yield Breach(
            "depth",
            f"{lost:.0%} of the person outside: {depth_m.min():.3g} to {depth_m.max():.3g}",
            f"z in metres, {NEAREST_M:g} to {FARTHEST_M:g}: else it is not used",
        )  # fmt: skip


def _check_facing(normals: Float64[np.ndarray, "N 3"]) -> Iterator[Breach]:
    given: Bool[np.ndarray, " N"] = np.any(normals, axis=-1)
    if 1 - float(given.mean()) > MAX_LOST:
        yield Breach("normals", f"none for {1 - given.mean():.0%} of the person", "a normal each")
    elif (facing := float((normals[given, 2] < 0).mean())) < FACING_SHARE:
        yield Breach("normals", f"n_z < 0 for {facing:.0%} only", "n_z < 0 towards the camera")


@dataclass(frozen=True, slots=True)
class _CheckedPairs:
    pairs: int
    findings: tuple[Finding, ...]


def _check_pairs(folder: HdnetFolder, run: MapUnits) -> _CheckedPairs:
    """Check the list of pairs, then each pair."""
    place = f"{folder.root.name}/correspondences/{folder.pair_list.name}"
    try:
        listed = read_pair_list(folder)
    except ScanmillError as error:
        return _CheckedPairs(0, (Breach("corr_mat", error.found, error.expected).at(place),))
    rows: list[list[int]] = listed.tolist()
    wrong = tuple(one.at(place) for one in _check_list(rows, set(folder.list_numbers())))
    pairs = sum(len(set(neighbours)) for _, *neighbours in rows)
    found = _run(partial(_check_rows, folder), rows, "pairs", run)
    return _CheckedPairs(pairs, (*wrong, *found))


def _check_list(rows: list[list[int]], numbers: set[int]) -> Iterator[Breach]:
    if len(rows) < MIN_ROWS or len(rows[0]) < MIN_COLUMNS:
        found = f"{len(rows)} rows of {len(rows[0]) if rows else 0} numbers"
        yield Breach("size", found, f"{MIN_ROWS} rows or more: a frame, its others")
    named = [row[0] for row in rows]
    if len(set(named)) != len(named):
        yield Breach("frames", "a frame with two rows", "one row a frame")
    absent = sorted({number for row in rows for number in row} - numbers)
    if absent:
        found = f"{len(absent)} frames without images, such as {absent[0]}"
        yield Breach("frames", found, "frames with images")


def _check_rows(folder: HdnetFolder, rows: Sequence[list[int]]) -> list[Finding]:
    """Check the pairs of some rows; IUV images come back soon, so some are remembered."""

    @lru_cache(FRAMES_PER_UNIT)
    def read(number: int) -> UInt8[np.ndarray, "256 256 3"]:
        return read_densepose(folder, number).iuv

    return [
        breach.at(f"{folder.root.name}/correspondences/corrs/{folder.matches(*ends).name}")
        for frame_i, *neighbours in rows
        for ends in ((frame_i, frame_j) for frame_j in dict.fromkeys(neighbours))
        for breach in _check_pair(folder, ends, read)
    ]


def _check_pair(
    folder: HdnetFolder,
    ends: tuple[int, int],
    read: Callable[[int], UInt8[np.ndarray, "256 256 3"]],
) -> Iterator[Breach]:
    try:
        stored, iuv_i, iuv_j = read_pair(folder, *ends), read(ends[0]), read(ends[1])
    except ScanmillError as error:
        yield Breach(error.thing, error.found, error.expected)
        return
    yield from check_matches(stored, iuv_i, iuv_j, max_distance=PairSettings().max_distance)


def _note_absent(folder: HdnetFolder, numbers: tuple[int, ...]) -> list[str]:
    """Say once which of the folders that the published reader opens are missing altogether."""
    absent = [name for name in folder.kind.optional if not folder.has(name)]
    if not absent or not numbers:
        return []
    return [f"{folder.root.name}: no {' and no '.join(absent)}; the published reader opens them"]
