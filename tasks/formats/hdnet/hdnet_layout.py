"""Where the published HDNet sets keep what: folders and files. Source: docs/hdnet-dataset.md."""

from dataclasses import dataclass
from pathlib import Path

from schemas.frames import FRAME_DIGITS

TIKTOK_FOLDER, LABELLED_FOLDER = "tiktok_data", "Tang_data"
IMAGE_FOLDERS = ("color", "color_WO_bg", "mask", "densepose")
"""What both sets have one PNG of for every frame."""

NORMAL_AXES = ("1", "2", "3")
"""x, y, z."""

FRAME_NAME = rf"^[0-9]{{{FRAME_DIGITS}}}$"
"""What files of a frame are named by."""

HIGHEST_NUMBER = 10**FRAME_DIGITS - 1


@dataclass(frozen=True, slots=True)
class HdnetFolder:
    """Paths of one published set. Owns: the names."""

    root: Path

    def image(self, folder: str, number: int) -> Path:
        """<folder>/<7 digits>.png."""
        return self.root / folder / f"{seven_digits(number)}.png"

    def depth(self, number: int) -> Path:
        """depth/<7 digits>.txt."""
        return self.root / "depth" / f"{seven_digits(number)}.txt"

    def normals(self, folder: str, number: int) -> tuple[Path, ...]:
        """<folder>/<7 digits>_1.txt, _2, _3."""
        stem = seven_digits(number)
        return tuple(self.root / folder / f"{stem}_{axis}.txt" for axis in NORMAL_AXES)

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
    def number_list(self) -> Path:
        """frames.csv: our own; which number stands for what."""
        return self.root / "frames.csv"

    def _pair(self, frame_i: int, frame_j: int, ending: str) -> Path:
        stem = f"{seven_digits(frame_i)}_{seven_digits(frame_j)}_{ending}"
        return self.root / "correspondences" / "corrs" / f"{stem}.txt"


def seven_digits(number: int) -> str:
    """Write a frame's number as its files are named."""
    return f"{number:0{FRAME_DIGITS}d}"
