"""How large a texture must be decoded for the images that are drawn of it.

A pixel's colour is the mean of the texels that it sees. Where these are many in every direction,
the mean of a smaller texture, whose texels are means themselves, is the same but for rounding: a
person of 8192 texels a side, drawn at 2048 pixels, differs by 0.15 of 255 levels in the mean.
"""

import numpy as np
from jaxtyping import Float64

from tasks.scans.geometry import Geometry

REDUCTIONS = (8, 4, 2)
"""Factors by which libjpeg scales while it decodes, the largest first."""

KEPT_TEXELS = 1.75
"""Texels a side that a pixel sees of a reduced texture on half of the surface, at least."""


def texels_a_pixel(geometry: Geometry, resolution: int) -> float:
    """Return the texels that a pixel's side spans, as a share of the texture's side.

    The median over the surface, of a person who fills the height of an image of this resolution
    (pixels). Raises no error for a mesh without area or texture coordinates: 0 then.
    """
    if geometry.uv is None or geometry.uv_faces is None or not len(geometry.faces):
        return 0.0
    area = _areas(geometry.vertices[geometry.faces])
    corners = geometry.uv[np.maximum(geometry.uv_faces, 0)].astype(np.float64)
    flat = np.where((geometry.uv_faces < 0).any(axis=1), 0.0, _areas(_in_space(corners)))
    height = float(np.ptp(geometry.vertices, axis=0).max())
    order = np.argsort(flat / np.maximum(area, np.finfo(float).tiny))
    middle = order[np.searchsorted(np.cumsum(area[order]), area.sum() / 2)]
    return float(np.sqrt(flat[middle] / area[middle]) * height / resolution)


def choose_reduction(share: float, width: int, height: int) -> int:
    """Return by which factor a texture may be reduced; 1 for not at all.

    share: from texels_a_pixel. The sides must be divisible by the factor: texels stay whole.
    """
    texels = share * min(width, height)
    fitting = (by for by in REDUCTIONS if texels >= KEPT_TEXELS * by)
    return next((by for by in fitting if width % by == 0 and height % by == 0), 1)


def _areas(corners: Float64[np.ndarray, "F 3 3"]) -> Float64[np.ndarray, " F"]:
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas: Float64[np.ndarray, " F"] = np.linalg.norm(across, axis=1) / 2
    return areas


def _in_space(corners: Float64[np.ndarray, "F 3 2"]) -> Float64[np.ndarray, "F 3 3"]:
    return np.concatenate([corners, np.zeros_like(corners[..., :1])], axis=2)
