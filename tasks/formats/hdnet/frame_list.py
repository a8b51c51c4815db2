"""frames.csv beside a published set: which seven-digit name stands for which frame of which video.

Without it the whole set is one video of the folder's name, numbered as its files are.
"""

import csv
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import InputError
from schemas.pairing import FRAME_SIDE_PX
from schemas.regular_files import read_whole
from tasks.formats.hdnet.hdnet_layout import FRAME_NAME, HdnetFolder
from tasks.formats.hdnet.image_checks import list_numbers

MAX_LIST_BYTES = 256 << 20
_WHOLE = float(FRAME_SIDE_PX)


class NamedFrame(BaseModel):
    """One row of frames.csv. left, top, width, height: the crop in the source image, pixels."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(pattern=FRAME_NAME)
    video: str = Field(min_length=1)
    frame: int = Field(ge=0)
    left: float = 0.0
    top: float = 0.0
    width: float = Field(default=_WHOLE, gt=0)
    height: float = Field(default=_WHOLE, gt=0)

    @property
    def number(self) -> int:
        """Return the number that its files are named by."""
        return int(self.name)


def read_number_list(folder: HdnetFolder) -> dict[str, tuple[NamedFrame, ...]]:
    """Return the frames of each video in their order.

    Raises InputError naming the line when frames.csv can't be read, or names something twice.
    """
    if not folder.number_list.is_file():
        video = folder.root.resolve().name
        return {video: tuple(_unnamed(video, number) for number in list_numbers(folder))}
    videos: dict[str, dict[int, NamedFrame]] = {}
    names: set[str] = set()
    for line, row in _read_rows(folder.number_list):
        found = videos.setdefault(row.video, {})
        if row.name in names or row.frame in found:
            raise _refuse(folder.number_list, f"line {line}: {row.name} or its frame twice")
        names.add(row.name)
        found[row.frame] = row
    return {video: tuple(found[n] for n in sorted(found)) for video, found in videos.items()}


def _read_rows(path: Path) -> Iterable[tuple[int, NamedFrame]]:
    data = read_whole(path, MAX_LIST_BYTES)
    try:
        lines = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _refuse(path, f"no CSV ({error})") from error
    for line, row in enumerate(lines, start=2):
        try:
            yield line, NamedFrame.model_validate(row)
        except (ValidationError, TypeError) as error:
            raise _refuse(path, f"line {line}: {_first_line(error)}") from error


def _unnamed(video: str, number: int) -> NamedFrame:
    return NamedFrame(name=f"{number:07d}", video=video, frame=number)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return "; ".join(line.strip() for line in lines[1:3]) if len(lines) > 1 else lines[0]


def _refuse(path: Path, found: str) -> InputError:
    return InputError(
        str(path), found=found, expected="rows of name, video, frame; seven-digit names, each once",
        hint="Fix the list, or take it away: the set is then one video.",
    )  # fmt: skip
