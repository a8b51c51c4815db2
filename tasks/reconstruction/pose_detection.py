"""Where people are in a photograph: mediapipe's pose detector, an SSD over a grid of anchors.

Source: mediapipe 0.10.21, modules/pose_detection and modules/pose_landmark (Apache-2.0): sizes of
the grid, the four points of a detection and what is cut around them.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float, UInt8

from tasks.reconstruction.pose_networks import Network
from tasks.reconstruction.pose_windows import TurnedWindow, look_through

SIDE = 224
GRIDS = ((28, 2), (14, 2), (7, 6))
"""Cells a side, and anchors in the middle of each."""

MIN_SCORE, MAX_OVERLAP = 0.5, 0.3
MAX_LOGIT = 50.0
SPREAD = 1.25
"""The window around a person is so much larger than twice the distance of its two points."""

HIPS, SCALE = 0, 1
"""Points of a detection: the middle of the hips, and one on the circle around the person."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A person: left, top, right, bottom and points, in 0..1 of the square; how sure."""

    box: Float[np.ndarray, " 4"]
    points: Float[np.ndarray, "4 2"]
    score: float

    @property
    def size(self) -> float:
        """Return how large the person is."""
        return float(np.linalg.norm(self.points[SCALE] - self.points[HIPS]))


def detect_people(network: Network, image: UInt8[np.ndarray, "H W 3"]) -> list[TurnedWindow]:
    """Return a window around each person, largest first."""
    height, width = image.shape[:2]
    whole = TurnedWindow(width / 2, height / 2, max(height, width), 0.0)
    boxes, logits = network(2 * look_through(image, whole, SIDE) - 1)
    found = decode_detections(boxes, logits[:, 0])
    windows = [window_around(*whole.to_photo(one.points[[HIPS, SCALE]])) for one in found]
    return sorted(windows, key=lambda window: -window.side)


def decode_detections(
    raw: Float[np.ndarray, "A 12"], logits: Float[np.ndarray, " A"]
) -> list[Detection]:
    """Turn the network's answer into people, each once."""
    scores = sigmoid(logits)
    chosen = np.flatnonzero(scores > MIN_SCORE)
    places = raw[chosen].reshape(-1, 6, 2) / SIDE
    places[:, [0, 2, 3, 4, 5]] += anchors()[chosen][:, None]
    found: list[Detection] = []
    for place, score in sorted(zip(places, scores[chosen], strict=True), key=lambda one: -one[1]):
        box = np.concatenate([place[0] - place[1] / 2, place[0] + place[1] / 2])
        if all(_overlap(box, other.box) <= MAX_OVERLAP for other in found):
            found.append(Detection(box, place[2:], float(score)))
    return found


def window_around(centre: Float[np.ndarray, " 2"], edge: Float[np.ndarray, " 2"]) -> TurnedWindow:
    """Return the window whose upright points from centre to edge, a point on its circle."""
    x, y = edge - centre
    side = 2 * SPREAD * math.hypot(x, y)
    return TurnedWindow(float(centre[0]), float(centre[1]), max(side, 1.0), math.atan2(x, -y))


@cache
def anchors() -> Float[np.ndarray, "A 2"]:
    """Return the middles of all anchors, x and y in 0..1."""
    places = []
    for cells, count in GRIDS:
        rows, columns = np.indices((cells, cells))
        middles = (np.stack([columns, rows], axis=-1).reshape(-1, 2) + 1 / 2) / cells
        places.append(np.repeat(middles, count, axis=0))
    return np.concatenate(places)


def sigmoid(values: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Return shares in 0..1."""
    share: Float[np.ndarray, ...] = 1 / (1 + np.exp(-np.clip(values, -MAX_LOGIT, MAX_LOGIT)))
    return share


def _overlap(one: Float[np.ndarray, " 4"], other: Float[np.ndarray, " 4"]) -> float:
    """Return intersection over union."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    both = float(np.prod(np.maximum(0, high - low)))
    areas = [float(np.prod(box[2:] - box[:2])) for box in (one, other)]
    return both / max(sum(areas) - both, 1e-9)
