"""Does a sample show a person as people are? Size, posture and place, each breach a finding.

Size is judged on the body, not on its box: people crouch, kneel and raise their arms.
"""

import math
from collections.abc import Iterator
from typing import cast

import numpy as np
from jaxtyping import Float64

from schemas.codecs import bounding_window
from schemas.keypoints import JOINT_COUNT, JOINTS
from tasks.checks.findings import Breach
from tasks.dataset.stored_sample import StoredSample

SHOULDERS, HIPS, KNEES, ANKLES = (5, 6), (11, 12), (13, 14), (15, 16)
"""Numbers here, left and right. Source: docs/keypoints.md, "The 31 joints"."""

BODY_PARTS_OF_STATURE = 0.245 + 0.246 + 0.288
"""Thigh, shank and trunk (hip to shoulder) by stature. Source: Drillis and Contini, 1966."""

PLAUSIBLE_STATURE_M = (0.8, 2.3)
"""From a small child to the tallest of basketball; wrong units are off by tens."""

MAX_LEAN_DEG = 60.0
"""Of the line from ankles to shoulders against the vertical: scans are of people who stand or sit.
"""

BOX_MARGIN = 0.05
"""Of the mask's larger side, by which a joint may lie outside its box: annotations are rough."""


def check_plausibility(sample: StoredSample) -> Iterator[Breach]:
    """Look at one sample; joints that are unknown prove nothing."""
    yield from _check_place(sample)
    points = sample.numbers("joints_camera").reshape(JOINT_COUNT, 3)
    yield from _check_size(points, cast("float", sample.row["metres_per_unit"]))
    yield from _check_posture(points, _up_in_camera(sample))


def estimate_stature(
    points: Float64[np.ndarray, "31 3"],
) -> float | None:
    """Estimate how tall a body would stand, from its limbs and trunk; in the points' unit.

    None when hips, shoulders, or all legs are unknown.
    """
    hips, shoulders = (points[list(pair)].mean(axis=0) for pair in (HIPS, SHOULDERS))
    trunk = np.linalg.norm(shoulders - hips)
    legs = [
        np.linalg.norm(points[hip] - points[knee]) + np.linalg.norm(points[knee] - points[ankle])
        for hip, knee, ankle in zip(HIPS, KNEES, ANKLES, strict=True)
    ]
    known = [leg for leg in legs if np.isfinite(leg)]
    if not known or not np.isfinite(trunk):
        return None
    return float((np.mean(known) + trunk) / BODY_PARTS_OF_STATURE)


def _check_place(sample: StoredSample) -> Iterator[Breach]:
    if not sample.mask.any():
        yield Breach("mask", "no pixel", "a person")
        return
    left, top, right, bottom = bounding_window(sample.mask)
    height, width = sample.mask.shape
    if left == 0 or top == 0 or right == width - 1 or bottom == height - 1:
        yield Breach("person", "cut by the edge of the image", "whole inside the image")
    margin = BOX_MARGIN * max(right - left, bottom - top)
    low = np.array([left, top]) - margin
    high = np.array([right, bottom]) + 1 + margin
    pixels, known = sample.keypoints[:, :2], sample.keypoints[:, 2] > 0
    outside = known & ((pixels < low) | (pixels > high)).any(axis=1)
    if outside.any():
        names = ", ".join(JOINTS[joint].name for joint in np.flatnonzero(outside))
        yield Breach("keypoints", f"{names} outside the mask's box", "inside it")


def _check_size(points: Float64[np.ndarray, "31 3"], metres_per_unit: float) -> Iterator[Breach]:
    stature = estimate_stature(points)
    low, high = PLAUSIBLE_STATURE_M
    if stature is not None and not low <= stature * metres_per_unit <= high:
        found = f"a body that would stand {stature * metres_per_unit:.3g} m tall"
        yield Breach("metres_per_unit", found, f"{low} to {high} m")


def _check_posture(
    points: Float64[np.ndarray, "31 3"], up: Float64[np.ndarray, " 3"]
) -> Iterator[Breach]:
    line = points[list(SHOULDERS)].mean(axis=0) - points[list(ANKLES)].mean(axis=0)
    length = float(np.linalg.norm(line))
    if not length > 0:  # also NaN: shoulders or ankles unknown
        return
    lean = math.degrees(math.acos(np.clip(line @ up / length, -1, 1)))
    if lean > MAX_LEAN_DEG:
        found = f"shoulders {lean:.0f} degrees off the vertical above the ankles"
        yield Breach("person", found, f"upright, at most {MAX_LEAN_DEG:.0f} degrees")


def _up_in_camera(sample: StoredSample) -> Float64[np.ndarray, " 3"]:
    """Return where the scan's own y axis points, camera axes, unit length."""
    mesh_to_world = sample.numbers("mesh_to_world").reshape(4, 4)
    up = sample.camera.world_to_camera[:3, :3] @ mesh_to_world[:3, 1]
    unit: Float64[np.ndarray, " 3"] = up / np.linalg.norm(up)
    return unit
