import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from schemas.errors import InputError
from tasks.scans.ply import parse_ply, read_ply

HEADER = """ply
format {format} 1.0
comment made by hand
element vertex 4
property {real} x
property {real} y
property {real} z
property uchar red
property uchar green
property uchar blue
property uchar alpha
element face {faces}
property list uchar {index} vertex_indices
end_header
"""
VERTICES = [
    (0, 0, 0, 255, 0, 0, 9),
    (1, 0, 0, 0, 255, 0, 9),
    (1, 1, 0, 0, 0, 255, 9),
    (0, 1, 0, 7, 8, 9, 9),
]


def text_ply(faces: list[list[int]]) -> bytes:
    rows = [" ".join(map(str, row)) for row in VERTICES]
    rows += [" ".join(map(str, [len(face), *face])) for face in faces]
    head = HEADER.format(format="ascii", real="float", index="int", faces=len(faces))
    return (head + "\n".join(rows) + "\n").encode()


def binary_ply(faces: list[list[int]], order: str, real: str = "f4", index: str = "i4") -> bytes:
    names = {"f4": "float", "f8": "float64", "i4": "int", "u2": "ushort"}
    kind = {"<": "binary_little_endian", ">": "binary_big_endian"}[order]
    head = HEADER.format(format=kind, real=names[real], index=names[index], faces=len(faces))
    data = b""
    for row in VERTICES:
        data += np.array(row[:3], order + real).tobytes() + bytes(row[3:])
    for face in faces:
        data += bytes([len(face)]) + np.array(face, order + index).tobytes()
    return head.encode() + data


ALL_KINDS = [
    text_ply([[0, 1, 2], [0, 2, 3]]),
    binary_ply([[0, 1, 2], [0, 2, 3]], "<"),
    binary_ply([[0, 1, 2], [0, 2, 3]], ">"),
    binary_ply([[0, 1, 2], [0, 2, 3]], "<", "f8", "u2"),
    text_ply([[0, 1, 2], [0, 2, 3]]).replace(b"\n", b"\r\n"),
]


@pytest.mark.parametrize("data", ALL_KINDS)
def test_every_kind_gives_the_same_mesh(data: bytes) -> None:
    geometry = parse_ply(data, "a.ply")
    assert geometry.vertices.tolist() == [list(row[:3]) for row in VERTICES]
    assert geometry.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert geometry.warnings == ()


@pytest.mark.parametrize("data", ALL_KINDS)
def test_vertex_colors_are_rgb(data: bytes) -> None:
    colors = parse_ply(data, "a.ply").vertex_colors
    assert colors is not None
    assert colors.tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255], [7, 8, 9]]


@pytest.mark.parametrize("write", [text_ply, lambda faces: binary_ply(faces, "<")])
@pytest.mark.parametrize(
    "faces", [[[0, 1, 2], [0, 1, 2, 3]], [[0, 1, 2, 3], [0, 1, 2]], [[0, 1, 2], [1]]]
)
def test_rows_may_differ_in_length(write: type, faces: list[list[int]]) -> None:
    geometry = parse_ply(write(faces), "a.ply")
    assert [0, 1, 2] in geometry.faces.tolist()
    assert len(geometry.faces) == sum(max(len(face) - 2, 0) for face in faces)
    assert len(geometry.warnings) == 1


def test_a_sphere_is_what_trimesh_reads(tmp_path: Path) -> None:
    sphere = trimesh.creation.icosphere(subdivisions=2)
    sphere.visual.vertex_colors = np.arange(len(sphere.vertices))[:, None] % [200, 190, 180, 256]
    path = tmp_path / "a.ply"
    sphere.export(path)
    theirs: Any = trimesh.load(path, process=False)
    ours = read_ply(path)
    np.testing.assert_array_equal(ours.vertices, theirs.vertices)
    np.testing.assert_array_equal(ours.faces, theirs.faces)
    np.testing.assert_array_equal(ours.vertex_colors, theirs.visual.vertex_colors[:, :3])


def test_other_tables_before_the_faces_are_passed_over() -> None:
    data = text_ply([[0, 1, 2]]).replace(
        b"element face", b"element edge 1\nproperty int a\nproperty int b\nelement face"
    )
    data = data.replace(b"3 0 1 2", b"0 1\n3 0 1 2")
    assert parse_ply(data, "a.ply").faces.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("data", ALL_KINDS[:3])
def test_every_cut_is_refused_or_leaves_a_whole_mesh(data: bytes) -> None:
    for end in range(len(data) - 2):
        with pytest.raises(InputError, match=r"a\.ply: "):
            parse_ply(data[:end], "a.ply")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"ply\n", b"plx\n", "no PLY header"),
        (b"ply\n", b"<html>", "an HTML page"),
        (b"format ascii 1.0\n", b"", "a header without its format"),
        (b"format ascii", b"format utf8", "header line 'format utf8 1.0'"),
        (b"float x", b"float w", "no table of vertices"),
        (b"vertex_indices", b"edges", "no table of vertices"),
        (b"float x", b"quad x", "header line 'property quad x'"),
        (b"3 0 1 2", b"3 0 1 4", "a face uses vertex 4, counted from 0; expected indices below 4"),
        (b"3 0 1 2", b"3 0 1 -1", "a face uses vertex -1"),
        (b"3 0 1 2", b"-3 0 1 2", "a list of -3 values"),
        (b"3 0 1 2", b"3 0 1 1.5", "a face whose corners are no whole numbers"),
        (b"3 0 1 2", b"3 0 1 1e30", "a face whose corners are no whole numbers"),
        (b"3 0 1 2", b"3 0 1 x", "text that is no number behind the header"),
        (b"3 0 1 2", b"3 0 1 nan", "a face whose corners are no whole numbers"),
        (b"0 0 0 255", b"nan 0 0 255", r"vertex 0 \(counted from 0\) at \[nan, 0\.0, 0\.0\]"),
        (b"0 0 0 255", b"0 0 0 nan", "a vertex colour that is not finite"),
        (b"vertex 4", b"vertex 4000", "in the middle of a table: it was cut"),
        (b"vertex 4", b"vertex 4000000000", "4000000000 vertices; expected at most 10000000"),
        (b"face 1", b"face 99999999", "99999999 faces; expected at most 10000000"),
        (b"vertex 4", b"vertex 1" + b"0" * 5000, "header line 'element vertex 1000"),
        (b"face 1", b"face 0", "0 faces, none of them covering any area"),
    ],
)
def test_broken_files_are_refused(old: bytes, new: bytes, message: str) -> None:
    data = text_ply([[0, 1, 2]])
    assert old in data
    with pytest.raises(InputError, match=message):
        parse_ply(data.replace(old, new, 1), "a.ply")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2000))
def test_any_damage_is_read_or_refused(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = bytearray(ALL_KINDS[seed % len(ALL_KINDS)])
    for _ in range(rng.integers(1, 4)):
        data[int(rng.integers(len(data)))] = int(rng.integers(256))
    try:
        geometry = parse_ply(bytes(data), "a.ply")
    except InputError:
        return
    assert geometry.faces.max() < len(geometry.vertices)


def test_a_sparse_file_of_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    path.write_bytes(ALL_KINDS[1])
    os.truncate(path, 3 << 30)
    with pytest.raises(InputError, match="3221225472 bytes; expected 1 to 536870912 bytes"):
        read_ply(path)


def test_wide_rows_that_nobody_asked_for_take_no_memory() -> None:
    wide = "".join(f"property uchar p{k}\n" for k in range(500))
    rows = b"".join(struct.pack("<3f", *row[:3]) + bytes(500) for row in VERTICES)
    head = "ply\nformat binary_little_endian 1.0\nelement vertex 4\nproperty float x\n"
    head += f"property float y\nproperty float z\n{wide}element face 1\n"
    head += "property list uchar int vertex_indices\nend_header\n"
    mesh = parse_ply(head.encode() + rows + b"\x03" + struct.pack("<3i", 0, 1, 2), "a.ply")
    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
