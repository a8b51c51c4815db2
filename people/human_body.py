"""A naked person: shaped by traits, posed by rotations about the joints, measured in centimetres.

This is what clothes and hair are built on:

    body = build_body(draw_traits(seed, index))
    body.rest                  (19158, 3) base vertices in the T-pose: +x the person's left, y up,
                               facing +z, feet on y = 0
    posed = pose_body(body, rotations)
    posed.vertices             (19158, 3), the same vertices in the pose, feet on y = 0
    skin = piece_mesh("skin", level)          level 0: 26,756 triangles; 1: 107,024
    skin.place(posed.vertices), skin.faces    the skin as a closed triangle mesh
    vertex_groups()["helper-tights"]          rows of the files' own helper surfaces around the
                                              body: -tights, -skirt, -hair, ...
    body_regions()             (13380,) number in REGIONS of each skin vertex
    carry_points(posed, points, near)         T-pose points that follow the skin into the pose
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy import sparse

from people.anny_assets import BODY_VERTICES
from people.human_skeleton import (
    CM_PER_DM,
    bind_skeleton,
    follower_transforms,
    follower_weights,
    followers,
    share_along_spine,
    straighten,
    straightening,
)
from people.phenotype import shape_vertices, target_shares
from people.skeleton import Rotations, Skeleton, Transforms, pose_skeleton
from people.traits import Traits

Vertices = Float32[np.ndarray, "19158 3"]

REGIONS = (
    "hips", "belly", "chest", "neck", "head",
    "left_upper_arm", "right_upper_arm", "left_forearm", "right_forearm",
    "left_hand", "right_hand", "left_thigh", "right_thigh", "left_shin", "right_shin",
    "left_foot", "right_foot",
)  # fmt: skip
REGION_OF = {"pelvis": "hips", "spine": "belly", "waist": "belly", "clavicle": "chest",
             "toes": "foot"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HumanBody:
    """One shaped body.

    bind: base vertices in the files' own pose. to_rest: (B, 3, 4) transforms of the followers from
    there to the T-pose. rest: the vertices in the T-pose. skeleton: its joints in the T-pose.
    """

    traits: Traits
    bind: Vertices
    rest: Vertices
    to_rest: Float32[np.ndarray, "B 3 4"]
    skeleton: Skeleton

    @property
    def height_cm(self) -> float:
        """Return the height of the naked body in the T-pose."""
        return float(np.ptp(self.rest[:BODY_VERTICES, 1]))


@dataclass(frozen=True, slots=True)
class PosedBody:
    """A body in a pose, feet on y = 0.

    transforms: of the posed bones, from the T-pose. moves: (B, 3, 4), of the followers, from the
    T-pose.
    """

    rotations: Rotations
    vertices: Vertices
    transforms: Transforms
    moves: Float32[np.ndarray, "B 3 4"]


def build_body(traits: Traits) -> HumanBody:
    """Shape the base mesh by a person's traits and straighten it into the T-pose."""
    shares = target_shares(traits.phenotype) | traits.shares
    places = shape_vertices(shares) * CM_PER_DM
    bind = bind_skeleton(places)
    turns = straightening(bind)
    skeleton, transforms = straighten(bind, turns)
    to_rest = np.stack([transforms[follower.bone][:3] for follower in followers()]).astype(
        np.float32
    )
    vertices = places.astype(np.float32)
    rest = _blend(to_rest, vertices)
    floor = rest[:BODY_VERTICES, 1].min()
    to_rest[:, 1, 3] -= floor
    lowered = Skeleton(
        skeleton.names,
        skeleton.parents,
        skeleton.heads - np.array([0.0, floor, 0.0]),
        {name: place - np.array([0.0, floor, 0.0]) for name, place in skeleton.points.items()},
    )
    rest[:, 1] -= floor
    return HumanBody(traits, vertices, rest, to_rest, lowered)


def pose_body(body: HumanBody, rotations: Rotations) -> PosedBody:
    """Bend a body into a pose and set it on the floor."""
    rotations = share_along_spine(rotations)
    transforms = pose_skeleton(body.skeleton, rotations)
    moves = follower_transforms(body.skeleton, transforms, rotations)
    vertices = _blend(_chain(moves, body.to_rest), body.bind)
    lift = vertices[:BODY_VERTICES, 1].min()
    vertices[:, 1] -= lift
    moves[:, 1, 3] -= lift
    for matrix in transforms.values():
        matrix[1, 3] -= lift
    return PosedBody(rotations, vertices, transforms, moves)


def _chain(
    later: Float32[np.ndarray, "B 3 4"], first: Float32[np.ndarray, "B 3 4"]
) -> Float32[np.ndarray, "B 3 4"]:
    chained = later[:, :, :3] @ first
    chained[:, :, 3] += later[:, :, 3]
    return np.asarray(chained)


def _blend(moves: Float32[np.ndarray, "B 3 4"], points: Vertices) -> Vertices:
    return move_points(follower_weights(), moves, points)


def move_points(
    weights: sparse.csr_matrix, moves: Float32[np.ndarray, "B 3 4"], points: np.ndarray
) -> Float32[np.ndarray, "N 3"]:
    """Move points by the weighted means of the followers' transforms; weights: (N, B)."""
    blended = (weights @ moves.reshape(len(moves), -1)).reshape(-1, 3, 4)
    moved: Float32[np.ndarray, "N 3"] = (
        np.einsum("nij,nj->ni", blended[:, :, :3], points) + blended[:, :, 3]
    ).astype(np.float32)
    return moved


def bind_to_pose(
    body: HumanBody, posed: PosedBody, points: Float64[np.ndarray, "N 3"], near: sparse.csr_matrix
) -> Float32[np.ndarray, "N 3"]:
    """Carry points in the files' own pose into a pose; near: as for `carry_points`."""
    weights = sparse.csr_matrix(near @ follower_weights())
    return move_points(weights, _chain(posed.moves, body.to_rest), points)


def carry_points(
    posed: PosedBody,
    points: Float32[np.ndarray, "N 3"] | Float64[np.ndarray, "N 3"],
    near: sparse.csr_matrix,
) -> Float32[np.ndarray, "N 3"]:
    """Carry T-pose points into a pose, as the skin near them goes.

    near: (N, 19158), rows sum to one: on which base vertices each point leans.
    """
    return move_points(sparse.csr_matrix(near @ follower_weights()), posed.moves, points)


@cache
def body_regions() -> Int32[np.ndarray, " 13380"]:
    """Return the number in REGIONS of each skin vertex: the part of its strongest bone."""
    names = [follower.bone for follower in followers()]
    region = [REGIONS.index(_region_of(name)) for name in names]
    strength = np.zeros((BODY_VERTICES, len(REGIONS)), np.float32)
    weights = follower_weights()[:BODY_VERTICES].toarray()
    for column, number in enumerate(region):
        strength[:, number] += weights[:, column]
    return np.asarray(strength.argmax(axis=1), np.int32)


def _region_of(bone: str) -> str:
    is_sided = bone.startswith(("left_", "right_"))
    side, _, part = bone.partition("_") if is_sided else ("", "", bone)
    part = REGION_OF.get(part, part)
    if part in REGIONS:
        return part
    named = f"{side}_{part}"
    return named if named in REGIONS else f"{side}_hand"
