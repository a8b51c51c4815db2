"""Where hair lies in its tile: u across the locks, v down them, root at the top."""

import numpy as np
from jaxtyping import Float64

from people.garment_surfaces import Points
from people.hair_styles import CROWN, HEAD_CENTRE, TIES, Cut

PARTED_CM, RADIAL = 7.0, 0.014
"""Half width of the top, where hair is combed aside; turns of the tile for each centimetre out."""
TILE_RIM = 0.05
"""Share of a tile at its sides that is not shown: in small textures less than a texel."""
CHIN_CM = 9.0
"""Half width of a beard."""


def across(cut: Cut, place: Points) -> Float64[np.ndarray, " L"]:
    """Return 0..1 for canonical roots: alike where locks are combed beside each other."""
    if cut.flow == "chin":
        beside: Float64[np.ndarray, " L"] = np.clip(np.abs(place[:, 0]) / CHIN_CM, 0, 1)
        return beside
    away = place - CROWN
    if cut.flow == "part":
        return across_parted(place)
    if cut.flow == "back":
        away = np.array([0.0, 166.0, 13.0]) - place
    if cut.knot == "ponytail":
        away = (place - TIES[cut.knot])[:, [0, 2, 1]]
    bearing: Float64[np.ndarray, " L"] = np.abs(np.arctan2(away[:, 0], away[:, 2])) / np.pi
    return bearing


def across_parted(place: Points) -> Float64[np.ndarray, " N"]:
    """Return 0..1 across parted hair at canonical points: over the top aside, then down."""
    x, _, z = (place - HEAD_CENTRE).T
    aside = np.maximum(np.abs(x), PARTED_CM * np.clip((z + 3) / 6, 0, 1))
    # Curtains beside the face run along the radius: there it counts too.
    turn = np.arctan2(aside, z) / np.pi + RADIAL * np.hypot(x, z)
    folded: Float64[np.ndarray, " N"] = np.abs(np.mod(turn + 1, 2) - 1)
    return folded


def on_tile(uv: Float64[np.ndarray, "V 2"]) -> Float64[np.ndarray, "V 2"]:
    """Return texture coordinates of places across and along locks: roots are at the top."""
    inner = TILE_RIM + (1 - 2 * TILE_RIM) * uv
    return np.stack([inner[:, 0], 1 - inner[:, 1]], axis=1)
