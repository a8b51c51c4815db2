"""Bone weights from the rest position, blend skinning, and its repair by delta mush.

Source: Mancewicz, Derksen, Rijpkema, Wilson, "Delta Mush", DigiPro 2014: smooth the posed mesh,
then put back the detail that the same smoothing takes off the rest mesh.
"""

import numpy as np
from jaxtyping import Float32, Float64
from scipy import sparse

from people.figure import Figure
from people.meshing import Faces, averaging_matrix, vertex_normals
from people.shapes import Distances, Points
from people.skeleton import FINGERS, Skeleton, Transforms, shoulder_shift_cm

Weights = Float32[np.ndarray, "N B"]

ELBOW_X, WRIST_X, SHOULDER_X = 43.5, 68.0, 17.0
KNEE_Y, ANKLE_Y, TOES_Z = 49.5, 8.5, 9.5
SPINE_Y, CHEST_Y = 104.0, 117.0
SEGMENT_POWER = 10
MUSH_ROUNDS, MUSH_SHARE = 8, 0.6
PALM_CM = 1.2
"""How much nearer than it is the palm counts against the fingers."""


def smooth_step(value: Distances, low: float, high: float) -> Distances:
    """Rise smoothly from 0 at low to 1 at high."""
    share = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    step: Distances = (share * share * (3 - 2 * share)).astype(np.float32)
    return step


def bone_weights(figure: Figure, skeleton: Skeleton, rest: Points) -> Weights:
    """Return each point's share in each bone; rows sum to one."""
    share = dict.fromkeys(skeleton.names, np.zeros(len(rest), np.float32))
    left = (rest[:, 0] >= 0).astype(np.float32)
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    x = x - shoulder_shift_cm(figure) * smooth_step(x, 0.0, SHOULDER_X) * (y > CHEST_Y)
    arm = smooth_step(x - 0.9 * np.maximum(0.0, 133.0 - y), SHOULDER_X - 5.0, SHOULDER_X + 5.0)
    arm *= y > CHEST_Y - 17
    leg = smooth_step(83.0 + 0.45 * x - y, -7.0, 7.0)
    trunk = (1 - arm) * (1 - leg)
    _share_trunk(share, trunk, rest)
    side_left = smooth_step(rest[:, 0], *_thigh_blend(figure))
    for side, arm_side, leg_side in (("left", left, side_left), ("right", 1 - left, 1 - side_left)):
        clavicle = (
            share["chest"] * arm_side * smooth_step(x, 3.0, 13.0) * smooth_step(y, 124.0, 138.0)
        )
        share["chest"] = share["chest"] - clavicle
        share[f"{side}_clavicle"] = clavicle
        _share_arm(share, arm * arm_side, x, side)
        _share_leg(share, leg * leg_side, (y, z), side)
        _share_hand(share, skeleton, rest, side)
    weights = np.stack([share[name] for name in skeleton.names], axis=1)
    total: Weights = weights / weights.sum(axis=1, keepdims=True)
    return total


def _thigh_blend(figure: Figure) -> tuple[float, float]:
    return (-11.0, 11.0) if figure.bottom == "skirt" else (-1.5, 1.5)


def _share_trunk(share: dict[str, Distances], trunk: Distances, rest: Points) -> None:
    y, z = rest[:, 1], rest[:, 2]
    head = smooth_step(y + 0.6 * (z + 2.0), 149.5, 154.5)
    neck = smooth_step(y + 0.3 * (z + 4.0), 144.0, 150.0)
    chest = smooth_step(y, CHEST_Y - 7.0, CHEST_Y + 7.0)
    spine = smooth_step(y, SPINE_Y - 7.0, SPINE_Y + 7.0)
    share["head"] = trunk * head
    share["neck"] = trunk * (1 - head) * neck
    share["chest"] = trunk * (1 - head) * (1 - neck) * chest
    share["spine"] = trunk * (1 - head) * (1 - neck) * (1 - chest) * spine
    share["pelvis"] = trunk * (1 - head) * (1 - neck) * (1 - chest) * (1 - spine)


def _share_arm(share: dict[str, Distances], arm: Distances, x: Distances, side: str) -> None:
    forearm = smooth_step(x, ELBOW_X - 4.0, ELBOW_X + 4.0)
    hand = smooth_step(x, WRIST_X - 2.5, WRIST_X + 2.5)
    share[f"{side}_upper_arm"] = arm * (1 - forearm)
    share[f"{side}_forearm"] = arm * forearm * (1 - hand)
    share[f"{side}_hand"] = arm * forearm * hand


def _share_leg(
    share: dict[str, Distances], leg: Distances, yz: tuple[Distances, Distances], side: str
) -> None:
    shin = smooth_step(-yz[0], -KNEE_Y - 6.0, -KNEE_Y + 6.0)
    foot = smooth_step(-yz[0], -ANKLE_Y - 2.5, -ANKLE_Y + 2.5)
    toes = smooth_step(yz[1], TOES_Z - 2.0, TOES_Z + 2.0)
    share[f"{side}_thigh"] = leg * (1 - shin)
    share[f"{side}_shin"] = leg * shin * (1 - foot)
    share[f"{side}_foot"] = leg * shin * foot * (1 - toes)
    share[f"{side}_toes"] = leg * shin * foot * toes


def _share_hand(share: dict[str, Distances], skeleton: Skeleton, rest: Points, side: str) -> None:
    """Split the hand's share between palm and fingers, by distance to their bones."""
    hand = share[f"{side}_hand"]
    inside = np.flatnonzero(hand > 0.5)
    points = rest[inside]
    nearness = {f"{side}_hand": np.zeros(len(points), np.float32)}
    wrist = skeleton.head(f"{side}_hand")
    for finger in ("thumb", *FINGERS):
        joints = [skeleton.head(f"{side}_{finger}{n}") for n in (1, 2, 3)]
        joints.append(skeleton.head(f"{side}_{finger}_tip"))
        palm = _nearness(points, wrist, joints[0], PALM_CM)
        nearness[f"{side}_hand"] = np.maximum(nearness[f"{side}_hand"], palm)
        for number in range(3):
            nearness[f"{side}_{finger}{number + 1}"] = _nearness(
                points, joints[number], joints[number + 1], 1.0
            )
    total = sum(nearness.values())
    whole = hand[inside].copy()
    for name, value in nearness.items():
        part = np.zeros_like(hand) if name != f"{side}_hand" else hand.copy()
        part[inside] = whole * value / total
        share[name] = part


def _nearness(
    points: Points, start: Float64[np.ndarray, " 3"], stop: Float64[np.ndarray, " 3"], gain: float
) -> Distances:
    bone = stop - start
    along = np.clip((points - start) @ bone / (bone @ bone), 0, 1)
    distance = np.linalg.norm(points - start - along[:, None] * bone, axis=1)
    near: Distances = ((gain / np.maximum(distance, 0.05)) ** SEGMENT_POWER).astype(np.float32)
    return near


def skin_points(
    skeleton: Skeleton, transforms: Transforms, weights: Weights, points: Points
) -> Points:
    """Move rest points by the weighted mean of their bones' transforms."""
    matrices = np.stack([transforms[name][:3] for name in skeleton.names]).reshape(-1, 12)
    blended = (sparse.csr_matrix(weights) @ matrices.astype(np.float32)).reshape(-1, 3, 4)
    posed: Points = (np.einsum("nij,nj->ni", blended[:, :, :3], points) + blended[:, :, 3]).astype(
        np.float32
    )
    return posed


def repair_posed(rest: Points, posed: Points, faces: Faces) -> Points:
    """Undo the pinches of blend skinning where the body bends (head and hands stay as they are)."""
    mean = averaging_matrix(faces, len(rest))
    soft_rest, soft_posed = _mush(mean, rest), _mush(mean, posed)
    detail = np.einsum("nji,nj->ni", _frames(soft_rest, faces), rest - soft_rest)
    fixed = soft_posed + np.einsum("nij,nj->ni", _frames(soft_posed, faces), detail)
    x, y = np.abs(rest[:, 0]), rest[:, 1]
    share = (
        smooth_step(-x, -60.0, -54.0) * smooth_step(-y, -146.0, -140.0) * smooth_step(y, 12.0, 18.0)
    )
    result: Points = (posed + share[:, None] * (fixed - posed)).astype(np.float32)
    return result


def _mush(mean: sparse.csr_matrix, points: Points) -> Points:
    for _ in range(MUSH_ROUNDS):
        points = points + np.float32(MUSH_SHARE) * (mean @ points - points)
    return points


def _frames(points: Points, faces: Faces) -> Float32[np.ndarray, "V 3 3"]:
    """Return a frame at every vertex: the normal, and a tangent towards one fixed neighbour."""
    normal = vertex_normals(points, faces)
    neighbour = np.zeros(len(points), np.int64)
    neighbour[faces.ravel()] = faces[:, [1, 2, 0]].ravel()
    edge = points[neighbour] - points
    tangent = edge - (edge * normal).sum(axis=1, keepdims=True) * normal
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-9)
    return np.stack([normal, tangent, np.cross(normal, tangent)], axis=2)
