import numpy as np
import pytest

from schemas.errors import InputError
from schemas.scan import FACES_AT_ONCE, Mesh
from tasks.scans.geometry import Geometry, check_geometry, check_indices, to_color_bytes

CORNER = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [2, 0, 0]])


def geometry(faces: list[list[int]]) -> Geometry:
    count = len(faces)
    return Geometry(
        vertices=CORNER,
        faces=np.array(faces, np.int32),
        uv=np.zeros((4, 2), np.float32),
        uv_faces=np.array(faces, np.int32),
        face_material=np.arange(count, dtype=np.int32),
    )


def test_faces_in_a_line_are_dropped_with_all_that_belongs_to_them() -> None:
    checked = check_geometry("a", geometry([[0, 1, 3], [0, 1, 2], [1, 1, 2]]))
    assert checked.uv_faces is not None
    assert checked.face_material is not None
    assert checked.faces.tolist() == checked.uv_faces.tolist() == [[0, 1, 2]]
    assert checked.face_material.tolist() == [1]


def test_a_good_mesh_is_left_alone() -> None:
    good = geometry([[0, 1, 2]])
    assert check_geometry("a", good) is good


def test_a_mesh_without_area_is_refused() -> None:
    with pytest.raises(InputError, match="a: 1 faces, none of them covering any area"):
        check_geometry("a", geometry([[0, 1, 3]]))


def test_indices_beyond_the_end_are_refused() -> None:
    with pytest.raises(
        InputError, match="a face uses vertex 7, counted from 0; expected indices below 7"
    ):
        check_indices("a", np.array([0, 1, 7]), 7, "vertex")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[0.0, 0.5, 1.0]], [[0, 128, 255]]),
        ([[0.0, 128.0, 255.0]], [[0, 128, 255]]),
        ([[-5.0, 2.0, 300.0]], [[0, 2, 255]]),
    ],
)
def test_colors_of_either_range_become_bytes(
    values: list[list[float]], expected: list[list[int]]
) -> None:
    assert to_color_bytes(np.array(values)).tolist() == expected


def test_a_face_without_area_is_found_among_many() -> None:
    count = 2 * FACES_AT_ONCE + 3
    faces = np.tile(np.array([[0, 1, 2]], np.int32), (count, 1))
    faces[FACES_AT_ONCE + 7] = (0, 1, 1)
    checked = check_geometry("many", Geometry(np.eye(3), faces))
    assert len(checked.faces) == count - 1
    assert checked.warnings == ("1 faces without area were dropped",)


def test_the_vertices_that_faces_use_come_once_and_in_order() -> None:
    vertices = np.arange(15, dtype=np.float64).reshape(5, 3)
    mesh = Mesh(vertices, np.array([[4, 0, 2], [2, 0, 4]], np.int32))
    assert mesh.used_vertices.tolist() == vertices[[0, 2, 4]].tolist()
