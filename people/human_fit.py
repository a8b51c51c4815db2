"""A stand-in for the licensed SMPL-X model, learnt from our own bodies, and its fits to them.

It has the arrays that the `smplx` loader reads and nothing of the licensed model. Its ten shapes
are the principal ones of the joints of a sample of bodies; bones are SMPL-X's, joint by joint, so
that turns carry over as they are.
"""

import io
from dataclasses import dataclass, replace
from functools import cache

import igl
import numpy as np
from jaxtyping import Float64, Int32, Int64

from people.anny_assets import BODY_VERTICES
from people.figure import CM_PER_M
from people.human_body import HumanBody, PosedBody, build_body, pose_body
from people.human_joints import posed_joints
from people.human_mesh import piece_mesh
from people.human_skeleton import follower_weights, followers
from people.made_scan import FitPose
from people.smplx_fit import HAND_ORDER
from people.smplx_model import (
    HEAD,
    JAW,
    JOINTS,
    LEFT_EYE,
    NAMED_VERTICES,
    PARENTS,
    POSE_DIRECTIONS,
    RIGHT_EYE,
    SHAPE_DIRECTIONS,
    VERTICES,
    hand_arrays,
)
from people.traits import draw_traits

BODY_BONES: tuple[str | None, ...] = (
    "pelvis", "left_thigh", "right_thigh", "spine", "left_shin", "right_shin", "waist",
    "left_foot", "right_foot", "chest", "left_toes", "right_toes", "neck", "left_clavicle",
    "right_clavicle", "head", "left_upper_arm", "right_upper_arm", "left_forearm",
    "right_forearm", "left_hand", "right_hand", None, None, None,
)  # fmt: skip
"""Our bone of each of SMPL-X's first 25 joints."""
SAMPLE, SAMPLE_SEED, SHAPES = 40, 12_345, 10
SAMPLED_DETAILS = ("torso/", "hip/", "legs/", "hands/", "neck/")
"""Shape targets that move joints of the body; the face's are left out of the sample."""
SKIN_FACES = 12_000
"""Few enough that the skin's vertices fit among the model's."""


@dataclass(frozen=True, slots=True)
class ShapeSpace:
    """The stand-in's shapes, metres.

    mean, shapes: of its joints, then of the named vertices, flat. skin: mean and shapes of the
    vertices that its skin keeps. kept: those vertices. faces: into them.
    """

    mean: Float64[np.ndarray, " 228"]
    shapes: Float64[np.ndarray, "10 228"]
    skin: Float64[np.ndarray, "11 K 3"]
    kept: Int64[np.ndarray, " K"]
    faces: Int64[np.ndarray, "F 3"]


@cache
def joint_bones() -> tuple[str | None, ...]:
    """Return our bone of each of the 55 joints."""
    fingers = tuple(
        f"{side}_{finger}{part}"
        for side in ("left", "right")
        for finger in HAND_ORDER
        for part in (1, 2, 3)
    )
    return (*BODY_BONES, *fingers)


def rest_places(body: HumanBody) -> Float64[np.ndarray, "76 3"]:
    """Return SMPL-X's 55 joints and the 21 named vertices of a body at rest, metres."""
    rest = posed_joints(body, pose_body(body, {}))
    places = np.zeros((JOINTS + len(NAMED_VERTICES), 3))
    for number, bone in enumerate(joint_bones()):
        if bone is not None:
            places[number] = body.skeleton.head(bone)
    places[JAW], places[LEFT_EYE], places[RIGHT_EYE] = places[HEAD], rest[1], rest[2]
    places[JOINTS:] = rest[list(NAMED_VERTICES.values())]
    return places / CM_PER_M


@cache
def shape_space() -> ShapeSpace:
    """Learn the shapes from a sample of bodies."""
    bodies = [_sampled_body(index) for index in range(SAMPLE)]
    kept, faces = _coarse_skin(bodies[0])
    data = np.array([rest_places(body).ravel() for body in bodies])
    skin = np.array([body.rest[kept] for body in bodies], np.float64) / CM_PER_M
    mean = data.mean(axis=0)
    _, size, shapes = np.linalg.svd(data - mean, full_matrices=False)
    shapes = shapes[:SHAPES] * size[:SHAPES, None] / np.sqrt(SAMPLE)
    scores = (data - mean) @ np.linalg.pinv(shapes)
    middle = skin.mean(axis=0)
    steps = np.linalg.pinv(scores) @ (skin - middle).reshape(SAMPLE, -1)
    moved = np.concatenate([middle[None], steps.reshape(SHAPES, -1, 3)])
    return ShapeSpace(mean, shapes, moved, kept, faces)


def _sampled_body(index: int) -> HumanBody:
    traits = draw_traits(SAMPLE_SEED, index)
    details = {
        name: step for name, step in traits.details.items() if name.startswith(SAMPLED_DETAILS)
    }
    return build_body(replace(traits, details=details, expression="neutral"))


def _coarse_skin(body: HumanBody) -> tuple[Int64[np.ndarray, " K"], Int64[np.ndarray, "F 3"]]:
    """Return the skin's vertices that a coarse mesh keeps, and its faces."""
    faces = piece_mesh("skin", 0).faces.astype(np.int64)
    place = body.rest[:BODY_VERTICES].astype(np.float64)
    result = igl.decimate(place, faces, SKIN_FACES)
    return np.asarray(result[3], np.int64), np.asarray(result[1], np.int64)


def fit_human(body: HumanBody, posed: PosedBody) -> FitPose:
    """Return the shape and the turns under which the stand-in is nearest to a person."""
    space = shape_space()
    places = rest_places(body)
    betas = (places.ravel() - space.mean) @ np.linalg.pinv(space.shapes)
    turns = {
        number: posed.rotations[bone]
        for number, bone in enumerate(joint_bones())
        if bone is not None and bone in posed.rotations
    }
    model = (space.mean + betas @ space.shapes).reshape(-1, 3)
    # What ten shapes leave is shared by all joints, instead of being none at the pelvis.
    rest = places[0] + (model - places)[:JOINTS].mean(axis=0)
    pelvis = posed.transforms["pelvis"] @ [*body.skeleton.head("pelvis"), 1]
    return FitPose(betas, turns, rest, np.asarray(pelvis[:3]))


def format_human_model() -> bytes:
    """Return the stand-in as a `SMPLX_MALE.npz`, compressed."""
    space = shape_space()
    free = np.setdiff1d(np.arange(VERTICES), list(NAMED_VERTICES)).astype(np.int32)
    own, rows = free[:JOINTS], free[JOINTS : JOINTS + len(space.kept)]
    named = list(NAMED_VERTICES)
    levels = np.zeros((SHAPES + 1, VERTICES, 3))
    levels[:, rows] = space.skin
    flat = np.concatenate([space.mean[None], space.shapes]).reshape(SHAPES + 1, -1, 3)
    levels[:, own], levels[:, named] = flat[:, :JOINTS], flat[:, JOINTS:]
    directions = np.zeros((VERTICES, 3, SHAPE_DIRECTIONS))
    directions[..., :SHAPES] = np.moveaxis(levels[1:], 0, -1)
    regressor = np.zeros((JOINTS, VERTICES))
    regressor[np.arange(JOINTS), own] = 1
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        v_template=levels[0],
        f=rows[space.faces].astype(np.int64),
        kintree_table=np.array([PARENTS, range(JOINTS)], np.int64),
        J_regressor=regressor,
        weights=_weights(own, rows, space.kept),
        shapedirs=directions,
        posedirs=np.zeros((VERTICES, 3, POSE_DIRECTIONS), np.float32),
        lmk_faces_idx=np.zeros(51, np.int64),
        lmk_bary_coords=np.full((51, 3), 1 / 3),
        **hand_arrays(),  # type: ignore[arg-type]  # numpy takes the names for its flags
    )
    return buffer.getvalue()


def _weights(
    own: Int32[np.ndarray, " 55"], rows: Int32[np.ndarray, " K"], kept: Int64[np.ndarray, " K"]
) -> Float64[np.ndarray, "V 55"]:
    bones = joint_bones()
    weights = np.zeros((VERTICES, JOINTS))
    ours = follower_weights()[kept].toarray()
    for column, follower in enumerate(followers()):
        weights[rows, bones.index(follower.bone)] += ours[:, column]
    weights[own] = np.eye(JOINTS)
    for vertex, joint in NAMED_VERTICES.items():
        weights[vertex] = np.eye(JOINTS)[bones.index(_carrier(joint))]
    unset = weights.sum(axis=1) == 0
    weights[unset, 0] = 1
    return weights


def _carrier(joint: int) -> str:
    """Return the bone that carries a named COCO-WholeBody joint."""
    if joint < 5:
        return "head"
    if joint < 91:
        side = "left" if joint < 20 else "right"
        return f"{side}_{'foot' if joint in (19, 22) else 'toes'}"
    side, number = ("left", joint - 91) if joint < 112 else ("right", joint - 112)
    return f"{side}_{('thumb', 'index', 'middle', 'ring', 'pinky')[(number - 1) // 4]}3"
