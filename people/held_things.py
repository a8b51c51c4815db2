"""What people hold: a phone in the palm of a hand, a closed box that moves with the hand's bone.

A backpack's strap is held too: it is a garment, `accessories.py`.
"""

from functools import partial

import numpy as np
from jaxtyping import Float64, Int32

from people.anny_assets import BODY_VERTICES
from people.figure import Color, rng_for
from people.human_body import HumanBody, PosedBody
from people.pieces import Piece, TilePaint

PROPS_PURPOSE = 23
PHONE_CM = (7.3, 15.2, 0.85)
"""Across the hand, along the fingers, thick."""
CORNER_CM, BEVEL_CM, CORNER_POINTS = 1.1, 0.15, 6
PALM_SHARE, PALM_DEPTH_CM = 1.15, 1.75
"""Of the way from wrist to knuckle: the phone's middle; how far below the bones it lies."""
CASES: tuple[Color, ...] = ((40, 41, 46), (186, 188, 192), (58, 74, 110), (150, 70, 74))
GLASS: Color = (30, 32, 38)
SCREEN_LIGHT = 0.35
Points = Float64[np.ndarray, "V 3"]


def phone(body: HumanBody, posed: PosedBody, side: str) -> Piece:
    """Return a phone that lies in a hand, screen away from the palm; side: left or right."""
    rng = rng_for(body.traits.seed, body.traits.index, PROPS_PURPOSE)
    local, faces = phone_mesh()
    skeleton, sign = body.skeleton, 1.0 if side == "left" else -1.0
    wrist, knuckle = skeleton.head(f"{side}_hand"), skeleton.head(f"{side}_middle1")
    middle = wrist + PALM_SHARE * (knuckle - wrist) - np.array([0.0, PALM_DEPTH_CM, 0.0])
    # In the T-pose fingers point away from the body and palms down.
    axes = np.stack([[0.0, 0.0, -sign], [sign, 0.0, 0.0], [0.0, -1.0, 0.0]])
    matrix = posed.transforms[f"{side}_hand"]
    placed = (middle + local @ axes) @ matrix[:3, :3].T + matrix[:3, 3]
    wide, high, _ = PHONE_CM
    side_of = (local[:, 2] > 0).astype(float)
    uv = np.column_stack(
        [(local[:, 0] / wide + 0.5) * 0.5 + 0.5 * side_of, local[:, 1] / high + 0.5]
    )
    near = int(
        np.linalg.norm(posed.vertices[:BODY_VERTICES] - placed.mean(axis=0), axis=1).argmin()
    )
    return Piece(
        name="phone",
        vertices=placed,
        faces=faces,
        uv=np.clip(uv, 0, 1),
        uv_faces=faces,
        tile_cm=(2 * wide, high),
        near=np.full(len(placed), near, np.int32),
        paint=partial(paint_phone_tile, CASES[int(rng.integers(len(CASES)))]),
    )


def phone_mesh() -> tuple[Points, Int32[np.ndarray, "F 3"]]:
    """Return a closed box with round corners and bevelled edges around the origin.

    x across, y along, z out of the screen.
    """
    wide, high, thick = PHONE_CM
    turns = np.radians(np.linspace(0, 90, CORNER_POINTS))
    rings = []
    for inset, depth in ((1, -1), (0, -1), (0, 1), (1, 1)):
        radius = CORNER_CM - inset * BEVEL_CM
        away = np.array([wide / 2 - CORNER_CM, high / 2 - CORNER_CM])
        flat = np.concatenate(
            [
                away * (np.sign(np.cos(turn)), np.sign(np.sin(turn)))
                + radius * np.column_stack([np.cos(turns + quarter), np.sin(turns + quarter)])
                for quarter, turn in zip(
                    np.radians((0, 90, 180, 270)), np.radians((45, 135, 225, 315)), strict=True
                )
            ]
        )
        z = depth * (thick / 2 - (1 - inset) * BEVEL_CM)
        rings.append(np.column_stack([flat, np.full(len(flat), z)]))
    count = len(rings[0])
    ends = np.array([[0, 0, -thick / 2], [0, 0, thick / 2]])
    vertices = np.concatenate([*rings, ends])
    first = np.arange(count)
    after = (first + 1) % count
    faces = []
    for ring in range(len(rings) - 1):
        low, high_ring = ring * count, (ring + 1) * count
        faces += [
            np.stack([low + first, low + after, high_ring + after], axis=1),
            np.stack([low + first, high_ring + after, high_ring + first], axis=1),
        ]
    back, front = len(vertices) - 2, len(vertices) - 1
    top = (len(rings) - 1) * count
    faces.append(np.stack([after, first, np.full(count, back)], axis=1))
    faces.append(np.stack([top + first, top + after, np.full(count, front)], axis=1))
    return vertices, np.concatenate(faces).astype(np.int32)


def paint_phone_tile(case: Color, rows: int, columns: int) -> TilePaint:
    """Paint the case in the left half of a tile, with a camera; the screen in the right half."""
    y = ((np.arange(rows) + 0.5) / rows)[:, None]
    x = ((np.arange(columns) + 0.5) / columns * 2 % 1)[None, :]
    image = np.empty((rows, columns, 3), np.float32)
    image[:] = case
    half = columns // 2
    image[:, half:] = GLASS
    screen = (np.abs(x - 0.5) < 0.46) & (np.abs(y - 0.5) < 0.47)
    screen[:, :half] = False
    glow = np.array((150, 168, 190), np.float32) * (0.5 + 0.5 * y)[..., None]
    image = np.where(screen[..., None], image + SCREEN_LIGHT * glow, image)
    camera = (np.hypot((x - 0.25) * 0.5, y - 0.1) < 0.045) & (np.arange(columns) < half)
    image = np.where(camera[..., None], np.array(GLASS, np.float32), image)
    return TilePaint(image.astype(np.float32), np.ones((rows, columns), np.float32))
