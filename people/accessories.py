"""What is not cut from the body's helper surfaces: hoods, scarves, bags, glasses, hats, collars.

Each is a grid or a few of them in canonical coordinates (`garment_surfaces`), hung onto base
vertices near it, so that it follows shape and pose like any garment.
"""

from collections.abc import Callable
from functools import cache

import igl
import numpy as np
from jaxtyping import Float64, Int32
from scipy import sparse
from scipy.spatial import cKDTree

from people.anny_assets import BODY_VERTICES, VERTICES, vertex_groups
from people.garment_surfaces import Points, Surface, along_arm, arm_shares, canonical_places
from people.human_mesh import piece_mesh

Grid = Float64[np.ndarray, "U V 3"]
NEIGHBOURS = 8
GRID_CM = 1.3
TUBE_CORNERS = 8
EYE = np.array([3.1, 154.4, 14.6])
HEAD = np.array([0.0, 156.0, 5.5])
RIM_ROOM, RIM_SHARE = 0.45, 0.3
"""A hat lies closer at its rim: so much of its room, up to so much of its height."""


Part = tuple[Float64[np.ndarray, "_ 3"], Int32[np.ndarray, "_ 3"], Float64[np.ndarray, "_ 3"]]
"""Points hung onto the body, faces, and the same points lying flat; of any number."""


def hood() -> Surface:
    """Return a hood that lies on shoulders and back, a bag open towards the neck."""
    turn = np.radians(np.linspace(52, 308, 60))[:, None]
    share = np.linspace(0, 1, 22)[None, :]
    back = np.clip(-np.cos(turn), 0, 1) ** 0.8
    knots = np.linspace(0, 1, 7)
    front_r, front_y = (
        [7.6, 8.4, 9.2, 9.8, 9.6, 9.0, 8.6],
        [143, 144.4, 144, 142.6, 141, 140, 139.6],
    )
    back_r, back_y = (
        [8.0, 10.5, 13.5, 14.5, 14.0, 12.5, 11.5],
        [143, 146.5, 145, 140, 133, 128, 131],
    )
    radius, height = (
        (1 - back) * np.interp(share, knots, a) + back * np.interp(share, knots, b)
        for a, b in ((front_r, back_r), (front_y, back_y))
    )
    crease = 0.35 * np.sin(5 * turn + 7 * share)
    grid = np.stack(
        [
            (radius + crease) * np.sin(turn) * 1.05,
            height + 0.5 * crease,
            1.2 + (radius + crease) * np.cos(turn) * 0.95,
        ],
        axis=-1,
    )
    return _hang([_sheet(grid)], _trunk())


def collar() -> Surface:
    """Return a turned-down collar, open at the throat."""
    turn = np.radians(np.linspace(14, 346, 66))[:, None]
    share = np.linspace(0, 1, 9)[None, :]
    ahead = np.clip(np.cos(turn), 0, 1) ** 4
    knots = [0, 0.35, 0.5, 0.75, 1]
    radius = np.interp(share, knots, [8.3, 7.3, 7.9, 9.7, 11.4]) + 1.4 * ahead * share
    height = np.interp(share, knots, [137.0, 142.2, 142.6, 142.2, 139.8]) - 3.4 * ahead * share
    height = height - 3.2 * np.clip(np.cos(turn), 0, 1) + 0.8 * np.clip(-np.cos(turn), 0, 1)
    grid = np.stack(
        [radius * np.sin(turn) * 1.02, height, 2.6 + radius * np.cos(turn) * 0.98], axis=-1
    )
    return _hang([_sheet(grid)], _trunk())


def scarf() -> Surface:
    """Return a scarf once around the neck, both ends hanging in front."""
    turn = np.linspace(0, 2 * np.pi, 64)[:, None]
    share = np.linspace(0, 1, 12)[None, :]
    radius = np.interp(share, [0, 0.25, 0.6, 1], [7.4, 10.2, 11.4, 9.6])
    height = np.interp(share, [0, 0.25, 0.6, 1], [146.5, 146.0, 141.5, 137.8])
    folds = 0.45 * np.sin(9 * share * np.pi + 2 * turn) + 0.3 * np.sin(3 * turn)
    radius = radius + folds
    height = height + 0.4 * folds - 2.4 * np.clip(np.cos(turn), 0, 1)
    loop = np.stack([radius * np.sin(turn), height, 2.4 + radius * np.cos(turn)], axis=-1)
    return _hang([_sheet(loop), _end(4.6, 34.0), _end(-3.2, 27.0)], _trunk())


def _end(middle: float, length: float) -> tuple[Points, Int32[np.ndarray, "F 3"], Points]:
    across = np.linspace(-5.5, 5.5, 10)[:, None]
    down = np.linspace(0, length, max(4, int(length / GRID_CM)))[None, :]
    narrow = np.interp(down, [0, 9, length], [0.55, 0.85, 1.0])
    x = middle + across * narrow
    grid = np.stack(
        [x, 138.5 - down + 0 * across, 14.3 + 0.5 * np.cos(1.6 * across) - 0.02 * x**2 + 0 * down],
        axis=-1,
    )
    return _sheet(grid)


def backpack() -> Surface:
    """Return a pack on the back with two straps over the shoulders."""
    parts = [_box(np.array([0.0, 118.0, -16.6]), np.array([14.0, 20.0, 7.0]))]
    for sign in (1.0, -1.0):
        path = np.array(
            [
                [8, 131, -10], [10, 137.5, -6], [11, 139.5, 0], [11.2, 137.5, 7], [11.5, 131, 12.5],
                [13, 122, 13.5], [16, 113, 9], [17, 106, 1], [14, 102.5, -8], [11, 103.5, -12],
            ]
        ) * np.array([sign, 1, 1])  # fmt: skip
        parts.append(_band(path, 2.6))
    return _hang(parts, _trunk())


def glasses() -> Surface:
    """Return a pair of glasses: two rims, a bridge, two temples; tubes."""
    parts = []
    round_rim = np.linspace(0, 2 * np.pi, 33)
    for sign in (1.0, -1.0):
        x = sign * (EYE[0] + 0.1) + 2.55 * np.cos(round_rim)
        y = EYE[1] - 0.1 + 1.95 * np.sign(np.sin(round_rim)) * np.abs(np.sin(round_rim)) ** 0.8
        z = 15.9 - 0.045 * x**2
        parts.append(_tube(np.stack([x, y, z], axis=1), 0.2))
        temple = np.array([[5.8, 155.0, 14.3], [7.4, 155.3, 11], [8.3, 155.4, 6.5], [8.3, 153, 3]])
        parts.append(_tube(_finer(temple * np.array([sign, 1, 1]), 12), 0.17))
    bridge = np.array([[-0.75, 154.9, 15.9], [0.0, 155.3, 16.1], [0.75, 154.9, 15.9]])
    parts.append(_tube(_finer(bridge, 6), 0.18))
    near = canonical_places()[:BODY_VERTICES]
    eyes = np.flatnonzero(np.linalg.norm(near - [0, 154.5, 13.0], axis=1) < 5.5)
    return _hang(parts, eyes, rigid=True)


def beanie() -> Surface:
    """Return a knitted hat over ears and hairline."""
    return _dome(front=160.6, back=150.5, side=153.0, room=1.3)


def cap() -> Surface:
    """Return a baseball cap: a dome and a visor."""
    dome = _dome(front=161.6, back=156.5, side=160.6, room=1.5)
    bearing = np.radians(np.linspace(-58, 58, 30))[:, None]
    out = np.linspace(0, 1, 8)[None, :]
    reach = 7.4 * np.cos(bearing * 90 / 62) ** 0.6 * out
    grid = np.stack(
        [
            (9.0 + 0.15 * reach) * np.sin(bearing) + 0 * out,
            162.3 - 1.5 * out**1.5 - 0.5 * np.sin(bearing) ** 2 * (1 + 2 * out),
            6.2 + 10.4 * np.cos(bearing) + reach,
        ],
        axis=-1,
    )
    visor = _hang([_sheet(grid)], _skull())
    return _both(dome, visor)


ACCESSORIES: dict[str, Callable[[], Surface]] = {
    "hood": hood, "collar": collar, "scarf": scarf, "backpack": backpack, "glasses": glasses,
    "beanie": beanie, "cap": cap,
}  # fmt: skip


@cache
def accessory(name: str) -> Surface:
    """Return the surface of one of ACCESSORIES."""
    return ACCESSORIES[name]()


def _dome(*, front: float, back: float, side: float, room: float) -> Surface:
    """Wrap a hat around the skull; front, back, side: canonical height of its rim."""
    bearing = np.linspace(0, 2 * np.pi, 73)[:, None]
    share = np.linspace(0, 1, 20)[None, :]
    ahead = np.cos(bearing)
    rim = side + np.where(ahead > 0, (front - side) * ahead**2, (back - side) * ahead**2)
    height = rim + (169.0 - rim) * np.sin(share * np.pi / 2)
    wide = np.cos(share * np.pi / 2) ** 0.75 + 0.02
    ball = np.stack(
        [11.0 * wide * np.sin(bearing), height, HEAD[2] - 0.5 + 12.5 * wide * ahead], axis=-1
    )
    points, faces, uv = _sheet(ball)
    skin = canonical_places()[:BODY_VERTICES]
    table = piece_mesh("skin", 0).faces.astype(np.int64)
    _, _, near = igl.point_mesh_squared_distance(points, skin, table)
    away = points - HEAD
    reach = np.linalg.norm(near - HEAD, axis=1, keepdims=True)
    points = HEAD + away / np.linalg.norm(away, axis=1, keepdims=True) * reach
    points = _smooth(points, faces, 8)
    tight = np.clip(np.tile(share.ravel() / RIM_SHARE, len(bearing)), 0, 1)[:, None]
    points += room * (RIM_ROOM + (1 - RIM_ROOM) * tight) * _unit(points - HEAD)
    return _hang([(points, faces, uv)], _skull())


def _smooth(points: Points, faces: Int32[np.ndarray, "F 3"], rounds: int) -> Points:
    _, first, place = np.unique(np.round(points, 5), axis=0, return_index=True, return_inverse=True)
    welded, table = points[first], place.reshape(-1)[faces]
    sides = np.concatenate([table[:, [0, 1]], table[:, [1, 2]], table[:, [2, 0]]])
    both = np.concatenate([sides, sides[:, ::-1]])
    ones = np.ones(len(both))
    links = sparse.csr_matrix((ones, (both[:, 0], both[:, 1])), (len(welded),) * 2)
    mean = sparse.diags(1 / np.asarray(links.sum(axis=1)).ravel()) @ links
    for _ in range(rounds):
        welded = 0.5 * welded + 0.5 * (mean @ welded)
    smooth: Points = welded[place.reshape(-1)]
    return smooth


def _sheet(grid: Grid) -> tuple[Points, Int32[np.ndarray, "F 3"], Points]:
    """Triangulate a grid; returns points, faces and texture coordinates in centimetres."""
    rows, columns = grid.shape[:2]
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = number[:-1, :-1], number[1:, :-1], number[1:, 1:], number[:-1, 1:]
    faces = np.concatenate(
        [np.stack([a, d, b], axis=-1).reshape(-1, 3), np.stack([b, d, c], axis=-1).reshape(-1, 3)]
    )
    across = np.linalg.norm(np.diff(grid, axis=0), axis=-1).mean(axis=1)
    down = np.linalg.norm(np.diff(grid, axis=1), axis=-1).mean(axis=0)
    u = np.concatenate([[0], np.cumsum(across)])[:, None] + 0 * number
    v = -np.concatenate([[0], np.cumsum(down)])[None, :] + 0 * number
    uv = np.stack([u, v, 0 * u], axis=-1).reshape(-1, 3)
    points = grid.reshape(-1, 3)
    corners = np.round(points, 5)[faces]
    flat = [(corners[:, k] == corners[:, k - 1]).all(axis=1) for k in range(3)]
    faces = faces[~np.any(flat, axis=0)]
    if _inward(points, faces):
        faces = faces[:, ::-1]
    return points, faces.astype(np.int32), uv


def _inward(points: Points, faces: np.ndarray) -> bool:
    """Return whether most of a sheet faces its own middle axis or, where flat, the body."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    away = (a + b + c) / 3 - np.array([0.0, points[:, 1].mean(), 1.0])
    return bool(np.einsum("ij,ij->", normal, away) < 0)


def _tube(
    path: Float64[np.ndarray, "P 3"], radius: float
) -> tuple[Points, Int32[np.ndarray, "F 3"], Points]:
    """Return a tube along a path."""
    along = _unit(np.gradient(path, axis=0))
    side = _unit(np.cross(along, np.array([0.3, 0.2, 1.0])))
    up = np.cross(along, side)
    turn = np.linspace(0, 2 * np.pi, TUBE_CORNERS + 1)[:, None, None]
    ring = np.cos(turn) * side + np.sin(turn) * up
    grid = np.transpose(path[None] + radius * ring, (1, 0, 2))
    points, faces, uv = _sheet(grid)
    a, b, c = (points[faces[:, k]] for k in range(3))
    centre = np.repeat(path, TUBE_CORNERS + 1, axis=0)[faces[:, 0]]
    if np.einsum("ij,ij->", np.cross(b - a, c - a), a - centre) < 0:
        faces = faces[:, ::-1]
    return points, np.ascontiguousarray(faces), uv


def _band(
    path: Float64[np.ndarray, "P 3"], half: float
) -> tuple[Points, Int32[np.ndarray, "F 3"], Points]:
    """Return a strap along a path, flat on the body."""
    line = _finer(path, 34)
    out = line - np.array([0.0, 120.0, 1.0])
    out[:, 1] *= 0.5
    side = _unit(np.cross(_unit(np.gradient(line, axis=0)), out))
    across = np.linspace(-half, half, 5)[None, :, None]
    return _sheet(line[:, None] + across * side[:, None])


def _box(
    middle: Float64[np.ndarray, " 3"], half: Float64[np.ndarray, " 3"]
) -> tuple[Points, Int32[np.ndarray, "F 3"], Points]:
    """Return a rounded box as a grid over the sphere."""
    turn = np.linspace(0, 2 * np.pi, 49)[:, None]
    tilt = np.linspace(-np.pi / 2, np.pi / 2, 27)[None, :]
    ball = np.stack(
        [np.cos(tilt) * np.sin(turn), np.sin(tilt) + 0 * turn, np.cos(tilt) * np.cos(turn)], axis=-1
    )
    grid = middle + np.sign(ball) * np.abs(ball) ** 0.45 * half
    grid[..., 2] += 0.03 * (grid[..., 1] - middle[1])
    points, faces, uv = _sheet(grid)
    a, b, c = (points[faces[:, k]] for k in range(3))
    if np.einsum("ij,ij->", np.cross(b - a, c - a), a - middle) < 0:
        faces = faces[:, ::-1]
    return points, np.ascontiguousarray(faces), uv


def _finer(path: Float64[np.ndarray, "P 3"], count: int) -> Points:
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    where = np.linspace(0, length[-1], count)
    line = np.stack([np.interp(where, length, path[:, k]) for k in range(3)], axis=1)
    for _ in range(2):
        line[1:-1] = 0.25 * line[:-2] + 0.5 * line[1:-1] + 0.25 * line[2:]
    return line


def _unit(vectors: np.ndarray) -> np.ndarray:
    unit: np.ndarray = vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)
    return unit


def _trunk() -> Int32[np.ndarray, " n"]:
    group = vertex_groups()["helper-tights"]
    rows = np.arange(group.start, group.stop)
    return rows[arm_shares()[rows] < 0.35].astype(np.int32)


def _skull() -> Int32[np.ndarray, " n"]:
    place = canonical_places()[:BODY_VERTICES]
    return np.flatnonzero((place[:, 1] > 156) & (np.abs(place[:, 0]) < 8)).astype(np.int32)


def _hang(
    parts: list[Part],
    onto: np.ndarray,
    *,
    rigid: bool = False,
) -> Surface:
    """Join parts, tiles side by side, and hang them onto base vertices near them."""
    starts = np.cumsum([0, *(len(points) for points, _, _ in parts[:-1])])
    place = np.concatenate([points for points, _, _ in parts])
    faces = np.concatenate([f + s for (_, f, _), s in zip(parts, starts, strict=True)])
    uv, left = [], 0.0
    for _, _, own in parts:
        flat = own[:, :2] - own[:, :2].min(axis=0)
        uv.append(flat + np.array([left, 0.0]))
        left += float(np.ptp(flat[:, 0])) + 1.0
    rows = _rows(place, onto, rigid=rigid)
    arm = np.asarray(rows @ arm_shares())
    return Surface(rows, place, along_arm(place), arm, np.concatenate(uv), faces.astype(np.int32))


def _rows(place: Points, onto: np.ndarray, *, rigid: bool) -> sparse.csr_matrix:
    count = len(place)
    if rigid:
        columns = np.tile(onto, count)
        data = (
            np.full(len(columns), 1 / len(onto)),
            (np.repeat(np.arange(count), len(onto)), columns),
        )
        return sparse.csr_matrix(data, shape=(count, VERTICES))
    distance, near = cKDTree(canonical_places()[onto]).query(place, k=NEIGHBOURS)
    weight = 1 / (distance + 1.0) ** 2
    weight /= weight.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(count), NEIGHBOURS)
    return sparse.csr_matrix((weight.ravel(), (rows, onto[near].ravel())), shape=(count, VERTICES))


def _both(one: Surface, other: Surface) -> Surface:
    shift = np.array([float(one.uv[:, 0].max()) + 1.0, 0.0])
    return Surface(
        sparse.vstack([one.rows, other.rows]).tocsr(),
        np.concatenate([one.place, other.place]),
        np.concatenate([one.arm, other.arm]),
        np.concatenate([one.on_arm, other.on_arm]),
        np.concatenate([one.uv, other.uv + shift]),
        np.concatenate([one.faces, other.faces + len(one.place)]).astype(np.int32),
    )
