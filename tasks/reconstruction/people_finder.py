"""Finding a person in a photograph: joints and mask, by networks that the user has installed."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from schemas.errors import InputError
from schemas.reconstruct_request import ReconstructRequest
from tasks.reconstruction.openpose import BODY_JOINTS, MIN_JOINTS, Joints
from tasks.reconstruction.photos import Photo
from tasks.reconstruction.pose_detection import detect_people
from tasks.reconstruction.pose_landmarks import (
    MIN_PERSON,
    PersonLandmarks,
    find_landmarks,
    to_joints,
)
from tasks.reconstruction.pose_networks import DETECTION, HANDS, LANDMARKS, open_network
from tasks.reconstruction.pose_windows import lay_on_photo

MAX_PEOPLE = 4
"""Looked for: one would do, two are several."""

BLANK = 128
MIN_APART = 0.25
"""Of a window's side, which is about the height of a person: nearer ones are one."""

REFINED_AT = 768
"""Pixels of the longer side at which the border of the mask is sought in the colours."""

SURE, UNSURE = 0.9, 0.1
ROUNDS = 3
NO_BOX = (0, 0, 1, 1)
"""GrabCut asks for one, and ignores it where labels are given."""


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """A person in a photograph: the joints, and what the mask is made from."""

    joints: Joints
    landmarks: PersonLandmarks


def find_person(photo: Photo, request: ReconstructRequest) -> FoundPerson:
    """Find the person, the largest of several.

    Raises InputError when there is nobody, or several where --person only was given;
    DependencyError where the networks are not installed.
    """
    source = request.pose_networks
    people = find_people(photo.image, source)
    if not people:
        raise _refuse(photo, "nobody", "a person")
    if len(people) > 1 and request.person == "only":
        raise _refuse(photo, f"{len(people)} people", "one person, since --person only was given")
    chosen = max(people, key=lambda one: one.window.side)
    joints = Joints(to_joints(chosen, open_network(HANDS, source), photo.image))
    if joints.known[:BODY_JOINTS].sum() < MIN_JOINTS:
        raise _refuse(photo, "a person of whom too little is seen", "most of a body")
    return FoundPerson(joints, chosen)


def find_people(image: UInt8[np.ndarray, "H W 3"], source: str | None) -> list[PersonLandmarks]:
    """Find people one after the other: the detector overlooks smaller ones beside a large one.

    Whoever is found is blanked out before the next look.
    """
    detector, network = open_network(DETECTION, source), open_network(LANDMARKS, source)
    left, people = image.copy(), list[PersonLandmarks]()
    height, width = image.shape[:2]
    while len(people) < MAX_PEOPLE:
        looked = [find_landmarks(network, left, window) for window in detect_people(detector, left)]
        found = [one for one in looked if one.score >= MIN_PERSON and not _is_among(one, people)]
        if not found:
            break
        people += found
        for one in found:
            share = lay_on_photo(one.person_share, one.window, height, width)
            left[share > UNSURE] = BLANK
    return people[:MAX_PEOPLE]


def find_person_mask(photo: Photo, request: ReconstructRequest) -> Bool[np.ndarray, "H W"]:
    """Find the person's mask: the network's, its border moved to where the colours change."""
    height, width = photo.size
    landmarks = find_person(photo, request).landmarks
    share = lay_on_photo(landmarks.person_share, landmarks.window, height, width)
    return refine_mask(photo, share)


def refine_mask(photo: Photo, share: Float32[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Return a mask from the share that a network gives each pixel to the person.

    Between what is surely inside and surely outside the colours decide (GrabCut).
    """
    height, width = photo.size
    scale = min(1.0, REFINED_AT / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(photo.image, size, interpolation=cv2.INTER_AREA)
    sure = cv2.resize(share, size, interpolation=cv2.INTER_AREA)
    labels = np.where(sure > 1 / 2, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[sure >= SURE], labels[sure <= UNSURE] = cv2.GC_FGD, cv2.GC_BGD
    if (labels == cv2.GC_FGD).any() and (labels == cv2.GC_BGD).any():
        colors, around = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.setRNGSeed(0)
        cv2.grabCut(small, labels, NO_BOX, colors, around, ROUNDS, cv2.GC_INIT_WITH_MASK)
    inside = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    full = cv2.resize(inside, (width, height), interpolation=cv2.INTER_LINEAR)
    mask: Bool[np.ndarray, "H W"] = full > 1 / 2
    return mask


def _is_among(person: PersonLandmarks, people: list[PersonLandmarks]) -> bool:
    """Return whether this is where another one was found: what was left of that one."""
    here = person.window
    return any(
        np.hypot(here.x - one.window.x, here.y - one.window.y)
        < MIN_APART * max(here.side, one.window.side)
        for one in people
    )


def _refuse(photo: Photo, found: str, expected: str) -> InputError:
    return InputError(
        str(photo.path), found=found, expected=expected,
        hint="Give a photograph of one person, or joints by --keypoints.",
    )  # fmt: skip
