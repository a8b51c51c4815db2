"""The twelve body parts of 2K2K as a table: keypoints, where they go, how large the crop is.

Coordinates are -1..1 of the image, x right, y down. Source: docs/networks.md, "Part alignment".
"""

from dataclasses import dataclass
from typing import Literal

PartGroup = Literal["head", "upper_body", "arms", "legs", "feet"]

LEFT_FINGERS, RIGHT_FINGERS = 31, 32
"""Derived joints behind the 31: the mean of the known fingers of each hand."""


FALLBACKS: tuple[tuple[int, int], ...] = (
    (17, 18), (18, 17), (19, 15),
    (20, 21), (21, 20), (22, 16),
)  # fmt: skip
"""(joint, what a missing one takes): the toes each other, the heel the ankle."""

FINGERS: tuple[tuple[int, ...], tuple[int, ...]] = ((23, 24, 25, 26), (27, 28, 29, 30))
"""Finger joints of the left and of the right hand."""

CROPS_AT_2048: dict[PartGroup, tuple[int, int]] = {
    "head": (368, 320),
    "upper_body": (528, 336),
    "arms": (352, 224),
    "legs": (272, 256),
    "feet": (176, 128),
}
"""Height and width of the crop around the centre of the aligned image, pixels."""

CROP_MULTIPLE = 8
PUBLISHED_RESOLUTION = 2048


@dataclass(frozen=True, slots=True)
class Part:
    """One part: which joints are brought where.

    joints: numbers of the 31 joints, or of the derived ones. targets: (x, y) of each.
    shortened: (from, to, threshold), places in `joints`: nearer than that, all targets shrink by
    distance / threshold, because the limb points at the camera.
    """

    name: str
    group: PartGroup
    joints: tuple[int, ...]
    targets: tuple[tuple[float, float], ...]
    shortened: tuple[int, int, float] | None = None


def _upper_arm(name: str, shoulder: int, elbow: int) -> Part:
    targets = ((0.0, -1 / 8 - 1 / 16), (0.0, 1 / 8 - 1 / 16))
    return Part(name, "arms", (shoulder, elbow), targets, (0, 1, 1 / 4))


def _lower_arm(name: str, elbow: int, wrist: int, fingers: int) -> Part:
    scale = 4 / 3
    rows = (-1 / 12 - 1 / 12, 1 / 12 - 1 / 12, 1 / 12 - 1 / 24)
    targets = tuple((0.0, scale * row) for row in rows)
    return Part(name, "arms", (elbow, wrist, fingers), targets, (0, 2, scale * 5 / 24))


def _upper_leg(name: str, hip: int, knee: int, side: float) -> Part:
    targets = ((side * 3 / 128, -1 / 4 + 3 / 32), (side * 3 / 128, 3 / 32))
    return Part(name, "legs", (hip, knee), targets, (0, 1, 1 / 4))


def _lower_leg(name: str, knee: int, ankle: int, side: float) -> Part:
    targets = ((side * 3 / 128, -9 / 64), (side * 3 / 128, 9 / 64))
    return Part(name, "legs", (knee, ankle), targets, (0, 1, 9 / 32))


def _foot(name: str, joints: tuple[int, int, int, int]) -> Part:
    return Part(name, "feet", joints, ((0.0, 1 / 24),) * 2 + ((0.0, -1 / 24),) * 2)


PARTS: tuple[Part, ...] = (
    Part("head", "head", (4, 3), ((-1 / 12, 1 / 24), (1 / 12, 1 / 24)), (0, 1, 1 / 6)),
    Part(
        "upper body", "upper_body", (6, 5, 12, 11),
        ((-1 / 9, -1 / 6), (1 / 9, -1 / 6), (-1 / 12, 1 / 6), (1 / 12, 1 / 6)),
    ),
    _upper_arm("left upper arm", 5, 7),
    _lower_arm("left lower arm", 7, 9, LEFT_FINGERS),
    _upper_arm("right upper arm", 6, 8),
    _lower_arm("right lower arm", 8, 10, RIGHT_FINGERS),
    _upper_leg("left upper leg", 11, 13, -1.0),
    _lower_leg("left lower leg", 13, 15, -1.0),
    _upper_leg("right upper leg", 12, 14, 1.0),
    _lower_leg("right lower leg", 14, 16, 1.0),
    _foot("left foot", (17, 18, 19, 15)),
    _foot("right foot", (20, 21, 22, 16)),
)  # fmt: skip

GROUPS: tuple[PartGroup, ...] = tuple(CROPS_AT_2048)


def group_members(group: PartGroup) -> tuple[int, ...]:
    """Return the places in PARTS of the parts that share a net, in order."""
    return tuple(place for place, part in enumerate(PARTS) if part.group == group)


def crop_size(group: PartGroup, resolution: int) -> tuple[int, int]:
    """Return height and width of a group's crop: scaled, rounded up to multiples of 8."""
    height, width = CROPS_AT_2048[group]
    return _round_up(height, resolution), _round_up(width, resolution)


def _round_up(side: int, resolution: int) -> int:
    unit = CROP_MULTIPLE * PUBLISHED_RESOLUTION
    return -(-side * resolution // unit) * CROP_MULTIPLE
