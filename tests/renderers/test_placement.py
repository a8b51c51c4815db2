import numpy as np
import pytest
import trimesh

from renderers.placement import place_scan, rotation_x, rotation_y, surface_centroid
from schemas.errors import InputError
from schemas.scan import Mesh, ScanRef
from schemas.views import View


def _ref(item: str = "rp_nobody_posed_001", dataset: str = "RP") -> ScanRef:
    return ScanRef.model_validate(
        {"dataset": dataset, "item": item, "subject": item, "split": "train"}
    )


def _box(scale: float = 100.0, offset: float = 7.0) -> Mesh:
    box = trimesh.creation.box((0.4, 1.8, 0.3))
    vertices = box.vertices * scale + offset
    return Mesh(vertices=vertices, faces=box.faces.astype(np.int32))


def _apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def test_the_centroid_is_the_area_weighted_one_of_trimesh() -> None:
    cone = trimesh.creation.cone(1.0, 3.0)
    mesh = Mesh(vertices=cone.vertices, faces=cone.faces.astype(np.int32))
    assert surface_centroid(mesh) == pytest.approx(cone.centroid, abs=1e-9)


def test_the_largest_placed_coordinate_is_one_over_2_8() -> None:
    mesh = _box()
    placed = _apply(place_scan(mesh, _ref(), assumed_height_m=1.7).mesh_to_world, mesh.vertices)
    assert np.abs(placed).max() == pytest.approx(1 / 2.8)


@pytest.mark.parametrize("scale", [0.01, 1.0, 39.4])
def test_placement_does_not_depend_on_the_unit(scale: float) -> None:
    mesh, other = _box(1.0, 0.0), _box(scale, 5 * scale)
    placed = [
        _apply(place_scan(one, _ref(), assumed_height_m=1.7).mesh_to_world, one.vertices)
        for one in (mesh, other)
    ]
    assert placed[0] == pytest.approx(placed[1])


def test_vertices_that_no_face_uses_do_not_count() -> None:
    box = _box(1.0, 0.0)
    stray = Mesh(vertices=np.vstack([box.vertices, [[99.0, 0, 0]]]), faces=box.faces)
    placements = [place_scan(one, _ref(), assumed_height_m=1.7) for one in (box, stray)]
    assert placements[0].mesh_to_world == pytest.approx(placements[1].mesh_to_world)


def test_a_turned_subject_is_turned_by_minus_ninety_degrees() -> None:
    mesh = _box(1.0, 0.0)
    plain, turned = (
        place_scan(mesh, _ref(item), assumed_height_m=1.7).mesh_to_world
        for item in ("rp_nobody_posed_001", "rp_anna_posed_001")
    )
    # -90 degrees about y takes what faced the viewer (+z) to the viewer's left (-x).
    front = np.array([[0.0, 0.0, 1.0]])
    assert _apply(turned, front)[0] == pytest.approx([-_apply(plain, front)[0][2], 0, 0], abs=1e-12)


def test_a_scaled_subject_is_nine_tenths_the_size() -> None:
    mesh = _box()
    plain, scaled = (
        place_scan(mesh, _ref(item), assumed_height_m=1.7)
        for item in ("rp_nobody_posed_001", "rp_mei_posed_007")
    )
    ratio = scaled.mesh_to_world[:3, :3] / plain.mesh_to_world[0, 0]
    assert ratio == pytest.approx(0.9 * np.eye(3))
    assert scaled.metres_per_unit == pytest.approx(plain.metres_per_unit / 0.9)


def test_renderpeople_is_in_centimetres() -> None:
    placement = place_scan(_box(100.0), _ref(), assumed_height_m=1.7)
    # 1.8 m, centred, so 0.9 m is 1 / 2.8 of a scene unit.
    assert placement.metres_per_unit == pytest.approx(0.9 * 2.8)
    assert placement.metric_source == "file"


def test_without_a_fit_the_height_is_assumed_and_said() -> None:
    placement = place_scan(_box(1.0), _ref("0016", "THuman2"), assumed_height_m=1.7)
    assert placement.metres_per_unit == pytest.approx(1.7 / 2 * 2.8)
    assert placement.metric_source == "assumed_height"


def test_yaw_turns_the_face_to_the_viewers_right_and_comes_before_pitch() -> None:
    placement = place_scan(_box(1.0, 0.0), _ref(), assumed_height_m=1.7)
    turned = placement.turned(View(yaw=90.0, pitch=90.0))
    nose = _apply(turned, np.array([[0.0, 0.0, 1.0]]))[0] / placement.mesh_to_world[0, 0]
    assert nose == pytest.approx([1.0, 0.0, 0.0], abs=1e-12)


def test_turning_about_y_takes_z_to_x() -> None:
    assert rotation_y(90.0)[:3, 2] == pytest.approx([1.0, 0.0, 0.0])


def test_turning_about_x_takes_y_to_z() -> None:
    assert rotation_x(90.0)[:3, 1] == pytest.approx([0.0, 0.0, 1.0])


def test_a_mesh_without_area_is_refused() -> None:
    mesh = Mesh(vertices=np.ones((3, 3)), faces=np.array([[0, 1, 2]], np.int32))
    with pytest.raises(InputError, match="no triangle with an area"):
        place_scan(mesh, _ref(), assumed_height_m=1.7)
