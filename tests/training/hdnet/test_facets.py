"""Depth normals without a floor, and where people of videos are taken to be."""

import math

import pytest
import torch

from tests.training.hdnet.conftest import ball, ball_rays
from training.hdnet.facets import facets_of_normals, place_people
from training.hdnet.hourglass_losses import (
    angle_loss,
    depth_normal_loss,
    has_neighbours,
    normals_from_depth,
    scale_normalised_error,
    squared_depth_error,
)
from training.hdnet.labelled_samples import MEDIAN_M
from training.loop.measures import angles_degrees


def ball_tensors() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return z depth, normals and mask of a ball of half a metre, 2.4 m away."""
    length, normals, inside = ball(0.5, 2.4)
    z = torch.from_numpy(length * ball_rays()[..., 2])[None, None]
    return z, torch.from_numpy(normals).permute(2, 0, 1)[None], torch.from_numpy(inside)[None, None]


def test_facets_of_a_balls_normals_are_those_of_its_depth() -> None:
    depth_m, normals, mask = ball_tensors()
    facets, sound = facets_of_normals(normals, mask)
    own = normals_from_depth(depth_m)
    off = angles_degrees(own, facets)[sound]
    beside = angles_degrees(own, normals)[sound]
    assert off.mean() < 0.1
    assert beside.mean() > 3 * off.mean()
    assert sound.sum() > 0.9 * has_neighbours(mask).sum()


def test_true_depth_has_no_floor_by_the_default_form_and_one_by_the_others() -> None:
    depth_m, normals, mask = ball_tensors()
    shift = MEDIAN_M - depth_m[mask].median().reshape(1, 1, 1, 1)
    own = normals_from_depth(depth_m)
    shifted = depth_m + shift
    floors = {
        "from_depth": depth_normal_loss(shifted, own, mask, shift, form="from_depth"),
        "in_place": depth_normal_loss(shifted, normals, mask, shift, form="in_place"),
        "masked": depth_normal_loss(shifted, normals, mask, shift, form="masked"),
        "published": depth_normal_loss(shifted, normals, mask, shift, form="published"),
    }
    degrees = {form: math.degrees(floor) for form, floor in floors.items()}
    assert degrees["from_depth"] < 0.3  # the 1e-5 in the divisor
    assert degrees["from_depth"] < degrees["in_place"] < degrees["masked"] < degrees["published"]
    assert degrees["masked"] > 5


@pytest.mark.parametrize(("rows", "distance_m"), [(200, 2.6698), (230, 2.3216)])
def test_people_are_as_far_as_the_rows_that_they_span_say(rows: int, distance_m: float) -> None:
    mask = torch.zeros(1, 1, 256, 256, dtype=torch.bool)
    mask[..., 10, 100], mask[..., 9 + rows, 120] = True, True
    # 314.094 pixels times 1.70 m, divided by the rows.
    assert 4 - place_people(mask).item() == pytest.approx(distance_m, abs=1e-3)


def test_an_empty_mask_places_nobody_at_infinity() -> None:
    assert torch.isfinite(place_people(torch.zeros(2, 1, 8, 8, dtype=torch.bool))).all()


def test_the_slopes_of_all_losses_are_those_of_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    depth_m = 2.4 + 0.02 * torch.rand(2, 1, 5, 5, generator=generator).double()
    target = depth_m + 0.1 * torch.rand(depth_m.shape, generator=generator).double()
    mask = torch.rand(depth_m.shape, generator=generator) > 0.1
    normals = torch.nn.functional.normalize(
        torch.randn(2, 3, 5, 5, generator=generator).double(), dim=1
    )
    shift = torch.full((2, 1, 1, 1), 0.1, dtype=torch.float64)
    depth_m.requires_grad_()
    losses = [
        lambda d: squared_depth_error(d, target, mask),
        lambda d: scale_normalised_error(d, target, mask),
        *(
            lambda d, form=form: depth_normal_loss(d, normals, mask, shift, form=form)
            for form in ("from_depth", "in_place", "masked")
        ),
    ]
    assert all(torch.autograd.gradcheck(loss, depth_m) for loss in losses)
    prediction = torch.randn(2, 3, 5, 5, generator=generator).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda p: angle_loss(p, normals, mask), prediction)
