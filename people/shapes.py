"""Signed distances of simple solids on float32 points: negative inside, centimetres.

Distances are bounds, not exact away from the surface; meshing divides by the gradient where it
needs true lengths. Source of the smooth unions: I. Quilez, "smooth minimum" (polynomial form).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32
from scipy.interpolate import PchipInterpolator

Points = Float32[np.ndarray, "N 3"]
Distances = Float32[np.ndarray, " N"]
Point = tuple[float, float, float]
Solid = Callable[[Points], Distances]
"""A shape: it returns the signed distance of points, centimetres, negative inside."""
Axis = Literal["x", "y"]
FAR_CM = np.float32(30.0)
"""What is said of points too far away to be measured."""

PROFILE_SAMPLES = 256
"""Steps of a tabulated profile: finer than any grid that is meshed."""
TINY = np.float32(1e-6)


@dataclass(frozen=True, slots=True)
class Profile:
    """A tube along one axis whose cross-section is made of four quarter-ellipses.

    start, stop: range along the axis. table: (256, 6): centre of the first and of the second
    cross axis, then radii towards +first, -first, +second, -second. The cross axes are y and z
    of a tube along x, x and z of a tube along y. exponent: 2 is an ellipse, more is boxier.
    """

    axis: Axis
    start: float
    stop: float
    table: Float32[np.ndarray, "S 6"]
    exponent: float = 2.0


def tabulate_profile(
    axis: Axis, knots: Float32[np.ndarray, "K 7"], *, exponent: float = 2.0
) -> Profile:
    """Run a monotone cubic through knots of (position along the axis, then the six columns)."""
    ordered = knots[np.argsort(knots[:, 0])].astype(np.float64)
    along = np.linspace(ordered[0, 0], ordered[-1, 0], PROFILE_SAMPLES)
    table = PchipInterpolator(ordered[:, 0], ordered[:, 1:], axis=0)(along)
    return Profile(axis, along[0], along[-1], table.astype(np.float32), exponent)


def sample_profile(profile: Profile, along: Distances) -> Float32[np.ndarray, "N 6"]:
    """Interpolate the profile's table at positions along its axis, clamped to its ends."""
    last = PROFILE_SAMPLES - 1
    place = (along - np.float32(profile.start)) * np.float32(last / (profile.stop - profile.start))
    place = np.clip(place, 0, np.float32(last - 0.001))
    index = place.astype(np.int32)
    share = (place - index.astype(np.float32))[:, None]
    rows: Float32[np.ndarray, "N 6"] = (
        profile.table[index] * (1 - share) + profile.table[index + 1] * share
    )
    return rows


def tube(profile: Profile) -> Solid:
    """Make a profile's tube, closed by flat ends."""
    return partial(_tube_distance, profile)


def _tube_distance(profile: Profile, points: Points) -> Distances:
    along, first = (
        (points[:, 0], points[:, 1]) if profile.axis == "x" else (points[:, 1], points[:, 0])
    )
    rows = sample_profile(profile, along)
    u, w = first - rows[:, 0], points[:, 2] - rows[:, 1]
    radius_u = np.where(u > 0, rows[:, 2], rows[:, 3])
    radius_w = np.where(w > 0, rows[:, 4], rows[:, 5])
    side = _ellipse_distance(u, w, radius_u, radius_w, profile.exponent)
    ends = np.maximum(np.float32(profile.start) - along, along - np.float32(profile.stop))
    distance: Distances = np.maximum(side, ends)
    return distance


def _ellipse_distance(
    u: Distances, w: Distances, radius_u: Distances, radius_w: Distances, exponent: float
) -> Distances:
    a, b = u / radius_u, w / radius_w
    if exponent == 2:  # the plain ellipse is worth a square root
        k0 = np.sqrt(a * a + b * b)
    else:
        k0 = (np.abs(a) ** exponent + np.abs(b) ** exponent) ** (1 / exponent)
    k1 = np.sqrt((a / radius_u) ** 2 + (b / radius_w) ** 2)
    distance = np.asarray(k0 * (k0 - 1) / (k1 + TINY), np.float32)
    return np.where(k0 < 0.5, -0.5 * np.minimum(radius_u, radius_w), distance)


def ellipsoid(centre: Point, radii: Point) -> Solid:
    """Make an ellipsoid; its distance is a bound."""
    middle, size = np.array(centre, np.float32), np.array(radii, np.float32)

    def measure(points: Points) -> Distances:
        scaled = (points - middle) / size
        k0 = measure_length(scaled)
        k1 = measure_length(scaled / size)
        distance = np.asarray(k0 * (k0 - 1) / (k1 + TINY), np.float32)
        return np.where(k0 < 0.1, np.float32(-min(radii)), distance)

    return measure


def cone(
    ends: Float32[np.ndarray, "2 3"] | tuple[Point, Point], radii: tuple[float, float]
) -> Solid:
    """Make a capsule whose radius runs from the first end to the second."""
    first, last = np.asarray(ends, np.float32)
    bone = last - first

    def measure(points: Points) -> Distances:
        offset = points - first
        share = np.clip(offset @ bone / np.float32(bone @ bone), 0, 1)
        radius = np.float32(radii[0]) + share * np.float32(radii[1] - radii[0])
        return np.asarray(measure_length(offset - share[:, None] * bone) - radius, np.float32)

    return measure


def box(centre: Point, half: Point, *, rounding: float) -> Solid:
    """Make a box with rounded edges; `half` includes the rounding."""
    inner = np.array(half, np.float32) - np.float32(rounding)

    def measure(points: Points) -> Distances:
        offset = np.abs(points - np.array(centre, np.float32)) - inner
        outside = measure_length(np.maximum(offset, 0))
        distance = outside + np.minimum(offset.max(axis=1), 0) - np.float32(rounding)
        return np.asarray(distance, np.float32)

    return measure


def grow(solid: Solid, by_cm: float) -> Solid:
    """Make a solid larger all round."""
    return lambda points: solid(points) - np.float32(by_cm)


def smooth_union(first: Distances, second: Distances, width: float) -> Distances:
    """Join two solids with a fillet of about `width`."""
    blend = np.maximum(np.float32(width) - np.abs(first - second), 0) / np.float32(width)
    joined: Distances = np.minimum(first, second) - blend * blend * np.float32(width / 4)
    return joined


def smooth_cut(solid: Distances, cutter: Distances, width: float) -> Distances:
    """Keep what is in `solid` and outside `cutter`, rounding the edge over `width`."""
    return -smooth_union(-solid, cutter, width)


@dataclass(frozen=True, slots=True)
class Step:
    """A solid that is joined with a fillet of so many centimetres, or cut out with such an edge."""

    solid: Solid
    fillet_cm: float
    is_cut: bool = False


def sculpt(points: Points, first: Solid, *steps: Step) -> Distances:
    """Return the distance to a solid after all steps, taken in their order."""
    distance = first(points)
    for step in steps:
        join = smooth_cut if step.is_cut else smooth_union
        distance = join(distance, step.solid(points), step.fillet_cm)
    return distance


def join_near(
    distance: Distances, points: Points, *parts: tuple[Bool[np.ndarray, " N"], Solid, float]
) -> Distances:
    """Join solids that are measured only near them: (where, solid, fillet in centimetres)."""
    for near, solid, fillet_cm in parts:
        distance = smooth_union(distance, measure_where(near, solid, points), fillet_cm)
    return distance


def measure_where(near: Bool[np.ndarray, " N"], solid: Solid, points: Points) -> Distances:
    """Measure only the points marked near; all others are far outside."""
    far = np.full(len(points), FAR_CM, np.float32)
    if near.any():
        far[near] = solid(points[near])
    return far


def measure_length(vectors: Float32[np.ndarray, "N 3"]) -> Distances:
    """Return the length of each row (faster than the general norm)."""
    length: Distances = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return length


def mirror(points: Points) -> Points:
    """Fold points to the person's left half, x >= 0."""
    folded = points.copy()
    folded[:, 0] = np.abs(folded[:, 0])
    return folded
