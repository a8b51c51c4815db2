"""Anybody's folder in the published 2K2K layout, held to the rules of its reader.

Reads only; whatever can't be read, or would mislead or stop the training, is a finding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from pydantic import Field

from schemas.errors import ScanmillError
from schemas.scan import ScanRef
from schemas.views import View
from schemas.work import MapUnits, map_units
from tasks.checks.findings import Breach, Finding
from tasks.formats.outcomes import FolderCheck
from tasks.formats.twok2k.export_view import explain_unlisted
from tasks.formats.twok2k.twok2k_layout import (
    ALL_ENDING,
    LIST_FOLDER,
    SIDES,
    SPLIT_LISTS,
    ViewFiles,
)
from tasks.formats.twok2k.view_files import PublishedView, read_view
from tasks.formats.twok2k.view_folder import list_folder, resolve_settings
from tasks.formats.twok2k.view_lists import read_lines

TRAINING_LIST = SPLIT_LISTS["train"]


class ViewsCheck(FolderCheck):
    """What the check of a 2K2K folder saw."""

    views: int = Field(description="by their front depth maps, perspective and orthographic")
    listed: int = Field(description="lines of the training list")

    @property
    def sentence(self) -> str:
        """What was read, in one line."""
        return f"validate: {self.views} views, {self.listed} of them listed for training."


@dataclass(frozen=True, slots=True)
class _CheckedView:
    """What one view showed. unusable: why the published loader dies on it, empty: it does not."""

    names: ViewFiles
    findings: tuple[Finding, ...]
    unusable: str = ""


def check_folder(root: Path, run: MapUnits = map_units) -> ViewsCheck:
    """Read every file that the published training opens, and hold it to the layout's rules.

    run: maps over scans. Raises RequestError when the folder holds no view, InputError when no
    depth map can be read.
    """
    found = list_folder(root, split_seed=0)
    resolution = resolve_settings(root, found).resolution
    scans = [(ref, sorted(found.views[ref.scan_id])) for ref in found.scans]
    check = partial(_check_scan, root, resolution)
    by_scan = run(check, scans, [ref.scan_id for ref in found.scans])
    views = [view for seen in by_scan for view in seen]
    findings = [finding for view in views for finding in view.findings]
    return ViewsCheck(
        path=str(root),
        views=len(views),
        listed=sum(1 for _ in _lines(root / LIST_FOLDER / TRAINING_LIST)),
        findings=(*findings, *_check_lists(root, views)),
    )


def _check_scan(
    root: Path, resolution: int, scan: tuple[ScanRef, Sequence[View]]
) -> list[_CheckedView]:
    ref, views = scan
    return [_check_view(root, ref, view, resolution) for view in views]


def _check_view(root: Path, ref: ScanRef, view: View, resolution: int) -> _CheckedView:
    names = ViewFiles(ref.dataset, ref.item, view)
    try:
        stored = read_view(root, ref, view, resolution)
    except ScanmillError as error:
        place = error.thing.removeprefix(f"{root}/")
        return _CheckedView(names, (Breach("file", error.found, error.expected).at(place),))
    findings = (*_check_depth(stored), *_check_colors(stored), *_check_joints(stored))
    if stored.keypoints is None:
        return _CheckedView(names, findings)
    return _CheckedView(names, findings, explain_unlisted(stored.keypoints, resolution))


def _check_depth(view: PublishedView) -> Iterator[Finding]:
    front, back = view.depth
    where = view.names.depth("front").as_posix()
    alone = int(((front > 0) != (back > 0)).sum())
    if alone:
        found = f"{alone} pixels with one surface only"
        yield Breach("silhouettes", found, "one for front and back").at(where)
    behind = int(((front > back) & (back > 0)).sum())
    if behind:
        found = f"front behind back in {behind} pixels"
        yield Breach("depth", found, "front <= back").at(where)


def _check_colors(view: PublishedView) -> Iterator[Finding]:
    outside = (view.depth[0] == 0) & (view.depth[1] == 0)
    colors = zip(SIDES, view.color, strict=True)
    images = {view.names.color(side): color for side, color in colors}
    for where, image in ({view.names.shaded: view.shaded} | images).items():
        colored = (image[..., 0] | image[..., 1] | image[..., 2]) > 0
        stray = int((colored & outside).sum())
        if stray:
            yield Breach("image", f"{stray} coloured pixels outside the person", "black").at(
                where.as_posix()
            )


def _check_joints(view: PublishedView) -> Iterator[Finding]:
    where = view.names.keypoints.as_posix()
    if view.keypoints is None:
        if view.names.branch == "PERS":
            yield Breach("file", "no such file", "31 joints").at(where)
        return
    known = view.keypoints[:, 2]
    if not np.isin(known, (0, 1)).all() or view.keypoints[known == 0].any():
        found = "a third column other than 0 and 1, or an unknown joint with coordinates"
        yield Breach("joints", found, "x, y, 1 or 0, 0, 0").at(where)


def _check_lists(root: Path, views: list[_CheckedView]) -> Iterator[Finding]:
    """Hold the lists to the views: each that can be read listed once, and nothing else."""
    by_line = {one.names.list_line: one for one in views if one.names.list_line}
    datasets = sorted({one.names.dataset for one in views})
    left_out = {line for line, view in by_line.items() if not view.unusable}
    unusable: dict[str, str] = {}
    opened = (*(f"{dataset}{ALL_ENDING}" for dataset in datasets), TRAINING_LIST)
    for name in dict.fromkeys((*opened, *SPLIT_LISTS.values())):
        path = root / LIST_FOLDER / name
        if not path.is_file():
            if name in opened:
                yield _list_finding(name, "no such file", "a line for each view")
            continue
        listed = list(_lines(path))
        unknown = [line for line in listed if line not in by_line]
        if unknown and name in opened:
            found = f"{len(unknown)} lines that name no view, such as {unknown[0][:80]!r}"
            yield _list_finding(name, found, "three paths of a view of this folder")
        unusable |= {line: name for line in listed if line in by_line and by_line[line].unusable}
        if name.endswith(ALL_ENDING):
            left_out -= set(listed)
    for line, name in unusable.items():
        view = by_line[line]
        expected = f"joints that suffice, or the view not in {LIST_FOLDER}/{name}"
        yield Breach("joints", view.unusable, expected).at(view.names.keypoints.as_posix())
    if left_out:
        found = f"{len(left_out)} views in no list, such as {min(left_out)[:80]!r}"
        yield _list_finding(f"*{ALL_ENDING}", found, "a line for each view")


def _lines(path: Path) -> Iterator[str]:
    if path.is_file() and path.stat().st_size:
        yield from read_lines(path)


def _list_finding(name: str, found: str, expected: str) -> Finding:
    return Breach("list", found, expected).at(f"{LIST_FOLDER}/{name}")
