"""A strip of views around a mesh, in its colours and as clay; drawn by points, without a GPU."""

import numpy as np
from jaxtyping import Float, UInt8

from tasks.reconstruction.sheets import ColoredMesh

VIEWS, HEIGHT_PX = 8, 360
MARGIN = 0.05
MAX_POINTS, MAX_A_FACE = 600_000, 60
CLAY = (200, 196, 190)
AMBIENT = 0.3
BACKGROUND = 24
SPLAT = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Rows and columns that a point covers."""


def draw_turntable(mesh: ColoredMesh) -> UInt8[np.ndarray, "H W 3"]:
    """Draw the views side by side, from the front turning to the person's left, clay below."""
    points, normals, colors = sample_points(mesh)
    low, high = points.min(axis=0), points.max(axis=0)
    middle, extent = (low + high) / 2, float(max(high[1] - low[1], 1e-6))
    radius = float(np.linalg.norm((points - middle)[:, [0, 2]], axis=1).max())
    scale = HEIGHT_PX * (1 - 2 * MARGIN) / extent
    width = int(min(2 * radius * scale, 2 * HEIGHT_PX)) + round(2 * MARGIN * HEIGHT_PX)
    rows: list[list[np.ndarray]] = [[], []]
    for view in range(VIEWS):
        turn = turn_around(2 * np.pi * view / VIEWS)
        seen, facing = (points - middle) @ turn.T, np.abs((normals @ turn.T)[:, 2])
        light = (AMBIENT + (1 - AMBIENT) * facing)[:, None]
        for row, surface in zip(rows, (colors, np.array(CLAY)), strict=True):
            row.append(_splat(seen * scale, (surface * light).astype(np.uint8), width))
    return np.vstack([np.hstack(row) for row in rows])


def sample_points(
    mesh: ColoredMesh,
) -> tuple[Float[np.ndarray, "N 3"], Float[np.ndarray, "N 3"], Float[np.ndarray, "N 3"]]:
    """Return points spread over all triangles, their normals and colours."""
    faces = mesh.faces[:: max(1, len(mesh.faces) // MAX_POINTS)]
    count = min(MAX_A_FACE, max(1, MAX_POINTS // len(faces)))
    shares = _barycentric(count)
    corners, seen = mesh.vertices[faces], mesh.colors[faces].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    points, colors = (
        np.einsum("ck,fkd->cfd", shares, values).reshape(-1, 3) for values in (corners, seen)
    )
    return points, np.tile(normals, (count, 1)), colors


def _barycentric(count: int) -> Float[np.ndarray, "count 3"]:
    """Return weights of the corners for points spread evenly over a triangle (R2 sequence)."""
    plastic = 1.32471795724474602596
    steps = np.arange(count)[:, None] / np.array([plastic, plastic**2])
    u, v = ((1 / 3 + steps) % 1).T
    outside = u + v > 1
    u, v = np.where(outside, 1 - u, u), np.where(outside, 1 - v, v)
    return np.stack([1 - u - v, u, v], axis=1)


def turn_around(angle: float) -> Float[np.ndarray, "3 3"]:
    """Return the rotation about the upright axis that shows the person from `angle` further on."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])


def _splat(
    points: Float[np.ndarray, "N 3"], colors: UInt8[np.ndarray, "N 3"], width: int
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw points (pixels, y up, z to the viewer), the nearest on top."""
    image = np.full((HEIGHT_PX, width, 3), BACKGROUND, np.uint8)
    order = np.argsort(points[:, 2])
    columns = (points[order, 0] + width / 2).astype(int)
    rows = (HEIGHT_PX / 2 - points[order, 1]).astype(int)
    inside = (columns >= 0) & (columns < width - 1) & (rows >= 0) & (rows < HEIGHT_PX - 1)
    seen = colors[order][inside]
    flat = rows[inside] * width + columns[inside]
    pixels = image.reshape(-1, 3)
    covered = np.concatenate([flat + down * width + right for down, right in SPLAT])
    at = np.concatenate([np.arange(len(flat))] * len(SPLAT))
    nearest_last = np.argsort(at, kind="stable")
    pixels[covered[nearest_last]] = seen[at[nearest_last]]
    return image
