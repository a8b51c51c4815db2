"""A photograph prepared for HDNet's nets: the person on white, mask and DensePose, 256 x 256."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from schemas.camera import HDNET_RESOLUTION
from schemas.codecs import bounding_window
from schemas.errors import InputError
from schemas.reconstruct_request import ReconstructRequest
from tasks.formats.hdnet.hdnet_frames import lay_on_white
from tasks.reconstruction.framing import Window, place, put_image, put_labels, put_mask
from tasks.reconstruction.person_input import find_mask, turned_like
from tasks.reconstruction.photo_jobs import find_beside
from tasks.reconstruction.photos import Photo
from tasks.video.images import read_iuv

PERSON_HEIGHT = 0.9
"""Share of the crop. Source: docs/cameras.md, "HDNet's camera"."""

MIN_ON_PERSON = 0.5
"""Share of the DensePose pixels that lie in the mask, if they are of this photograph."""


@dataclass(frozen=True, slots=True)
class SurfaceInput:
    """What the nets see. image: on white. densepose: I, U, V. color: with its background."""

    image: UInt8[np.ndarray, "256 256 3"]
    color: UInt8[np.ndarray, "256 256 3"]
    mask: Bool[np.ndarray, "256 256"]
    iuv: UInt8[np.ndarray, "256 256 3"]
    window: Window

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that the program takes; DensePose as V, U, I."""
        densepose = np.ascontiguousarray(self.iuv[..., ::-1])
        return {"image": self.image, "mask": self.mask, "densepose": densepose}


def prepare_surface(photo: Photo, request: ReconstructRequest) -> SurfaceInput:
    """Find mask and DensePose and cut the person out, unless the photograph is a crop already.

    Raises InputError when there is no mask, or when mask or DensePose are of another photograph.
    """
    mask = find_mask(photo, request)
    if mask is None:
        raise InputError(
            str(photo.path), found="no mask", expected="--mask, --remove-background or alpha",
            hint="HDNet sees the person on white: give one of them.",
        )  # fmt: skip
    path = find_beside(photo.path, request, "densepose")
    iuv = turned_like(photo, read_iuv(path).iuv, path)
    _check_on_person(mask, iuv, str(path))
    height, width = photo.size
    window = find_window(mask)
    put = place(window, height, width, HDNET_RESOLUTION)
    color, inside = put_image(photo.image, put), put_mask(mask, put)
    return SurfaceInput(
        lay_on_white(color, inside), color, inside, put_labels(iuv, put), window
    )  # fmt: skip


def find_window(mask: Bool[np.ndarray, "H W"]) -> Window:
    """Return all of a 256 x 256 photograph; of others the square that the person fills."""
    if mask.shape == (HDNET_RESOLUTION, HDNET_RESOLUTION):
        return Window(0, 0, HDNET_RESOLUTION)
    left, top, right, bottom = bounding_window(mask)
    side = max((bottom + 1 - top), (right + 1 - left)) / PERSON_HEIGHT
    return Window((left + right + 1 - side) / 2, (top + bottom + 1 - side) / 2, side)


def _check_on_person(
    mask: Bool[np.ndarray, "H W"], iuv: UInt8[np.ndarray, "H W 3"], name: str
) -> None:
    body = iuv[..., 0] > 0
    share = float(mask[body].mean()) if body.any() else 0.0
    if share < MIN_ON_PERSON:
        raise InputError(
            name, found=f"{share:.0%} of its body in the mask",
            expected=f"at least {MIN_ON_PERSON:.0%}: DensePose and mask of the same photograph",
            hint="Give the files of this photograph.",
        )  # fmt: skip
