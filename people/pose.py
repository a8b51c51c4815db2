"""How a figure stands: the poses of `poses.toml`, the person's own variation, arms kept clear.

A turn is (twist about x, then y, then z, then swing about x), degrees, in rest axes, written for
the left side; the right side is mirrored. Fingers: z < 0 curls.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from people.clothes import Dressed, dressed_distance
from people.figure import read_table
from people.skeleton import FINGERS, Rotations, Skeleton, Transforms, carry, pose_skeleton

Turn = tuple[float, float, float, float]
Turns = dict[str, Turn]
"""By bone."""

CURL_DEG = {"thumb": (-6.0, -10.0, -14.0), "fingers": (-14.0, -20.0, -14.0)}
JITTER_DEG = {
    "spine": 2.0,
    "chest": 2.5,
    "neck": 4.0,
    "head": 5.0,
    "upper_arm": 4.0,
    "forearm": 8.0,
    "hand": 6.0,
    "thigh": 1.5,
    "shin": 2.0,
    "pelvis": 1.0,
}
WIDE_ARMS_DEG = 9.0
"""How much further a heavy figure's arms stand off than a thin one's."""

CLEARANCE_CM = 2.6
"""Half a hand's thickness with its knuckles, or a wrist's."""
ELBOW_CLEARANCE_CM = 4.5
LIFT_DEG, UNBEND, ROUNDS = 2.0, 0.93, 14
"""In each round the arm is lifted so far, and this share of the elbow's bend is kept."""
TRUNK = ("pelvis", "spine", "chest")
HAND_POINTS = ("hand", "index1", "middle1", "ring1", "pinky1", "middle3")


class PoseTable(NamedTuple):
    """`poses.toml`: what all poses start from, what each changes, and what only dances add."""

    relaxed: Turns
    poses: dict[str, Turns]
    dance: dict[str, Turns]

    def turns_of(self, pose: str) -> Turns:
        """Return all turns of a named pose."""
        return self.relaxed | self.poses[pose]


@cache
def pose_table() -> PoseTable:
    """Read the table of poses."""
    table = read_table("poses.toml")
    poses, dance = (
        {name: _as_turns(turns) for name, turns in table[group].items()}
        for group in ("poses", "dance")
    )
    return PoseTable(_as_turns(table["relaxed"]), poses, dance)


def _as_turns(rows: dict[str, list[float]]) -> Turns:
    return {bone: (twist, y, z, swing) for bone, (twist, y, z, swing) in rows.items()}


def pose_rotations(heft: float, turns: Turns, rng: np.random.Generator) -> Rotations:
    """Turn a row of the table into rotations: mirrored or not, each bone a little varied.

    heft: -1 thin to 1 heavy, whose arms stand off further.
    """
    flip = bool(rng.integers(2))
    turns = {_swap_side(name) if flip else name: turn for name, turn in turns.items()}
    turns |= _curl_fingers(rng)
    for bone in ("pelvis", "spine", "chest", "neck", "head"):
        turns.setdefault(bone, (0.0, 0.0, 0.0, 0.0))
    for side in ("left", "right"):
        for bone in ("shin", "toes"):
            turns.setdefault(f"{side}_{bone}", (0.0, 0.0, 0.0, 0.0))
    if flip:
        turns = {n: t if "_" in n else (t[0], -t[1], -t[2], t[3]) for n, t in turns.items()}
    return {name: _rotation(name, _vary(heft, name, turns[name], rng)) for name in sorted(turns)}


def _swap_side(name: str) -> str:
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    return "left_" + name.removeprefix("right_") if name.startswith("right_") else name


def _curl_fingers(rng: np.random.Generator) -> dict[str, Turn]:
    turns: Turns = {}
    for side in ("left", "right"):
        strength = float(rng.uniform(0.4, 1.5))
        for order, finger in enumerate(FINGERS):
            own = strength * (1 + 0.12 * order) * float(rng.uniform(0.85, 1.15))
            for number, degrees in enumerate(CURL_DEG["fingers"]):
                turns[f"{side}_{finger}{number + 1}"] = (0.0, 0.0, own * degrees, 0.0)
        for number, degrees in enumerate(CURL_DEG["thumb"]):
            turns[f"{side}_thumb{number + 1}"] = (0.0, -strength * degrees, 0.0, 0.0)
    return turns


def _vary(heft: float, name: str, turn: Turn, rng: np.random.Generator) -> Turn:
    part = name.split("_", 1)[-1]
    spread = JITTER_DEG.get(part, 0.0)
    twist, y, z, swing = turn
    dy, dz, dswing = rng.normal(0.0, 0.5 * spread, 3)
    if part == "upper_arm":
        room = WIDE_ARMS_DEG * max(0.0, heft)
        z, dz = z + room, abs(dz)
    if part in ("shin", "forearm"):
        dz = 0.0
    if part == "shin":
        dy = 0.0
    return twist, y + dy, z + dz, swing + (dswing if part != "forearm" else 0.0)


def _rotation(name: str, turn: Turn) -> Float64[np.ndarray, "3 3"]:
    twist, y, z, swing = turn
    matrix: Float64[np.ndarray, "3 3"] = (
        Rotation.from_euler("x", swing, degrees=True)
        * Rotation.from_euler("z", z, degrees=True)
        * Rotation.from_euler("y", y, degrees=True)
        * Rotation.from_euler("x", twist, degrees=True)
    ).as_matrix()
    if name.startswith("right_"):
        flip = np.diag([-1.0, 1.0, 1.0])
        matrix = flip @ matrix @ flip
    return matrix


def clear_arms(dressed: Dressed, skeleton: Skeleton, rotations: Rotations) -> Rotations:
    """Return a pose in which neither hand nor elbow is inside trunk or thighs."""
    cleared = dict(rotations)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        bone, elbow = f"{side}_upper_arm", f"{side}_forearm"
        lift = Rotation.from_euler("z", sign * LIFT_DEG, degrees=True).as_matrix()
        for _ in range(ROUNDS):
            if _is_clear(dressed, skeleton, pose_skeleton(skeleton, cleared), side):
                break
            cleared[bone] = lift @ cleared[bone]
            bend = Rotation.from_matrix(cleared[elbow]).as_rotvec()
            cleared[elbow] = Rotation.from_rotvec(UNBEND * bend).as_matrix()
    return cleared


def _is_clear(dressed: Dressed, skeleton: Skeleton, transforms: Transforms, side: str) -> bool:
    bones = tuple(f"{side}_{name}" for name in (*HAND_POINTS, "forearm"))
    *hand, elbow = carry(np.array([skeleton.head(bone) for bone in bones]), bones, transforms)
    middle = 0.5 * (elbow + hand[0])
    points = np.array([*hand, elbow, middle])
    expected = np.array([CLEARANCE_CM] * len(hand) + [ELBOW_CLEARANCE_CM] * 2)
    for carrier in (*TRUNK, f"{side}_thigh"):
        back = np.linalg.inv(transforms[carrier])
        rest = points @ back[:3, :3].T + back[:3, 3]
        if (dressed_distance(dressed, rest.astype(np.float32)) < expected).any():
            return False
    return True
