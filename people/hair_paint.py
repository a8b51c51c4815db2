"""How hair looks: grooves between locks, fibres, grey, gloss; one tile for a head.

The tile's u is across the locks and its v is down them, root at the top; grooves that the texture
shows are the mesh's own (`hair_lump`).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64
from scipy.ndimage import map_coordinates

from people.figure import Color
from people.pieces import TilePaint
from people.texel_noise import fine_grain, smooth_noise

Relief = Float32[np.ndarray, "R C"]
"""How far hair lies off its mean, -1..1; rows down the locks, columns across them."""

RELIEF_SHAPE = (256, 1024)
COARSE_LOCKS, FINE_LOCKS = 44, 120
CURL_SHARE = 0.55
WHITE: Color = (188, 186, 182)
GLOSS, MAX_LIGHT, FIBRE = 0.2, 1.12, 0.09
VALLEY = 0.17
"""How much darker the bottom of a groove is."""


@dataclass(frozen=True, slots=True)
class HairLook:
    """Colour of hair. roots: how much darker it is there, 0..1. grey: share of grey locks."""

    color: Color
    roots: float
    grey: float
    seed: int


def lock_relief(seed: int, *, curly: bool) -> Relief:
    """Return convex locks beside each other with sharp grooves between them."""
    rng = np.random.default_rng([seed, 43])
    rows, columns = RELIEF_SHAPE
    tall = rows / 14 if curly else rows / 2.2
    bend = 0.014 * columns * _stretched(rng, rows / 3, columns / 9)
    relief = np.zeros(RELIEF_SHAPE, np.float32)
    for count, strength in ((COARSE_LOCKS, 0.65), (FINE_LOCKS, 0.35)):
        noise = _stretched(rng, tall, columns / count)
        relief += strength * (1 - 2.2 * np.minimum(np.abs(noise), 1.0))
    x = np.arange(columns, dtype=np.float32)[None, :] + bend
    y = np.repeat(np.arange(rows, dtype=np.float32)[:, None], columns, axis=1)
    bent = cv2.remap(relief, x.astype(np.float32), y, cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REFLECT)  # fmt: skip
    return np.asarray(np.clip(bent, -1, 1), np.float32)


def _stretched(rng: np.random.Generator, tall: float, wide: float) -> Relief:
    rows, columns = RELIEF_SHAPE
    small = (max(2, round(rows / tall) + 1), max(2, round(columns / wide) + 1))
    values = rng.standard_normal(small).astype(np.float32)
    grown = cv2.resize(values, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown, np.float32)


def sample_relief(relief: Relief, uv: Float64[np.ndarray, "V 2"]) -> Float64[np.ndarray, " V"]:
    """Return the relief at places across and along locks."""
    rows, columns = relief.shape
    where = np.clip(uv, 0, 1)[:, ::-1].T * np.array([[rows - 1], [columns - 1]])
    found: Float64[np.ndarray, " V"] = map_coordinates(relief, where, order=1).astype(np.float64)
    return found


def paint_hair_tile(look: HairLook, relief: Relief, rows: int, columns: int) -> TilePaint:
    """Paint fibres along v, grooves darker, roots too."""
    rng = np.random.default_rng([look.seed, 41])
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    locks = np.asarray(cv2.resize(relief, (columns, rows), interpolation=cv2.INTER_LINEAR))
    coarse = rng.standard_normal((max(2, rows // 120), columns)).astype(np.float32)
    fibre = np.asarray(cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC))
    patch = smooth_noise(rng, (rows, columns), max(columns / 14, 2.0))
    fibre = 0.9 * fibre + 0.3 * fine_grain(rng, (rows, columns))
    tone = 1 + FIBRE * fibre + 0.07 * patch + 0.1 * (down - 0.5)
    tone = tone * (1 - look.roots * np.clip(1 - 5 * down, 0, 1))
    color = np.array(look.color, np.float32) * tone[..., None]
    share = np.clip(look.grey * (1.2 + 0.08 * fibre + 0.1 * patch), 0, 0.95)[..., None]
    white = np.array(WHITE, np.float32) * (1 + 0.06 * fibre[..., None])
    color = color + share * (white - color)
    gloss = np.exp(-(((down - 0.28 - 0.04 * patch) / 0.12) ** 2)) * (0.6 + 0.4 * fibre)
    light = 1 - VALLEY * np.clip(-locks, 0, 1) + GLOSS * gloss * np.clip(locks + 0.4, 0, 1)
    return TilePaint(
        np.clip(color, 6, 250).astype(np.float32),
        np.minimum(light, MAX_LIGHT).astype(np.float32),
    )
