"""Where the published data sets keep their scans: a table, and what it finds below a data root."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from schemas.errors import RequestError
from schemas.file_status import is_readable_file
from schemas.scan import DatasetName

Role = Literal["mesh", "texture", "joints", "fit", "charts"]
"""What a file is to its scan."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Name patterns of one data set; `{item}` stands for the scan's name, earlier names win.

    folders: holds one folder a scan, below the data root. folder_ending: what follows the item in
    a folder's name. meshes, textures: below the scan's folder. joints, fits, charts: below the
    data root. turned_by_fit: a fit turns the scan to the camera; else it faces the camera already.
    subject_until: what ends the person's name in an item; None: every item is a person.
    """

    folders: str
    folder_ending: str
    meshes: tuple[str, ...]
    textures: tuple[str, ...]
    joints: tuple[str, ...]
    charts: tuple[str, ...]
    fits: tuple[str, ...] = ()
    turned_by_fit: bool = False
    subject_until: str | None = None


LAYOUTS: dict[DatasetName, Layout] = {
    "RP": Layout(
        folders="obj/RP",
        folder_ending="_OBJ",
        meshes=("{item}_100k.obj", "{item}_100k.OBJ", "{item}_200k.obj"),
        textures=("tex/{item}_dif_8k.jpg", "tex/{item}_dif.jpg"),
        joints=("Joint3D/RP/{item}.json",),
        charts=("DensePose/RP/{item}.npy",),
        subject_until="_posed_",
    ),
    "THuman2": Layout(
        folders="obj/THuman2/data",
        folder_ending="",
        meshes=("{item}.obj",),
        textures=("material0.jpeg",),
        joints=("Joint3D/THuman2/{item}.json",),
        charts=("DensePose/THuman2/{item}.npy",),
        fits=("obj/THuman2/smplx/{item}/smplx_param.pkl",),
        turned_by_fit=True,
    ),
    "2K2K": Layout(
        folders="obj/2K2K",
        folder_ending="",
        meshes=("{item}.ply", "{item}.obj"),
        textures=("{item}.png",),
        joints=("Joint3D/2K2K/{item}.json", "obj/2K2K/{item}/kp3ds.json"),
        charts=("DensePose/2K2K/{item}.npy",),
        fits=tuple(
            f"obj/2K2K/{{item}}/{name}"
            for name in (
                "{item}_smplx.json", "smplx_param.json", "{item}_smplx.pkl", "smplx_param.pkl"
            )
        ),
    ),
}  # fmt: skip
"""Source: docs/2k2k-dataset.md, "Input folders"; docs/keypoints.md, "Projection", for kp3ds.json.

charts are ours: only synthetic people come with them.
"""

UNUSABLE_NAME = "the folder's name is no printable UTF-8"
DATASETS_WITH_FITS = frozenset(name for name, layout in LAYOUTS.items() if layout.fits)
"""Data sets whose scans come with SMPL-X parameters."""


RELEASES: dict[DatasetName, tuple[tuple[str, range], ...]] = {
    "THuman2": (("THuman2.0", range(526)), ("THuman2.1", range(526, 2445))),
}
"""Releases of a data set by the scans' numbers: fits of another release have another scale, so a
unit of one means nothing in the other.
Source: docs/keypoints.md, "Gap filling", 3; THuman2.1 holds 2,445 scans."""


def release_of(dataset: DatasetName, item: str) -> str | None:
    """Return the release that a scan came with, None where its name doesn't say."""
    if not (item.isascii() and item.isdigit()):
        return None
    releases = RELEASES.get(dataset, ())
    return next((name for name, numbers in releases if int(item) in numbers), None)


@dataclass(frozen=True, slots=True)
class ScanFiles:
    """The files of one scan.

    tried: by role, every path that was tried, in order; a name after the one that was found is
    not tried. found: the path that was found, for each role that has one.
    """

    dataset: DatasetName
    item: str
    subject: str
    data_root: Path
    folder: Path
    tried: dict[Role, tuple[Path, ...]]
    found: dict[Role, Path]

    @property
    def scan_id(self) -> str:
        """Return `<dataset>/<item>`, the stem of its sample ids."""
        return f"{self.dataset}/{self.item}"

    @property
    def mesh(self) -> Path | None:
        """The OBJ or PLY file."""
        return self.found.get("mesh")

    @property
    def texture(self) -> Path | None:
        """The layout's own image, whatever the mesh's files name."""
        return self.found.get("texture")

    @property
    def joints(self) -> Path | None:
        """The Joint3D annotation."""
        return self.found.get("joints")

    @property
    def fit(self) -> Path | None:
        """The SMPL-X parameters."""
        return self.found.get("fit")

    @property
    def lacks_fit(self) -> bool:
        """Whether a fit would have turned the scan to the camera and there is none."""
        return LAYOUTS[self.dataset].turned_by_fit and self.fit is None

    @property
    def charts(self) -> Path | None:
        """The DensePose charts of the mesh's faces."""
        return self.found.get("charts")

    @property
    def looked_for(self) -> tuple[Path, ...]:
        """Every path that was tried, found or not: together they decide the scan's bytes."""
        return tuple(path for paths in self.tried.values() for path in paths)


def list_scans(data_root: Path, dataset: DatasetName) -> tuple[ScanFiles, ...]:
    """Find the scans of one data set, sorted by item; reads no file.

    A scan whose mesh or texture is absent is listed all the same, so that it can be reported; a
    folder whose name can't name a scan is left to list_unusable_names.
    Raises RequestError when the folder of the data set is missing, or it has no scans.
    """
    items = list_items(data_root, dataset)
    return tuple(find_scan(data_root, dataset, item) for item in items)


def list_items(data_root: Path, dataset: DatasetName) -> tuple[str, ...]:
    """Name the scans of one data set, sorted, without a look for their files.

    Raises RequestError when the folder of the data set is missing, or it has no scans.
    """
    if dataset not in LAYOUTS:
        raise RequestError(
            "--dataset", found=dataset, expected=" or ".join(LAYOUTS),
            hint="Import published folders with `scanmill import`.",
        )  # fmt: skip
    ending = LAYOUTS[dataset].folder_ending
    items = (name.removesuffix(ending) for name in _list_folders(data_root, dataset))
    return tuple(item for item in items if _is_usable(item))


def subject_of(dataset: DatasetName, item: str) -> str:
    """Name the person of a scan."""
    until = LAYOUTS[dataset].subject_until
    return item.partition(until)[0] if until else item


def list_unusable_names(data_root: Path, dataset: DatasetName) -> tuple[str, ...]:
    """List the folders of a data set whose names are no printable UTF-8, escaped and sorted."""
    names = _list_folders(data_root, dataset)
    return tuple(ascii(name)[1:-1] for name in names if not _is_usable(name))


def find_scan(data_root: Path, dataset: DatasetName, item: str) -> ScanFiles:
    """Find the files of one scan."""
    layout = LAYOUTS[dataset]
    folder = data_root / layout.folders / f"{item}{layout.folder_ending}"
    tried: dict[Role, tuple[Path, ...]] = {
        "mesh": _try(folder, layout.meshes, item),
        "texture": _try(folder, layout.textures, item),
        "joints": _try(data_root, layout.joints, item),
        "fit": _try(data_root, layout.fits, item),
        "charts": _try(data_root, layout.charts, item),
    }
    return ScanFiles(
        dataset=dataset,
        item=item,
        subject=subject_of(dataset, item),
        data_root=data_root,
        folder=folder,
        tried=tried,
        found={
            role: paths[-1]
            for role, paths in tried.items()
            if paths and is_readable_file(paths[-1])
        },
    )


def _list_folders(data_root: Path, dataset: DatasetName) -> list[str]:
    layout = LAYOUTS[dataset]
    folders = data_root / layout.folders
    if not folders.is_dir():
        raise RequestError(
            str(data_root), found=f"no folder {layout.folders}",
            expected=f"a data root in the published layout of {dataset}",
            hint=f"Give the folder that holds {layout.folders.partition('/')[0]}/.",
        )  # fmt: skip
    with os.scandir(folders) as entries:  # says what is a folder without asking for each
        return sorted(one.name for one in entries if _is_scan_folder(one, layout))


def _is_scan_folder(entry: "os.DirEntry[str]", layout: Layout) -> bool:
    name = entry.name
    if name.startswith((".", "__MACOSX")) or not entry.is_dir():
        return False
    return name.endswith(layout.folder_ending) and name != layout.folder_ending


def _is_usable(name: str) -> bool:
    return name.isprintable()  # what is no UTF-8 is not printable either


def _try(below: Path, patterns: tuple[str, ...], item: str) -> tuple[Path, ...]:
    """Return the paths tried until one is found, that one last."""
    tried: list[Path] = []
    for pattern in patterns:
        tried.append(below / pattern.replace("{item}", item))
        if is_readable_file(tried[-1]):
            break
    return tuple(tried)
