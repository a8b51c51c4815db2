import math

import pytest
import torch
from torch import Tensor

from schemas.camera import HDNET_CENTRE_PX, HDNET_FOCAL_PX
from training.hdnet.hourglass_losses import (
    angle_loss,
    depth_normal_loss,
    has_neighbours,
    lift,
    normals_from_depth,
    scale_normalised_error,
    squared_depth_error,
)

FACING = (0.0, 0.0, -1.0)
NO_SHIFT = torch.zeros(1, 1, 1, 1)


def normals(*vectors: tuple[float, float, float]) -> Tensor:
    """Lay vectors out as an image of one row."""
    return torch.tensor(vectors).T.reshape(1, 3, 1, len(vectors))


def row(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(1, 1, 1, len(values))


def inside(*values: int) -> Tensor:
    return torch.tensor(values, dtype=torch.bool).reshape(1, 1, 1, len(values))


@pytest.mark.parametrize(
    ("prediction", "radians"),
    [
        # The squared length is 1 and the divisor 1.00001: arc cosine of 0.99999.
        ((0.0, 0.0, -2.0), 0.0044721),
        ((0.0, 0.0, 2.0), math.pi - 0.0044721),
        ((3.0, 0.0, 0.0), math.pi / 2),
        ((1.0, 0.0, -1.0), math.pi / 4),
    ],
)
def test_the_angle_is_that_between_the_directions(
    prediction: tuple[float, float, float], radians: float
) -> None:
    loss = angle_loss(normals(prediction), normals(FACING), inside(1))
    assert float(loss) == pytest.approx(radians, abs=2e-5)


@pytest.mark.parametrize("z", [-1.0, 1.0])
def test_the_slope_is_finite_where_the_arc_cosine_has_none(z: float) -> None:
    prediction = normals((0.0, 0.0, z)).requires_grad_()
    angle_loss(prediction, 1.0005 * normals(FACING), inside(1)).backward()
    assert prediction.grad is not None
    assert torch.isfinite(prediction.grad).all()


def test_a_prediction_of_nothing_is_finite() -> None:
    prediction = normals((0.0, 0.0, 0.0)).requires_grad_()
    loss = angle_loss(prediction, normals(FACING), inside(1))
    loss.backward()
    # All three components become 1e-5: the angle to (0, 0, -1) is arc cosine of -1 / sqrt(3).
    assert loss.item() == pytest.approx(math.acos(-1 / math.sqrt(3)), abs=1e-4)
    assert prediction.grad is not None
    assert torch.isfinite(prediction.grad).all()


def test_the_mean_is_over_all_mask_pixels() -> None:
    prediction = normals((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, -1.0))
    loss = angle_loss(prediction, normals(FACING, FACING, FACING), inside(1, 1, 0))
    assert float(loss) == pytest.approx((math.pi / 2 + math.pi - 0.0044721) / 2, abs=2e-5)


def test_squared_errors_are_means_of_images_then_of_the_batch() -> None:
    prediction = torch.cat([row(1, 3, 9), row(2, 9, 9)])
    mask = torch.cat([inside(1, 1, 0), inside(1, 0, 0)])
    # The first image's mean is that of 1 and 9, the second's is 4.
    assert squared_depth_error(prediction, torch.zeros(2, 1, 1, 3), mask).item() == 4.5


def test_the_scale_normalised_error_by_hand() -> None:
    # Inside 2 and 4, outside 0: stretched to 0.5 and 1, times 6: 3 and 6; errors -1 and 0.
    error = scale_normalised_error(row(2, 4, 9), row(4, 6, 0), inside(1, 1, 0))
    assert error.item() == 0.5 - 0.5 * 0.5**2


def test_the_scale_of_the_prediction_does_not_count() -> None:
    errors = [
        scale_normalised_error(scale * row(2, 4, 9), row(4, 6, 0), inside(1, 1, 0)).item()
        for scale in (1, 3)
    ]
    assert errors[0] == pytest.approx(errors[1])


def test_a_flat_prediction_has_a_finite_slope() -> None:
    prediction = torch.zeros(1, 1, 2, 2, requires_grad=True)
    whole = torch.ones(1, 1, 2, 2, dtype=torch.bool)
    scale_normalised_error(prediction, torch.ones(1, 1, 2, 2), whole).backward()
    assert prediction.grad is not None
    assert torch.isfinite(prediction.grad).all()


def test_points_stand_on_the_rays_of_pixel_centres() -> None:
    points = lift(torch.full((1, 1, 256, 256), 2.0))
    expected = ((128.5 - HDNET_CENTRE_PX[0]) / HDNET_FOCAL_PX * 2, -139.02 / 314.094 * 2, 2.0)
    assert points[0, :, 0, 128].tolist() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("normal", [FACING, (0.6, 0.0, -0.8), (0.0, -0.6, -0.8)])
def test_a_plane_has_its_own_normal_everywhere(normal: tuple[float, float, float]) -> None:
    rays = lift(torch.ones(1, 1, 64, 64, dtype=torch.float64))
    direction = torch.tensor(normal, dtype=torch.float64).reshape(1, 3, 1, 1)
    depth_m = 4 * normal[2] / (rays * direction).sum(dim=1, keepdim=True)
    found = normals_from_depth(depth_m)[..., 1:, :-1]
    torch.testing.assert_close(found, direction.expand_as(found), atol=1e-6, rtol=0)


def test_published_normals_tilt_a_facing_plane_at_four_metres_by_five_degrees() -> None:
    depth_m = torch.full((1, 1, 4, 256), 4.0, dtype=torch.float64)
    truth = torch.tensor(FACING, dtype=torch.float64).reshape(1, 3, 1, 1).expand(1, 3, 4, 256)
    mask = torch.ones(1, 1, 4, 256, dtype=torch.bool)
    losses = {
        form: math.degrees(depth_normal_loss(depth_m, truth, mask, NO_SHIFT, form=form))
        for form in ("masked", "published")
    }
    assert losses["masked"] == pytest.approx(math.degrees(0.0044721), abs=1e-3)
    # Of four rows the first looks at the wrong side of the image: 175 degrees off.
    assert losses["published"] == pytest.approx((3 * 5 + 175) / 4, abs=2)


def test_a_pixel_counts_with_its_right_and_upper_neighbours_alone() -> None:
    mask = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 1, 1]], dtype=torch.bool)
    expected = [[False, False, False], [True, False, False], [True, True, False]]
    assert has_neighbours(mask[None, None])[0, 0].tolist() == expected


def test_in_place_the_relief_is_looked_at_where_it_stood() -> None:
    rays = lift(torch.ones(1, 1, 64, 64, dtype=torch.float64))
    slanted = torch.tensor((0.6, 0.0, -0.8), dtype=torch.float64).reshape(1, 3, 1, 1)
    depth_m = 2 * -0.8 / (rays * slanted).sum(dim=1, keepdim=True)
    truth, mask = slanted.expand(1, 3, 64, 64), torch.ones(1, 1, 64, 64, dtype=torch.bool)
    shift_m = torch.full((1, 1, 1, 1), 2.0, dtype=torch.float64)
    losses = [
        math.degrees(depth_normal_loss(depth_m + 2, truth, mask, shift_m, form=form))
        for form in ("in_place", "masked")
    ]
    assert losses[0] == pytest.approx(math.degrees(0.0044721), abs=1e-3)
    assert losses[1] > 5
