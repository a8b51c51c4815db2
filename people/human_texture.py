"""A person's texture: skin in the left half, tiles of clothes and hair in the right one.

Two images of the same layout: albedo, and the texture that scans have, with soft light in it.
"""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from people.human_atlas import Surface
from people.human_mesh import piece_mesh
from people.pieces import Piece
from people.skin_ground import RASTER_SIZE, SMALL_RASTER
from people.skin_layout import island_raster, islands, texel_rectangle
from people.skin_paint import paint_skin
from people.texels import fill_gutter
from people.traits import Traits

Rectangle = tuple[float, float, float, float]
Texture = UInt8[np.ndarray, "S S 3"]
LIGHT_RASTER = 192
EMPTY = 128
"""Of texels that no surface uses."""
PAD_TEXELS = 2
"""How far a rectangle of the texture is continued where nothing else is."""


def paint_human(
    traits: Traits,
    surfaces: tuple[Surface, ...],
    light: Float32[np.ndarray, " V"],
    pieces: tuple[tuple[Piece, Rectangle], ...],
    size: int,
    *,
    scalp: float = 0.6,
    recede: float = 0.0,
) -> tuple[Texture, Texture]:
    """Return texture and albedo; scalp, recede: of `skin_paint.paint_skin`.

    surfaces: all, whole; those of `pieces` last. light: at their vertices, one after another.
    pieces: with the rectangle of each one's tile, left, bottom, right, top of the texture.
    """
    albedo = np.full((size, size, 3), EMPTY, np.uint8)
    albedo[:, : size // 2] = paint_skin(traits, size, scalp=scalp, recede=recede)
    texture = albedo.copy()
    starts = np.cumsum([0, *(len(surface.vertices) for surface in surfaces)])
    lights = {
        surface.name: light[start : start + len(surface.vertices)]
        for surface, start in zip(surfaces, starts, strict=False)
    }
    for name, island in islands().items():
        if island.piece in lights:
            _light_island(texture, name, lights[island.piece])
    for piece, rectangle in pieces:
        _paint_piece(texture, albedo, piece, rectangle, lights[piece.name])
    for rectangle in [*(island.rectangle for island in islands().values()),
                      *(rectangle for _, rectangle in pieces)]:  # fmt: skip
        for image in (texture, albedo):
            _pad_rectangle(image, *texel_rectangle(rectangle, size))
    return texture, albedo


def _pad_rectangle(image: Texture, rows: slice, columns: slice) -> None:
    """Repeat a rectangle's outermost texels beyond it where nothing is, for what samples there."""
    top, bottom, left, right = rows.start, rows.stop - 1, columns.start, columns.stop - 1
    for step in range(1, PAD_TEXELS + 1):
        for row, source in ((top - step, top), (bottom + step, bottom)):
            if 0 <= row < len(image):
                _fill_empty(image[row, columns], image[source, columns])
        for column, source in ((left - step, left), (right + step, right)):
            if 0 <= column < len(image):
                _fill_empty(image[rows, column], image[rows, source])


def _fill_empty(line: UInt8[np.ndarray, "n 3"], values: UInt8[np.ndarray, "n 3"]) -> None:
    np.copyto(line, values, where=(line == EMPTY).all(axis=1, keepdims=True))


def _light_island(texture: Texture, name: str, light: Float32[np.ndarray, " V"]) -> None:
    """Shade an island in place; light: of the piece's vertices, whose first are level 0's."""
    island = islands()[name]
    raster = island_raster(name, RASTER_SIZE.get(name, SMALL_RASTER) // 2)
    coarse = raster.spread(light[: len(piece_mesh(island.piece, 0).matrix.indptr) - 1, None])
    rows, columns = texel_rectangle(island.rectangle, len(texture))
    _shade(texture, rows, columns, coarse[..., 0])


def _shade(
    texture: Texture, rows: slice, columns: slice, light: Float32[np.ndarray, "h w"]
) -> None:
    size = (columns.stop - columns.start, rows.stop - rows.start)
    plane = cv2.resize(light, size, interpolation=cv2.INTER_LINEAR)
    lit = texture[rows, columns] * plane[..., None]
    texture[rows, columns] = np.clip(lit + 0.5, 0, 255)


def _paint_piece(
    texture: Texture,
    albedo: Texture,
    piece: Piece,
    rectangle: Rectangle,
    light: Float32[np.ndarray, " V"],
) -> None:
    rows, columns = texel_rectangle(rectangle, len(texture))
    paint = piece.paint(rows.stop - rows.start, columns.stop - columns.start)
    albedo[rows, columns] = np.clip(paint.albedo + 0.5, 0, 255)
    texture[rows, columns] = np.clip(paint.albedo * paint.light[..., None] + 0.5, 0, 255)
    _shade(texture, rows, columns, _tile_light(piece, light))


def _tile_light(piece: Piece, light: Float32[np.ndarray, " V"]) -> Float32[np.ndarray, "h w"]:
    """Return the light at a tile's texels, coarsely: of a sheet's two sides that of the outer."""
    vertex = np.zeros(len(piece.uv), np.int32)
    vertex[piece.uv_faces.ravel()] = piece.faces.ravel()
    cell = np.clip((piece.uv * LIGHT_RASTER).astype(np.int64), 0, LIGHT_RASTER - 1)
    plane = np.zeros((LIGHT_RASTER, LIGHT_RASTER), np.float32)
    np.maximum.at(plane, (LIGHT_RASTER - 1 - cell[:, 1], cell[:, 0]), light[vertex])
    filled = fill_gutter(plane[..., None], plane > 0)[..., 0]
    return np.asarray(cv2.GaussianBlur(filled.astype(np.float32), (0, 0), 1.2), np.float32)
