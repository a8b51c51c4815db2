"""A stand-in for the licensed SMPL-X model file, made of our own canonical figure.

It has the arrays that the `smplx` loader reads, nothing of the licensed model, and the joints of
our people exactly: each joint and each named point has a vertex of its own. The other vertices are
the canonical figure's skin, which the pose moves as ours is moved.
Source of the layout: docs/keypoints.md, "SMPL-X model file"; numbers of joints and vertices:
the smplx package (joint_names, vertex_ids).
"""

import io
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float64, Int32, Shaped

from people.body import body_distance, build_body
from people.figure import CANONICAL_HEIGHT_CM, CM_PER_M, Figure, draw_figure
from people.meshing import extract_surface
from people.skeleton import SHIFT_PER_SHOULDERS_CM, build_skeleton, shoulder_shift_cm
from people.skinning import bone_weights
from people.smplx_fit import HAND_ORDER, curl_axis_angles, joint_bones
from people.wholebody import rest_joints

Arrays = dict[str, Shaped[np.ndarray, "..."]]

VERTICES, JOINTS = 10475, 55
SHAPE_DIRECTIONS, POSE_DIRECTIONS, HAND_COMPONENTS = 20, 486, 45
SPACING_CM = 2.4
"""Coarse enough for fewer skin vertices than the model has."""
PARENTS = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 15, 15, 15,
    20, 25, 26, 20, 28, 29, 20, 31, 32, 20, 34, 35, 20, 37, 38,
    21, 40, 41, 21, 43, 44, 21, 46, 47, 21, 49, 50, 21, 52, 53,
)  # fmt: skip
NAMED_VERTICES = {
    9120: 0, 9929: 2, 9448: 1, 616: 4, 6: 3, 5770: 17, 5780: 18, 8846: 19, 8463: 20, 8474: 21,
    8635: 22, 5361: 95, 4933: 99, 5058: 103, 5169: 107, 5286: 111, 8079: 116, 7669: 120,
    7794: 124, 7905: 128, 8022: 132,
}  # fmt: skip
"""Vertex numbers that the loader picks as joints, and our COCO-WholeBody joint at each."""
SPINE_1, SPINE_2, SPINE_3, HEAD, JAW, LEFT_EYE, RIGHT_EYE = 3, 6, 9, 15, 22, 23, 24


@dataclass(frozen=True, slots=True)
class Places:
    """Rest places of one shape, canonical centimetres.

    joints: SMPL-X's. named: our COCO-WholeBody joints at NAMED_VERTICES, in that order.
    """

    joints: Float64[np.ndarray, "55 3"]
    named: Float64[np.ndarray, "21 3"]


def format_model() -> bytes:
    """Return the stand-in `SMPLX_MALE.npz`, compressed."""
    buffer = io.BytesIO()
    arrays = build_model()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # numpy takes the names for its flags
    return buffer.getvalue()


def build_model() -> Arrays:
    """Return the stand-in's arrays, metres."""
    figure = canonical_figure()
    free = np.setdiff1d(np.arange(VERTICES), list(NAMED_VERTICES)).astype(np.int32)
    own = free[:JOINTS]
    skin, faces = extract_surface(partial(body_distance, build_body(figure)), SPACING_CM)
    rows = free[JOINTS : JOINTS + len(skin)]
    template = np.zeros((VERTICES, 3))
    template[rows] = skin
    _set_places(template, own, rest_places(figure, head_size=1.0))
    regressor = np.zeros((JOINTS, VERTICES))
    regressor[np.arange(JOINTS), own] = 1
    return {
        "v_template": template / CM_PER_M,
        "f": rows[faces].astype(np.int64),
        "kintree_table": np.array([PARENTS, range(JOINTS)], np.int64),
        "J_regressor": regressor,
        "weights": _weights(figure, template, own),
        "shapedirs": _shape_directions(figure, template, own) / CM_PER_M,
        "posedirs": np.zeros((VERTICES, 3, POSE_DIRECTIONS), np.float32),
        "lmk_faces_idx": np.zeros(51, np.int64),
        "lmk_bary_coords": np.full((51, 3), 1 / 3),
        **hand_arrays(),
    }


def canonical_figure() -> Figure:
    """Return the figure that the stand-in is made of: its shoulders are not shifted."""
    figure = replace(
        draw_figure(0, 0),
        female=False,
        heft=0.0,
        muscle=0.0,
        shoulders=0.0,
        head=1.0,
        height_cm=CANONICAL_HEIGHT_CM,
    )
    return replace(figure, shoulders=-shoulder_shift_cm(figure) / SHIFT_PER_SHOULDERS_CM)


def rest_places(figure: Figure, *, head_size: float) -> Places:
    """Return where a figure's joints and named points lie at rest."""
    skeleton = build_skeleton(figure)
    wholebody, _ = rest_joints(skeleton, replace(build_body(figure).head, size=head_size))
    joints = np.zeros((JOINTS, 3))
    for number, bone in enumerate(joint_bones()):
        if bone is not None:
            joints[number] = skeleton.head(bone)
    joints[SPINE_2] = 0.5 * (joints[SPINE_1] + joints[SPINE_3])
    joints[JAW], joints[LEFT_EYE], joints[RIGHT_EYE] = joints[HEAD], wholebody[1], wholebody[2]
    return Places(joints, wholebody[list(NAMED_VERTICES.values())])


def _set_places(
    target: Float64[np.ndarray, "V 3"], own: Int32[np.ndarray, " 55"], places: Places
) -> None:
    target[own] = places.joints
    target[list(NAMED_VERTICES)] = places.named


def _shape_directions(
    figure: Figure, template: Float64[np.ndarray, "V 3"], own: Int32[np.ndarray, " 55"]
) -> Float64[np.ndarray, "V 3 20"]:
    """Return what size, one centimetre of shoulder shift and double head size move, centimetres."""
    still = rest_places(figure, head_size=1.0)
    wider = replace(figure, shoulders=figure.shoulders + 1 / SHIFT_PER_SHOULDERS_CM)
    shapes = np.zeros((VERTICES, 3, SHAPE_DIRECTIONS))
    shapes[..., 0] = template
    for column, moved in (
        (1, rest_places(wider, head_size=1.0)),
        (2, rest_places(figure, head_size=2.0)),
    ):
        step = Places(moved.joints - still.joints, moved.named - still.named)
        _set_places(shapes[..., column], own, step)
    return shapes


def _weights(
    figure: Figure, template: Float64[np.ndarray, "V 3"], own: Int32[np.ndarray, " 55"]
) -> Float64[np.ndarray, "V 55"]:
    skeleton, bones = build_skeleton(figure), joint_bones()
    ours = bone_weights(figure, skeleton, template.astype(np.float32))
    weights = np.zeros((VERTICES, JOINTS))
    for number, bone in enumerate(bones):
        if bone is not None:
            weights[:, number] = ours[:, skeleton.names.index(bone)]
    weights[own] = np.eye(JOINTS)
    _, carriers = rest_joints(skeleton, build_body(figure).head)
    for vertex, joint in NAMED_VERTICES.items():
        weights[vertex] = np.eye(JOINTS)[bones.index(carriers[joint])]
    return weights


def hand_arrays() -> Arrays:
    """Return the hands' components: one curls one finger."""
    arrays: Arrays = {}
    for side in ("left", "right"):
        components = np.eye(HAND_COMPONENTS)
        for row, finger in enumerate(HAND_ORDER):
            components[row] = 0
            components[row, 9 * row : 9 * row + 9] = curl_axis_angles(side, finger).ravel()
        arrays[f"hands_components{side[0]}"] = components
        arrays[f"hands_mean{side[0]}"] = np.zeros(HAND_COMPONENTS)
    return arrays
