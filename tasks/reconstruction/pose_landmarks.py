"""The joints of a person in a window: mediapipe's 33 landmarks and 21 of each hand, as 31 joints.

Source: mediapipe 0.10.21, modules/pose_landmark, hand_landmark and holistic_landmark (Apache-2.0).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8

from schemas.keypoints import JOINT_COUNT
from tasks.reconstruction.pose_detection import sigmoid, window_around
from tasks.reconstruction.pose_networks import Network
from tasks.reconstruction.pose_windows import TurnedWindow, look_through

POSE_SIDE, HAND_SIDE = 256, 224
LANDMARKS, POSE_COLUMNS, HAND_POINTS = 39, 5, 21
AUXILIARY = (33, 34)
"""The middle of the hips and a point on the circle: the next window around the same person."""

MIN_PERSON, MIN_HAND, MIN_VISIBLE = 0.5, 0.5, 0.3
JOINT_LANDMARKS: dict[int, int] = {
    0: 0, 1: 2, 2: 5, 3: 7, 4: 8,
    5: 11, 6: 12, 7: 13, 8: 14, 9: 15, 10: 16,
    11: 23, 12: 24, 13: 25, 14: 26, 15: 27, 16: 28,
    17: 31, 19: 29, 20: 32, 22: 30,
}  # fmt: skip
"""Joint here <- landmark; small toes have none and take the big ones when parts are aligned."""

HANDS: tuple[tuple[int, int, int, int], ...] = ((15, 17, 19, 23), (16, 18, 20, 27))
"""Wrist, small finger and index finger among the landmarks; the first finger joint here."""

SECOND_JOINTS = (6, 10, 14, 18)
"""Of index, middle, ring and small finger among a hand's points, as in OpenPose."""

HAND_SPREAD, HAND_SHIFT = 2.7, 0.1
"""A hand's window: as large against twice the palm, and moved towards the fingers."""


@dataclass(frozen=True, slots=True)
class PersonLandmarks:
    """x, y in the photograph and visibility (0..1) of all; person_share: mask in the window."""

    points: Float[np.ndarray, "39 3"]
    score: float
    window: TurnedWindow
    person_share: Float32[np.ndarray, "256 256"]


def find_landmarks(
    network: Network, image: UInt8[np.ndarray, "H W 3"], window: TurnedWindow
) -> PersonLandmarks:
    """Find the landmarks in a window, then once more in the window that they ask for."""
    first = _look(network, image, window)
    around = window_around(*first.points[list(AUXILIARY), :2])
    second = _look(network, image, around)
    return second if second.score >= MIN_PERSON else first


def to_joints(
    found: PersonLandmarks, hands: Network, image: UInt8[np.ndarray, "H W 3"]
) -> Float[np.ndarray, "31 3"]:
    """Return the 31 joints: x, y in the photograph, known."""
    joints = np.zeros((JOINT_COUNT, 3))
    height, width = image.shape[:2]
    for joint, landmark in JOINT_LANDMARKS.items():
        x, y, visible = found.points[landmark]
        if visible >= MIN_VISIBLE and 0 <= x < width and 0 <= y < height:
            joints[joint] = x, y, 1
    for wrist, small, index, first in HANDS:
        if joints[9 if first == HANDS[0][3] else 10, 2]:
            fingers = find_fingers(hands, image, found.points[[wrist, small, index], :2])
            joints[first : first + len(fingers), :2] = fingers
            joints[first : first + len(fingers), 2] = 1
    return joints


def find_fingers(
    network: Network, image: UInt8[np.ndarray, "H W 3"], hand: Float[np.ndarray, "3 2"]
) -> Float[np.ndarray, "4 2"]:
    """Find the second joints of four fingers; hand: wrist, small and index finger of the pose.

    Where the network sees no hand, they lie on a line between the pose's two fingers.
    """
    wrist, small, index = hand
    middle = (2 * index + small) / 3
    x, y = middle - wrist
    window = window_around(middle, middle + (middle - wrist))
    side = 2 * float(np.hypot(x, y)) * HAND_SPREAD
    moved = middle + HAND_SHIFT * side * (middle - wrist) / max(float(np.hypot(x, y)), 1e-6)
    window = TurnedWindow(float(moved[0]), float(moved[1]), max(side, 1.0), window.angle)
    points, presence = network(look_through(image, window, HAND_SIDE))[:2]
    if float(presence[0]) < MIN_HAND:
        share = np.linspace(0, 1, len(SECOND_JOINTS))[:, None]
        between: Float[np.ndarray, "4 2"] = (1 - share) * index + share * small
        return between
    inside = points.reshape(HAND_POINTS, 3)[list(SECOND_JOINTS), :2].astype(np.float64) / HAND_SIDE
    return window.to_photo(inside)


def _look(
    network: Network, image: UInt8[np.ndarray, "H W 3"], window: TurnedWindow
) -> PersonLandmarks:
    rows, score, share, *_ = network(look_through(image, window, POSE_SIDE))
    table = rows.reshape(LANDMARKS, POSE_COLUMNS).astype(np.float64)
    places = window.to_photo(table[:, :2] / POSE_SIDE)
    visible = sigmoid(np.minimum(table[:, 3], table[:, 4]))
    points = np.column_stack([places, visible])
    return PersonLandmarks(points, float(score[0]), window, sigmoid(share[..., 0]))
