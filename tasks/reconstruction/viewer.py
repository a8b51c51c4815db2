"""A page on which one person can be turned round: opens from a disk, fetches nothing."""

from base64 import b64encode
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int64, UInt8
from jinja2 import Environment, StrictUndefined, Template

from schemas.codecs import encode_jpeg
from tasks.reconstruction.sheets import ColoredMesh

MAX_VERTICES = 90_000
FIRST_CELLS, COARSER = 640, 1.2
"""Cells along the longest side at first; each is made so much larger until the mesh is small."""

SHORT = 65535
QUALITY = 85
TEMPLATE = Path(__file__).with_name("viewer.html.jinja")


def make_page(
    name: str, mesh: ColoredMesh, images: dict[str, UInt8[np.ndarray, "H W 3"]], facts: str
) -> str:
    """Return the page of a person. images: shown below the viewer, by caption."""
    small = thin_out(mesh)
    low, high = small.vertices.min(axis=0), small.vertices.max(axis=0)
    span = np.maximum(high - low, 1e-9)
    places = np.rint((small.vertices - low) / span * SHORT).astype("<u2")
    return _template().render(
        name=name, facts=facts, low=low.tolist(), span=span.tolist(),
        places=_encode(places), colors=_encode(small.colors),
        faces=_encode(small.faces.astype("<u4")),
        images={caption: _embed(image) for caption, image in images.items()},
    )  # fmt: skip


def thin_out(mesh: ColoredMesh, max_vertices: int = MAX_VERTICES) -> ColoredMesh:
    """Merge vertices that share a cell of a grid, the finest that leaves few enough."""
    if len(mesh.vertices) <= max_vertices:
        return mesh
    low = mesh.vertices.min(axis=0)
    cell = float(np.ptp(mesh.vertices, axis=0).max()) / FIRST_CELLS
    while True:
        keys = _keys(mesh.vertices - low, cell)
        _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
        if len(counts) <= max_vertices:
            break
        cell *= COARSER
    vertices, colors = (
        np.stack([np.bincount(inverse, values[:, axis]) for axis in range(3)], axis=1)
        / counts[:, None]
        for values in (mesh.vertices, mesh.colors.astype(np.float64))
    )
    faces = inverse[mesh.faces].astype(np.int32)
    a, b, c = faces.T
    return ColoredMesh(
        vertices, faces[(a != b) & (b != c) & (c != a)], np.rint(colors).astype(np.uint8)
    )


def _keys(offsets: Float[np.ndarray, "V 3"], cell: float) -> Int64[np.ndarray, " V"]:
    x, y, z = (offsets / cell).astype(np.int64).T
    keys: Int64[np.ndarray, " V"] = (x << 42) | (y << 21) | z
    return keys


def _embed(image: UInt8[np.ndarray, "H W 3"]) -> str:
    return "data:image/jpeg;base64," + b64encode(encode_jpeg(image, QUALITY)).decode()


def _encode(array: np.ndarray) -> str:
    return b64encode(np.ascontiguousarray(array).tobytes()).decode()


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(TEMPLATE.read_text())
