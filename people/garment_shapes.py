"""From skin-tight to sewn: how far a garment's own shape stands off the body it is worn on.

All of it happens in the pose of the files (arms and legs spread), in the wearer's centimetres:
around the trunk cloth falls straight from its widest place above, around a limb it is a tube.
"""

from dataclasses import dataclass

import igl
import numpy as np
from jaxtyping import Float64, Int32
from scipy import sparse
from scipy.ndimage import gaussian_filter, map_coordinates

from people.garment_surfaces import Points, Surface
from people.skeleton import Skeleton

SECTORS, LEVELS = 48, 48
HANG_FROM_CM = 128.0
"""Cloth on the trunk falls from here, canonical: below the armpits' upper rim."""
LOWEST_CM = 60.0
SMOOTHING_ROUNDS = 6
SHOE_ROUNDS = 5
SOLE_SIDE_CM, SOLE_OUT_CM, TOE_ROOM_CM = 3.0, 0.9, 0.7
GATHER_WAVES, GATHER_WEIGHTS = (7, 10, 13), (0.5, 0.7, 0.4)
"""Waves around a gathered hem, and how deep each is."""
LEG_TOP_CM, LEG_BLEND_CM = 82.0, 10.0


@dataclass(frozen=True, slots=True)
class Ease:
    """What a pattern adds to the body, centimetres unless said otherwise.

    body: all over. hang: 0 follows the trunk to 1 falls straight from chest, back and belly.
    flare: wider at the hem, for each centimetre of fall. sleeve: more at the cuff. arm_taper: the
    cuff's smallest radius over the upper arm's. knee, hem: smallest radii there over the thigh's.
    rounder: of skirts: how much nearer to a circle the hem is than the files' flat one, 0 to 1.
    gather: how deep the waves are that a skirt's hem is gathered in.
    """

    body: float = 0.8
    hang: float = 0.0
    flare: float = 0.0
    sleeve: float = 0.0
    arm_taper: float = 0.0
    knee: float = 0.0
    hem: float = 0.0
    rounder: float = 0.0
    gather: float = 0.0


def tailor(surface: Surface, tight: Points, bind: Skeleton, ease: Ease, *, seed: int = 0) -> Points:
    """Return a garment's own shape; surface: welded. tight: its points on the wearer's body.

    bind: the wearer's joints in the same pose. seed: of the waves of gathered cloth.
    """
    faces = surface.faces
    normals = igl.per_vertex_normals(np.ascontiguousarray(tight), faces.astype(np.int64))
    normals = np.nan_to_num(normals)
    shift = normals * ease.body
    shift += _hang(surface, tight, ease)
    shift += _sleeves(surface, tight, bind, ease)
    shift += _legs(surface, tight, bind, ease)
    smooth = averaging(faces, len(tight))
    for _ in range(SMOOTHING_ROUNDS):
        shift = 0.5 * shift + 0.5 * (smooth @ shift)
    shaped: Points = tight + shift
    return _gather(surface, shaped, ease, seed) if ease.gather else shaped


def _gather(surface: Surface, shaped: Points, ease: Ease, seed: int) -> Points:
    """Round a skirt's hem and lay it in waves, more the lower."""
    rng = np.random.default_rng([seed, 83])
    top, low = float(surface.place[:, 1].max()), float(surface.place[:, 1].min())
    share = np.clip((top - surface.place[:, 1]) / (top - low), 0, 1)
    wide, deep = np.ptp(shaped[share > 0.9][:, [0, 2]], axis=0) / 2
    centre = np.array([0.0, 0.0, float(np.mean(shaped[share > 0.9][:, 2]))])
    mean = 0.5 * (wide + deep)
    pull = ease.rounder * share[:, None]
    scale = np.array([mean / wide, 1.0, mean / deep])
    away = (shaped - centre) * np.array([1.0, 0.0, 1.0])
    rounded = away * (1 + pull * (scale - 1))
    angle = np.arctan2(rounded[:, 0], rounded[:, 2])
    waves = sum(
        weight * np.cos(count * angle + phase)
        for count, weight, phase in zip(
            GATHER_WAVES, GATHER_WEIGHTS, rng.uniform(0, 2 * np.pi, 3), strict=True
        )
    )
    radius = np.linalg.norm(rounded, axis=1)
    swing = 1 + ease.gather * (share**1.4 * waves) / np.maximum(radius, 1.0)
    gathered: Points = shaped - away + rounded * swing[:, None]
    return gathered


def cobble(surface: Surface, tight: Points, ease: Ease) -> Points:
    """Return shoes around feet: a flat sole below them, room for the toes; `Ease.hem`: the sole."""
    normals = np.nan_to_num(
        igl.per_vertex_normals(np.ascontiguousarray(tight), surface.faces.astype(np.int64))
    )
    smooth = averaging(surface.faces, len(tight))
    shoe = tight + ease.body * normals
    for _ in range(SHOE_ROUNDS):
        shoe = 0.4 * shoe + 0.6 * (smooth @ shoe)
    for sign in (1.0, -1.0):
        own = surface.place[:, 0] * sign > 0
        floor = float(tight[own, 1].min())
        height = np.maximum(shoe[own, 1] - floor, 0)
        low = np.exp(-((height / SOLE_SIDE_CM) ** 2))
        toe = np.clip((surface.place[own, 2] - 11) / 6, 0, 1) * np.clip(height / 3, 0, 1)
        middle = shoe[own].mean(axis=0)
        out = (shoe[own] - middle) * np.array([1.0, 0.0, 0.35])
        out /= np.linalg.norm(out, axis=1, keepdims=True) + 1.0
        shoe[own] += out * (SOLE_OUT_CM * low)[:, None]
        top = np.interp(height, [0.0, 0.8, 4.5, 40.0], [-ease.hem, -ease.hem, 3.9, 40.0])
        shoe[own, 1] = floor + top + TOE_ROOM_CM * toe
    shaped: Points = shoe
    return shaped


def _hang(surface: Surface, tight: Points, ease: Ease) -> Points:
    """Let cloth on the trunk fall from its widest place above."""
    if not ease.hang and not ease.flare:
        return np.zeros_like(tight)
    trunk = np.clip(1 - 2 * surface.on_arm, 0, 1)
    top = min(HANG_FROM_CM, float(surface.place[:, 1].max()))
    upper = (trunk > 0.9) & (np.abs(surface.place[:, 1] - top + 15) < 15)
    centre = np.array([0.0, 0.0, float(np.mean(tight[upper, 2]))])
    flat = (tight - centre) * np.array([1.0, 0.0, 1.0])
    radius = np.linalg.norm(flat, axis=1)
    angle = np.arctan2(flat[:, 0], flat[:, 2])
    sector = (angle / (2 * np.pi) + 0.5) * SECTORS
    level = (top - surface.place[:, 1]) / (HANG_FROM_CM - LOWEST_CM) * LEVELS
    table = np.zeros((LEVELS, SECTORS))
    own = (level >= 0) & (level < LEVELS) & (trunk > 0.5)
    np.maximum.at(table, (level[own].astype(int), sector[own].astype(int) % SECTORS), radius[own])
    table = np.maximum.accumulate(table, axis=0)
    table = gaussian_filter(table, (1.0, 1.5), mode=("nearest", "wrap"))
    grid = [np.clip(level - 0.5, 0, LEVELS - 1), sector - 0.5]
    fallen = map_coordinates(table, grid, order=1, mode="grid-wrap")
    missing = np.maximum(fallen - radius, 0) * ease.hang
    missing += ease.flare * np.maximum(top - surface.place[:, 1], 0)
    missing *= trunk * np.clip((top - surface.place[:, 1]) / 12, 0, 1)
    out: Points = flat / np.maximum(radius, 1)[:, None] * missing[:, None]
    return out


def _sleeves(surface: Surface, tight: Points, bind: Skeleton, ease: Ease) -> Points:
    shift = np.zeros_like(tight)
    for side, sign in (("left", 1), ("right", -1)):
        own = (surface.on_arm > 0.05) & (surface.place[:, 0] * sign > 0)
        if own.any():
            shoulder, elbow, wrist = (
                bind.head(f"{side}_{name}") for name in ("upper_arm", "forearm", "hand")
            )
            out = _from_axis(tight[own], shoulder, elbow, wrist)
            radius = np.linalg.norm(out, axis=1)
            share = np.clip(surface.arm[own] / 45, 0, 1)
            upper = (surface.arm[own] > 8) & (surface.arm[own] < 18)
            thick = float(np.mean(radius[upper])) if upper.any() else float(np.mean(radius))
            thinnest = thick * (1 - (1 - ease.arm_taper) * share) if ease.arm_taper else 0.0
            grown = np.maximum(thinnest - radius, 0) + ease.sleeve * np.clip(share * 3, 0, 1)
            amount = grown * np.clip(2 * surface.on_arm[own] - 0.2, 0, 1)
            shift[own] = out / np.maximum(radius, 1)[:, None] * amount[:, None]
    return shift


def _legs(surface: Surface, tight: Points, bind: Skeleton, ease: Ease) -> Points:
    shift = np.zeros_like(tight)
    if not ease.hem:
        return shift
    height = surface.place[:, 1]
    for side, sign in (("left", 1), ("right", -1)):
        own = (height < LEG_TOP_CM) & (surface.place[:, 0] * sign > 0) & (surface.on_arm < 0.5)
        hip, knee, ankle = (bind.head(f"{side}_{name}") for name in ("thigh", "shin", "foot"))
        out = _from_axis(tight[own], hip, knee, ankle) * np.array([1.0, 0.0, 1.0])
        radius = np.linalg.norm(out, axis=1)
        thigh = (height[own] > 60) & (height[own] < 74)
        thick = float(np.mean(radius[thigh])) if thigh.any() else float(np.mean(radius))
        thinnest = thick * np.interp(height[own], [8, 45, 72], [ease.hem, ease.knee, 1.0])
        blend = np.clip((LEG_TOP_CM - height[own]) / LEG_BLEND_CM, 0, 1)
        amount = np.maximum(thinnest - radius, 0) * blend
        shift[own] = out / np.maximum(radius, 1)[:, None] * amount[:, None]
    return shift


def _from_axis(
    points: Points,
    first: Float64[np.ndarray, " 3"],
    middle: Float64[np.ndarray, " 3"],
    last: Float64[np.ndarray, " 3"],
) -> Points:
    """Return each point's offset from the nearer of two segments that meet in the middle."""
    offsets = []
    for start, stop in ((first, middle), (middle, last)):
        along = stop - start
        share = np.clip((points - start) @ along / (along @ along), 0, 1)
        offsets.append(points - start - share[:, None] * along)
    distance = [np.linalg.norm(offset, axis=1) for offset in offsets]
    nearer: Points = np.where((distance[0] < distance[1])[:, None], *offsets)
    return nearer


def averaging(faces: Int32[np.ndarray, "F 3"], count: int) -> sparse.csr_matrix:
    """Return the matrix that takes each vertex to the mean of its neighbours."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    both = np.concatenate([sides, sides[:, ::-1]])
    matrix = sparse.csr_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), (count, count))
    total = np.asarray(matrix.sum(axis=1)).ravel()
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(total, 1)) @ matrix)
