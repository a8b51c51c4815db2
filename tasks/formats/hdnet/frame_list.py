"""frames.csv beside each published set, our own: which seven-digit name stands for what.

Without it the videos are one video of the folder's name, numbered as its files are, and labelled
frames are people of their own.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import InputError
from schemas.pairing import FRAME_SIDE_PX
from schemas.regular_files import read_whole
from tasks.dataset.splits import Split
from tasks.formats.hdnet.hdnet_layout import FRAME_NAME, HdnetFolder, seven_digits

MAX_LIST_BYTES = 256 << 20
_WHOLE = float(FRAME_SIDE_PX)


class NamedFrame(BaseModel):
    """A row of either list."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = Field(pattern=FRAME_NAME)

    @property
    def number(self) -> int:
        """The number that its files are named by."""
        return int(self.name)


class VideoFrame(NamedFrame):
    """A frame of a video. left, top, width, height: the crop in the source image, pixels."""

    video: str = Field(min_length=1)
    frame: int = Field(ge=0)
    split: str = ""
    left: float = 0.0
    top: float = 0.0
    width: float = Field(default=_WHOLE, gt=0)
    height: float = Field(default=_WHOLE, gt=0)


class LabelledFrame(NamedFrame):
    """A labelled frame, and the sample that it was exported from."""

    sample_id: str = Field(min_length=1)
    split: Split
    has_iuv: bool = True


N = TypeVar("N", bound=NamedFrame)


def format_frames(frames: Sequence[NamedFrame]) -> str:
    """Write frames.csv; the columns are the fields. Nothing for no frame."""
    if not frames:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(type(frames[0]).model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(frame.model_dump() for frame in frames)
    return text.getvalue()


def read_videos(folder: HdnetFolder) -> dict[str, tuple[VideoFrame, ...]]:
    """Return the frames of each video in their order.

    Raises InputError naming the line when frames.csv can't be read, or names something twice.
    """
    path = folder.frame_list
    if not path.is_file():
        video = folder.root.resolve().name
        frames = (
            VideoFrame(name=seven_digits(number), video=video, frame=number)
            for number in folder.list_numbers()
        )
        return {video: tuple(frames)}
    videos: dict[str, dict[int, VideoFrame]] = {}
    names: set[str] = set()
    for line, row in read_frames(path, VideoFrame):
        found = videos.setdefault(row.video, {})
        if row.name in names or row.frame in found:
            raise _refuse(path, VideoFrame, f"line {line}: {row.name} or its frame twice")
        names.add(row.name)
        found[row.frame] = row
    return {video: tuple(found[n] for n in sorted(found)) for video, found in videos.items()}


def read_frames(path: Path, kind: type[N]) -> Iterator[tuple[int, N]]:
    """Read the rows of a list with their lines; nothing when there is no list.

    Raises InputError naming the line that can't be read.
    """
    if not path.is_file():
        return
    data = read_whole(path, MAX_LIST_BYTES)
    try:
        lines = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _refuse(path, kind, f"no CSV ({error})") from error
    for line, row in enumerate(lines, start=2):
        try:
            yield line, kind.model_validate(row)
        except (ValidationError, TypeError) as error:
            raise _refuse(path, kind, f"line {line}: {_say(error)}") from error


def _say(error: ValidationError | TypeError) -> str:
    if isinstance(error, TypeError):
        return str(error)
    first = error.errors()[0]
    return f"{first['loc'][0]}: {first['msg']}"


def _refuse(path: Path, kind: type[NamedFrame], found: str) -> InputError:
    required = [name for name, field in kind.model_fields.items() if field.is_required()]
    return InputError(
        str(path), found=found,
        expected=f"rows of {', '.join(required)}; seven-digit names, each once",
        hint="Export the set again, fix the list, or take it away.",
    )  # fmt: skip
