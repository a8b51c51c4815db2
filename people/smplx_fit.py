"""SMPL-X parameters under which the stand-in model's joints are a person's own joints.

Shape: size, shoulder width and head size are the stand-in's first three directions. Pose: our
bones turn about the same joints in the same rest axes, so rotations carry over as they are; a hand
component curls one finger. Source of the layout: docs/keypoints.md, shapes of the published fits.
"""

import pickle

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from people.figure import CM_PER_M, Figure
from people.made_scan import FitPose, MadeScan
from people.person import Person
from people.pose import CURL_DEG
from people.skeleton import build_skeleton, shoulder_shift_cm

HAND_NUMBERS = 12
BODY_JOINTS: tuple[str | None, ...] = (
    "pelvis", "left_thigh", "right_thigh", "spine", "left_shin", "right_shin", None, "left_foot",
    "right_foot", "chest", "left_toes", "right_toes", "neck", "left_clavicle", "right_clavicle",
    "head", "left_upper_arm", "right_upper_arm", "left_forearm", "right_forearm", "left_hand",
    "right_hand", None, None, None,
)  # fmt: skip
"""Our bone of each of SMPL-X's first 25 joints; None: one that our figures do not have."""
HAND_JOINTS = {"left": 25, "right": 40}
"""The first of each hand's fifteen joints."""
HAND_ORDER = ("index", "middle", "pinky", "ring", "thumb")


def joint_bones() -> tuple[str | None, ...]:
    """Return our bone of each of the 55 joints."""
    hands = tuple(
        f"{side}_{finger}{number}"
        for side in ("left", "right")
        for finger in HAND_ORDER
        for number in (1, 2, 3)
    )
    return (*BODY_JOINTS, *hands)


def finish_person(person: Person) -> MadeScan:
    """Return an older kind of person as it is written."""
    return MadeScan(
        person.model.figure.index,
        person.posed.vertices,
        person.model.faces,
        person.model.atlas,
        person.texture,
        person.joints,
        fit_pose(person),
    )


def fit_pose(person: Person) -> FitPose:
    """Return the fit of an older kind of person: joints' turns carry over as they are."""
    figure, rotations = person.model.figure, person.rotations
    turns = {
        number: rotations[bone]
        for number, bone in enumerate(joint_bones())
        if bone is not None and bone in rotations
    }
    rest = build_skeleton(figure).head("pelvis") * figure.scale / CM_PER_M
    betas = _betas(figure, person.model.dressed.body.head.size)
    return FitPose(betas, turns, rest, person.posed.pelvis)


def format_fit(
    fit: FitPose,
    heading: Float64[np.ndarray, "3 3"],
    units_per_m: float,
    offset: Float64[np.ndarray, " 3"],
) -> bytes:
    """Return the `smplx_param.pkl` of a scan in coordinates heading @ cm * units / 100 + offset.

    A pickle of plain float32 arrays in the shapes of the published release A, protocol 2.
    """
    posed = heading @ fit.posed_pelvis_cm * units_per_m / CM_PER_M + offset
    arrays = {
        "betas": fit.betas[None],
        "global_orient": _axis_angle(heading @ fit.turns.get(0, np.eye(3)))[None],
        "body_pose": _body_pose(fit)[None],
        "left_hand_pose": _hand_numbers(fit, "left")[None],
        "right_hand_pose": _hand_numbers(fit, "right")[None],
        **{name: np.zeros((1, 3)) for name in ("jaw_pose", "leye_pose", "reye_pose")},
        "expression": np.zeros((1, 10)),
        "scale": np.array([units_per_m]),
        "translation": posed - units_per_m * fit.rest_pelvis_m,
    }
    plain = {name: value.astype(np.float32) for name, value in arrays.items()}
    return pickle.dumps(plain, protocol=2)


def curl_axis_angles(side: str, finger: str) -> Float64[np.ndarray, "3 3"]:
    """Return the axis-angles of a finger's three joints, curled with strength one."""
    mirrored = 1.0 if side == "left" else -1.0
    turns = np.zeros((3, 3))
    if finger == "thumb":
        turns[:, 1] = -np.radians(CURL_DEG["thumb"]) * mirrored
    else:
        turns[:, 2] = np.radians(CURL_DEG["fingers"]) * mirrored
    return turns


def _axis_angle(matrix: Float64[np.ndarray, "3 3"]) -> Float64[np.ndarray, " 3"]:
    vector: Float64[np.ndarray, " 3"] = Rotation.from_matrix(matrix).as_rotvec()
    return vector


def _betas(figure: Figure, head_size: float) -> Float64[np.ndarray, " 10"]:
    size = figure.scale
    betas = np.zeros(10)
    betas[:3] = size - 1, size * shoulder_shift_cm(figure), size * (head_size - 1)
    return betas


def _body_pose(fit: FitPose) -> Float64[np.ndarray, " 63"]:
    turns = [fit.turns.get(number, np.eye(3)) for number in range(1, 22)]
    return np.concatenate([_axis_angle(turn) for turn in turns])


def _hand_numbers(fit: FitPose, side: str) -> Float64[np.ndarray, " 12"]:
    """Return how strongly each finger is curled: the hand components' coefficients."""
    numbers = np.zeros(HAND_NUMBERS)
    first_joint = HAND_JOINTS[side]
    for row, finger in enumerate(HAND_ORDER):
        turn = _axis_angle(fit.turns.get(first_joint + 3 * row, np.eye(3)))
        first = curl_axis_angles(side, finger)[0]
        numbers[row] = turn @ first / (first @ first)
    return numbers
