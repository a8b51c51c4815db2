from collections.abc import Mapping

import numpy as np
import pytest

from schemas.codecs import encode_depth, encode_normals
from schemas.errors import InputError
from tests.training.hdnet.conftest import ball, ball_rays, labelled_row
from training.hdnet.labelled_samples import decode_labelled


@pytest.fixture(scope="module")
def row() -> Mapping[str, object]:
    return labelled_row("ball", "train", 0.5)


def test_depth_is_z_in_metres_with_its_median_at_four(row: Mapping[str, object]) -> None:
    sample = decode_labelled("ball", row)
    length_m, _, mask = ball(0.5, 2.5)
    z = length_m * ball_rays()[..., 2]
    expected = np.where(mask, z - np.median(z[mask]) + 4, 0)
    np.testing.assert_allclose(sample.depth_m, expected, atol=1e-5)
    np.testing.assert_array_equal(sample.mask, mask)
    assert sample.shift_m == pytest.approx(4 - np.median(z[mask]), abs=1e-5)


def test_normals_are_unit_and_face_the_viewer(row: Mapping[str, object]) -> None:
    sample = decode_labelled("ball", row)
    _, normals, mask = ball(0.5, 2.5)
    np.testing.assert_allclose(sample.normals, normals, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(sample.normals[mask], axis=-1), 1, atol=1e-6)


def test_the_ground_is_white(row: Mapping[str, object]) -> None:
    sample = decode_labelled("ball", row)
    assert (sample.image[~sample.mask] == 255).all()
    assert (sample.image[sample.mask] != 255).any()


def test_densepose_stands_as_an_rgb_reader_gives_it(row: Mapping[str, object]) -> None:
    densepose = decode_labelled("ball", row).densepose
    assert densepose is not None
    # Stored part 2, U 100, V 200.
    assert densepose[128, 128].tolist() == [200, 100, 2]
    assert not densepose[0, 0].any()


def test_a_person_out_of_range_is_refused_by_name() -> None:
    far = labelled_row("ball", "train", 0.5, distance_m=9.0)
    with pytest.raises(InputError, match=r"far/away: no depth .* expected 1 to 8 m"):
        decode_labelled("far/away", far)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [(np.nan, "no finite numbers"), (1e9, r"depth from 0 to 1e\+09"), (-1, "depth from -1 to")],
)
def test_absurd_depth_is_refused_by_name(
    row: Mapping[str, object], value: float, complaint: str
) -> None:
    length_m, _, mask = ball(0.5, 2.5)
    length = (length_m / 2).astype(np.float32)
    length[128, 128] = value
    with pytest.raises(InputError, match=f"ball/0: .*{complaint}"):
        decode_labelled("ball/0", {**row, "depth": encode_depth(length, length, mask)})


def test_normals_that_are_no_numbers_are_refused_by_name(row: Mapping[str, object]) -> None:
    _, normals, mask = ball(0.5, 2.5)
    flat = np.where(mask[..., None], np.nan, normals).astype(np.float32)
    with pytest.raises(InputError, match="ball/0: normals with values that are no finite numbers"):
        decode_labelled("ball/0", {**row, "normals": encode_normals(flat, -flat, mask)})
