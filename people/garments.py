"""Garments on a posed body: cut, sewn to the wearer, put on, relaxed, thickened, painted."""

from dataclasses import dataclass
from functools import cache, partial

import igl
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32
from scipy.spatial import cKDTree

from people.accessories import accessory
from people.anny_assets import BODY_VERTICES
from people.cloth_grid import Look
from people.cloth_solver import Collider, Limbs, measure_lengths, relax_cloth
from people.garment_kinds import GARMENTS, covered, panels_of
from people.garment_shapes import averaging, cobble, tailor
from people.garment_surfaces import Surface, canonical_places, cut, skin_surface, whole_surface
from people.human_body import HumanBody, PosedBody, bind_to_pose
from people.human_mesh import piece_mesh
from people.human_skeleton import bind_skeleton
from people.limb_sides import Rooms, Side, Solid, sides_of
from people.paint_garment import Cloth, paint_cloth_tile
from people.pieces import Piece, close_sheet, open_sides

SKIN_HIDDEN_CM = 3.0
"""Skin this far inside a garment's rims is never seen."""
MIN_TILE_CM = 12.0
"""A tile narrower than its gutter would have no texels."""
WAIST_HELD, WAIST_BAND_CM = 0.7, 4.0
LIGHT_ROUNDS, MAX_LIGHT = (3, 14), np.float32(1.1)
LIGHT_CM, LIGHT_DEPTH = (0.35, 1.2), (0.16, 0.14)


@dataclass(frozen=True, slots=True)
class Worn:
    """A garment's relaxed surface on the posed body: what the next layer lies on."""

    vertices: Float64[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    side: Side


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A cut surface, welded for the solver, still open for textures."""

    welded: Surface
    open: Surface
    place_of: Int32[np.ndarray, " N"]


def wear(
    body: HumanBody, posed: PosedBody, kinds: list[tuple[str, Look]], *, fine: bool = True
) -> list[Piece]:
    """Dress a posed body; kinds: names of GARMENTS and their looks, from the innermost.

    fine: with four times the triangles on the outside.
    """
    rooms, below = wear_bare(posed)
    pieces = []
    for number, (name, look) in enumerate(kinds):
        above = len(kinds) - 1 - number
        worn, piece = put_on(body, posed, name, look, below, above=above, rooms=rooms, fine=fine)
        below.append(worn)
        pieces.append(piece)
    return pieces


def wear_bare(posed: PosedBody) -> tuple[Rooms, list[Worn]]:
    """Return the room between a posed body's limbs, and its skin as what is worn first."""
    skin, side = piece_mesh("skin", 0), sides_of(skin_surface())
    bare = Solid(skin.place(posed.vertices).astype(np.float64), skin.faces, side)
    return Rooms(bare), [Worn(bare.vertices, bare.faces, side)]


def hidden_skin(kinds: list[str]) -> Bool[np.ndarray, " 13380"]:
    """Return which skin vertices garments cover wherever one looks from."""
    skin = skin_surface()
    hidden = np.zeros(BODY_VERTICES, bool)
    for name in kinds:
        if GARMENTS[name].group == "helper-tights":
            hidden |= covered(GARMENTS[name], skin) > SKIN_HIDDEN_CM
    return hidden


def put_on(
    body: HumanBody,
    posed: PosedBody,
    name: str,
    look: Look,
    below: list[Worn],
    *,
    rooms: Rooms,
    above: int = 0,
    fine: bool = True,
) -> tuple[Worn, Piece]:
    """Put one garment on over what is worn already.

    rooms: of the bare body. above: how many garments follow.
    """
    row, fitted = GARMENTS[name], _fit(name)
    welded = fitted.welded
    away = welded.place - welded.rows @ canonical_places()
    tight = welded.rows @ body.bind.astype(np.float64) + away
    if row.place == "extra":
        shape = tight
    elif row.place == "feet":
        shape = cobble(welded, tight, row.ease)
    else:
        shape = tailor(
            welded, tight, bind_skeleton(body.bind.astype(np.float64)), row.ease, seed=look.seed
        )
    start = bind_to_pose(body, posed, shape, welded.rows).astype(np.float64)
    held = np.zeros(len(start))
    if row.waist < 200:
        held = WAIST_HELD * np.clip((welded.place[:, 1] - row.waist) / WAIST_BAND_CM + 1, 0, 1)
    place = start
    if row.steps:
        lengths = measure_lengths(shape, welded.faces, row.stuff)
        below_all = _join(below, row.gap_cm)
        meets = np.concatenate([one.side for one in below])
        limbs = Limbs(meets, sides_of(welded), rooms, above)
        place = relax_cloth(start, lengths, below_all, held=held, steps=row.steps, limbs=limbs)
    return Worn(place, welded.faces, sides_of(welded)), _finish(
        fitted, shape, place, look, name=name, fine=fine
    )


@cache
def _fit(name: str) -> _Fitted:
    """Cut a garment's surface; the same for everybody."""
    row = GARMENTS[name]
    if row.group == "accessory":
        part = accessory(name)
    else:
        whole = whole_surface(row.group)
        part = cut(whole, covered(row, whole))
    first, place_of = part.welded()
    welded = Surface(
        part.rows[first], part.place[first], part.arm[first], part.on_arm[first],
        part.uv[first], place_of[part.faces],
    )  # fmt: skip
    return _Fitted(welded, part, place_of)


def _join(worn: list[Worn], gap_cm: float) -> Collider:
    starts = np.cumsum([0, *(len(one.vertices) for one in worn[:-1])])
    faces = [one.faces + start for one, start in zip(worn, starts, strict=True)]
    return Collider(
        np.concatenate([one.vertices for one in worn]),
        np.concatenate(faces).astype(np.int32),
        gap_cm,
    )


def _finish(
    fitted: _Fitted,
    shape: Float64[np.ndarray, "V 3"],
    place: Float64[np.ndarray, "V 3"],
    look: Look,
    *,
    name: str,
    fine: bool,
) -> Piece:
    row = GARMENTS[name]
    part, faces = fitted.open, fitted.welded.faces
    shown = part.place.copy()
    if row.group == "helper-skirt":
        shown[:, [0, 2]] = shape[fitted.place_of][:, [0, 2]]
    if row.place == "feet":
        shown[:, 1] = (shape[:, 1] - shape[:, 1].min())[fitted.place_of]
    sheet = close_sheet(place, faces, part.faces, thickness_cm=row.thickness_cm, fine=fine)
    light = soft_light(place, faces)[fitted.place_of]
    values = np.column_stack(
        [shown, part.arm, part.on_arm, _rim_distance(part.place, fitted), light]
    )
    corner, size = part.uv.min(axis=0), np.ptp(part.uv, axis=0)
    uv = part.uv - corner
    cloth = Cloth(
        look, uv, part.faces, values.astype(np.float32), (size[0], size[1]), panels_of(row)
    )
    near = _nearest_skin(name)
    return Piece(
        name=name,
        vertices=sheet.vertices,
        faces=sheet.faces,
        uv=sheet.uv_source @ (uv / size),
        uv_faces=sheet.uv_faces,
        tile_cm=(max(float(size[0]), MIN_TILE_CM), max(float(size[1]), MIN_TILE_CM)),
        near=near[np.asarray(sheet.source.argmax(axis=1)).ravel()],
        paint=partial(paint_cloth_tile, cloth),
    )


def _rim_distance(place: Float64[np.ndarray, "N 3"], fitted: _Fitted) -> Float64[np.ndarray, " N"]:
    face, corner = open_sides(fitted.welded.faces)
    rim = fitted.welded.place[fitted.welded.faces[face, corner]]
    distance: Float64[np.ndarray, " N"] = cKDTree(rim).query(place)[0]
    return distance


@cache
def _nearest_skin(name: str) -> Int32[np.ndarray, " V"]:
    tree = cKDTree(canonical_places()[:BODY_VERTICES])
    near: Int32[np.ndarray, " V"] = tree.query(_fit(name).welded.place)[1].astype(np.int32)
    return near


def soft_light(
    place: Float64[np.ndarray, "V 3"], faces: Int32[np.ndarray, "F 3"]
) -> Float32[np.ndarray, " V"]:
    """Return what light from all round leaves on cloth: less in its valleys, 0.7 to 1.1."""
    normals = np.nan_to_num(igl.per_vertex_normals(place, faces.astype(np.int64)))
    smooth, mean, done = averaging(faces, len(place)), place, 0
    light = np.ones(len(place), np.float32)
    for rounds, size, depth in zip(LIGHT_ROUNDS, LIGHT_CM, LIGHT_DEPTH, strict=True):
        for _ in range(rounds - done):
            mean = smooth @ mean
        done = rounds
        height = np.einsum("ij,ij->i", place - mean, normals)
        light += depth * np.tanh(height / size).astype(np.float32)
    light *= (0.93 + 0.07 * normals[:, 1]).astype(np.float32)
    lit: Float32[np.ndarray, " V"] = np.minimum(light, MAX_LIGHT)
    return lit
