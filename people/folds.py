"""Folds: how far cloth and hair stand off their smooth shape, in centimetres along the normal.

Cloth gathers where a limb bends (elbow, knee, waist, groin), stacks where trousers meet shoes,
hangs in long folds elsewhere; hair lies in strands. A pure function of rest points and pose.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from people.clothes import Dressed
from people.hair import scalp_cover
from people.head import to_head
from people.shapes import Distances, Points, mirror
from people.skeleton import Rotations
from people.skinning import ELBOW_X, KNEE_Y, SHOULDER_X, smooth_step
from people.wardrobe import bottom_cover, inner_cover, top_cover

STIFFNESS = {
    "tshirt": 0.75, "shirt": 0.85, "sweater": 0.55, "jacket": 0.7, "tank": 0.45,
    "trousers": 0.85, "jeans": 0.75, "shorts": 0.6, "skirt": 0.35,
}  # fmt: skip
"""How deep each garment's folds are."""
HANG_CM, RING_CM, STACK_CM = 0.75, 0.95, 0.8
HANG_CELLS_CM = (4.2, 17.0, 4.2)
RING_WAVE_CM = 3.4
EDGE_FADE_CM = 1.5
STRAND_CM, STRAND_CELLS_CM = 0.2, (1.1, 5.0, 1.1)
LATTICE = 64
"""The noise repeats after so many cells."""
Noise = Float32[np.ndarray, " L"]
"""Smooth value noise in space: a periodic lattice of random values in 0..1, one for each seed."""
REST_BEND = 0.25
"""Folding of a straight limb; a right angle adds one."""


@dataclass(frozen=True, slots=True)
class Bends:
    """How far each limb is bent, in right angles; left limb first."""

    elbows: tuple[float, float]
    knees: tuple[float, float]
    hips: tuple[float, float]


def measure_bends(rotations: Rotations) -> Bends:
    """Read the bends off a pose."""
    angles = {
        bone: (_angle(rotations, f"left_{bone}"), _angle(rotations, f"right_{bone}"))
        for bone in ("forearm", "shin", "thigh")
    }
    return Bends(angles["forearm"], angles["shin"], angles["thigh"])


def _angle(rotations: Rotations, bone: str) -> float:
    matrix = rotations.get(bone, np.eye(3))
    return float(np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1)) / (np.pi / 2))


def fold_height(dressed: Dressed, bends: Bends, points: Points) -> Distances:
    """Return the stand-off of rest points, centimetres, positive outwards."""
    wardrobe = dressed.clothes.wardrobe
    figure = wardrobe.figure
    noise = np.random.default_rng(figure.noise).random(LATTICE**3, dtype=np.float32)
    half = mirror(points)
    top = np.clip(-top_cover(wardrobe, half) / EDGE_FADE_CM, 0, 1)
    if wardrobe.jacket:
        inner = np.clip(-inner_cover(wardrobe, half) / EDGE_FADE_CM, 0, 0.6)
        top = np.maximum(top, inner)
    bottom = np.clip(-bottom_cover(wardrobe, half) / EDGE_FADE_CM, 0, 1) * (1 - top)
    height = STIFFNESS[figure.top] * top * _top_folds(noise, bends, points)
    if figure.bottom == "skirt":
        height += STIFFNESS["skirt"] * bottom * _hang(noise, points)
    else:
        height += STIFFNESS[figure.bottom] * bottom * _leg_folds(noise, bends, points)
    return np.asarray(height + _strands(dressed, noise, half, points), np.float32)


def _hang(noise: Noise, points: Points) -> Distances:
    """Return long, mostly vertical folds."""
    cells = np.array(HANG_CELLS_CM, np.float32)
    lean = points[:, 1:2] * np.array([0.22, 0, -0.15], np.float32)
    return HANG_CM * (sample_ridges(noise, (points + lean) / cells) - 0.35)


def _top_folds(noise: Noise, bends: Bends, points: Points) -> Distances:
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    on_arm = smooth_step(x, SHOULDER_X - 2, SHOULDER_X + 6) * (y > 118)
    torso = _hang(noise, points) * (0.5 + 0.7 * smooth_step(-y, -128.0, -112.0))
    waist = np.exp(-(((y - 101) / 7) ** 2)) * _rings(noise, y, points) * 0.8
    drag = _drag(noise, points) * np.exp(-(((y - 130) / 9) ** 2)) * smooth_step(x, 7.0, 15.0)
    bend = _sided(bends.elbows, points)
    inside = 0.55 + 0.45 * np.tanh((z + 3.4) / 2)
    elbow = np.exp(-(((x - ELBOW_X) / 9) ** 2)) * (REST_BEND + bend * (0.2 + 0.5 * inside))
    cuff = np.exp(-(((x - 61) / 4) ** 2)) * 0.4
    arm = _rings(noise, x, points) * (elbow + cuff) + 0.7 * _arm_hang(noise, points)
    return np.asarray((1 - on_arm) * (torso + waist + drag) + on_arm * arm)


def _leg_folds(noise: Noise, bends: Bends, points: Points) -> Distances:
    y, z = points[:, 1], points[:, 2]
    knee_bend, hip_bend = _sided(bends.knees, points), _sided(bends.hips, points)
    behind = 0.55 - 0.45 * np.tanh(z / 2)
    knee = np.exp(-(((y - KNEE_Y) / 8) ** 2)) * (REST_BEND + knee_bend * (0.5 + behind))
    stack = np.exp(-(((y - 10) / 8) ** 2)) * STACK_CM
    inner = np.exp(-((points[:, 0] / 9) ** 2))
    groin = np.exp(-(((y - 82) / 7) ** 2)) * inner * (0.5 + hip_bend)
    rings = _rings(noise, y, points)
    return rings * (knee + stack) + _drag(noise, points) * groin + 0.6 * _hang(noise, points)


def _rings(noise: Noise, along: Distances, points: Points) -> Distances:
    """Return broken rings across a limb: a wave along it, bent by noise."""
    bent = along + 3.2 * sample_noise(noise, points / np.float32(6)) * 1.4
    broken = 0.35 + sample_noise(noise, points / np.float32(4.5) + np.float32(17))
    wave = np.cos(bent * np.float32(2 * np.pi / RING_WAVE_CM))
    return RING_CM * 0.5 * (wave + 0.3 * wave * wave) * broken


def _drag(noise: Noise, points: Points) -> Distances:
    """Return folds that run slantwise, as cloth drawn towards armpit or groin."""
    side = np.sign(points[:, :1])
    slant = np.concatenate(
        [points[:, 1:2] - 0.9 * side * points[:, :1], 0.2 * points[:, 1:2], points[:, 2:]], axis=1
    )
    cells = np.array([3.6, 30.0, 9.0], np.float32)
    return RING_CM * (sample_ridges(noise, (slant / cells).astype(np.float32)) - 0.3)


def _arm_hang(noise: Noise, points: Points) -> Distances:
    cells = np.array([11.0, 3.6, 3.6], np.float32)
    lean = points[:, :1] * np.array([0, 0.25, 0.2], np.float32)
    return HANG_CM * (sample_ridges(noise, (points + lean) / cells) - 0.35)


def _sided(pair: tuple[float, float], points: Points) -> Distances:
    return np.where(points[:, 0] >= 0, pair[0], pair[1]).astype(np.float32)


def _strands(dressed: Dressed, noise: Noise, half: Points, points: Points) -> Distances:
    """Return the hair's strands: narrow ridges that run down and back from the crown."""
    hair = dressed.hair
    if hair.style == "bald":
        return np.zeros(len(points), np.float32)
    cover = scalp_cover(to_head(hair.head, half))
    share = smooth_step(cover, 0.3, 2.0) * (half[:, 1] > 128)
    if hair.style in ("bob", "long"):
        share = np.maximum(
            share, (half[:, 1] > 128) & (half[:, 2] < 1) & (np.abs(half[:, 0] - 9) < 3.2)
        )
    cells = np.array(STRAND_CELLS_CM, np.float32)
    lock = sample_ridges(noise, points / cells) + 0.6 * sample_ridges(noise, points / (2.2 * cells))
    depth = STRAND_CM * min(1.0, hair.thickness / 1.2)
    return np.asarray(share * depth * (lock - 0.6), np.float32)


def sample_noise(noise: Noise, points: Points) -> Distances:
    """Return values in 0..1 at points measured in cells (mean 0.5)."""
    cell = np.floor(points).astype(np.int32)
    share = (points - cell).astype(np.float32)
    share = share * share * (3 - 2 * share)
    low, high = cell % LATTICE, (cell + 1) % LATTICE
    total = np.zeros(len(points), np.float32)
    for corner in range(8):
        upper = [(corner >> axis) & 1 for axis in range(3)]
        place = [high[:, a] if upper[a] else low[:, a] for a in range(3)]
        part = [share[:, a] if upper[a] else 1 - share[:, a] for a in range(3)]
        index = (place[0] * LATTICE + place[1]) * LATTICE + place[2]
        total += noise[index] * part[0] * part[1] * part[2]
    return total


def sample_ridges(noise: Noise, points: Points) -> Distances:
    """Return 0..1 with soft crests along the noise's middle level: cloth folds."""
    crest = np.clip(1 - np.abs(2 * sample_noise(noise, points) - 1) * np.float32(2.2), 0, 1)
    return np.asarray(crest * crest * (3 - 2 * crest))
