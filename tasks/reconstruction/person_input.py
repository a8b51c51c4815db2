"""A photograph prepared for the nets of 2K2K: what they see, the mask and the joints."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from schemas.codecs import bounding_window
from schemas.errors import InputError
from schemas.reconstruct_request import ReconstructRequest
from tasks.reconstruction.framing import (
    Window,
    person_window,
    place,
    put_image,
    put_mask,
    put_points,
    whole_window,
)
from tasks.reconstruction.openpose import Joints, check_in_mask, read_openpose
from tasks.reconstruction.people_finder import find_person, find_person_mask
from tasks.reconstruction.photo_jobs import find_beside
from tasks.reconstruction.photos import Photo, turn
from tasks.video.images import read_mask

MIN_MASK_SHARE = 1e-3
"""A mask of less than this share of the photograph shows nobody."""


@dataclass(frozen=True, slots=True)
class PersonInput:
    """What the nets see (R x R). mask: all True where none is known (is_cut False).

    keypoints: x, y, known in pixels of the square.
    """

    image: UInt8[np.ndarray, "R R 3"]
    mask: Bool[np.ndarray, "R R"]
    is_cut: bool
    keypoints: Float32[np.ndarray, "31 3"]
    window: Window

    def arrays(self) -> Mapping[str, np.ndarray]:
        """Return the arrays that the program takes."""
        return {"image": self.image, "mask": self.mask, "keypoints": self.keypoints}


def prepare_person(photo: Photo, request: ReconstructRequest, resolution: int) -> PersonInput:
    """Find mask and joints, and frame the photograph.

    Raises InputError when nobody is found, or when mask or joints are not of this photograph.
    """
    joints = find_joints(photo, request)
    mask = find_mask(photo, request)
    if mask is not None:
        check_in_mask(joints, mask, str(photo.path))
    height, width = photo.size
    window = whole_window(height, width)
    if request.frame == "person":
        window = person_window(joints.extent if mask is None else _extent(mask))
    put = place(window, height, width, resolution)
    moved = put_points(joints.values[:, :2], put)
    known = joints.known & np.all((moved >= 0) & (moved <= resolution), axis=1)
    return PersonInput(
        put_image(photo.image, put),
        np.ones((resolution, resolution), bool) if mask is None else put_mask(mask, put),
        mask is not None,
        np.column_stack([np.where(known[:, None], moved, 0), known]).astype(np.float32),
        window,
    )


def find_joints(photo: Photo, request: ReconstructRequest) -> Joints:
    """Read the photograph's OpenPose file, or find the person by the pose networks."""
    if request.keypoints is not None:
        path = find_beside(photo.path, request, "keypoints")
        return read_openpose(path, request.person, photo.size)
    return find_person(photo, request).joints


def find_mask(photo: Photo, request: ReconstructRequest) -> Bool[np.ndarray, "H W"] | None:
    """Return the person's mask: the file's, the alpha's, or a found one; None: not cut out."""
    if request.mask is not None:
        path = find_beside(photo.path, request, "mask")
        return _check_mask(turned_like(photo, read_mask(path), path), str(path))
    if photo.alpha is not None:
        return _check_mask(photo.alpha, str(photo.path))
    if not request.remove_background:
        return None
    return _check_mask(find_person_mask(photo, request), str(photo.path))


def turned_like(photo: Photo, image: np.ndarray, path: Path) -> np.ndarray:
    """Return an image as large as the photograph; one of the stored rows is turned with it."""
    stored = photo.size if photo.orientation < 5 else photo.size[::-1]  # noqa: PLR2004 - as in turn
    if image.shape[:2] == photo.size:
        return image
    if image.shape[:2] == stored:
        return turn(image, photo.orientation)
    height, width = photo.size
    raise InputError(
        str(path), found=f"{image.shape[1]} x {image.shape[0]} pixels",
        expected=f"{width} x {height}, as the photograph",
        hint="Give the file of this photograph, in its own size.",
    )  # fmt: skip


def _check_mask(mask: Bool[np.ndarray, "H W"], name: str) -> Bool[np.ndarray, "H W"]:
    if mask.mean() < MIN_MASK_SHARE:
        raise InputError(
            name, found=f"a mask of {int(mask.sum())} pixels", expected="the mask of a person",
            hint="Give another mask, or leave it out.",
        )  # fmt: skip
    return mask


def _extent(mask: Bool[np.ndarray, "H W"]) -> tuple[float, float, float, float]:
    left, top, right, bottom = bounding_window(mask)
    return float(left), float(top), float(right + 1), float(bottom + 1)
