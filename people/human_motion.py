"""How lifelike people move in videos: dances from pose to pose, and walks on the spot.

A dance blends studio poses along the shortest turn of each bone; feet keep their places or step to
new ones, because the legs are solved again in every frame. A walk follows the CC0 walk cycle of the
assets: how far ahead and how high each foot is, and how pelvis and heels turn.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

from people.anny_assets import read_walk_cycle
from people.arm_room import arm_gap_cm
from people.figure import read_table, rng_for
from people.human_body import HumanBody, pose_body
from people.human_pose import TABLE, hold_pose, stance_goals
from people.human_skeleton import share_along_spine
from people.leg_solver import SIDES, FootGoal, balance, solve_legs
from people.limb_reach import Vector
from people.motion import FRAMES_PER_KEY, TURN_DEG_PER_KEY, Step
from people.skeleton import Rotations

MOTION_PURPOSE = 31
WALK_SHARE = 0.3
"""Of all videos."""
STEP_CM = 4.0
"""How high a foot is lifted to its next place."""
WAVE_DEG, WAVE_FRAMES = {"spine": 2.5, "chest": 3.0, "head": 4.0}, 21.0
ROUNDS, LIFT_DEG, MIN_GAP_CM = 8, 4.0, 0.8
CYCLE_FRAMES, CYCLE_LEG_CM = 40, 76.4
"""Of the walk cycle. Source: the file's own `leg_length`."""
SWING_DEG = 17.0
"""How far arms swing ahead."""


@dataclass(frozen=True, slots=True)
class Key:
    """A pose of a dance. rotations: without the legs'. shift: of the pelvis."""

    rotations: Rotations
    goals: dict[str, FootGoal]
    shift: Vector


def plan_human_motion(body: HumanBody, frames: int) -> tuple[Step, ...]:
    """Return the frames of a person's video, 30 a second: a pure function of the body's traits."""
    rng = rng_for(body.traits.seed, body.traits.index, MOTION_PURPOSE)
    if rng.random() < WALK_SHARE:
        return walk(body, frames, rng)
    count = -(-frames // FRAMES_PER_KEY) + 1
    keys = [_draw_key(body, rng) for _ in range(count)]
    turns = np.cumsum(rng.uniform(-1, 1, count) * TURN_DEG_PER_KEY)
    phase = float(rng.uniform(0, 2 * np.pi))
    return tuple(_dance(body, keys, turns - turns[0], phase, frame) for frame in range(frames))


def _draw_key(body: HumanBody, rng: np.random.Generator) -> Key:
    table = read_table(TABLE)
    stances = [name for name in sorted(table["stances"]) if name != "stepping"]
    pairs = sorted(table["pairs"])
    stance = stances[int(rng.integers(len(stances)))]
    swapped = bool(rng.integers(2))
    pair = pairs[int(rng.integers(len(pairs)))]
    rotations = hold_pose(body, stance, pair, rng, swapped=swapped)
    goals, share = stance_goals(body, stance, swapped=swapped)
    _, shift = balance(body, rotations, goals, share)
    return Key(rotations, goals, shift)


def _dance(
    body: HumanBody, keys: list[Key], turns: Float64[np.ndarray, " K"], phase: float, frame: int
) -> Step:
    number, rest = divmod(frame, FRAMES_PER_KEY)
    share = rest / FRAMES_PER_KEY
    ease = share * share * (3 - 2 * share)
    first, second = keys[number], keys[min(number + 1, len(keys) - 1)]
    rotations = {
        bone: _between(first.rotations[bone], second.rotations[bone], ease)
        for bone in first.rotations
    }
    for bone, degrees in WAVE_DEG.items():
        angle = degrees * np.sin(2 * np.pi * frame / WAVE_FRAMES + phase)
        rotations[bone] = rotations[bone] @ _about("y", float(angle))
    goals = {side: _foot_between(first.goals[side], second.goals[side], ease) for side in SIDES}
    shift = first.shift + ease * (second.shift - first.shift)
    rotations = keep_arms_clear(body, rotations | solve_legs(body, rotations, goals, shift))
    last = turns[min(number + 1, len(turns) - 1)]
    return Step(rotations, float(turns[number] + ease * (last - turns[number])))


def _between(
    first: Float64[np.ndarray, "3 3"], second: Float64[np.ndarray, "3 3"], share: float
) -> Float64[np.ndarray, "3 3"]:
    turn = Rotation.from_matrix(first.T @ second) ** share
    return np.asarray(first @ turn.as_matrix())


def _about(axis: str, degrees: float) -> Float64[np.ndarray, "3 3"]:
    return np.asarray(Rotation.from_euler(axis, degrees, degrees=True).as_matrix())


def _foot_between(first: FootGoal, second: FootGoal, share: float) -> FootGoal:
    """Move a foot to its next place through the air."""
    step = second.ankle - first.ankle
    far = min(1.0, float(np.linalg.norm(step)) / STEP_CM)
    lift = np.array([0.0, STEP_CM * far * np.sin(np.pi * share), 0.0])
    return FootGoal(
        first.ankle + share * step + lift,
        first.toe_out_deg + share * (second.toe_out_deg - first.toe_out_deg),
        first.pitch_deg + share * (second.pitch_deg - first.pitch_deg),
    )


def keep_arms_clear(body: HumanBody, rotations: Rotations) -> Rotations:
    """Return a pose whose arms give way sideways where they would enter the body."""
    for _ in range(ROUNDS):
        posed = pose_body(body, share_along_spine(rotations))
        tight = [side for side in SIDES if arm_gap_cm(posed, side) < MIN_GAP_CM]
        for side in tight:
            lift = _about("z", LIFT_DEG if side == "left" else -LIFT_DEG)
            bone = f"{side}_upper_arm"
            rotations = rotations | {bone: lift @ rotations[bone]}
        if not tight:
            break
    return rotations


def walk(body: HumanBody, frames: int, rng: np.random.Generator) -> tuple[Step, ...]:
    """Return a walk on the spot, 30 frames a second, turning slowly."""
    rotations = hold_pose(body, "even", "hanging", rng)
    goals, _ = stance_goals(body, "even", swapped=False)
    start, turn = float(rng.uniform(0, CYCLE_FRAMES)), float(rng.uniform(-1.5, 1.5))
    return tuple(
        Step(_stride(body, rotations, goals, start + frame), turn * frame)
        for frame in range(frames)
    )


def _stride(
    body: HumanBody, rotations: Rotations, goals: dict[str, FootGoal], frame: float
) -> Rotations:
    cycle = read_walk_cycle()
    phase = frame % CYCLE_FRAMES
    leg = body.skeleton.head("left_thigh")[1] - body.skeleton.head("left_foot")[1]
    scale = float(leg) / CYCLE_LEG_CM
    root = _curve(cycle.root_ahead)(phase)
    feet = {}
    for side in SIDES:
        ahead = _curve(cycle.foot_ahead[side])(phase) - root
        ahead = ahead - float(np.mean(cycle.foot_ahead["left"] - cycle.root_ahead))
        lift, pitch = (
            _curve(rows[side])(phase) for rows in (cycle.foot_lift, cycle.foot_pitch_deg)
        )
        place = goals[side].ankle * np.array([0.75, 1, 1])
        place = place + scale * np.array([0.0, max(0.0, float(lift)), float(ahead)])
        feet[side] = FootGoal(place, 5.0, float(pitch))
    angle = 2 * np.pi * phase / CYCLE_FRAMES
    swing = SWING_DEG * float(np.cos(angle))
    yaw, roll = (
        float(_curve(rows)(phase)) for rows in (cycle.pelvis_yaw_deg, cycle.pelvis_roll_deg)
    )
    moved = dict(rotations)
    moved["pelvis"] = _about("y", yaw) @ _about("z", roll)
    moved["chest"] = _about("y", -1.4 * yaw) @ _about("z", -roll)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        bone = f"{side}_upper_arm"
        moved[bone] = _about("x", sign * swing) @ moved[bone]
    moved |= solve_legs(body, moved, feet, np.array([0.0, 0.0, 2.0]))
    return keep_arms_clear(body, moved)


def _curve(values: Float64[np.ndarray, " K"]) -> CubicSpline:
    """Return a smooth curve through values at equal steps of the cycle."""
    times = np.linspace(0, CYCLE_FRAMES, len(values))
    return CubicSpline(times, values)
