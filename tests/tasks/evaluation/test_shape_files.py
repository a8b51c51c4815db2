import json
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh

from schemas.errors import InputError
from tasks.evaluation.shape_files import find_shape_file, parse_glb, read_shape
from tests.fixtures_meshes import write_rp_scan


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".glb"])
def test_a_box_of_any_format_keeps_its_corners(tmp_path: Path, suffix: str) -> None:
    box = trimesh.creation.box((1.0, 2.0, 3.0))
    box.export(tmp_path / f"box{suffix}")
    surface = read_shape(tmp_path / f"box{suffix}").surface
    assert surface.faces is not None
    assert len(surface.faces) == 12
    np.testing.assert_allclose(surface.vertices.max(axis=0), [0.5, 1.0, 1.5], atol=1e-6)


def test_a_glb_has_its_scene_placed(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    move = trimesh.transformations.translation_matrix((5.0, 0.0, 0.0))
    scene.add_geometry(trimesh.creation.box(), transform=move)
    scene.export(tmp_path / "scene.glb")
    vertices = read_shape(tmp_path / "scene.glb").surface.vertices
    np.testing.assert_allclose(vertices.mean(axis=0), [5.0, 0.0, 0.0], atol=1e-6)


def test_a_cloud_is_read_with_its_normals(tmp_path: Path) -> None:
    header = "ply\nformat ascii 1.0\nelement vertex 2\n"
    header += "".join(f"property float {name}\n" for name in ("x", "y", "z", "nx", "ny", "nz"))
    path = tmp_path / "cloud.ply"
    path.write_text(header + "end_header\n1 2 3 0 0 2\n4 5 6 0 1 0\n")
    surface = read_shape(path).surface
    assert surface.faces is None
    np.testing.assert_allclose(surface.vertices, [[1, 2, 3], [4, 5, 6]])
    assert surface.normals is not None
    np.testing.assert_allclose(surface.normals, [[0, 0, 1], [0, 1, 0]])


def test_the_cloud_of_another_library_is_read(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(50, 3))
    trimesh.PointCloud(points).export(tmp_path / "cloud.ply")
    np.testing.assert_allclose(
        read_shape(tmp_path / "cloud.ply").surface.vertices, points, atol=1e-6
    )


def test_a_scan_folder_gives_mesh_and_unit(tmp_path: Path) -> None:
    folder = write_rp_scan(tmp_path)
    found = read_shape(folder)
    assert found.path.name == "rp_ada_posed_001_100k.obj"
    assert found.cm_per_unit == 1.0


def test_a_folder_of_several_shapes_is_refused(tmp_path: Path) -> None:
    for name in ("a.obj", "b.obj"):
        (tmp_path / name).write_text("")
    with pytest.raises(InputError, match="2 files of shapes"):
        find_shape_file(tmp_path)


def test_another_file_is_refused_by_its_ending(tmp_path: Path) -> None:
    path = tmp_path / "shape.stl"
    path.write_bytes(b"x")
    with pytest.raises(InputError, match=r"ends in \.stl"):
        read_shape(path)


def make_glb(header: dict[str, object], body: bytes = b"") -> bytes:
    """Write a binary glTF file around a header."""
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    total = 20 + len(text) + (8 + len(body)) * bool(body)
    start = struct.pack("<5I", 0x46546C67, 2, total, len(text), 0x4E4F534A)
    return start + text + (struct.pack("<2I", len(body), 0x004E4942) + body if body else b"")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"glTF", "4 bytes"),
        (make_glb({})[:-1] + b"", "no whole file"),
        (make_glb({"accessors": [{"count": 10**12, "bufferView": 0}]}), "an array of"),
        (make_glb({"accessors": [{"count": 10**12}]}), "not in the file itself"),
        (make_glb({"buffers": [{"uri": "file:///etc/passwd"}]}), "not in the file itself"),
        (make_glb({"accessors": "many"}), "no glTF"),
        (make_glb({"nodes": [{}] * 1001}), "1001 nodes"),
        (make_glb({"scenes": []}), "Error|no triangle"),
        (make_glb({"accessors": [{"count": 3, "bufferView": 7}]}), "Error|no triangle"),
    ],
)  # fmt: skip
def test_a_hostile_glb_is_refused(data: bytes, found: str) -> None:
    with pytest.raises(InputError, match=found):
        parse_glb(data, "person.glb")
