"""The texture: every texel knows its rest point and gets its colour, layer upon layer, from it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from people.atlas import Atlas
from people.clothes import Dressed, dressed_distance
from people.figure import Figure
from people.hair import hair_distance
from people.head import head_distance
from people.paint_cloth import Cloth, cloth_layers
from people.paint_skin import hair_color, skin_color
from people.pixels import Layer, Tile, blend, edge_alpha, fill, grain_tile, tile_over
from people.shapes import Distances, Points, mirror
from people.texels import texel_cells
from people.wardrobe import bottom_cover, inner_cover, neck_cover, shoe_cover, top_cover

OCCLUSION_REACH_CM = (1.2, 3.5, 8.0)
OCCLUSION_DEPTH = 0.62
VALLEY_DEPTH = 0.16
"""How much darker a fold's valley is for one centimetre of depth."""
HAIRLINE_WISPS_CM = 0.25
COLUMNS = 6


@dataclass(frozen=True, slots=True)
class Canvas:
    """What the painter knows of a figure.

    rest, normals: vertices of the canonical figure, before folding. height: folds, centimetres.
    """

    dressed: Dressed
    atlas: Atlas
    rest: Points
    normals: Points
    height: Distances


def paint_texture(figure: Figure, canvas: Canvas, texture_size: int) -> UInt8[np.ndarray, "S S 3"]:
    """Paint all parts of a figure."""
    texture = np.zeros((texture_size, texture_size, 3), np.uint8)
    grain = grain_tile(figure.noise)
    values = np.column_stack(
        [canvas.rest, _occlusion(canvas), canvas.height, _hair_margin(canvas)]
    ).astype(np.float32)
    for cell in texel_cells(canvas.atlas, values, texture_size):
        fields = _covers(canvas.dressed, cell.values)
        full = cell.enlarge(np.concatenate([cell.values, fields], axis=-1))
        color = _paint_cell(figure, canvas.dressed, full, grain)
        texture[cell.rows, cell.columns] = np.clip(color + 0.5, 0, 255).astype(np.uint8)
    return texture


def _occlusion(canvas: Canvas) -> Distances:
    """Return 0 (open) to 1 (hidden): how near other surfaces are along the normal."""
    hidden = np.zeros(len(canvas.rest), np.float32)
    for reach in OCCLUSION_REACH_CM:
        probe = canvas.rest + canvas.normals * np.float32(reach)
        free = np.clip(dressed_distance(canvas.dressed, probe) / np.float32(reach), 0, 1)
        hidden += (1 - free) / len(OCCLUSION_REACH_CM)
    return hidden


def _hair_margin(canvas: Canvas) -> Distances:
    """Return how far the hair lies above the skin: positive where hair is seen."""
    half = mirror(canvas.rest)
    hair = hair_distance(canvas.dressed.hair, half)
    skin = head_distance(canvas.dressed.body.head, half)
    low = half[:, 1] < 150
    margin: Distances = np.where(low, 0.3 - np.abs(hair), skin - hair).astype(np.float32)
    return margin


def _covers(dressed: Dressed, values: Float32[np.ndarray, "h w 6"]) -> Float32[np.ndarray, "h w 5"]:
    """Return the covers of top, inner top, bottom, shoes and neck at coarse texels."""
    half = mirror(np.ascontiguousarray(values[..., :3]).reshape(-1, 3))
    wardrobe = dressed.clothes.wardrobe
    covers = [
        cover(wardrobe, half)
        for cover in (top_cover, inner_cover, bottom_cover, shoe_cover, neck_cover)
    ]
    return np.stack(covers, axis=-1).reshape(*values.shape[:2], len(covers))


def _paint_cell(
    figure: Figure,
    dressed: Dressed,
    full: Float32[np.ndarray, "H W 11"],
    grain: Tile,
) -> Float32[np.ndarray, "H W 3"]:
    point, hidden, height = full[..., :3], full[..., 3], full[..., 4]
    cloth = Cloth(figure, dressed.clothes.wardrobe, point, full[..., COLUMNS:], grain)
    layers = cloth_layers(cloth)
    if any(layer.alpha.min() == 1 for layer in layers):
        color = fill(figure.skin_color, hidden)
    else:
        color = skin_color(figure, dressed.hair, point, grain)
    for layer in layers:
        color = blend(color, layer)
    wisps = full[..., 5] + HAIRLINE_WISPS_CM * tile_over(grain, hidden.shape, 5)
    covered = edge_alpha(-wisps, 0.08, 0.3)
    if covered.any():
        color = blend(color, Layer(hair_color(figure, point, grain), covered))
    shade = (1 - OCCLUSION_DEPTH * np.clip(hidden, 0, 1) ** 1.2) * (
        1 + VALLEY_DEPTH * np.clip(height, -1, 0.6)
    )
    shaded: Float32[np.ndarray, "H W 3"] = color * shade[..., None].astype(np.float32)
    return shaded
