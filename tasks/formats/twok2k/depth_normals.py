"""Normals of a surface that is known by its depth map alone.

Source: ours; the published layout stores no normals.
"""

import numpy as np
from jaxtyping import Bool, Float32, Float64

from schemas.camera import Camera, crop_camera, lift, ray_directions
from schemas.codecs import bounding_window
from tasks.formats.twok2k.twok2k_layout import Side

MAX_STEP_PX = 6.0
"""Depth steps of more pixels than this between neighbours are edges, not slopes: 80 degrees."""


def normals_from_depth(
    depth: Float32[np.ndarray, "H W"],
    mask: Bool[np.ndarray, "H W"],
    camera: Camera,
    side: Side,
) -> Float32[np.ndarray, "H W 3"]:
    """Compute unit normals in camera axes, 0 outside.

    Front normals face the viewer, back ones turn away. A pixel without a neighbour on its surface
    in some direction faces along its ray.
    """
    left, top, right, bottom = bounding_window(mask)
    window = np.s_[top : bottom + 1, left : right + 1]
    seen = crop_camera(camera, left, top, right - left + 1, bottom - top + 1)
    points = lift(seen, depth[window].astype(np.float64))
    along_x = _differentiate(points, depth[window], mask[window], camera, axis=1)
    along_y = _differentiate(points, depth[window], mask[window], camera, axis=0)
    rays = ray_directions(seen)
    sign = -1.0 if side == "front" else 1.0
    normals = np.cross(along_x, along_y)
    lengths = np.linalg.norm(normals, axis=-1, keepdims=True)
    known = lengths > 0
    unit = np.where(known, normals / np.where(known, lengths, 1), sign * rays)
    turned_wrong = sign * np.einsum("hwc,hwc->hw", unit, rays) < 0
    unit[turned_wrong] *= -1
    full: Float32[np.ndarray, "H W 3"] = np.zeros((*mask.shape, 3), np.float32)
    full[window][mask[window]] = unit[mask[window]]
    return full


def _differentiate(
    points: Float64[np.ndarray, "H W 3"],
    depth: Float32[np.ndarray, "H W"],
    mask: Bool[np.ndarray, "H W"],
    camera: Camera,
    *,
    axis: int,
) -> Float64[np.ndarray, "H W 3"]:
    """Return the mean of the steps to both neighbours on the same surface; 0 without any."""
    step = np.diff(points, axis=axis)
    pairs = _shift(mask, axis, 0, -1) & _shift(mask, axis, 1, None)
    bound = MAX_STEP_PX / camera.focal_px
    pairs &= np.abs(np.diff(depth, axis=axis)) < bound
    step[~pairs] = 0
    total = np.zeros_like(points)
    count = np.zeros((*depth.shape, 1))
    for start, stop in ((0, -1), (1, None)):
        _shift(total, axis, start, stop)[...] += step
        _shift(count, axis, start, stop)[...] += pairs[..., None]
    mean: Float64[np.ndarray, "H W 3"] = total / np.maximum(count, 1)
    return mean


def _shift(array: np.ndarray, axis: int, start: int, stop: int | None) -> np.ndarray:
    return array[start:stop] if axis == 0 else array[:, start:stop]
