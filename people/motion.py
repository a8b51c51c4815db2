"""A dance: smooth motion through poses, with turns, arms before the body and a swing of the hips.

A pure function of (seed, index): key poses about every half second, blended along the shortest
turn of each bone, with small waves on top, while the whole figure turns about the vertical.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

from people.figure import POSES, Figure, rng_for
from people.pose import pose_rotations, pose_table
from people.skeleton import Rotations

MOTION_PURPOSE = 3
FRAMES_PER_KEY = 16
"""About half a second at 30 frames a second."""
STAYING = ("walk", "step")
"""Poses whose legs would slide when danced on the spot: only their arms are taken."""
WAVE_DEG = {"spine": 3.0, "chest": 4.0, "head": 5.0, "upper_arm": 6.0, "forearm": 8.0}
WAVE_FRAMES = 23.0
TURN_DEG_PER_KEY = 55.0


@dataclass(frozen=True, slots=True)
class Step:
    """One frame of a dance: bone rotations, and how far the figure has turned to its left."""

    rotations: Rotations
    heading_deg: float


def plan_dance(
    figure: Figure, seed: int, frames: int, *, clear: Callable[[Rotations], Rotations]
) -> tuple[Step, ...]:
    """Return the frames of a figure's dance; clear: what keeps arms out of the body in a pose."""
    rng = rng_for(seed, figure.index, MOTION_PURPOSE)
    count = -(-frames // FRAMES_PER_KEY) + 1
    keys = [clear(_draw_key(figure, rng)) for _ in range(count)]
    turns = np.cumsum(rng.uniform(-1, 1, count) * TURN_DEG_PER_KEY)
    turns -= turns[0]
    phases = dict(zip(sorted(keys[0]), rng.uniform(0, 2 * np.pi, len(keys[0])), strict=True))
    return tuple(_blend(keys, turns, phases, frame) for frame in range(frames))


def _draw_key(figure: Figure, rng: np.random.Generator) -> Rotations:
    name = POSES[int(rng.integers(len(POSES)))]
    table = pose_table()
    turns = dict(table.poses[name])
    kind = rng.random()
    if kind < 0.25:
        turns |= table.dance["crossing"]
    elif kind < 0.45:
        turns |= table.dance["raised"]
    if name in STAYING:
        turns = {bone: turn for bone, turn in turns.items() if _is_upper(bone)}
    return pose_rotations(figure.heft, table.relaxed | turns, rng)


def _is_upper(bone: str) -> bool:
    return bone.endswith(("arm", "hand", "clavicle")) or bone in ("spine", "chest", "neck", "head")


def _blend(
    keys: list[Rotations], turns: Float64[np.ndarray, " K"], phases: dict[str, float], frame: int
) -> Step:
    number, rest = divmod(frame, FRAMES_PER_KEY)
    share = rest / FRAMES_PER_KEY
    ease = share * share * (3 - 2 * share)
    first, second = keys[number], keys[min(number + 1, len(keys) - 1)]
    rotations = {
        bone: _wave(bone, _between(first[bone], second[bone], ease), frame, phases[bone])
        for bone in first
    }
    heading = turns[number] + ease * (turns[min(number + 1, len(turns) - 1)] - turns[number])
    return Step(rotations, float(heading))


def _between(
    first: Float64[np.ndarray, "3 3"], second: Float64[np.ndarray, "3 3"], share: float
) -> Float64[np.ndarray, "3 3"]:
    step = Rotation.from_matrix(first.T @ second).as_rotvec()
    matrix: Float64[np.ndarray, "3 3"] = first @ Rotation.from_rotvec(share * step).as_matrix()
    return matrix


def _wave(
    bone: str, rotation: Float64[np.ndarray, "3 3"], frame: int, phase: float
) -> Float64[np.ndarray, "3 3"]:
    size = WAVE_DEG.get(bone.split("_", 1)[-1], 0.0)
    if not size:
        return rotation
    angle = size * np.sin(2 * np.pi * frame / WAVE_FRAMES + phase)
    axis = "y" if bone in ("spine", "chest", "head") else "x"
    matrix: Float64[np.ndarray, "3 3"] = (
        Rotation.from_euler(axis, angle, degrees=True).as_matrix() @ rotation
    )
    return matrix
