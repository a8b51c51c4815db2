"""Angle-weighted, welded vertex normals on shapes whose normals are known."""

import numpy as np
import pytest

from renderers.mesh_normals import vertex_normals, weld_positions
from tests.renderers.figures import box, rotation_y, sphere


def test_corners_of_a_box_point_along_its_diagonals() -> None:
    mesh = box((1.0, 1.0, 1.0))
    expected = mesh.vertices / np.sqrt(3)  # three right angles meet in each, however cut
    assert vertex_normals(mesh.vertices, mesh.faces) == pytest.approx(expected, abs=1e-6)


def test_normals_of_a_globe_point_outward_to_its_seam_and_poles() -> None:
    mesh = sphere(1.0, steps=40)
    error = np.abs(vertex_normals(mesh.vertices, mesh.faces) - mesh.vertices).max()
    assert error < 2e-3


def test_a_large_face_counts_no_more_than_a_small_one_of_the_same_angle() -> None:
    vertices = np.array([[0, 0, 0], [100, 0, 0], [0, 100, 0], [0, 0, 1], [0, 1.0, 0]], float)
    faces = np.array([[0, 1, 2], [0, 4, 3]], np.int32)  # faces +z and +x, both of 90 degrees
    assert vertex_normals(vertices, faces)[0] == pytest.approx([0.5**0.5, 0, 0.5**0.5])


def test_the_mesh_may_be_turned_before_or_after() -> None:
    mesh, turn = sphere(1.0, steps=12), rotation_y(33)[:3, :3]
    first = vertex_normals(mesh.vertices @ turn.T, mesh.faces)
    assert first == pytest.approx(vertex_normals(mesh.vertices, mesh.faces) @ turn.T, abs=1e-6)


def test_sheets_back_to_back_have_no_normal() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0.0]])
    faces = np.array([[0, 1, 2], [0, 2, 1]], np.int32)
    assert (vertex_normals(vertices, faces) == 0).all()


def test_a_vertex_of_no_face_has_no_normal() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 5, 5.0]])
    normals = vertex_normals(vertices, np.array([[0, 1, 2]], np.int32))
    assert normals.tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 0, 0]]


def test_a_degenerate_face_changes_nothing() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [2, 0, 0.0]])
    faces = np.array([[0, 1, 2], [0, 1, 3], [1, 1, 1]], np.int32)
    assert vertex_normals(vertices, faces)[0].tolist() == [0, 0, 1]


def test_equal_positions_share_a_number_and_others_do_not() -> None:
    vertices = np.array([[1, 2, 3], [1, 2, 4], [1, 2, 3], [3, 2, 1], [2, 1, 3.0]])
    a, b, c, d, e = weld_positions(vertices).tolist()
    assert a == c
    assert len({a, b, d, e}) == 4


def test_minus_zero_is_zero() -> None:
    first, second = weld_positions(np.array([[0.0, 1, 2], [-0.0, 1, 2]])).tolist()
    assert first == second
