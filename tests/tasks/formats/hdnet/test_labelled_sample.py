import numpy as np
import pytest

from schemas.camera import camera_hdnet, camera_orthographic, ray_directions
from schemas.errors import InputError
from schemas.settings import RenderSettings
from tasks.dataset.stored_sample import StoredSample
from tasks.formats.hdnet.hdnet_frames import PublishedFrame
from tasks.formats.hdnet.labelled_sample import label_sample
from tests.tasks.formats.hdnet.ball_rows import (
    HDNET_DISTANCE_M,
    HDNET_RADIUS_M,
    METRES_PER_UNIT,
    RADIUS,
    RED,
    crop_ray,
    hdnet_row,
    meet_ball,
    standard_row,
)

RAYS = ray_directions(camera_hdnet(np.eye(4)))


def label(row: dict[str, object]) -> PublishedFrame:
    return label_sample(StoredSample(row, RenderSettings(resolution=640)))


def arrays(frame: PublishedFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return depth and normals, which every labelled frame has."""
    assert frame.depth_m is not None
    assert frame.normals is not None
    return frame.depth_m, frame.normals


def expected(distance_m: float, radius_m: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mask, z depth in metres and normals of a ball on the ray of the crop's centre."""
    centre = distance_m * crop_ray()
    mask, near, _ = meet_ball(RAYS, centre, radius_m)
    points = RAYS * near[..., None]
    return mask, points[..., 2], (points - centre) / radius_m


def test_a_sample_of_hdnets_camera_is_taken_as_it_is() -> None:
    labelled = label(hdnet_row())
    mask, depth_m, normals = expected(HDNET_DISTANCE_M, HDNET_RADIUS_M)
    np.testing.assert_array_equal(labelled.mask, mask)
    np.testing.assert_allclose(arrays(labelled)[0][mask], depth_m[mask], atol=1e-5)
    np.testing.assert_allclose(arrays(labelled)[1][mask], normals[mask], atol=2e-3)


def test_depth_and_normals_are_zero_outside() -> None:
    labelled = label(hdnet_row())
    assert not arrays(labelled)[0][~labelled.mask].any()
    assert not arrays(labelled)[1][~labelled.mask].any()


def test_a_sample_of_the_2k2k_camera_is_seen_as_hdnets_camera_would() -> None:
    labelled = label(standard_row())
    mask, depth_m, normals = expected(METRES_PER_UNIT, METRES_PER_UNIT * RADIUS)
    differing = labelled.mask != mask
    assert differing.mean() < 0.003  # the rim, by nearest pixels
    inside = mask & labelled.mask & (np.einsum("ijk,ijk->ij", normals, RAYS) < -0.3)
    np.testing.assert_allclose(arrays(labelled)[0][inside], depth_m[inside], atol=0.012)
    angle = np.degrees(
        np.arccos(np.clip((arrays(labelled)[1] * normals)[inside].sum(axis=-1), -1, 1))
    )
    assert np.median(angle) < 0.3
    assert angle.max() < 2


def test_the_ball_comes_to_stand_in_the_middle_of_the_crop() -> None:
    mask = label(standard_row(offset=(0.08, -0.05))).mask
    distance_m = METRES_PER_UNIT * np.linalg.norm([0.08, -0.05, 1.0])
    silhouette, _, _ = expected(float(distance_m), METRES_PER_UNIT * RADIUS)
    assert (mask & silhouette).sum() / (mask | silhouette).sum() > 0.97


def test_images_of_a_turned_sample_keep_their_colours() -> None:
    labelled = label(standard_row())
    assert labelled.color_on_white[128, 128].tolist() == list(RED)
    assert labelled.color_on_white[3, 3].tolist() == [255, 255, 255]
    assert np.abs(labelled.color[128, 128].astype(int) - RED).max() <= 3


def test_iuv_is_turned_by_nearest_pixels() -> None:
    labelled = label(standard_row())
    assert labelled.iuv is not None
    assert np.unique(labelled.iuv.reshape(-1, 3), axis=0).tolist() == [[0, 0, 0], [2, 100, 150]]
    np.testing.assert_array_equal(labelled.iuv[..., 0] > 0, labelled.mask)


def test_without_iuv_there_is_none() -> None:
    assert label(hdnet_row() | {"iuv": None}).iuv is None


def orthographic() -> dict[str, object]:
    return standard_row() | {"camera": camera_orthographic(640).name}


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (standard_row(256), "256 pixels a side, coarser than HDNet's crops"),
        (standard_row(offset=(0.3, 0.0)), "a person cut by its own image"),
        (standard_row(radius=0.41), "a person that HDNet's crop would cut"),
        (standard_row(radius=0.1), "a person of 68 pixels in HDNet's crop"),
        (standard_row() | {"metres_per_unit": 1.2}, "depth from 0.7"),
        (hdnet_row(2.3), "depth from 0.6"),
        (orthographic(), "the camera orthographic"),
    ],
)
def test_what_geometry_does_not_allow_is_refused_by_name(
    row: dict[str, object], found: str
) -> None:
    with pytest.raises(InputError) as refusal:
        label(row)
    assert refusal.value.thing == row["sample_id"]
    assert found in refusal.value.found


def test_normals_from_depth_by_the_reference_agree_with_the_stored_ones() -> None:
    labelled = label(hdnet_row())
    points = RAYS / RAYS[..., 2:] * arrays(labelled)[0][..., None]
    right, above = np.roll(points, -1, axis=1) - points, np.roll(points, 1, axis=0) - points
    cross = np.cross(right, above)
    inner = labelled.mask & np.roll(labelled.mask, -1, 1) & np.roll(labelled.mask, 1, 0)
    unit = cross[inner] / np.linalg.norm(cross[inner], axis=-1, keepdims=True)
    angle = np.degrees(np.arccos(np.clip((unit * arrays(labelled)[1][inner]).sum(-1), -1, 1)))
    assert np.median(angle) < 3
    assert (unit[:, 2] < 0).mean() > 0.95
