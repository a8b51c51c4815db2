"""Shapes whose images are known beforehand, and a folded figure to cast rays at.

Faces turn anticlockwise seen from outside; uv runs over the whole texture.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float64, Int32

from schemas.scan import Material, Mesh

BlobPart = tuple[tuple[float, ...], tuple[float, ...], float, int, int]
"""Centre, half axes, depth of the folds, folds up and down, folds round."""


def grid_faces(rows: int, columns: int) -> Int32[np.ndarray, "F 3"]:
    """Connect a grid of rows x columns points by two triangles a cell."""
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, 1:].ravel(), index[1:, :-1].ravel()
    return np.concatenate([np.stack([a, c, b], 1), np.stack([a, d, c], 1)]).astype(np.int32)


def surface(points: Float64[np.ndarray, "R C 3"]) -> Mesh:
    """Make a mesh of a grid of points: u over the columns, v over the rows, both 0 to 1."""
    rows, columns = points.shape[:2]
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    faces = grid_faces(rows, columns)
    return Mesh(
        vertices=points.reshape(-1, 3).astype(np.float64),
        faces=faces,
        uv=np.stack([u, v], -1).reshape(-1, 2).astype(np.float32),
        uv_faces=faces,
    )


def sphere(radius: float = 0.3, *, steps: int = 64, centre: tuple[float, ...] = (0, 0, 0)) -> Mesh:
    """Make a globe of steps x 2 steps cells, poles up and down."""
    return surface(radius * directions(steps) + np.array(centre))


def directions(steps: int) -> Float64[np.ndarray, "R C 3"]:
    """Return unit vectors of a globe: rows from the top pole down, columns round once."""
    down, around = np.meshgrid(
        np.linspace(0, np.pi, steps + 1), np.linspace(0, 2 * np.pi, 2 * steps + 1), indexing="ij"
    )
    ring = np.sin(down)
    ring[0], ring[-1] = 0, 0  # the poles are one point each, to the last bit
    unit = np.stack([ring * np.sin(around), np.cos(down), ring * np.cos(around)], -1)
    unit[:, -1] = unit[:, 0]
    return unit


def plane(
    *, size: float = 0.5, normal: tuple[float, float, float] = (0, 0, 1), cells: int = 1
) -> Mesh:
    """Make a square through the origin that faces along `normal`; u to the right, v up."""
    n = np.array(normal) / np.linalg.norm(normal)
    right = np.cross([0, 1, 0], n)
    right /= np.linalg.norm(right)
    up = np.cross(n, right)
    t = np.linspace(-size / 2, size / 2, cells + 1)
    points = t[None, :, None] * right + t[:, None, None] * up
    flat = surface(points)
    return replace(flat, faces=flat.faces[:, ::-1].copy(), uv_faces=flat.faces[:, ::-1].copy())


def box(half: tuple[float, float, float] = (0.2, 0.25, 0.15)) -> Mesh:
    """Make a box about the origin; each of its six sides shows the whole texture."""
    sides = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            normal = np.zeros(3)
            normal[axis] = sign
            right = np.roll(np.abs(normal), 1)
            up = np.cross(normal, right)
            t = np.array([-1.0, 1.0])
            points = normal + t[None, :, None] * right + t[:, None, None] * up
            flat = surface(points * np.array(half))
            turned = flat.faces[:, ::-1].copy()
            sides.append(replace(flat, faces=turned, uv_faces=turned))
    return join(sides)


def join(parts: list[Mesh]) -> Mesh:
    """Put meshes with uv into one."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    faces = np.concatenate(
        [part.faces + start for part, start in zip(parts, starts, strict=False)]
    ).astype(np.int32)
    return Mesh(
        vertices=np.concatenate([part.vertices for part in parts]),
        faces=faces,
        uv=np.concatenate([part.uv for part in parts if part.uv is not None]),
        uv_faces=faces,
    )


def folded_figure(*, steps: int = 56) -> Mesh:
    """Make a closed body with limbs and deep folds, about 50,000 triangles, 0.7 high."""
    parts: tuple[BlobPart, ...] = (
        ((0.0, 0.05, 0.0), (0.11, 0.17, 0.08), 0.10, 9, 7),
        ((0.0, 0.29, 0.01), (0.06, 0.075, 0.065), 0.06, 5, 11),
        ((-0.16, 0.06, 0.03), (0.035, 0.17, 0.04), 0.12, 15, 3),
        ((0.16, 0.04, 0.05), (0.04, 0.16, 0.035), 0.12, 13, 4),
        ((-0.06, -0.20, -0.01), (0.05, 0.17, 0.055), 0.08, 11, 5),
        ((0.07, -0.19, 0.03), (0.05, 0.16, 0.05), 0.08, 12, 6),
    )
    return join([_blob(steps, part) for part in parts])


def _blob(steps: int, part: BlobPart) -> Mesh:
    centre, half, depth, folds_down, folds_round = part
    unit = directions(steps)
    down = np.arccos(np.clip(unit[..., 1], -1, 1))
    around = np.arctan2(unit[..., 0], unit[..., 2])
    swell = np.sin(down) ** 2 * np.sin(folds_down * down + np.sin(folds_round * around))
    points = unit * (1 + depth * swell)[..., None] * np.array(half) + np.array(centre)
    return surface(points)


def with_texture(mesh: Mesh, texture: np.ndarray) -> Mesh:
    """Paint the whole mesh with one image."""
    return replace(
        mesh,
        materials=(Material("paint", texture),),
        face_material=np.zeros(len(mesh.faces), np.int32),
    )


def checkerboard(*, squares: int, square_px: int) -> np.ndarray:
    """Make an image of squares of equal colour, each of a colour of its own, far from its next."""
    row, column = np.meshgrid(np.arange(squares), np.arange(squares), indexing="ij")
    light = (row + column) % 2
    colors = np.stack(
        [
            light * 200 + (7 * row + 3 * column) % 50,
            220 - light * 190,
            (5 * row + 11 * column) % 256,
        ],
        -1,
    )
    return np.kron(colors, np.ones((square_px, square_px, 1))).astype(np.uint8)


def rotation_y(degrees: float) -> Float64[np.ndarray, "4 4"]:
    """Turn about the y axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, 0, s, 0], [0, 1, 0, 0], [-s, 0, c, 0], [0, 0, 0, 1.0]])


def tilted(degrees: float) -> Float64[np.ndarray, "4 4"]:
    """Turn about an axis that lies along no other, so that no edge runs along rows or columns."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about_z = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    turned: Float64[np.ndarray, "4 4"] = rotation_y(degrees) @ about_z
    return turned


def in_file_units(mesh: Mesh) -> tuple[Mesh, Float64[np.ndarray, "4 4"]]:
    """Rewrite a mesh in centimetres far from the origin; return it and its mesh_to_world."""
    file_to_world = np.diag([0.004, 0.004, 0.004, 1.0])
    file_to_world[:3, 3] = (-1.0, 2.0, 4.0)
    world_to_file = np.linalg.inv(file_to_world)
    moved = mesh.vertices @ world_to_file[:3, :3].T + world_to_file[:3, 3]
    return replace(mesh, vertices=moved), file_to_world
