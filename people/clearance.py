"""Arms that would pass through the body are lifted and straightened until they do not."""

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from people.dressed import Dressed, dressed_distance
from people.skeleton import Rotations, Skeleton, Transforms, pose_skeleton

CLEARANCE_CM = 2.6
"""Half a hand's thickness with its knuckles, or a wrist's."""
ELBOW_CLEARANCE_CM = 4.5
LIFT_DEG, UNBEND, ROUNDS = 2.0, 0.93, 14
"""In each round the arm is lifted so far, and this share of the elbow's bend is kept."""
TRUNK = ("pelvis", "spine", "chest")
HAND_POINTS = ("hand", "index1", "middle1", "ring1", "pinky1", "middle3")


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
    hand = np.array([_posed(skeleton, transforms, f"{side}_{name}") for name in HAND_POINTS])
    elbow = _posed(skeleton, transforms, f"{side}_forearm")
    middle = 0.5 * (elbow + hand[0])
    points = np.concatenate([hand, [elbow, middle]])
    expected = np.array([CLEARANCE_CM] * len(hand) + [ELBOW_CLEARANCE_CM] * 2)
    for carrier in (*TRUNK, f"{side}_thigh"):
        back = np.linalg.inv(transforms[carrier])
        rest = points @ back[:3, :3].T + back[:3, 3]
        if (dressed_distance(dressed, rest.astype(np.float32)) < expected).any():
            return False
    return True


def _posed(skeleton: Skeleton, transforms: Transforms, bone: str) -> Float64[np.ndarray, " 3"]:
    matrix = transforms[bone]
    place: Float64[np.ndarray, " 3"] = matrix[:3, :3] @ skeleton.head(bone) + matrix[:3, 3]
    return place
