"""The rest skeleton: a T-pose, palms down, facing +z, feet on y = 0, canonical centimetres.

The person's left is +x. Left and right are mirror images, so tables hold the left side only.
Source of the positions: round anthropometric proportions of a 175 cm adult.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from people.figure import Figure

Rotations = dict[str, Float64[np.ndarray, "3 3"]]
Transforms = dict[str, Float64[np.ndarray, "4 4"]]

FINGERS = ("index", "middle", "ring", "pinky")

CENTRE_BONES: tuple[tuple[str, str | None, tuple[float, float, float]], ...] = (
    ("pelvis", None, (0.0, 95.0, -1.0)),
    ("spine", "pelvis", (0.0, 106.0, -2.0)),
    ("chest", "spine", (0.0, 121.0, -3.0)),
    ("neck", "chest", (0.0, 147.0, -4.0)),
    ("head", "neck", (0.0, 154.5, -1.5)),
)
SIDE_BONES: tuple[tuple[str, str, tuple[float, float, float]], ...] = (
    ("clavicle", "chest", (3.0, 142.0, -1.0)),
    ("upper_arm", "clavicle", (17.0, 140.5, -3.0)),
    ("forearm", "upper_arm", (43.5, 140.5, -4.0)),
    ("hand", "forearm", (68.0, 140.5, -3.0)),
    ("thigh", "pelvis", (9.0, 90.5, -1.0)),
    ("shin", "thigh", (10.0, 49.5, 0.0)),
    ("foot", "shin", (10.5, 8.5, -3.0)),
    ("toes", "foot", (11.5, 2.8, 10.0)),
)
THUMB = ((70.5, 140.0, -0.2), (74.2, 139.4, 2.6), (77.0, 139.0, 4.6), (79.3, 138.8, 6.2))
"""Root, two knuckles and tip of the thumb."""
KNUCKLES = {
    "index": (77.4, 0.2),
    "middle": (77.8, -1.9),
    "ring": (77.3, -4.0),
    "pinky": (76.4, -6.0),
}
"""x and z of each first knuckle."""
FINGER_LENGTHS_CM = {"index": 7.4, "middle": 8.2, "ring": 7.6, "pinky": 6.0}
FINGER_FAN_RAD = {"index": 0.13, "middle": 0.02, "ring": -0.10, "pinky": -0.22}
PHALANX_SHARES = (0.0, 0.45, 0.74, 1.0)
KNUCKLE_Y = 140.7
LEG_TOP_Y = 90.5
ARM_ROOT_X = 17.0
SHIFT_PER_SHOULDERS_CM = 0.6


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Bones in an order in which parents come first.

    parents: -1 for the root. heads: rest position of each bone's joint, canonical centimetres.
    points: rest positions that are no bone's joint (finger and toe tips).
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    heads: Float64[np.ndarray, "B 3"]
    points: dict[str, Float64[np.ndarray, " 3"]]

    def head(self, name: str) -> Float64[np.ndarray, " 3"]:
        """Return the rest joint of a bone, or a named point."""
        if name in self.points:
            return self.points[name]
        joint: Float64[np.ndarray, " 3"] = self.heads[self.names.index(name)]
        return joint


def build_skeleton(figure: Figure) -> Skeleton:
    """Lay out the rest skeleton of a figure's proportions."""
    rows: list[tuple[str, str | None, tuple[float, float, float]]] = [*CENTRE_BONES]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        rows += [_sided(side, sign, row) for row in (*SIDE_BONES, *_finger_rows())]
    names = tuple(row[0] for row in rows)
    parents = tuple(-1 if row[1] is None else names.index(row[1]) for row in rows)
    heads = np.array([row[2] for row in rows], np.float64)
    points = {
        f"{side}_{name}": place * np.array([sign, 1.0, 1.0])
        for side, sign in (("left", 1.0), ("right", -1.0))
        for name, place in _tips().items()
    }
    return Skeleton(
        names,
        parents,
        fit_proportions(figure, heads),
        {name: fit_proportions(figure, place[None])[0] for name, place in points.items()},
    )


def fit_proportions(
    figure: Figure, points: Float64[np.ndarray, "N 3"]
) -> Float64[np.ndarray, "N 3"]:
    """Move canonical points to a figure's own shoulder width."""
    moved = points.copy()
    share = np.clip(np.abs(points[:, 0]) / ARM_ROOT_X, 0, 1) * (points[:, 1] > LEG_TOP_Y + 1)
    moved[:, 0] += np.sign(points[:, 0]) * share * shoulder_shift_cm(figure)
    return moved


def shoulder_shift_cm(figure: Figure) -> float:
    """Return how much further out than the canonical joint this figure's shoulder lies."""
    own = -1.6 if figure.female else 0.3
    return own + SHIFT_PER_SHOULDERS_CM * figure.shoulders + 0.5 * figure.muscle


def _sided(
    side: str, sign: float, row: tuple[str, str, tuple[float, float, float]]
) -> tuple[str, str, tuple[float, float, float]]:
    name, parent, (x, y, z) = row
    central = {bone[0] for bone in CENTRE_BONES}
    return f"{side}_{name}", parent if parent in central else f"{side}_{parent}", (sign * x, y, z)


def finger_joints(finger: str) -> Float64[np.ndarray, "4 3"]:
    """Return the knuckles and the tip of a left finger at rest."""
    if finger == "thumb":
        return np.array(THUMB)
    x, z = KNUCKLES[finger]
    along = np.array(PHALANX_SHARES) * FINGER_LENGTHS_CM[finger]
    fan = FINGER_FAN_RAD[finger]
    return np.stack(
        [x + along * np.cos(fan), np.full(4, KNUCKLE_Y), z + along * np.sin(fan)], axis=1
    )


def _finger_rows() -> list[tuple[str, str, tuple[float, float, float]]]:
    rows: list[tuple[str, str, tuple[float, float, float]]] = []
    for finger in ("thumb", *FINGERS):
        joints = finger_joints(finger)
        for number in range(3):
            parent = "hand" if number == 0 else f"{finger}{number}"
            x, y, z = (float(value) for value in joints[number])
            rows.append((f"{finger}{number + 1}", parent, (x, y, z)))
    return rows


def _tips() -> dict[str, Float64[np.ndarray, " 3"]]:
    tips = {f"{finger}_tip": finger_joints(finger)[3] for finger in ("thumb", *FINGERS)}
    tips |= {
        "big_toe": np.array([10.2, 2.4, 13.4]),
        "small_toe": np.array([14.5, 2.2, 9.8]),
        "heel": np.array([10.5, 3.0, -6.6]),
    }
    return tips


def pose_skeleton(skeleton: Skeleton, rotations: Rotations) -> Transforms:
    """Turn rotations about the joints (in world axes at rest) into rest-to-posed transforms.

    rotations: bone name to (3, 3); a bone that is absent keeps its parent's. Each rotation is
    given in rest axes and carried along by its parent.
    """
    transforms: Transforms = {}
    for number, name in enumerate(skeleton.names):
        local = np.eye(4)
        local[:3, :3] = rotations.get(name, np.eye(3))
        joint = skeleton.heads[number]
        local[:3, 3] = joint - local[:3, :3] @ joint
        parent = skeleton.parents[number]
        transforms[name] = local if parent < 0 else transforms[skeleton.names[parent]] @ local
    return transforms


def carry(
    points: Float64[np.ndarray, "N 3"], bones: tuple[str, ...], transforms: Transforms
) -> Float64[np.ndarray, "N 3"]:
    """Carry rest points along, each with its own bone."""
    matrices = np.stack([transforms[bone][:3] for bone in bones])
    moved = np.einsum("nij,nj->ni", matrices[:, :, :3], points) + matrices[:, :, 3]
    return np.asarray(moved)
