"""Where the sequences below a data root are, and which files each of their frames has.

    DIR/tiktok/<video>/color/<number>.png   densepose/  mask/  [pred_normals/<number>_{1,2,3}.txt]

DIR may also be such a video folder itself, or hold some. Numbers may have any count of digits.
Source: docs/hdnet-dataset.md, "TikTok set".
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import InputError, RequestError
from schemas.file_status import is_readable_file
from tasks.scans.files import show

IMAGE_FOLDERS = ("color", "densepose", "mask")
"""What every frame needs one image of."""

PRED_NORMALS = "pred_normals"
COLLECTION = "tiktok"
HIGHEST_NUMBER = (1 << 53) - 1
"""Far above any frame; below what a double or an int64 can't hold."""

_IMAGE = re.compile(r"^(?P<number>[0-9]{1,16})\.(?:png|jpg|jpeg)$", re.IGNORECASE)
_NORMAL_AXES = ("1", "2", "3")


@dataclass(frozen=True, slots=True)
class FrameFiles:
    """One frame's files. images: by folder, those that are there. missing: where others lack.

    normals: x, y and z of predicted normals, all three or none.
    """

    number: int
    images: dict[str, Path]
    missing: tuple[Path, ...]
    normals: tuple[Path, ...]
    normals_tried: tuple[Path, ...]

    @property
    def looked_for(self) -> tuple[Path, ...]:
        """List every path that was tried, there or not: together they decide the bytes."""
        return (*self.images.values(), *self.missing, *self.normals_tried)


@dataclass(frozen=True, slots=True)
class Sequence:
    """One video: its folder and its frames by number. unused: files that are no frame."""

    video: str
    folder: Path
    frames: tuple[FrameFiles, ...]
    unused: tuple[str, ...] = ()


def find_sequences(data_root: Path) -> tuple[tuple[str, Path], ...]:
    """List names and folders of the sequences below a data root, sorted; reads no file.

    Raises RequestError when there is none, or when two have one name.
    """
    collection = data_root / COLLECTION
    places = [data_root, *_folders_in(data_root), *_folders_in(collection)]
    found = [(_name_of(place), place) for place in places if is_sequence(place)]
    if not found:
        raise RequestError(
            str(data_root),
            found="no folder with color/, densepose/ and mask/ in it",
            expected=f"{COLLECTION}/<video>/color, densepose and mask, or such a folder itself",
            hint="Give the folder above the videos, or make some with `scanmill synth`.",
        )
    twice = [name for name, count in Counter(name for name, _ in found).items() if count > 1]
    if twice:
        raise RequestError(
            str(data_root), found=f"two sequences named {show(twice[0])}",
            expected="one name for one sequence", hint="Rename one of the folders.",
        )  # fmt: skip
    return tuple(sorted(found))


def find_empty_folders(data_root: Path) -> tuple[Path, ...]:
    """List the folders below `tiktok/` that are no sequence: they lack image folders."""
    return tuple(one for one in _folders_in(data_root / COLLECTION) if not is_sequence(one))


def is_sequence(folder: Path) -> bool:
    """Return whether a folder is meant as a sequence: two of the three image folders are there."""
    return sum((folder / name).is_dir() for name in IMAGE_FOLDERS) > 1


def list_frames(video: str, folder: Path) -> Sequence:
    """List the frames of a sequence by number; opens no file.

    A frame is whatever any of the three image folders has a number for.
    Raises InputError when two files of one folder have the same number.
    """
    unused: list[str] = []
    by_folder = {name: _by_number(folder / name, unused) for name in IMAGE_FOLDERS}
    numbers = sorted({number for found in by_folder.values() for number in found})
    frames = tuple(_collect_frame(folder, number, by_folder) for number in numbers)
    return Sequence(video, folder, frames, tuple(unused))


def _collect_frame(folder: Path, number: int, by_folder: dict[str, dict[int, Path]]) -> FrameFiles:
    images = {name: found[number] for name, found in by_folder.items() if number in found}
    stem = next(iter(images.values())).stem
    missing = (folder / name / f"{stem}.png" for name in IMAGE_FOLDERS if name not in images)
    normals = tuple(folder / PRED_NORMALS / f"{stem}_{axis}.txt" for axis in _NORMAL_AXES)
    are_there = all(is_readable_file(path) for path in normals)
    return FrameFiles(number, images, tuple(missing), normals if are_there else (), normals)


def _by_number(folder: Path, unused: list[str]) -> dict[int, Path]:
    """Index the images of a folder; what has no number is noted, hidden files are not."""
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        match = _IMAGE.match(path.name)
        if match is None or not is_readable_file(path):
            if not path.name.startswith("."):
                unused.append(f"{folder.name}/{show(path.name)} is no image with a number")
            continue
        number = int(match["number"])
        if number > HIGHEST_NUMBER:
            raise _refuse_name(path, "a number beyond any video")
        if number in found:
            raise _refuse_name(path, f"the number {number} twice: {found[number].name} has it too")
        found[number] = path
    return found


def _folders_in(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ()


def _name_of(folder: Path) -> str:
    name = folder.name or folder.resolve().name
    if not name.isprintable() or not name or "--" in name:
        raise RequestError(
            ascii(str(folder)), found="a folder name that can't name a video",
            expected="printable text without a double hyphen", hint="Rename that folder.",
        )  # fmt: skip
    return name


def _refuse_name(path: Path, found: str) -> InputError:
    return InputError(
        str(path), found=found, expected="one image for one number", hint="Rename or remove it."
    )
