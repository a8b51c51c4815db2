"""Names in the published 2K2K folder layout.

    PERS/COLOR/NOSHADING/<view>/<item>_front.png, _back.png   colour without light
    PERS/COLOR/SHADED/<view>/<item>_front.png                 colour under lights
    PERS/DEPTH/<view>/<item>_front.png, _back.png             16-bit ray length
    PERS/keypoint/<view>/<item>_front.npy                     joints
    PERS/keypoint_sample/<view>/<item>.png                    the image with its joints
    ORTH/                                                     COLOR and DEPTH only
    list/<dataset>_all.txt, list/train_test.txt, list/val.txt

Source: docs/2k2k-dataset.md, "What a view holds".
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from schemas.camera import CAMERA_MODELS, CameraName, LayoutName
from schemas.errors import InputError
from schemas.scan import DATASET_NAMES, DatasetName
from schemas.views import View, format_angle

Branch = Literal["PERS", "ORTH"]
Side = Literal["front", "back"]

SIDES: tuple[Side, ...] = ("front", "back")

LAYOUT: LayoutName = "2k2k"
BRANCHES: dict[CameraName, Branch] = {
    name: "PERS" if model.projection == "perspective" else "ORTH"
    for name, model in CAMERA_MODELS.items()
    if LAYOUT in model.layouts
}
"""Folder of each camera's images; other cameras have no place in this layout."""

REPLACED = ("front", "SHADED", "DEPTH", "png")
"""What the published loader replaces anywhere in a path, to find the files beside it."""

LIST_FOLDER = "list"
ALL_ENDING = "_all.txt"
SPLIT_LISTS = {"train": "train_test.txt", "val": "val.txt", "test": "test.txt"}
"""The published training opens train_test.txt; val.txt is only named by it; test.txt is ours."""

BACKGROUND_LIST = "train_split_indoor09_1024.txt"

_VIEW = re.compile(
    rf"^(?P<dataset>{'|'.join(DATASET_NAMES)})_(?P<pitch>-?[\d.]+)_y_(?P<yaw>-?[\d.]+)_x$"
)


@dataclass(frozen=True, slots=True)
class ViewFiles:
    """The files of one view, by their paths below the root of the layout."""

    dataset: DatasetName
    item: str
    view: View

    @property
    def branch(self) -> Branch:
        """PERS or ORTH."""
        return BRANCHES[self.view.camera]

    @property
    def view_name(self) -> str:
        """As in RP_0_y_-30_x; the first number is the pitch, always 0 in the published set."""
        pitch, yaw = format_angle(self.view.pitch), format_angle(self.view.yaw)
        return f"{self.dataset}_{pitch}_y_{yaw}_x"

    def color(self, side: Side) -> PurePosixPath:
        """Texture colour without lighting."""
        return self._image("COLOR/NOSHADING", side)

    @property
    def shaded(self) -> PurePosixPath:
        """Front surface under lights."""
        return self._image("COLOR/SHADED", "front")

    def depth(self, side: Side) -> PurePosixPath:
        """16-bit ray lengths."""
        return self._image("DEPTH", side)

    @property
    def keypoints(self) -> PurePosixPath:
        """(31, 3) float64."""
        return PurePosixPath(self.branch, "keypoint", self.view_name, f"{self.item}_front.npy")

    @property
    def overlay(self) -> PurePosixPath:
        """The image with the joints drawn on it."""
        return PurePosixPath(self.branch, "keypoint_sample", self.view_name, f"{self.item}.png")

    @property
    def list_line(self) -> str:
        """Three paths with a leading slash: lit front, unlit front, front depth; "" for ORTH."""
        if self.branch == "ORTH":
            return ""
        return " ".join(
            f"/{path}" for path in (self.shaded, self.color("front"), self.depth("front"))
        )

    def _image(self, folder: str, side: Side) -> PurePosixPath:
        return PurePosixPath(self.branch, folder, self.view_name, f"{self.item}_{side}.png")


def check_item(item: str) -> None:
    """Refuse a name that no file can have, or that the published loader would read wrongly.

    Raises InputError: the loader splits its lists at blanks and replaces words in whole paths.
    """
    breaking = [word for word in REPLACED if word in item]
    is_name = PurePosixPath(item).name == item and item not in {"", ".", ".."}
    if breaking or not is_name or not item.isprintable() or any(map(str.isspace, item)):
        found = f"a name with {breaking[0]!r} in it" if breaking else "no plain file name"
        raise InputError(
            ascii(item),
            found=found,
            expected=f"a name without blanks, slashes and {', '.join(REPLACED)}",
            hint="Rename the scan in the data root and render it again: the published loader "
            "finds files by replacing these words.",
        )


def parse_view_name(name: str, camera: CameraName) -> tuple[DatasetName, View]:
    """Read RP_0_y_-30_x; raises InputError when it is no such name."""
    match = _VIEW.match(name)
    if match is None:
        raise InputError(
            name, found="no view of the published layout", expected="a name like RP_0_y_-30_x",
            hint="Rename the folder, or take it away.",
        )  # fmt: skip
    dataset = next(known for known in DATASET_NAMES if known == match["dataset"])
    return dataset, View(float(match["yaw"]) + 0.0, float(match["pitch"]) + 0.0, camera)
