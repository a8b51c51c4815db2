"""How a figure stands: a table of poses in degrees, and the person's own variation of one.

A turn is (twist about x, then y, then z, then swing about x) in rest axes, written for the left
side; the right side is mirrored. Upper arm: z = -80 hangs, swing < 0 is forward. Forearm: y < 0
bends. Thigh: swing < 0 is forward. Shin: swing > 0 bends. Fingers: z < 0 curls.
"""

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from people.figure import Figure
from people.skeleton import FINGERS, Rotations

Turn = tuple[float, float, float, float]

RELAXED: dict[str, Turn] = {
    "left_clavicle": (0.0, 0.0, -5.0, 0.0),
    "right_clavicle": (0.0, 0.0, -5.0, 0.0),
    "left_upper_arm": (0.0, 0.0, -71.0, -2.0),
    "right_upper_arm": (0.0, 0.0, -71.0, -2.0),
    "left_forearm": (-14.0, -16.0, 0.0, 0.0),
    "right_forearm": (-14.0, -16.0, 0.0, 0.0),
    "left_hand": (0.0, 0.0, -4.0, 0.0),
    "right_hand": (0.0, 0.0, -4.0, 0.0),
    "left_thigh": (0.0, 6.0, 3.0, 0.0),
    "right_thigh": (0.0, 6.0, 3.0, 0.0),
    "left_foot": (0.0, 6.0, -3.0, 0.0),
    "right_foot": (0.0, 6.0, -3.0, 0.0),
}
CHANGES: dict[str, dict[str, Turn]] = {
    "stand": {},
    "contrapposto": {
        "pelvis": (0.0, 4.0, 2.0, 0.0),
        "spine": (0.0, -2.0, -4.0, 0.0),
        "chest": (0.0, -4.0, -3.0, 0.0),
        "neck": (0.0, 5.0, 1.0, 0.0),
        "left_thigh": (0.0, 16.0, 2.0, -12.0),
        "left_shin": (0.0, 0.0, 0.0, 18.0),
        "left_foot": (0.0, 8.0, 0.0, -7.0),
        "right_thigh": (0.0, 6.0, 3.5, 0.0),
    },
    "walk": {
        "left_thigh": (0.0, 0.0, 0.5, -20.0),
        "left_shin": (0.0, 0.0, 0.0, 4.0),
        "left_foot": (0.0, 4.0, 0.0, -2.0),
        "right_thigh": (0.0, 2.0, 1.0, 14.0),
        "right_shin": (0.0, 0.0, 0.0, 16.0),
        "right_foot": (0.0, 4.0, 0.0, 14.0),
        "right_toes": (0.0, 0.0, 0.0, -24.0),
        "chest": (0.0, 7.0, 0.0, 2.0),
        "pelvis": (0.0, -4.0, 0.0, 0.0),
        "left_upper_arm": (0.0, 0.0, -68.0, 20.0),
        "right_upper_arm": (0.0, 0.0, -68.0, -24.0),
        "left_forearm": (-10.0, -12.0, 0.0, 0.0),
        "right_forearm": (-14.0, -34.0, 0.0, 0.0),
    },
    "hand_on_hip": {
        "left_upper_arm": (58.0, 0.0, -46.0, 8.0),
        "left_forearm": (0.0, -98.0, 0.0, 0.0),
        "left_hand": (0.0, 0.0, -32.0, 0.0),
        "pelvis": (0.0, 0.0, -1.5, 0.0),
        "chest": (0.0, 3.0, 3.0, 0.0),
        "right_thigh": (0.0, 14.0, 4.0, -8.0),
        "right_shin": (0.0, 0.0, 0.0, 12.0),
        "right_foot": (0.0, 8.0, 0.0, -4.0),
    },
    "wave": {
        "right_clavicle": (0.0, 0.0, 8.0, 0.0),
        "right_upper_arm": (-84.0, 0.0, 0.0, -8.0),
        "right_forearm": (-20.0, -104.0, 0.0, 0.0),
        "right_hand": (0.0, 0.0, 4.0, 0.0),
        "head": (0.0, -6.0, 3.0, 0.0),
    },
    "step": {
        "right_thigh": (0.0, 10.0, 2.0, -26.0),
        "right_shin": (0.0, 0.0, 0.0, 26.0),
        "right_foot": (0.0, 6.0, 0.0, 0.0),
        "left_thigh": (0.0, 8.0, 3.0, 4.0),
        "left_upper_arm": (0.0, 0.0, -60.0, -18.0),
        "left_forearm": (-20.0, -40.0, 0.0, 0.0),
        "right_upper_arm": (0.0, 0.0, -62.0, 16.0),
        "spine": (0.0, 4.0, 0.0, 3.0),
    },
    "present": {
        "left_upper_arm": (20.0, 0.0, -58.0, -12.0),
        "left_forearm": (-80.0, -82.0, 0.0, 0.0),
        "left_hand": (0.0, 0.0, 10.0, 0.0),
        "head": (0.0, 10.0, 0.0, 4.0),
        "chest": (0.0, 5.0, 0.0, 0.0),
    },
    "look_aside": {
        "neck": (0.0, 16.0, 0.0, 0.0),
        "head": (0.0, 20.0, -2.0, 3.0),
        "chest": (0.0, 6.0, 1.0, 0.0),
        "right_upper_arm": (0.0, 0.0, -64.0, -14.0),
        "right_forearm": (-20.0, -44.0, 0.0, 0.0),
        "left_thigh": (0.0, 12.0, 6.0, 0.0),
        "right_thigh": (0.0, 10.0, 6.0, 0.0),
    },
    "arms_out": {
        "left_upper_arm": (10.0, 0.0, -40.0, -14.0),
        "right_upper_arm": (10.0, 0.0, -36.0, -10.0),
        "left_forearm": (-70.0, -24.0, 0.0, 0.0),
        "right_forearm": (-70.0, -30.0, 0.0, 0.0),
        "left_thigh": (0.0, 10.0, 6.0, 0.0),
        "right_thigh": (0.0, 10.0, 6.0, 0.0),
    },
    "thinking": {
        "right_upper_arm": (34.0, 0.0, -66.0, -34.0),
        "right_forearm": (-46.0, -128.0, 0.0, 0.0),
        "right_hand": (0.0, 0.0, -12.0, 0.0),
        "head": (0.0, -6.0, -2.0, 7.0),
        "left_upper_arm": (0.0, 0.0, -66.0, -12.0),
        "left_forearm": (-20.0, -52.0, 0.0, 0.0),
        "left_thigh": (0.0, 10.0, 3.0, -6.0),
        "left_shin": (0.0, 0.0, 0.0, 9.0),
    },
}
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


def draw_rotations(figure: Figure, rng: np.random.Generator) -> Rotations:
    """Draw the rotations of a figure's own pose."""
    return pose_rotations(figure, RELAXED | CHANGES[figure.pose], rng)


def pose_rotations(figure: Figure, turns: dict[str, Turn], rng: np.random.Generator) -> Rotations:
    """Turn a row of the table into rotations: mirrored or not, each bone a little varied."""
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
    return {name: _rotation(name, _vary(figure, name, turns[name], rng)) for name in sorted(turns)}


def _swap_side(name: str) -> str:
    if name.startswith("left_"):
        return "right_" + name.removeprefix("left_")
    return "left_" + name.removeprefix("right_") if name.startswith("right_") else name


def _curl_fingers(rng: np.random.Generator) -> dict[str, Turn]:
    turns: dict[str, Turn] = {}
    for side in ("left", "right"):
        strength = float(rng.uniform(0.4, 1.5))
        for order, finger in enumerate(FINGERS):
            own = strength * (1 + 0.12 * order) * float(rng.uniform(0.85, 1.15))
            for number, degrees in enumerate(CURL_DEG["fingers"]):
                turns[f"{side}_{finger}{number + 1}"] = (0.0, 0.0, own * degrees, 0.0)
        for number, degrees in enumerate(CURL_DEG["thumb"]):
            turns[f"{side}_thumb{number + 1}"] = (0.0, -strength * degrees, 0.0, 0.0)
    return turns


def _vary(figure: Figure, name: str, turn: Turn, rng: np.random.Generator) -> Turn:
    part = name.split("_", 1)[-1]
    spread = JITTER_DEG.get(part, 0.0)
    twist, y, z, swing = turn
    dy, dz, dswing = rng.normal(0.0, 0.5 * spread, 3)
    if part == "upper_arm":
        room = WIDE_ARMS_DEG * max(0.0, figure.heft)
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
