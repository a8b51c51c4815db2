"""Where the published data sets keep their scans: a table, and what it finds below a data root."""

from dataclasses import dataclass
from pathlib import Path

from schemas.errors import RequestError
from schemas.scan import DatasetName
from tasks.scans.files import is_readable_file


@dataclass(frozen=True, slots=True)
class Layout:
    """Name patterns of one data set; `{item}` stands for the scan's name, earlier names win.

    folders: holds one folder a scan, below the data root. folder_ending: what follows the item in
    a folder's name. meshes, textures: below the scan's folder. joints, fit: below the data root.
    subject_until: what ends the person's name in an item; None: every item is a person.
    """

    folders: str
    folder_ending: str
    meshes: tuple[str, ...]
    textures: tuple[str, ...]
    joints: str
    fit: str | None = None
    subject_until: str | None = None


LAYOUTS: dict[DatasetName, Layout] = {
    "RP": Layout(
        folders="obj/RP",
        folder_ending="_OBJ",
        meshes=("{item}_100k.obj", "{item}_100k.OBJ", "{item}_200k.obj"),
        textures=("tex/{item}_dif_8k.jpg", "tex/{item}_dif.jpg"),
        joints="Joint3D/RP/{item}.json",
        subject_until="_posed_",
    ),
    "THuman2": Layout(
        folders="obj/THuman2/data",
        folder_ending="",
        meshes=("{item}.obj",),
        textures=("material0.jpeg",),
        joints="Joint3D/THuman2/{item}.json",
        fit="obj/THuman2/smplx/{item}/smplx_param.pkl",
    ),
    "2K2K": Layout(
        folders="obj/2K2K",
        folder_ending="",
        meshes=("{item}.ply", "{item}.obj"),
        textures=("{item}.png",),
        joints="Joint3D/2K2K/{item}.json",
    ),
}
"""Source: 2k2k-dataset.md, Input folders."""


@dataclass(frozen=True, slots=True)
class ScanFiles:
    """The files of one scan. mesh, texture, joints and fit are None where absent.

    looked_for: every path that was tried, in order, found or not; a name after the one that was
    found is not tried. Together they decide the scan's bytes.
    """

    dataset: DatasetName
    item: str
    subject: str
    data_root: Path
    folder: Path
    mesh: Path | None
    texture: Path | None
    joints: Path | None
    fit: Path | None
    looked_for: tuple[Path, ...]

    @property
    def scan_id(self) -> str:
        """Return `<dataset>/<item>`, the stem of its sample ids."""
        return f"{self.dataset}/{self.item}"


def list_scans(data_root: Path, dataset: DatasetName) -> tuple[ScanFiles, ...]:
    """Find the scans of one data set, sorted by item; reads no file.

    A scan whose mesh or texture is absent is listed all the same, so that it can be reported.
    Raises RequestError when the folder of the data set is not there.
    """
    layout = LAYOUTS[dataset]
    folders = data_root / layout.folders
    if not folders.is_dir():
        raise RequestError(
            str(data_root),
            met=f"no folder {layout.folders}",
            wanted=f"a data root in the published layout of {dataset}",
            way_out=f"Give the folder that holds {layout.folders.partition('/')[0]}/.",
        )
    names = sorted(path.name for path in folders.iterdir() if _is_scan_folder(path, layout))
    return tuple(find_scan(data_root, dataset, _to_item(name, layout)) for name in names)


def find_scan(data_root: Path, dataset: DatasetName, item: str) -> ScanFiles:
    """Find the files of one scan."""
    layout = LAYOUTS[dataset]
    folder = data_root / layout.folders / f"{item}{layout.folder_ending}"
    meshes = _try(folder, layout.meshes, item)
    textures = _try(folder, layout.textures, item)
    joints = _try(data_root, (layout.joints,), item)
    fits = _try(data_root, (layout.fit,) if layout.fit else (), item)
    return ScanFiles(
        dataset=dataset,
        item=item,
        subject=item.partition(layout.subject_until)[0] if layout.subject_until else item,
        data_root=data_root,
        folder=folder,
        mesh=_found(meshes),
        texture=_found(textures),
        joints=_found(joints),
        fit=_found(fits),
        looked_for=(*meshes, *textures, *joints, *fits),
    )


def _is_scan_folder(path: Path, layout: Layout) -> bool:
    name = path.name
    if name.startswith((".", "__MACOSX")) or not path.is_dir():
        return False
    return name.endswith(layout.folder_ending) and name != layout.folder_ending


def _to_item(name: str, layout: Layout) -> str:
    if not name.isprintable():
        raise RequestError(
            f"{layout.folders}/{ascii(name)[1:-1]}",
            met="a folder name that is no printable text",
            wanted="the name of a scan",
            way_out="Rename that folder.",
        )
    return name.removesuffix(layout.folder_ending)


def _try(below: Path, patterns: tuple[str, ...], item: str) -> tuple[Path, ...]:
    """Return the paths tried until one is found, that one last."""
    tried: list[Path] = []
    for pattern in patterns:
        tried.append(below / pattern.replace("{item}", item))
        if is_readable_file(tried[-1]):
            break
    return tuple(tried)


def _found(tried: tuple[Path, ...]) -> Path | None:
    return tried[-1] if tried and is_readable_file(tried[-1]) else None
