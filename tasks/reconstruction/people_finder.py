"""Finding a person in a photograph: joints and mask, by networks that the user has installed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from schemas.errors import DependencyError
from schemas.reconstruct_request import ReconstructRequest
from tasks.reconstruction.openpose import Joints
from tasks.reconstruction.photos import Photo


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """A person in a photograph. score: how sure the network is, 0 to 1."""

    joints: Joints
    score: float


def find_person(photo: Photo, request: ReconstructRequest) -> FoundPerson:
    """Find the person; raises InputError when there is none."""
    raise _not_installed(photo, request)


def find_person_mask(
    photo: Photo, request: ReconstructRequest, joints: Joints
) -> Bool[np.ndarray, "H W"]:
    """Find the person's mask."""
    del joints
    raise _not_installed(photo, request)


def _not_installed(photo: Photo, request: ReconstructRequest) -> DependencyError:
    return DependencyError(
        str(photo.path), found=f"no networks ({request.pose_networks})", expected="--keypoints",
        hint="Give OpenPose's JSON by --keypoints.",
    )  # fmt: skip
