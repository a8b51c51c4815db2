"""Meshes written by an independent writer in every style come back equal."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InputError
from tasks.scans.geometry import Geometry
from tasks.scans.obj import parse_obj
from tests.fixtures_meshes import tetrahedron_obj

COORDINATES = st.floats(-1e6, 1e6, allow_nan=False, width=64)


@dataclass(frozen=True)
class Style:
    """How the writer writes."""

    corner: str
    relative: bool
    interleaved: bool
    line_end: str
    indent: str
    continued: bool


STYLES = st.builds(
    Style,
    corner=st.sampled_from(["v", "v/t", "v//n", "v/t/n"]),
    relative=st.booleans(),
    interleaved=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    indent=st.sampled_from(["", " ", "\t"]),
    continued=st.booleans(),
)


@st.composite
def soups(draw: st.DrawFn) -> list[list[tuple[float, float, float]]]:
    """Draw separate triangles with some area: their corners spread along the axes."""
    count = draw(st.integers(1, 6))
    places = draw(
        st.lists(st.tuples(COORDINATES, COORDINATES, COORDINATES), min_size=count, max_size=count)
    )
    return [[(x, y, z), (x + 8, y, z), (x, y + 8, z)] for x, y, z in places]


def write_soup(soup: list[list[tuple[float, float, float]]], style: Style) -> bytes:
    """Write each triangle with three vertices, texture coordinates and normals of its own."""
    definitions, faces = [], []
    for k, corners in enumerate(soup):
        lines = [f"v {x!r} {y!r} {z!r}" for x, y, z in corners]
        lines += [f"vt {0.5 * j} {0.25 * k}" for j in range(3)]
        lines += ["vn 0 0 1"] * 3
        definitions.append(lines)
        last = k if style.interleaved else len(soup) - 1
        start = 3 * k - 3 * (last + 1) if style.relative else 3 * k + 1
        corner = style.corner.replace("v", "{0}").replace("t", "{0}").replace("n", "{0}")
        gap = " \\" + style.line_end if style.continued and style.line_end != "\r" else " "
        faces.append("f " + gap.join(corner.format(start + j) for j in range(3)))
    if style.interleaved:
        lines = [
            line for pair in zip(definitions, faces, strict=True) for line in (*pair[0], pair[1])
        ]
    else:
        lines = [line for group in definitions for line in group] + faces
    return "".join(style.indent + line + style.line_end for line in lines).encode()


@given(soups(), STYLES)
def test_any_style_gives_back_the_mesh(
    soup: list[list[tuple[float, float, float]]], style: Style
) -> None:
    geometry = parse_obj(write_soup(soup, style), "soup.obj")
    assert geometry.vertices[geometry.faces].tolist() == [[list(p) for p in t] for t in soup]


@given(soups(), STYLES)
def test_any_style_gives_back_the_texture_coordinates(
    soup: list[list[tuple[float, float, float]]], style: Style
) -> None:
    geometry = parse_obj(write_soup(soup, style), "soup.obj")
    expected = [[[0.5 * j, 0.25 * k] for j in range(3)] for k in range(len(soup))]
    assert _corner_uv(geometry) == (expected if "t" in style.corner else None)


def _corner_uv(geometry: Geometry) -> list[object] | None:
    if geometry.uv is None or geometry.uv_faces is None:
        return None
    values: list[object] = geometry.uv[geometry.uv_faces].tolist()
    return values


def test_a_sphere_is_what_trimesh_reads() -> None:
    text = trimesh.creation.icosphere(subdivisions=3).export(file_type="obj")
    ours = parse_obj(text.encode(), "sphere.obj")
    theirs: Any = trimesh.load(io.StringIO(text), file_type="obj", process=False)
    np.testing.assert_array_equal(ours.vertices[ours.faces], theirs.vertices[theirs.faces])


def test_a_textured_mesh_is_what_trimesh_reads() -> None:
    text = tetrahedron_obj(material="usemtl skin")
    ours = parse_obj(text.encode(), "a.obj")
    theirs: Any = trimesh.load(io.StringIO(text), file_type="obj", process=False)
    assert ours.uv is not None
    assert ours.uv_faces is not None
    np.testing.assert_array_equal(ours.uv[ours.uv_faces], theirs.visual.uv[theirs.faces])


SOME_OBJ = tetrahedron_obj(head="# Bürger\nmtllib a.mtl\ng body", material="usemtl a\ns 1") + (
    "v 0 0 0 1 0 0\nf -1//1 1//1 3//1 2//1\nf 1/1/1 2/2/2 \\\n 3/3/3\n"
)


UNIFORM_OBJ = "".join(
    [
        *(f"v {k % 5}.{k} -{k % 3}.5 1.25e-{k}\n" for k in range(12)),
        *(f"vt 0.{k} .5\n" for k in range(12)),
        *(f"f {k}/{k}/1 {k + 1}/{k + 1}/1 {k + 2}/{k + 2}/1\n" for k in range(1, 11)),
    ]
)
"""All lines of a kind are built alike, which the reader takes at once."""


@pytest.mark.parametrize(
    ("old", "new"), [("f ", "f  "), ("v ", "v\t"), ("vt ", "vt  "), ("/1\n", "\n")]
)
def test_lines_built_alike_are_read_as_any_others(old: str, new: str) -> None:
    alike = parse_obj(UNIFORM_OBJ.encode(), "alike.obj")
    other = parse_obj(UNIFORM_OBJ.replace(old, new, 3).encode(), "other.obj")
    np.testing.assert_array_equal(alike.vertices, other.vertices)
    np.testing.assert_array_equal(alike.faces, other.faces)
    np.testing.assert_array_equal(alike.uv, other.uv)
    np.testing.assert_array_equal(alike.uv_faces, other.uv_faces)


def read_or_refuse(data: bytes) -> None:
    """Read bytes: a valid mesh or an InputError, nothing else."""
    try:
        geometry = parse_obj(data, "fuzz.obj")
    except InputError:
        return
    assert geometry.faces.min() >= 0
    assert geometry.faces.max() < len(geometry.vertices)
    assert np.isfinite(geometry.vertices).all()
    if geometry.uv is not None and geometry.uv_faces is not None:
        assert geometry.uv_faces.max() < len(geometry.uv)


@pytest.mark.parametrize("end", range(0, len(SOME_OBJ.encode()), 7))
def test_any_truncation_is_read_or_refused(end: int) -> None:
    read_or_refuse(SOME_OBJ.encode()[:end])


def random_damage(seed: int) -> bytes:
    """Change, remove, double or insert a few bytes of an OBJ file."""
    rng = np.random.default_rng(seed)
    data = bytearray((SOME_OBJ if seed % 2 else UNIFORM_OBJ).encode())
    alphabet = b" \t\r\n\\/#-+.0123456789eEvtfnug\x00\xff"
    for _ in range(rng.integers(1, 6)):
        at, size = int(rng.integers(len(data))), int(rng.integers(0, 4))
        data[at : at + size] = bytes(rng.choice(list(alphabet), int(rng.integers(0, 4))).tolist())
    return bytes(data)


@pytest.mark.parametrize("seed", range(200))
def test_any_damage_is_read_or_refused(seed: int) -> None:
    read_or_refuse(random_damage(seed))


@pytest.mark.long
@pytest.mark.parametrize("thousand", range(30))
def test_much_damage_is_read_or_refused(thousand: int) -> None:
    for seed in range(1000 * thousand, 1000 * thousand + 1000):
        read_or_refuse(random_damage(seed))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(500))
def test_random_bytes_are_refused(seed: int) -> None:
    data = np.random.default_rng(seed).bytes(300)
    with pytest.raises(InputError):
        parse_obj(data, "fuzz.obj")
