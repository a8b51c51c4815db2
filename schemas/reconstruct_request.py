"""What `scanmill reconstruct` is asked to do."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from schemas.errors import RequestError
from schemas.options import Shown
from schemas.path_checks import check_folder, check_writable
from schemas.prediction import Method
from schemas.request_base import Request
from schemas.train_forms import DeviceChoice
from schemas.train_options import RESOLUTION_MULTIPLE

MAX_RESOLUTION = 2048
PersonChoice = Literal["largest", "only"]
Framing = Literal["whole", "person"]
Meshing = Literal["auto", "sheets", "poisson"]
PublishedScale = Literal["auto", "on", "off"]

_OF_HDNET = ("normal_checkpoint", "densepose")
_OF_2K2K = ("keypoints", "resolution")


class ReconstructRequest(Request):
    """All of `scanmill reconstruct`."""

    method: Annotated[Method, Shown(word="METHOD")]
    """2k2k: front and back of a person. hdnet: the front, from image, mask and DensePose."""
    photos: Annotated[tuple[str, ...], Shown("PHOTO...", word="PHOTO")] = Field(min_length=1)
    """Photographs, or folders of them."""
    checkpoint: Annotated[str, Shown("CHECKPOINT")] = Field(min_length=1)
    """Weights: a run, a step folder, safetensors, a published file. hdnet: of the depth."""
    out: Annotated[str, Shown("DIR")] = Field(min_length=1)
    """Folder to write to: one folder a photograph."""
    normal_checkpoint: Annotated[str | None, Shown("CHECKPOINT")] = None
    """Of hdnet: weights of the normal estimator."""
    keypoints: Annotated[str | None, Shown("DIR", unset="found in the photograph")] = None
    """OpenPose JSON: DIR/NAME_keypoints.json or DIR/NAME.json for NAME.jpg."""
    mask: Annotated[str | None, Shown("DIR", unset="the photograph's alpha, if it has one")] = None
    """Masks, white inside: DIR/NAME.png for NAME.jpg."""
    densepose: Annotated[str | None, Shown("DIR")] = None
    """Of hdnet: DensePose IUV images, DIR/NAME.png for NAME.jpg."""
    remove_background: bool = False
    """Find the person's mask in the photograph, where none is given."""
    person: PersonChoice = "largest"
    """Of several people. only: refuse a photograph that shows several."""
    frame: Framing = "whole"
    """What the nets see. whole: all of the photograph (published). person: cut as in training."""
    resolution: Annotated[int | None, Shown(unset="that of the training, else 2048")] = Field(
        default=None, ge=256, le=MAX_RESOLUTION, multiple_of=RESOLUTION_MULTIPLE
    )
    """Pixels a side that the nets see, a multiple of 128."""
    published_scale: PublishedScale = "auto"
    """Divide clouds and meshes by 1.0367394. auto: for published files alone."""
    meshing: Meshing = "auto"
    """sheets: front and back joined at the silhouette. poisson: closed; needs the extra `mesh`.
    auto: poisson where it is installed."""
    pose_networks: Annotated[
        str | None, Shown("WHEEL|DIR", unset="the installed package mediapipe", has_variable=True)
    ] = None
    """The mediapipe 0.10.21 wheel, or a folder of its networks, to find people with."""
    device: DeviceChoice = "auto"
    """auto: a GPU where there is one."""

    @property
    def finds_people(self) -> bool:
        """Return whether joints or masks have to be found in the photographs."""
        needs_joints = self.method == "2k2k" and self.keypoints is None
        return needs_joints or (self.remove_background and self.mask is None)

    def check(self) -> None:
        """Refuse what can't be done; raises RequestError naming the option at fault."""
        for name in ("keypoints", "mask", "densepose"):
            path = getattr(self, name)
            if path is not None:
                check_folder(f"--{name}", path)
        foreign = _OF_HDNET if self.method == "2k2k" else _OF_2K2K
        for name in foreign:
            if getattr(self, name) is not None:
                raise _refuse(name, f"given for {self.method}", "no such option", "Leave it out.")
        if self.method == "hdnet":
            for name in _OF_HDNET:
                if getattr(self, name) is None:
                    raise _refuse(name, "none", "it: hdnet needs it", "Give it.")
        check_writable("--out", Path(self.out))
        for name in ("checkpoint", "normal_checkpoint"):
            path = getattr(self, name)
            if path is not None and not Path(path).exists():
                raise _refuse(
                    name, f"nothing at {path}", "weights of a training",
                    "Give the folder that `scanmill train --out` wrote.",
                )  # fmt: skip


def _refuse(name: str, found: str, expected: str, hint: str) -> RequestError:
    option = "--" + name.replace("_", "-")
    return RequestError(option, found=found, expected=expected, hint=hint)
