"""Which views a folder of the published layout holds, of which split, and under which settings."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from schemas.camera import CAMERA_MODELS, STANDARD_CAMERA
from schemas.errors import InputError, RequestError
from schemas.scan import DatasetName, ScanRef
from schemas.settings import MIN_RESOLUTION, RESOLUTION_STEP, RenderSettings
from schemas.views import View
from tasks.dataset.splits import Split, split_of
from tasks.formats.twok2k.twok2k_layout import (
    BRANCHES,
    LIST_FOLDER,
    SPLIT_LISTS,
    ViewFiles,
    check_item,
    parse_view_name,
)
from tasks.formats.twok2k.view_lists import read_lines
from tasks.scans.layouts import subject_of
from tasks.scans.textures import probe_texture

_FRONT = "_front.png"
_PATHS_IN_A_LINE = 3


@dataclass(frozen=True, slots=True)
class FolderViews:
    """What a folder holds. scans: sorted by name. views: all views of each, sorted."""

    scans: tuple[ScanRef, ...]
    views: dict[str, frozenset[View]]

    @property
    def all_views(self) -> frozenset[View]:
        """Every view that any scan has."""
        return frozenset().union(*self.views.values())


def list_folder(root: Path, *, split_seed: int) -> FolderViews:
    """Find all views by their front depth maps; reads no image.

    A scan's split is that of the lists, else by its hash. Raises RequestError when there is no
    view, InputError when a list or a name can't be read.
    """
    views: dict[tuple[DatasetName, str], set[View]] = {}
    for found in _find_views(root):
        views.setdefault((found.dataset, found.item), set()).add(found.view)
    if not views:
        raise RequestError(
            str(root), found="no PERS/DEPTH/<view>/<item>_front.png",
            expected="a folder that the published 2K2K code, or scanmill export, wrote",
            hint="Give the folder that holds PERS/.",
        )  # fmt: skip
    splits = _read_splits(root)
    refs = [
        ScanRef(
            dataset=dataset,
            item=item,
            subject=subject_of(dataset, item),
            split=splits.get((dataset, item)) or split_of(split_seed, subject_of(dataset, item)),
        )
        for dataset, item in sorted(views)
    ]
    named = {f"{dataset}/{item}": frozenset(found) for (dataset, item), found in views.items()}
    return FolderViews(_agree_on_splits(refs), named)


def _find_views(root: Path) -> Iterator[ViewFiles]:
    for camera, branch in BRANCHES.items():
        folder = root / branch / "DEPTH"
        for view_folder in sorted(folder.iterdir()) if folder.is_dir() else ():
            if view_folder.name.startswith(".") or not view_folder.is_dir():
                continue
            dataset, view = parse_view_name(view_folder.name, camera)
            for path in sorted(view_folder.glob(f"*{_FRONT}")):
                if not path.name.startswith("."):
                    item = path.name.removesuffix(_FRONT)
                    check_item(item)
                    yield ViewFiles(dataset, item, view)


def _read_splits(root: Path) -> dict[tuple[DatasetName, str], Split]:
    found: dict[tuple[DatasetName, str], Split] = {}
    for split in get_args(Split):
        path = root / LIST_FOLDER / SPLIT_LISTS[split]
        for line in read_lines(path) if path.is_file() and path.stat().st_size else ():
            columns = line.split()
            name = Path(columns[-1])
            if len(columns) != _PATHS_IN_A_LINE or not name.name.endswith(_FRONT):
                raise InputError(
                    str(path), found=f"the line {line[:80]!r}",
                    expected="three paths: lit front, unlit front, front depth",
                    hint="Fetch the list again, or take it away to split by hash.",
                )  # fmt: skip
            dataset, _ = parse_view_name(name.parent.name, STANDARD_CAMERA)
            found[dataset, name.name.removesuffix(_FRONT)] = split
    return found


def _agree_on_splits(refs: list[ScanRef]) -> tuple[ScanRef, ...]:
    """Give all scans of a person the split of the first: lists of others may split a person."""
    first: dict[str, Split] = {}
    agreed = []
    for ref in refs:
        split = first.setdefault(ref.subject, ref.split)
        agreed.append(ref.model_copy(update={"split": split}))
    return tuple(agreed)


def resolve_settings(source: Path, found: FolderViews) -> RenderSettings:
    """Take the resolution of the first readable image, and every angle that any scan has."""
    side = _find_side(source, found)
    views = found.all_views
    beside = [not CAMERA_MODELS[view.camera].is_standard for view in views]
    if all(beside):
        raise RequestError(
            str(source), found="orthographic views alone", expected="a folder PERS/ beside ORTH/",
            hint="Orthographic views are stored beside perspective ones.",
        )  # fmt: skip
    return RenderSettings(
        resolution=side,
        yaws=tuple(sorted({view.yaw for view in views})),
        pitches=tuple(sorted({view.pitch for view in views})),
        orthographic=any(beside),
        lights="spots",  # the published ones
        origin="imported",
    )


def _find_side(source: Path, views: FolderViews) -> int:
    """Return the side of the first front depth map that is a whole image, pixels."""
    found = "no whole image"
    for ref in views.scans:
        for view in sorted(views.views[ref.scan_id]):
            path = source / ViewFiles(ref.dataset, ref.item, view).depth("front")
            with suppress(InputError):
                side = probe_texture(path).height
                if side >= MIN_RESOLUTION and side % RESOLUTION_STEP == 0:
                    return side
                found = f"{path.name} of {side} rows"
    raise InputError(
        str(source), found=found,
        expected=f"depth maps of {MIN_RESOLUTION} pixels or more, a multiple of {RESOLUTION_STEP}",
        hint="Render the folder again.",
    )  # fmt: skip
