"""Anybody's folder in the published 2K2K layout, held to the rules of its reader.

Reads only; whatever can't be read, or would mislead the training, is a finding.
"""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8, UInt16
from pydantic import BaseModel, ConfigDict, Field

from schemas.codecs import decode_pixels
from schemas.errors import InputError, ScanmillError
from schemas.regular_files import read_whole
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from schemas.size_limits import MAX_IMAGE_BYTES, MAX_TEXT_BYTES
from schemas.views import View
from tasks.checks.findings import Finding
from tasks.formats.twok2k.folder_settings import resolve_settings
from tasks.formats.twok2k.folder_views import list_folder
from tasks.formats.twok2k.import_view import import_view
from tasks.formats.twok2k.twok2k_layout import (
    ALL_ENDING,
    LIST_FOLDER,
    SIDES,
    SPLIT_LISTS,
    ViewFiles,
)
from tasks.formats.twok2k.view_lists import read_lines

Progress = Callable[[int, int], None]
"""Called with views looked at, from 0 on, and views in all."""

TRAINING_LIST = SPLIT_LISTS["train"]


class PublishedCheck(BaseModel):
    """What the checker saw."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    views: int = Field(description="by their front depth maps, perspective and orthographic")
    listed: int = Field(description="lines of the training list")
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Tell whether everything holds."""
        return not self.findings


def check_2k2k(root: Path, *, workers: int = 1, progress: Progress | None = None) -> PublishedCheck:
    """Read every file that the published training opens, and hold it to the layout's rules.

    Raises RequestError when the folder holds no view, InputError when no depth map can be read.
    """
    found = list_folder(root, split_seed=0)
    settings = resolve_settings(root, found)
    pairs = [(ref, view) for ref in found.scans for view in sorted(found.views[ref.scan_id])]
    findings: list[Finding] = []
    if progress is not None:
        progress(0, len(pairs))
    with ThreadPoolExecutor(workers) as pool:
        checked = pool.map(partial(_check_view, root, settings), pairs)
        for done, seen in enumerate(checked, start=1):
            findings += seen
            if progress is not None:
                progress(done, len(pairs))
    findings += _check_lists(root, pairs)
    listed = root / LIST_FOLDER / TRAINING_LIST
    return PublishedCheck(
        path=str(root),
        views=len(pairs),
        listed=sum(1 for _ in _lines(listed)),
        findings=tuple(findings),
    )


def _check_view(
    root: Path, settings: RenderSettings, pair: tuple[ScanRef, View]
) -> tuple[Finding, ...]:
    ref, view = pair
    files = ViewFiles(ref.dataset, ref.item, view)
    try:
        import_view(root, ref, view, settings, metres_per_unit=1)
    except ScanmillError as error:
        place = error.thing.removeprefix(f"{root}/")
        return (Finding(where=place, what="file", found=error.found, expected=error.expected),)
    return (*_check_depth(root, files), *_check_colors(root, files), *_check_joints(root, files))


def _check_depth(root: Path, files: ViewFiles) -> Iterator[Finding]:
    front, back = (_open_depth(root, files, number) for number in range(len(SIDES)))
    where = files.depth("front").as_posix()
    alone = int(((front > 0) != (back > 0)).sum())
    if alone:
        found = f"{alone} pixels with one surface only"
        yield Finding(
            where=where, what="silhouettes", found=found, expected="one for front and back"
        )
    behind = int(((front > back) & (back > 0)).sum())
    if behind:
        found = f"front behind back in {behind} pixels"
        yield Finding(where=where, what="depth", found=found, expected="front <= back")


def _check_colors(root: Path, files: ViewFiles) -> Iterator[Finding]:
    outside = (_open_depth(root, files, 0) == 0) & (_open_depth(root, files, 1) == 0)
    for path in (files.shaded, files.color("front"), files.color("back")):
        image: UInt8[np.ndarray, "H W 3"] = _decode(root / path, cv2.IMREAD_COLOR)
        colored = (image[..., 0] | image[..., 1] | image[..., 2]) > 0
        stray = int((colored & outside).sum())
        if stray:
            found = f"{stray} coloured pixels outside the person"
            yield Finding(where=path.as_posix(), what="picture", found=found, expected="black")


def _check_joints(root: Path, files: ViewFiles) -> Iterator[Finding]:
    if files.branch != "PERS":
        return
    path = files.keypoints
    if not (root / path).is_file():
        yield Finding(
            where=path.as_posix(), what="file", found="no such file", expected="31 joints"
        )
        return
    joints = np.load(io.BytesIO(read_whole(root / path, MAX_TEXT_BYTES)), allow_pickle=False)
    known = joints[:, 2]
    if not np.isin(known, (0, 1)).all() or joints[known == 0].any():
        found = "a third column other than 0 and 1, or an unknown joint with coordinates"
        yield Finding(
            where=path.as_posix(), what="joints", found=found, expected="x, y, 1 or 0, 0, 0"
        )


def _check_lists(root: Path, pairs: list[tuple[ScanRef, View]]) -> Iterator[Finding]:
    """Hold the lists to the views that are there: each listed once, nothing else listed."""
    views = [ViewFiles(ref.dataset, ref.item, view) for ref, view in pairs]
    lines = {one.list_line for one in views if one.branch == "PERS"}
    datasets = sorted({one.dataset for one in views})
    listed_in_all: set[str] = set()
    for name in (*(f"{dataset}{ALL_ENDING}" for dataset in datasets), TRAINING_LIST):
        path = root / LIST_FOLDER / name
        if not path.is_file():
            yield _list_finding(name, "no such file", "a line for each view")
            continue
        listed = list(_lines(path))
        strange = [line for line in listed if line not in lines]
        if strange:
            found = f"{len(strange)} lines that name no view, such as {strange[0][:80]!r}"
            yield _list_finding(name, found, "three paths of a view that is there")
        if name.endswith(ALL_ENDING):
            listed_in_all |= set(listed)
    left_out = lines - listed_in_all
    if left_out:
        found = f"{len(left_out)} views in no list, such as {min(left_out)[:80]!r}"
        yield _list_finding(f"*{ALL_ENDING}", found, "a line for each view")


def _open_depth(root: Path, files: ViewFiles, side: int) -> UInt16[np.ndarray, "H W"]:
    path = root / files.depth(SIDES[side])
    stored: UInt16[np.ndarray, "H W"] = _decode(path, cv2.IMREAD_UNCHANGED)
    return stored


def _decode(path: Path, flags: int) -> np.ndarray:
    """Decode an image that was found whole before; raises InputError when it changed since."""
    image = decode_pixels(read_whole(path, MAX_IMAGE_BYTES), flags)
    if image is None:
        raise InputError(
            str(path), found="an image that can't be read any more", expected="the one just read",
            hint="Let nothing write to the folder while it is checked.",
        )  # fmt: skip
    return image


def _lines(path: Path) -> Iterator[str]:
    if path.is_file() and path.stat().st_size:
        yield from read_lines(path)


def _list_finding(name: str, found: str, expected: str) -> Finding:
    return Finding(where=f"{LIST_FOLDER}/{name}", what="list", found=found, expected=expected)
