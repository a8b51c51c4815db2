"""Rigid fits and the warping loss, against motions that are known and finite differences."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from schemas.camera import camera_hdnet
from training.hdnet.rigid_fit import fit_rigid, nearest_rotation
from training.hdnet.warping_loss import PairMatches, lift_pixels, warping_loss

K = torch.tensor(camera_hdnet(np.eye(4)).K)[None]


def cloud(points: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(points, 3, dtype=torch.float64, generator=generator) + torch.tensor([0, 0, 2])


def one_group(points: Tensor) -> Tensor:
    return torch.zeros(len(points), dtype=torch.int64)


def test_motions_of_several_groups_are_found_at_once() -> None:
    group = torch.arange(40) % 2
    turns = Rotation.from_rotvec([[0.3, -0.2, 1.1], [2.0, 0.5, -0.4]]).as_matrix()
    shifts = torch.tensor([[0.1, 0.0, -0.4], [0.0, 3.0, 0.2]], dtype=torch.float64)
    source = cloud(40)
    target = (torch.tensor(turns)[group] @ source[:, :, None])[:, :, 0] + shifts[group]
    found = fit_rigid(source, target, group, 2)
    torch.testing.assert_close(found.rotation, torch.tensor(turns), atol=1e-9, rtol=0)
    torch.testing.assert_close(found.carry(source, group), target, atol=1e-9, rtol=0)
    assert found.fits.tolist() == [True, True]


def test_with_noise_the_rotation_is_that_of_scipy() -> None:
    source = cloud(30)
    target = cloud(30, seed=1) * 0.2 + source @ torch.diag(torch.tensor([1.0, 1, 1])).double()
    expected, _ = Rotation.align_vectors(target - target.mean(0), source - source.mean(0))
    found = fit_rigid(source, target, one_group(source), 1).rotation[0]
    np.testing.assert_allclose(found.numpy(), expected.as_matrix(), atol=1e-7)


def test_a_mirror_image_is_turned_and_never_mirrored() -> None:
    source = cloud(20) * torch.tensor([3.0, 2.0, 0.3])
    target = source * torch.tensor([1.0, 1.0, -1.0])
    found = fit_rigid(source, target, one_group(source), 1)
    assert torch.linalg.det(found.rotation[0]).item() == pytest.approx(1)


@pytest.mark.parametrize("case", ["two points", "a line", "one place", "nothing"])
def test_points_that_leave_the_motion_open_do_not_fit(case: str) -> None:
    points = {
        "two points": cloud(2), "a line": torch.linspace(0, 1, 9).double()[:, None] * cloud(1),
        "one place": cloud(1).expand(5, 3), "nothing": cloud(0),
    }[case].clone().requires_grad_()  # fmt: skip
    found = fit_rigid(points, points.detach() + 0.1, one_group(points), 1)
    assert found.fits.tolist() == [False]
    found.carry(points, one_group(points)).sum().backward()
    assert points.grad is not None
    assert torch.isfinite(points.grad).all()


@pytest.mark.parametrize(
    "values",
    [(3, 2, 1), (2, 2, 2), (2, 2, 0.5), (3, 1, 0), (3, 1, -0.4)],
    ids=["distinct", "all equal", "two equal", "flat", "mirrored"],
)
def test_the_slope_of_the_rotation_is_that_of_finite_differences(
    values: tuple[float, float, float],
) -> None:
    turn = torch.tensor(Rotation.from_rotvec([0.2, 0.7, -0.3]).as_matrix())
    covariance = (turn @ torch.diag(torch.tensor(values, dtype=torch.float64)) @ turn.T)[None]
    assert torch.autograd.gradcheck(nearest_rotation, covariance.clone().requires_grad_())


def matches(points: int, parts: list[int]) -> PairMatches:
    generator = torch.Generator().manual_seed(3)
    pixels = torch.randint(0, 24, (points, 4), generator=generator)
    part = torch.tensor(parts)[torch.arange(points) % len(parts)]
    return PairMatches(("pair",), torch.zeros(points, dtype=torch.int64), part, pixels)


def moved_planes() -> tuple[Tensor, Tensor, PairMatches]:
    """Make depth maps of one plane before and after it moved, and which pixels show one point."""
    turn = torch.tensor(Rotation.from_rotvec([0.0, 0.15, 0.0]).as_matrix())
    rows, columns = (one.flatten() for one in torch.meshgrid(
        torch.arange(40, 80, 4), torch.arange(100, 140, 4), indexing="ij"))  # fmt: skip
    before = torch.full((1, 1, 256, 256), 2.5, dtype=torch.float64)
    pixels = torch.stack([rows, columns], dim=1)
    place = torch.zeros(len(pixels), dtype=torch.int64)
    points = lift_pixels(before, K, place, pixels) @ turn.T + torch.tensor([0.05, 0.1, 0.3])
    seen = (points @ K[0].T)[:, :2] / points[:, 2:]
    after, shown = torch.zeros(1, 1, 256, 256, dtype=torch.float64), seen.floor().long().flip(1)
    after[0, 0, shown[:, 0], shown[:, 1]] = points[:, 2]
    found = PairMatches(("pair",), place, place + 3, torch.cat([pixels, shown], dim=1))
    return before, after, found


def test_a_part_that_moved_rigidly_costs_what_the_pixel_grid_does() -> None:
    before, after, found = moved_planes()
    # Half a pixel at 2.8 m is 4.5 mm.
    assert warping_loss(before, after, K, K, found).item() < 0.0045
    bent = (
        after + 0.2 * torch.rand(after.shape, generator=torch.Generator().manual_seed(0)).double()
    )
    assert warping_loss(before, bent, K, K, found).item() > 0.02


def test_the_mean_is_over_all_points_of_all_parts_that_fit() -> None:
    generator = torch.Generator().manual_seed(0)
    i, j = (2 + torch.rand(1, 1, 24, 24, generator=generator).double() for _ in range(2))
    whole = matches(60, [2, 5])
    both = warping_loss(i, j, K, K, whole)
    apart = []
    for part in (2, 5):
        of = whole.part == part
        alone = PairMatches(("pair",), whole.pair[of], whole.part[of], whole.pixels[of])
        apart.append(warping_loss(i, j, K, K, alone))
    torch.testing.assert_close(both, (apart[0] + apart[1]) / 2)
    lonely = PairMatches(
        ("pair",), torch.cat([whole.pair, whole.pair[:2]]),
        torch.cat([whole.part, torch.tensor([9, 9])]), torch.cat([whole.pixels, whole.pixels[:2]]),
    )  # fmt: skip
    torch.testing.assert_close(warping_loss(i, j, K, K, lonely), both)


def test_pairs_of_a_batch_do_not_mix() -> None:
    generator = torch.Generator().manual_seed(0)
    i, j = (2 + torch.rand(2, 1, 24, 24, generator=generator).double() for _ in range(2))
    one, cameras = matches(40, [1, 7]), K.expand(2, 3, 3)
    both = PairMatches(
        ("a", "b"), torch.cat([one.pair, one.pair + 1]), one.part.repeat(2), one.pixels.repeat(2, 1)
    )
    found = warping_loss(i, j, cameras, cameras, both)
    apart = [warping_loss(i[k : k + 1], j[k : k + 1], K, K, one) for k in (0, 1)]
    torch.testing.assert_close(found, (apart[0] + apart[1]) / 2)


def test_without_matches_the_loss_is_0_and_its_slope_finite() -> None:
    depth = torch.full((1, 1, 24, 24), 2.0, requires_grad=True)
    loss = warping_loss(depth, depth + 0.1, K.float(), K.float(), matches(0, [1]))
    loss.backward()
    assert loss.item() == 0
    assert depth.grad is not None
    assert not depth.grad.any()


def test_at_a_perfect_fit_the_slope_is_finite() -> None:
    depth = torch.full((1, 1, 24, 24), 2.0, requires_grad=True)
    same = matches(30, [1])
    same = PairMatches(("pair",), same.pair, same.part, same.pixels[:, [0, 1, 0, 1]])
    loss = warping_loss(depth, depth, K.float(), K.float(), same)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6)
    assert depth.grad is not None
    assert math.isfinite(depth.grad.abs().sum().item())


def test_the_slope_of_the_loss_is_that_of_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    depths = [
        (2 + torch.rand(1, 1, 6, 6, generator=generator).double()).requires_grad_()
        for _ in range(2)
    ]
    pixels = torch.randint(0, 6, (12, 4), generator=generator)
    place = torch.zeros(12, dtype=torch.int64)
    few = PairMatches(("pair",), place, place + 2, pixels)
    assert torch.autograd.gradcheck(lambda i, j: warping_loss(i, j, K, K, few), depths)
