"""Where threads and stripes of a garment run: centimetres across and along the cloth of its panels.

The files' texture coordinates are stretched on chest, sleeves and skirts. Cloth is cut in panels
instead: stripes lie level on trunk and legs and around sleeves, patterns meet at seams.
"""

from functools import cache
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64

from people.garment_surfaces import joint_cm
from people.pixels import Plane

Panels = Literal["trunk", "legs", "none"]

LEVEL_CM = 2.0
"""Between two measurements of a garment's half width."""
CROTCH_CM = 76.0
ARMHOLE = 0.42
"""Share of the arm where trunk and sleeve are sewn together."""
SLEEVE_RADIUS_CM = 6.0
ROOM = 1.04
BACK_SHIFT_CM = 1.3
"""Patterns of front and back do not meet: few tailors match them."""


def panel_grain(
    panels: Panels, values: Float32[np.ndarray, "T 7"], fields: Float32[np.ndarray, "h w 7"]
) -> tuple[Plane, Plane]:
    """Return centimetres across and along the cloth at texels; panels: trunk or legs.

    values, fields: `Cloth.values` at the garment's points and at texels.
    """
    x, y, z = (fields[..., axis] for axis in range(3))
    middle = _leg_axis(y) if panels == "legs" else np.zeros_like(y)
    half = _half_width(panels, values, y)
    across = (np.abs(x) if panels == "legs" else x) - middle
    turned = half * np.arcsin(np.clip(across / half, -1, 1))
    if panels == "legs":
        flat = np.clip((y - CROTCH_CM) / 6 + 1, 0, 1) * (across < 0)
        turned = turned + flat * (across - turned)
    u = turned + np.where(z < 0, BACK_SHIFT_CM, 0)
    on_sleeve = fields[..., 4] > ARMHOLE
    if panels == "trunk" and on_sleeve.any():
        u = np.where(on_sleeve, _around_arm(fields), u)
        y = np.where(on_sleeve, fields[..., 3], y)
    return np.asarray(u, np.float32), np.asarray(y, np.float32)


def _leg_axis(y: Float32[np.ndarray, "..."]) -> Float32[np.ndarray, "..."]:
    """Return how far to the side a leg's middle is at each height."""
    levels, aside = _leg_line()
    return np.asarray(np.interp(y, levels, aside), np.float32)


@cache
def _leg_line() -> tuple[Float64[np.ndarray, " 3"], Float64[np.ndarray, " 3"]]:
    joints = np.array([joint_cm(f"l-{name}") for name in ("ankle", "knee", "upper-leg")])
    return joints[:, 1], joints[:, 0]


def _half_width(panels: Panels, values: Float32[np.ndarray, "T 7"], y: Plane) -> Plane:
    """Return half the width of trunk, skirt or leg at each height."""
    own = values[values[:, 4] < ARMHOLE]
    across = np.abs(own[:, 0])
    if panels == "legs":
        across = across - _leg_axis(own[:, 1])
    bottom = float(own[:, 1].min())
    level = ((own[:, 1] - bottom) / LEVEL_CM).astype(int)
    widest = np.zeros(int(level.max()) + 1)
    np.maximum.at(widest, level, across)
    widest = np.maximum(widest, 1.0)
    padded = np.pad(widest, 2, mode="edge")
    smooth = np.convolve(padded, np.full(5, 0.2), mode="valid")
    levels = bottom + (np.arange(len(widest)) + 0.5) * LEVEL_CM
    return np.asarray(ROOM * np.interp(y, levels, np.maximum(smooth, widest)), np.float32)


def _around_arm(fields: Float32[np.ndarray, "h w 7"]) -> Plane:
    """Return centimetres around the arm from its upper side."""
    shoulder, elbow, wrist = (joint_cm(f"l-{name}") for name in ("shoulder", "elbow", "hand"))
    place = fields[..., :3] * np.where(fields[..., :1] < 0, [-1.0, 1.0, 1.0], 1.0)
    along = (wrist - shoulder) / np.linalg.norm(wrist - shoulder)
    ahead = np.array([0.0, 0.0, 1.0]) - along[2] * along
    ahead /= np.linalg.norm(ahead)
    above = np.cross(ahead, along)
    above *= np.sign(above[1])
    lower = (fields[..., 3] > np.linalg.norm(elbow - shoulder))[..., None]
    away = place - np.where(lower, elbow, shoulder)
    return np.asarray(SLEEVE_RADIUS_CM * np.arctan2(away @ ahead, away @ above), np.float32)
