import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from schemas.body_parts import GROUPS, PARTS, crop_size, group_members
from training.twok2k.alignment import complete_joints, cut_parts, fit_parts, lay_back

HEAD, BODY, LEFT_UPPER_ARM, LEFT_LOWER_ARM, LEFT_FOOT = 0, 1, 2, 3, 10


def standing_px(resolution: int = 1000) -> Tensor:
    """All 31 joints somewhere and known, corner-origin pixels."""
    generator = torch.Generator().manual_seed(7)
    places = torch.rand(1, 31, 2, generator=generator) * 0.8 * resolution + 0.1 * resolution
    for toe, small_toe, heel, ankle in ((17, 18, 19, 15), (20, 21, 22, 16)):
        places[0, [toe, small_toe]] = places[0, ankle] + torch.tensor([0.01, 0.05]) * resolution
        places[0, heel] = places[0, ankle] + torch.tensor([-0.01, 0.01]) * resolution
    return torch.cat([places, torch.ones(1, 31, 1)], dim=2)


def with_joints(places: dict[int, tuple[float, float]], resolution: int = 1000) -> Tensor:
    """Put joints at places in -1..1; the others stay somewhere."""
    keypoints = standing_px(resolution)
    for joint, (x, y) in places.items():
        keypoints[0, joint, :2] = torch.tensor([(x + 1) / 2, (y + 1) / 2]) * resolution
    return keypoints


def apply(matrix: Tensor, point: tuple[float, float]) -> list[float]:
    return (matrix.double() @ torch.tensor([*point, 1.0], dtype=torch.float64)).tolist()


def fit(keypoints: Tensor, resolution: int = 1000) -> tuple[Tensor, Tensor, Tensor]:
    transforms = fit_parts(*complete_joints(keypoints, resolution))
    return transforms.fitted[0], transforms.inverse[0], transforms.valid[0]


def test_the_twelve_parts_stand_in_their_order() -> None:
    assert [part.name for part in PARTS] == [
        "head", "upper body", "left upper arm", "left lower arm", "right upper arm",
        "right lower arm", "left upper leg", "left lower leg", "right upper leg",
        "right lower leg", "left foot", "right foot",
    ]  # fmt: skip


def test_ears_go_to_their_targets() -> None:
    fitted, _, _ = fit(with_joints({4: (-0.2, -0.5), 3: (0.1, -0.4)}))
    assert apply(fitted[HEAD], (-0.2, -0.5)) == pytest.approx([-1 / 12, 1 / 24], abs=1e-5)
    assert apply(fitted[HEAD], (0.1, -0.4)) == pytest.approx([1 / 12, 1 / 24], abs=1e-5)


def test_a_head_seen_from_the_side_keeps_the_size_of_its_threshold() -> None:
    # Ears 1/12 apart, half the threshold of 1/6: the targets shrink by half too, scale 1.
    fitted, _, _ = fit(with_joints({4: (0.0, 0.0), 3: (1 / 12, 0.0)}))
    assert float(fitted[HEAD][0, 0]) == pytest.approx(1, abs=1e-4)


def test_a_shortened_lower_arm_is_judged_from_elbow_to_fingers() -> None:
    places = {7: (0.0, 0.0), 9: (0.0, 0.1)} | dict.fromkeys((23, 24, 25, 26), (0.0, 0.125))
    fitted, _, _ = fit(with_joints(places))
    # Distance 0.125 of the threshold 5/18; elbow to fingers spans 5/18 in the targets: scale 1.
    assert math.hypot(*fitted[LEFT_LOWER_ARM][:, 0].tolist()) == pytest.approx(1, abs=1e-4)


def test_four_joints_are_fitted_by_least_squares() -> None:
    joints = {6: (-0.3, -0.4), 5: (0.2, -0.35), 12: (-0.15, 0.1), 11: (0.1, 0.2)}
    fitted, _, _ = fit(with_joints(joints))
    rows, right = [], []
    targets = [(-1 / 9, -1 / 6), (1 / 9, -1 / 6), (-1 / 12, 1 / 6), (1 / 12, 1 / 6)]
    for (x, y), (u, v) in zip(joints.values(), targets, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        right += [u, v]
    a, b, tx, ty = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    expected = [[a, -b, tx], [b, a, ty]]
    np.testing.assert_allclose(fitted[BODY].numpy(), expected, atol=1e-5)


def test_the_inverse_undoes_the_fit() -> None:
    fitted, inverse, _ = fit(standing_px())
    for part in range(12):
        x, y = apply(fitted[part], (0.3, -0.2))
        assert apply(inverse[part], (x, y)) == pytest.approx([0.3, -0.2], abs=1e-4)


def test_the_finger_mean_takes_the_known_fingers_only() -> None:
    keypoints = with_joints({23: (0.2, 0.2), 25: (0.4, 0.6)})
    keypoints[0, [24, 26]] = 0
    joints, known = complete_joints(keypoints, 1000)
    assert joints[0, 31].tolist() == pytest.approx([0.3, 0.4], abs=1e-5)
    assert bool(known[0, 31])


@pytest.mark.parametrize(("missing", "taken"), [(17, 18), (18, 17), (19, 15), (21, 20), (22, 16)])
def test_a_missing_toe_takes_the_other_and_a_missing_heel_the_ankle(
    missing: int, taken: int
) -> None:
    keypoints = standing_px()
    keypoints[0, missing] = 0
    joints, known = complete_joints(keypoints, 1000)
    assert joints[0, missing].tolist() == joints[0, taken].tolist()
    assert bool(known[0, missing])


def test_a_part_with_a_missing_joint_has_no_transform() -> None:
    keypoints = standing_px()
    keypoints[0, 7] = 0
    _, _, valid = fit(keypoints)
    arm = (LEFT_UPPER_ARM, LEFT_LOWER_ARM)
    assert valid.tolist() == [place not in arm for place in range(12)]


def test_a_missing_joint_is_not_taken_for_the_corner() -> None:
    keypoints = standing_px()
    keypoints[0, [17, 18]] = 0
    _, _, valid = fit(keypoints)
    assert not bool(valid[LEFT_FOOT])


def test_a_part_whose_joints_coincide_has_no_transform() -> None:
    _, _, valid = fit(with_joints({5: (0.1, 0.1), 7: (0.1, 0.1)}))
    assert not bool(valid[LEFT_UPPER_ARM])


def test_a_foot_whose_toes_cover_its_heel_has_no_transform() -> None:
    places = {17: (-0.1, 0.0), 18: (0.1, 0.0), 19: (-0.1, 0.0), 15: (0.1, 0.0)}
    _, _, valid = fit(with_joints(places))
    assert not bool(valid[LEFT_FOOT])


def test_transforms_are_finite_even_where_they_do_not_count() -> None:
    fitted, inverse, _ = fit(torch.zeros(1, 31, 3))
    assert bool(torch.isfinite(fitted).all() and torch.isfinite(inverse).all())


def test_cutting_keeps_the_centre_of_the_grid_made_at_full_size() -> None:
    image = torch.rand(1, 3, 256, 256)
    _, inverse, _ = fit(standing_px())
    grid = functional.affine_grid(inverse[:1], [1, 3, 256, 256], align_corners=False)
    whole = functional.grid_sample(image, grid, padding_mode="zeros", align_corners=False)
    cut = cut_parts(image, inverse[None, :1], (48, 40))[0, 0]
    expected = whole[0, :, 128 - 24 : 128 + 24, 128 - 20 : 128 + 20]
    torch.testing.assert_close(cut, expected, atol=1e-4, rtol=0)


def test_every_part_of_a_batch_is_cut_from_its_own_image() -> None:
    images = torch.stack([torch.zeros(1, 64, 64), torch.ones(1, 64, 64)])
    identity = torch.eye(3)[:2].expand(2, 3, 2, 3)
    cut = cut_parts(images, identity, (16, 8))
    assert cut.shape == (2, 3, 1, 16, 8)
    assert cut.mean(dim=(2, 3, 4)).tolist() == [[0, 0, 0], [1, 1, 1]]


def test_laying_back_equals_warping_the_zero_padded_crop_at_full_size() -> None:
    crop = torch.rand(1, 1, 2, 48, 40)
    fitted, _, _ = fit(standing_px())
    padded = functional.pad(crop[:, 0], (108, 108, 104, 104))
    grid = functional.affine_grid(fitted[:1], [1, 2, 256, 256], align_corners=False)
    expected = functional.grid_sample(padded, grid, padding_mode="zeros", align_corners=False)
    laid = lay_back(crop, fitted[None, :1], 256)[:, 0]
    torch.testing.assert_close(laid, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("resolution", "sizes"),
    [
        (2048, [(368, 320), (528, 336), (352, 224), (272, 256), (176, 128)]),
        (512, [(96, 80), (136, 88), (88, 56), (72, 64), (48, 32)]),
    ],
)
def test_crops_scale_and_are_rounded_up_to_eight(
    resolution: int, sizes: list[tuple[int, int]]
) -> None:
    assert [crop_size(group, resolution) for group in GROUPS] == sizes


def test_arms_and_legs_are_four_each_and_feet_two() -> None:
    assert {group: len(group_members(group)) for group in GROUPS} == {
        "head": 1, "upper_body": 1, "arms": 4, "legs": 4, "feet": 2,
    }  # fmt: skip
