"""As raw as bought scans are: fused, meshed again, with small holes, noise, texture seams.

The surface is sampled, gaps that no camera looks into are closed, and the rest is meshed again as
Poisson reconstruction would: layers become one, hair a rough lump. The new mesh gets an atlas of
many small charts, each of slightly other exposure, and the colours of the nearest samples.
Source of the field: Kolluri, "Provably good moving least squares", ACM Trans. Alg. 4(2), 2008.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, UInt8
from scipy import ndimage, sparse
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes

from people.atlas import Atlas
from people.figure import rng_for
from people.made_scan import MadeScan
from people.meshing import Faces, vertex_normals
from people.pieces import pack_tiles
from people.texels import fill_gutter, rasterise

RAW_PURPOSE = 41
SPACING_CM = 0.5
"""Of the grid: about 150,000 triangles for a grown person."""
CLOSED_CELLS = 2
"""Gaps twice as wide are closed."""
SAMPLES_A_CELL = 5.0
NEIGHBOURS = 6
BAND_CELLS = 2.0
EXPOSED_CELLS = 1.9
OPPOSED, THIN_CM, THIN_NEIGHBOURS = -0.3, 0.35, 16
SURE_CELLS, SMOOTH_CELLS, PITS_CELLS, AT_SURFACE_CELLS = 1.6, 0.5, 1, 0.45
PIT_DEPTH_CELLS = 0.9
"""A sample counts when air is EXPOSED_CELLS in front of it."""
LAYERS_CM, LAYER_ASIDE_CM, LAYER_NEIGHBOURS = (0.5, 0.9), 0.5, 12
"""A layer about so far over another hides it; how far aside its samples may lie; how many count."""
NOISE_CM, NOISE_LIMIT_CM = 0.02, 0.08
HOLES, HOLE_RADIUS_CM = (3, 9), (0.5, 1.4)
EXPOSURE = 0.02
CHART_MIN_FACES, VOTES = 40, 6
GUTTER_TEXELS = 2.0
RASTER_LIMIT = 2048
COLOR_SAMPLES_A_TEXEL = 0.3
AXES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], np.float64)


@dataclass(frozen=True, slots=True)
class Samples:
    """Points on the finished person. face: of which triangle. share: weights of its corners."""

    place: Float64[np.ndarray, "N 3"]
    normal: Float64[np.ndarray, "N 3"]
    face: Int32[np.ndarray, " N"]
    share: Float64[np.ndarray, "N 3"]


@dataclass(frozen=True, slots=True)
class Grid:
    """A box of cells. corner: place of cell (0, 0, 0)'s middle."""

    corner: Float64[np.ndarray, " 3"]
    shape: tuple[int, int, int]

    def cells(self, place: Float64[np.ndarray, "N 3"]) -> Int32[np.ndarray, "N 3"]:
        """Return the cell of each place."""
        cells: Int32[np.ndarray, "N 3"] = np.rint((place - self.corner) / SPACING_CM).astype(
            np.int32
        )
        return cells


def roughen(scan: MadeScan, seed: int, skin: tuple[Float64[np.ndarray, "N 3"], Faces]) -> MadeScan:
    """Return a person as a raw scan; joints and annotations stay, labels and parts are carried.

    skin: the whole naked body, which is inside even where the scan leaves it out.
    """
    rng = rng_for(seed, scan.index, RAW_PURPOSE)
    samples = scatter(scan, _area(scan) * SAMPLES_A_CELL / SPACING_CM**2, rng)
    body = replace(scan, vertices=skin[0], faces=skin[1], labels=None)
    inner = scatter(body, _area(body) * SAMPLES_A_CELL / SPACING_CM**2, rng)
    grid, outside = find_air(np.concatenate([samples.place, inner.place]))
    field = _field(grid, outside, uppermost(exposed(grid, outside, samples)))
    vertices, faces = fuse(grid, add_noise(field, rng))
    faces = punch_holes(vertices, faces, rng)
    size = min(len(scan.texture), RASTER_LIMIT)
    colored = scatter(scan, COLOR_SAMPLES_A_TEXEL * size * size, rng)
    colored = _at_surface(grid, field, exposed(grid, outside, colored))
    tree = cKDTree(colored.place)
    uv, uv_faces, vertex, chart = cut_charts(vertices, faces, size)
    texture = bake(scan, (colored, tree), vertices[vertex], (uv, uv_faces, chart), rng)
    if size < len(scan.texture):
        texture = cv2.resize(texture, scan.texture.shape[:2]).astype(np.uint8)
    parts, chart_uv, labels = _carry(scan, (colored, tree), vertices, (faces, vertex))
    return replace(
        scan,
        vertices=vertices.astype(np.float64),
        faces=faces,
        atlas=Atlas(uv, chart_uv, uv_faces, parts, vertex),
        texture=texture,
        labels=labels,
    )


def _area(scan: MadeScan) -> float:
    a, b, c = (scan.vertices[scan.faces[:, k]] for k in range(3))
    return float(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())


def scatter(scan: MadeScan, count: float, rng: np.random.Generator) -> Samples:
    """Scatter about so many points over all triangles, by area."""
    a, b, c = (scan.vertices[scan.faces[:, k]] for k in range(3))
    cross = np.cross(b - a, c - a)
    area = np.linalg.norm(cross, axis=1)
    total = np.cumsum(area)
    where = (np.arange(int(count)) + rng.random(int(count))) / int(count) * total[-1]
    face = np.minimum(np.searchsorted(total, where), len(area) - 1).astype(np.int32)
    root, second = np.sqrt(rng.random(len(face))), rng.random(len(face))
    share = np.stack([1 - root, root * (1 - second), root * second], axis=1)
    place = share[:, :1] * a[face] + share[:, 1:2] * b[face] + share[:, 2:] * c[face]
    normal = cross[face] / np.maximum(area[face], 1e-12)[:, None]
    return Samples(place, normal, face, share)


def find_air(places: Float64[np.ndarray, "N 3"]) -> tuple[Grid, Bool[np.ndarray, "X Y Z"]]:
    """Return a grid around places, and which cells air reaches that does not pass narrow gaps."""
    low = places.min(axis=0) - (CLOSED_CELLS + 3) * SPACING_CM
    high = places.max(axis=0) + (CLOSED_CELLS + 3) * SPACING_CM
    shape = np.ceil((high - low) / SPACING_CM).astype(int) + 1
    grid = Grid(low, (int(shape[0]), int(shape[1]), int(shape[2])))
    filled = np.zeros(grid.shape, bool)
    filled[tuple(grid.cells(places).T)] = True
    ball = ndimage.generate_binary_structure(3, 1)
    thick = ndimage.binary_dilation(filled, ball, iterations=CLOSED_CELLS)
    labels, _ = ndimage.label(~thick)
    free = labels == labels[0, 0, 0]
    return grid, ndimage.binary_dilation(free, ball, iterations=CLOSED_CELLS)


def exposed(grid: Grid, outside: Bool[np.ndarray, "X Y Z"], samples: Samples) -> Samples:
    """Keep the samples in front of which there is air."""
    ahead = samples.place + EXPOSED_CELLS * SPACING_CM * samples.normal
    return _pick(samples, outside[tuple(grid.cells(ahead).T)])


def _pick(samples: Samples, keep: Bool[np.ndarray, " N"]) -> Samples:
    return Samples(
        samples.place[keep], samples.normal[keep], samples.face[keep], samples.share[keep]
    )


def _thinness(samples: Samples) -> Float64[np.ndarray, " N"]:
    """Return 0 to 1: whether the other side of a sheet is next to each sample, smoothly."""
    _, beside = cKDTree(samples.place).query(samples.place, k=THIN_NEIGHBOURS)
    alike = np.einsum("nkc,nc->nk", samples.normal[beside], samples.normal)
    thin: Float64[np.ndarray, " N"] = (alike.min(axis=1) < OPPOSED).astype(np.float64)
    weight = (alike > 0).astype(np.float64)
    for _ in range(3):
        thin = (weight * thin[beside]).sum(axis=1) / weight.sum(axis=1)
    return thin


def uppermost(samples: Samples) -> Samples:
    """Leave out samples over which another layer lies closely: one that is missed makes a pit."""
    tree = cKDTree(samples.place)
    under = np.zeros(len(samples.place), bool)
    for layer_cm in LAYERS_CM:
        _, near = tree.query(samples.place + layer_cm * samples.normal, k=LAYER_NEIGHBOURS)
        gap = samples.place[near] - samples.place[:, None]
        height = np.einsum("nkc,nc->nk", gap, samples.normal)
        aside = np.linalg.norm(gap - height[..., None] * samples.normal[:, None], axis=2)
        alike = np.einsum("nkc,nc->nk", samples.normal[near], samples.normal) > 0
        above = (height > 0.4 * layer_cm) & (aside < LAYER_ASIDE_CM) & alike
        under |= above.sum(axis=1) >= 2
    return _pick(samples, ~under)


def _at_surface(grid: Grid, field: Float32[np.ndarray, "X Y Z"], samples: Samples) -> Samples:
    """Keep the samples on a field's surface."""
    where = ((samples.place - grid.corner) / SPACING_CM).T
    value = ndimage.map_coordinates(field, where, order=1)
    return _pick(samples, np.abs(value) < AT_SURFACE_CELLS)


def fuse(
    grid: Grid, field: Float32[np.ndarray, "X Y Z"]
) -> tuple[Float64[np.ndarray, "V 3"], Faces]:
    """Mesh a field's zero surface, the largest piece."""
    corners, triangles, _, _ = marching_cubes(field, 0.0)  # type: ignore[no-untyped-call]
    vertices = grid.corner + corners.astype(np.float64) * SPACING_CM
    return _main_piece(vertices, triangles[:, ::-1].astype(np.int32))


def _field(
    grid: Grid, outside: Bool[np.ndarray, "X Y Z"], samples: Samples
) -> Float32[np.ndarray, "X Y Z"]:
    """Return a signed distance in cells, positive outside, at most BAND_CELLS."""
    place, normal = samples.place, samples.normal
    place = place + THIN_CM * _thinness(samples)[:, None] * normal
    near = np.zeros(grid.shape, bool)
    near[tuple(grid.cells(place).T)] = True
    band = np.argwhere(ndimage.binary_dilation(near, iterations=2))
    points = grid.corner + band * SPACING_CM
    distance, rows = cKDTree(place).query(points, k=NEIGHBOURS)
    facing = np.einsum("nkc,nc->nk", normal[rows], normal[rows[:, 0]]).clip(0)
    weight = facing * np.exp(-((distance / (0.9 * SPACING_CM)) ** 2)) + 1e-9
    height = np.einsum("nkc,nkc->nk", points[:, None] - place[rows], normal[rows])
    value = (weight * height).sum(axis=1) / weight.sum(axis=1) / SPACING_CM
    field = np.where(outside, BAND_CELLS, -BAND_CELLS).astype(np.float32)
    old = field[tuple(band.T)]
    sure = (np.sign(value) == np.sign(old)) | (distance[:, 0] < SURE_CELLS * SPACING_CM)
    field[tuple(band.T)] = np.where(sure, np.clip(value, -BAND_CELLS, BAND_CELLS), old)
    solid = ndimage.binary_closing(field < 0, iterations=PITS_CELLS)
    field = np.where(solid & (field > PIT_DEPTH_CELLS), -0.3, field).astype(np.float32)
    smooth: Float32[np.ndarray, "X Y Z"] = ndimage.gaussian_filter(field, SMOOTH_CELLS)
    return smooth


def _main_piece(
    vertices: Float64[np.ndarray, "V 3"], faces: Faces
) -> tuple[Float64[np.ndarray, "N 3"], Faces]:
    """Keep the largest connected piece."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    links = sparse.coo_matrix((np.ones(len(sides)), sides.T), (len(vertices),) * 2)
    _, piece = sparse.csgraph.connected_components(links, directed=False)
    main = np.bincount(piece[faces[:, 0]]).argmax()
    used, renamed = np.unique(faces[piece[faces[:, 0]] == main], return_inverse=True)
    return vertices[used], renamed.reshape(-1, 3).astype(np.int32)


def punch_holes(
    vertices: Float64[np.ndarray, "V 3"], faces: Faces, rng: np.random.Generator
) -> Int32[np.ndarray, "G 3"]:
    """Take small patches away where cameras see badly: what faces the floor or other surfaces."""
    normals = vertex_normals(vertices.astype(np.float32), faces)
    weight = np.clip(-normals[:, 1] - 0.2, 0, None) ** 2
    keep = np.ones(len(vertices), bool)
    for _ in range(int(rng.integers(*HOLES))):
        centre = vertices[np.searchsorted(np.cumsum(weight), rng.random() * weight.sum())]
        radius = rng.uniform(*HOLE_RADIUS_CM)
        keep &= np.linalg.norm(vertices - centre, axis=1) > radius
    kept: Int32[np.ndarray, "G 3"] = faces[keep[faces].all(axis=1)]
    return kept


def add_noise(
    field: Float32[np.ndarray, "X Y Z"], rng: np.random.Generator
) -> Float32[np.ndarray, "X Y Z"]:
    """Shift a field's surface by noise; vertices moved one by one would fold slivers over."""
    drawn = NOISE_CM * rng.standard_normal(field.shape, dtype=np.float32)
    noise = np.clip(drawn, -NOISE_LIMIT_CM, NOISE_LIMIT_CM) / np.float32(SPACING_CM)
    return np.asarray(field + noise, np.float32)


def cut_charts(
    vertices: Float64[np.ndarray, "V 3"], faces: Faces, size: int
) -> tuple[
    Float64[np.ndarray, "T 2"],
    Int32[np.ndarray, "F 3"],
    Int32[np.ndarray, " T"],
    Int32[np.ndarray, " F"],
]:
    """Project connected patches that face one way onto a plane each, and pack them.

    Returns texture coordinates, faces into them, the vertex of each, and each face's chart.
    """
    side, chart = _patches(vertices, faces)
    rows = np.stack([np.repeat(chart, 3), faces.ravel()], axis=1)
    own, uv_faces = np.unique(rows, axis=0, return_inverse=True)
    axis = np.zeros(int(chart.max()) + 1, int)
    axis[chart] = side
    place = vertices[own[:, 1]]
    direction = axis[own[:, 0]] // 2
    flat = np.where(
        (direction == 0)[:, None], place[:, [2, 1]],
        np.where((direction == 1)[:, None], place[:, [0, 2]], place[:, [0, 1]]),
    )  # fmt: skip
    count = len(axis)
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, own[:, 0], flat)
    np.maximum.at(high, own[:, 0], flat)
    extent = high - low + SPACING_CM
    tiles = np.array(pack_tiles([(float(w), float(h)) for w, h in extent]))
    inner = GUTTER_TEXELS / size
    scale = (tiles[:, 2:] - 2 * inner).clip(1e-6) / (high - low).clip(1e-6)
    uv = tiles[own[:, 0], :2] + inner + (flat - low[own[:, 0]]) * scale[own[:, 0]]
    return uv, uv_faces.reshape(-1, 3).astype(np.int32), own[:, 1].astype(np.int32), chart


def _patches(
    vertices: Float64[np.ndarray, "V 3"], faces: Faces
) -> tuple[Int32[np.ndarray, " F"], Int32[np.ndarray, " F"]]:
    """Return which way each face looks, voted by its neighbours, and its connected patch."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    count = len(faces)
    pairs = _neighbours(faces)
    links = sparse.coo_matrix((np.ones(len(pairs)), pairs.T), (count, count)).tocsr()
    links = links + links.T + sparse.identity(count)
    score = np.clip(normal @ AXES.T, 0, None)
    for _ in range(VOTES):
        score = links @ score
    side = score.argmax(axis=1).astype(np.int32)
    for _ in range(3):
        same = side[pairs[:, 0]] == side[pairs[:, 1]]
        joined = sparse.coo_matrix((np.ones(same.sum()), pairs[same].T), (count, count))
        _, chart = sparse.csgraph.connected_components(joined, directed=False)
        small = np.bincount(chart)[chart] < CHART_MIN_FACES
        votes = links @ (np.eye(len(AXES))[side] * ~small[:, None])
        side = np.where(small & (votes.sum(axis=1) > 0), votes.argmax(axis=1), side).astype(
            np.int32
        )
    same = side[pairs[:, 0]] == side[pairs[:, 1]]
    joined = sparse.coo_matrix((np.ones(same.sum()), pairs[same].T), (count, count))
    _, chart = sparse.csgraph.connected_components(joined, directed=False)
    return side, chart.astype(np.int32)


def _neighbours(faces: Faces) -> Int32[np.ndarray, "E 2"]:
    """Return pairs of faces that share a side."""
    sides = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    key = sides[:, 0].astype(np.int64) * (int(faces.max()) + 1) + sides[:, 1]
    owner = np.tile(np.arange(len(faces)), 3)
    order = np.argsort(key, kind="stable")
    twin = np.flatnonzero(key[order][1:] == key[order][:-1])
    return np.stack([owner[order][twin], owner[order][twin + 1]], axis=1).astype(np.int32)


def bake(
    scan: MadeScan,
    colored: tuple[Samples, cKDTree],
    place: Float64[np.ndarray, "T 3"],
    charts: tuple[Float64[np.ndarray, "T 2"], Int32[np.ndarray, "F 3"], Int32[np.ndarray, " F"]],
    rng: np.random.Generator,
) -> UInt8[np.ndarray, "S S 3"]:
    """Paint an atlas with the nearest samples' colours, each chart a little brighter or darker."""
    samples, tree = colored
    uv, uv_faces, chart = charts
    size = min(len(scan.texture), RASTER_LIMIT)
    pixels = np.stack([uv[:, 0] * size, (1 - uv[:, 1]) * size], axis=1)
    face, share = rasterise(pixels, uv_faces, (size, size))
    rows, columns = np.nonzero(face >= 0)
    corners, weight = uv_faces[face[rows, columns]], share[rows, columns].astype(np.float64)
    weights = np.column_stack([1 - weight.sum(axis=1), weight])
    points = np.einsum("nk,nkc->nc", weights, place[corners])
    _, near = tree.query(points)
    colors = _sample_colors(scan, samples)[near].astype(np.float32)
    gain = 1 + rng.normal(0, EXPOSURE, (int(chart.max()) + 1, 3)) * [1, 1, 1]
    gain = 0.3 * gain + 0.7 * gain.mean(axis=1, keepdims=True)
    image = np.zeros((size, size, 3), np.float32)
    image[rows, columns] = colors * gain[chart[face[rows, columns]]].astype(np.float32)
    filled = fill_gutter(image, face >= 0)
    texture: UInt8[np.ndarray, "S S 3"] = np.clip(filled + 0.5, 0, 255).astype(np.uint8)
    return texture


def _sample_colors(scan: MadeScan, samples: Samples) -> UInt8[np.ndarray, "N 3"]:
    size = len(scan.texture)
    uv = np.einsum("nk,nkc->nc", samples.share, scan.atlas.uv[scan.atlas.faces[samples.face]])
    columns = np.clip((uv[:, 0] * size).astype(int), 0, size - 1)
    rows = np.clip(((1 - uv[:, 1]) * size).astype(int), 0, size - 1)
    colors: UInt8[np.ndarray, "N 3"] = scan.texture[rows, columns]
    return colors


def _carry(
    scan: MadeScan,
    colored: tuple[Samples, cKDTree],
    vertices: Float64[np.ndarray, "V 3"],
    mesh: tuple[Faces, Int32[np.ndarray, " T"]],
) -> tuple[Int32[np.ndarray, " F"], Float64[np.ndarray, "T 2"], UInt8[np.ndarray, " F"] | None]:
    """Carry parts, charts' coordinates and labels over from the nearest samples."""
    samples, tree = colored
    faces, vertex = mesh
    _, middle = tree.query(vertices[faces].mean(axis=1))
    _, corner = tree.query(vertices[vertex])
    parts = scan.atlas.parts[samples.face[middle]].astype(np.int32)
    own = samples.face[corner]
    chart_uv = np.einsum(
        "nk,nkc->nc", samples.share[corner], scan.atlas.chart_uv[scan.atlas.faces[own]]
    )
    labels = None if scan.labels is None else scan.labels[samples.face[middle]]
    return parts, chart_uv, labels
