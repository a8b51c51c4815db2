"""Names in HDNet's published sets, and the numbers of their frames.

    DIR/tiktok_data   videos: images, pred_normals/, correspondences/
    DIR/Tang_data     labelled frames: images, normal/, depth/

    color/ color_WO_bg/ mask/ densepose/ <normals>_png/       one <7 digits>.png a frame
    <normals>/<7 digits>_1.txt _2 _3, depth/<7 digits>.txt    256 rows of 256 numbers
    correspondences/corr_mat.txt, correspondences/corrs/      the pairs of frames
    frames.csv                                                ours: what each number stands for

Source: docs/hdnet-dataset.md.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from schemas.errors import RequestError
from schemas.frames import FRAME_DIGITS
from tasks.video.number_grids import Separator

IMAGE_FOLDERS = ("color", "color_WO_bg", "mask", "densepose")
"""What both sets have one PNG of for every frame."""

NORMAL_AXES = ("1", "2", "3")
"""x, y, z."""

FRAME_NAME = rf"^[0-9]{{{FRAME_DIGITS}}}$"
"""What files of a frame are named by."""

MAX_NUMBER = 10**FRAME_DIGITS - 1
RANGE_STEP = 10_000
_FRAME_FILE = re.compile(rf"^[0-9]{{{FRAME_DIGITS}}}\.png$")
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class SetKind:
    """What differs between the two sets.

    folder: its name below DIR. sign: a subfolder that only this set has. normals: folder of the
    normals; their images are in <normals>_png. separator: between the numbers of the normals;
    depth always has commas. optional: folders that the published reader opens and whose absence
    breaks no rule.
    """

    folder: str
    sign: str
    normals: str
    separator: Separator
    optional: tuple[str, ...]

    @property
    def normals_image(self) -> str:
        """Folder of the images of the normals."""
        return f"{self.normals}_png"


TIKTOK = SetKind(
    "tiktok_data", "correspondences", "pred_normals", " ", ("pred_normals", "pred_normals_png")
)
LABELLED = SetKind("Tang_data", "depth", "normal", ",", ("densepose",))


@dataclass(frozen=True, slots=True)
class HdnetFolder:
    """Paths of one published set. Owns: the names."""

    root: Path
    kind: SetKind

    def image(self, folder: str, number: int) -> Path:
        """<folder>/<7 digits>.png."""
        return self.root / folder / f"{seven_digits(number)}.png"

    def depth(self, number: int) -> Path:
        """depth/<7 digits>.txt."""
        return self.root / "depth" / f"{seven_digits(number)}.txt"

    def normals(self, number: int) -> tuple[Path, ...]:
        """<normals>/<7 digits>_1.txt, _2, _3."""
        stem, folder = seven_digits(number), self.root / self.kind.normals
        return tuple(folder / f"{stem}_{axis}.txt" for axis in NORMAL_AXES)

    @property
    def pair_list(self) -> Path:
        """correspondences/corr_mat.txt."""
        return self.root / "correspondences" / "corr_mat.txt"

    def matches(self, frame_i: int, frame_j: int) -> Path:
        """correspondences/corrs/<i>_<j>_i_r1_c1_r2_c2.txt."""
        return self._pair(frame_i, frame_j, "i_r1_c1_r2_c2")

    def limits(self, frame_i: int, frame_j: int) -> Path:
        """correspondences/corrs/<i>_<j>_i_limit.txt."""
        return self._pair(frame_i, frame_j, "i_limit")

    @property
    def frame_list(self) -> Path:
        """frames.csv: our own; which number stands for what."""
        return self.root / "frames.csv"

    def has(self, folder: str) -> bool:
        """Whether a subfolder exists."""
        return (self.root / folder).is_dir()

    def list_numbers(self) -> tuple[int, ...]:
        """List the frames, ascending: what any of its image folders has seven digits for."""
        names = (path.name for one in IMAGE_FOLDERS for path in (self.root / one).glob("*.png"))
        numbers = {int(name[:FRAME_DIGITS]) for name in names if _FRAME_FILE.match(name)}
        return tuple(sorted(numbers))

    def _pair(self, frame_i: int, frame_j: int, ending: str) -> Path:
        stem = f"{seven_digits(frame_i)}_{seven_digits(frame_j)}_{ending}"
        return self.root / "correspondences" / "corrs" / f"{stem}.txt"


def seven_digits(number: int) -> str:
    """Write a frame's number as its files are named."""
    return f"{number:0{FRAME_DIGITS}d}"


class PublishedSets(NamedTuple):
    """The two sets below a root, None for what is missing."""

    videos: HdnetFolder | None
    labelled: HdnetFolder | None


def find_sets(root: Path) -> PublishedSets:
    """Find the sets below a root, which may itself be one of them.

    Raises RequestError when there is neither.
    """
    kinds = TIKTOK, LABELLED
    found = [HdnetFolder(root / one.folder, one) for one in kinds]
    if not any(one.root.is_dir() for one in found):
        found = [HdnetFolder(root, one) for one in kinds if (root / one.sign).is_dir()]
    by_kind = {one.kind: one for one in found if one.root.is_dir()}
    if not by_kind:
        raise RequestError(
            str(root), found=f"neither {TIKTOK.folder} nor {LABELLED.folder} in it",
            expected="a folder in HDNet's published layout",
            hint="Give the folder that holds them, as `scanmill export hdnet --to` made it.",
        )  # fmt: skip
    return PublishedSets(by_kind.get(TIKTOK), by_kind.get(LABELLED))


def choose_shifts(videos: Mapping[Key, Sequence[int]]) -> dict[Key, int]:
    """Return what to add to the frame numbers of each video, so that no two frames share one.

    videos: their frame numbers, ascending, none empty. The first video keeps its numbers; each
    other begins at the next multiple of 10,000 that is free. Distances within a video stay.
    Raises RequestError naming the video that seven digits can't hold.
    """
    shifts: dict[Key, int] = {}
    free = 0
    for key, numbers in videos.items():
        first, last = numbers[0], numbers[-1]
        is_kept = not shifts and last <= MAX_NUMBER
        shifts[key] = 0 if is_kept else free - first
        max_number = last + shifts[key]
        if max_number > MAX_NUMBER:
            raise RequestError(
                str(key),
                found=f"frame numbers up to {max_number} after {len(shifts) - 1} other videos",
                expected=f"at most {MAX_NUMBER}: the published names have seven digits",
                hint="Export fewer videos at once, or number the frames of this one densely.",
            )
        free = (max_number // RANGE_STEP + 1) * RANGE_STEP
    return shifts
