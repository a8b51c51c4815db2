"""Second-order spherical-harmonics lighting of a drawn surface: light from all around, no shadows.

World axes as everywhere: x right, y up, z towards the viewer. The light stands still while the
person turns. White throughout: only brightness changes with the normal.
Source: Ramamoorthi and Hanrahan, "An efficient representation for irradiance environment maps",
SIGGRAPH 2001, eq. 3, 7 and 8.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, UInt8

from schemas.camera import Camera
from schemas.codecs import bounding_window

COSINE_LOBE = (math.pi, 2 * math.pi / 3, math.pi / 4)
"""What a clamped cosine keeps of the orders 0, 1 and 2. Source: eq. 8."""

_Y0 = 0.5 / math.sqrt(math.pi)
_Y1 = math.sqrt(3 / (4 * math.pi))
_Y2 = 0.5 * math.sqrt(15 / math.pi)
_Y20 = 0.25 * math.sqrt(5 / math.pi)
"""Normalisation of the real harmonics. Source: eq. 3."""

LAMPS = 3
MAX_KEY_ANGLE_DEG = 75.0
"""The first and strongest lamp is on the viewer's side, so that no image is black."""

KEY_SHARE = (0.5, 0.8)
AMBIENT_SHARE = (0.2, 0.45)
EXPOSURE = (0.8, 1.0)
"""Ours: ranges of the key's part of all lamps, of the even light, and of the brightest normal."""

MEDIAN_BRIGHTNESS = (0.55, 1.0)
"""What these ranges keep: the median of a person's sRGB levels, against those of its unlit texture.
Measured: 0.60 to 0.97 over 20,000 lights on one scan; the published spots give 0.19 to 0.81 on
84 images."""

SRGB_OFFSET, SRGB_POWER, SRGB_KNEE, SRGB_SLOPE = 0.055, 2.4, 0.04045, 12.92
"""Source: IEC 61966-2-1."""

_SPHERE_POINTS = 400
_KNEE_LINEAR = SRGB_KNEE / SRGB_SLOPE
_WHITE = 255
_STEPS = 65535
"""Of linear light between black and white: twenty to a level where the curve is steepest."""


@dataclass(frozen=True, slots=True)
class HarmonicLight:
    """Radiance from all directions up to order 2, in world axes.

    coefficients: in the order (0,0), (1,-1), (1,0), (1,1), (2,-2), (2,-1), (2,0), (2,1), (2,2);
    scaled so that a white surface facing irradiance 1 is white.
    """

    coefficients: Float64[np.ndarray, " 9"]


def harmonics(directions: Float[np.ndarray, "*N 3"]) -> Float64[np.ndarray, "*N 9"]:
    """Evaluate the nine real harmonics for unit directions."""
    x, y, z = (directions[..., axis].astype(np.float64) for axis in range(3))
    values: Float64[np.ndarray, "*N 9"] = np.stack(
        [
            np.full_like(x, _Y0), _Y1 * y, _Y1 * z, _Y1 * x,
            _Y2 * x * y, _Y2 * y * z, _Y20 * (3 * z * z - 1), _Y2 * x * z,
            0.5 * _Y2 * (x * x - y * y),
        ],
        axis=-1,
    )  # fmt: skip
    return values


def find_irradiance(
    light: HarmonicLight, normals_world: Float[np.ndarray, "*N 3"]
) -> Float[np.ndarray, "*N"]:
    """Return what falls on surfaces of these unit normals; 0 where the series dips below.

    The series up to order 2 is a quadric of the normal, worked out in the normals' own precision.
    """
    c = np.repeat(COSINE_LOBE, (1, 3, 5)) * light.coefficients
    xy, yz, xz, xx, zz = _Y2 * c[4], _Y2 * c[5], _Y2 * c[7], 0.5 * _Y2 * c[8], 3 * _Y20 * c[6]
    half = np.array([[2 * xx, xy, xz], [xy, -2 * xx, yz], [xz, yz, 2 * zz]]) / 2
    linear, even = _Y1 * c[[3, 1, 2]], _Y0 * c[0] - _Y20 * c[6]
    kind = normals_world.dtype
    slope = normals_world @ half.astype(kind) + linear.astype(kind)
    falling = np.einsum("...i,...i->...", slope, normals_world) + kind.type(even)
    clipped: Float[np.ndarray, "*N"] = np.maximum(falling, 0)
    return clipped


def light_from_lamps(
    directions: Float64[np.ndarray, "L 3"], strengths: Float64[np.ndarray, " L"], ambient: float
) -> HarmonicLight:
    """Project far lamps and even light; each gives its strength to a surface that faces it."""
    coefficients = strengths @ harmonics(directions)
    coefficients[0] += ambient / (COSINE_LOBE[0] * _Y0)
    return HarmonicLight(coefficients)


def choose_harmonic_light(random: np.random.Generator) -> HarmonicLight:
    """Draw the light of one view: the same generator state gives the same light."""
    directions = random.normal(size=(LAMPS, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    directions[0] = _choose_key(random)
    key = random.uniform(*KEY_SHARE)
    strengths = np.array([key, *np.full(LAMPS - 1, (1 - key) / (LAMPS - 1))])
    ambient = random.uniform(*AMBIENT_SHARE)
    light = light_from_lamps(directions, strengths * (1 - ambient), ambient)
    brightest = find_irradiance(light, _spread_points()).max()
    return HarmonicLight(light.coefficients * (random.uniform(*EXPOSURE) / brightest))


def shade(
    color: UInt8[np.ndarray, "H W 3"],
    normals_camera: Float32[np.ndarray, "H W 3"],
    mask: Bool[np.ndarray, "H W"],
    *,
    camera: Camera,
    light: HarmonicLight,
) -> UInt8[np.ndarray, "H W 3"]:
    """Light a surface by its normals, in linear colour; black outside the mask."""
    image: UInt8[np.ndarray, "H W 3"] = np.zeros_like(color)
    left, top, right, bottom = bounding_window(mask)
    window = np.s_[top : bottom + 1, left : right + 1]
    inside = mask[window]
    turn = camera.world_to_camera[:3, :3].astype(np.float32)
    normals_world = normals_camera[window][inside] @ turn
    irradiance = find_irradiance(light, normals_world)
    image[window][inside] = _brighten(color[window][inside], irradiance)
    return image


def _brighten(
    color: UInt8[np.ndarray, "N 3"], factor: Float32[np.ndarray, " N"]
) -> UInt8[np.ndarray, "N 3"]:
    """Multiply sRGB colours in linear light; both curves are tables."""
    to_linear, to_levels = _curves()
    linear = np.minimum(to_linear[color] * factor[:, None], 1)
    rounded: UInt8[np.ndarray, "N 3"] = to_levels[
        (linear * _STEPS + np.float32(0.5)).astype(np.uint16)
    ]
    return rounded


@cache
def _curves() -> tuple[Float32[np.ndarray, " 256"], UInt8[np.ndarray, " 65536"]]:
    """Return linear light of each level, and the level of each step of linear light."""
    levels = np.arange(_WHITE + 1) / _WHITE
    curved = ((levels + SRGB_OFFSET) / (1 + SRGB_OFFSET)) ** SRGB_POWER
    to_linear = np.where(levels <= SRGB_KNEE, levels / SRGB_SLOPE, curved)
    linear = np.arange(_STEPS + 1) / _STEPS
    bright = (1 + SRGB_OFFSET) * linear ** (1 / SRGB_POWER) - SRGB_OFFSET
    encoded = np.where(linear <= _KNEE_LINEAR, SRGB_SLOPE * linear, bright)
    return to_linear.astype(np.float32), np.rint(encoded * _WHITE).astype(np.uint8)


def _choose_key(random: np.random.Generator) -> Float64[np.ndarray, " 3"]:
    """Draw a direction within the cone round +z, evenly over its solid angle."""
    z = random.uniform(math.cos(math.radians(MAX_KEY_ANGLE_DEG)), 1)
    turn, level = random.uniform(0, 2 * math.pi), math.sqrt(1 - z * z)
    return np.array([level * math.cos(turn), level * math.sin(turn), z])


def _spread_points() -> Float64[np.ndarray, "N 3"]:
    """Spread directions evenly over the sphere, along a spiral of golden angles."""
    z = 1 - 2 * (np.arange(_SPHERE_POINTS) + 0.5) / _SPHERE_POINTS
    turn = np.arange(_SPHERE_POINTS) * math.pi * (3 - math.sqrt(5))
    level = np.sqrt(1 - z * z)
    return np.stack([level * np.cos(turn), level * np.sin(turn), z], axis=1)
