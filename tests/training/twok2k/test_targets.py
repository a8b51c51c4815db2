import math

import numpy as np
import pytest
import torch
from torch import Tensor

from training.twok2k.targets import (
    coarse,
    depth_targets,
    network_depth,
    normal_z,
    normals_from_depth,
    split_surfaces,
)


def ellipsoid_depth(resolution: int) -> tuple[Tensor, Tensor]:
    """Front ray lengths of an ellipsoid at z = 1 and its outward normals, camera axes."""
    focal = resolution / (2 * math.tan(math.radians(25)))
    axis = (np.arange(resolution) + 0.5 - resolution / 2) / focal
    x, y = np.meshgrid(axis, axis)
    rays = np.stack([x, y, np.ones_like(x)], axis=-1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    half = np.array([0.15, 0.3, 0.12])
    origin = np.array([0, 0, -1.0]) / half
    a, b, c = ((rays / half) ** 2).sum(-1), (rays / half) @ origin, origin @ origin - 1
    inside = b * b > a * c
    length = np.where(inside, (-b - np.sqrt(np.where(inside, b * b - a * c, 0))) / a, 0)
    normal = (rays * length[..., None] - np.array([0, 0, 1.0])) / half**2
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return torch.from_numpy(length)[None, None].float(), torch.from_numpy(normal).float()


def focal(resolution: int) -> Tensor:
    return torch.tensor([resolution / (2 * math.tan(math.radians(25)))])


@pytest.mark.parametrize("resolution", [256, 512, 2048])
def test_the_scenes_origin_is_two_at_every_resolution(resolution: int) -> None:
    depth = network_depth(torch.ones(1, 1, 2, 2), focal(resolution), resolution)
    assert depth.flatten().tolist() == pytest.approx([2.0] * 4)


def test_network_depth_is_the_stored_value_over_32_and_512_at_2048() -> None:
    length = 1.1
    stored = 32 * ((length - 1) * 2195.975 + 1024)
    depth = network_depth(torch.full((1, 1, 1, 1), length), focal(2048), 2048)
    assert float(depth) == pytest.approx(stored / 32 / 512, rel=1e-6)


def test_outside_the_person_network_depth_is_zero() -> None:
    assert float(network_depth(torch.zeros(1, 1, 1, 1), focal(256), 256)) == 0


def test_targets_fill_the_front_with_six_and_leave_the_back_at_zero() -> None:
    depth = torch.tensor([[[[0.0, 2.0]]]])
    targets = depth_targets(depth, depth, 1 / 255)
    assert targets.front_filled.flatten().tolist() == [6, 2]
    assert targets.back.flatten().tolist() == [0, 2]


def test_constant_z_is_one_255th_at_2048_and_grows_as_pixels_do() -> None:
    assert normal_z(2048) == pytest.approx(1 / 255)
    assert normal_z(512) == pytest.approx(4 / 255)


def test_normals_are_the_published_differences() -> None:
    depth = torch.tensor([[[[2.0, 2.1], [2.3, 2.2]]]])
    z = 0.1
    # Row 1, column 0: across 2.3 - 2.2, down 2.0 - 2.3.
    raw = np.array([0.1, -0.3, z])
    expected = (raw / np.linalg.norm(raw) + 1) / 2
    normal = normals_from_depth(depth, z)[0, :, 1, 0]
    np.testing.assert_allclose(normal.numpy(), expected, atol=1e-6)


def test_differences_are_zero_in_the_last_column_and_the_first_row() -> None:
    depth = torch.rand(1, 1, 4, 5) + 1
    normals = normals_from_depth(depth, 0.1)
    assert normals[0, 0, :, -1].tolist() == [0.5] * 4
    assert normals[0, 1, 0].tolist() == [0.5] * 5


def test_normals_are_zero_where_there_is_no_surface() -> None:
    depth = torch.tensor([[[[0.19, 2.0]]]])
    assert normals_from_depth(depth, 0.1)[0, :, 0, 0].tolist() == [0, 0, 0]


def test_front_normals_point_against_the_outward_normal_flattened_twofold() -> None:
    resolution = 512
    length, outward = ellipsoid_depth(resolution)
    depth = network_depth(length, focal(resolution), resolution)
    computed = 2 * normals_from_depth(depth, normal_z(resolution))[0].permute(1, 2, 0) - 1
    inner = length[0, 0] > 0
    inner &= (torch.roll(length, 3, 3) * torch.roll(length, -3, 3))[0, 0] > 0
    flattened = -outward * torch.tensor([1.0, 1.0, 2.008])
    flattened = flattened / flattened.norm(dim=-1, keepdim=True)
    cosine = (computed * flattened).sum(-1).clamp(-1, 1)[inner]
    assert float(torch.rad2deg(torch.acos(cosine)).median()) < 4


def test_normals_at_512_and_2048_agree_within_two_degrees() -> None:
    fields = []
    for resolution in (512, 2048):
        length, _ = ellipsoid_depth(resolution)
        depth = network_depth(length, focal(resolution), resolution)
        fields.append(2 * normals_from_depth(depth, normal_z(resolution)) - 1)
    small, large = fields[0], fields[1][..., 1::4, 1::4]
    inside = (small.norm(dim=1) < 1.01) & (large.norm(dim=1) < 1.01)
    cosine = (small * large).sum(dim=1).clamp(-1, 1)[inside]
    assert float(torch.rad2deg(torch.acos(cosine)).median()) < 2


def test_coarse_truth_is_every_eighth_pixel_from_index_three() -> None:
    depth = torch.arange(16.0).view(1, 1, 1, 16).expand(1, 1, 16, 16)
    assert coarse(depth)[0, 0, 0].tolist() == [3, 11]


def test_coarse_normals_are_steeper_than_those_at_full_resolution() -> None:
    slope = torch.arange(64.0).view(1, 1, 1, 64).expand(1, 1, 64, 64) * 0.004 + 1
    z = normal_z(2048)
    full, small = normals_from_depth(slope, z), normals_from_depth(coarse(slope), z)
    tilt = [abs(float((n[0, 0, 4, 4] - 0.5) / (n[0, 2, 4, 4] - 0.5))) for n in (full, small)]
    assert tilt[1] / tilt[0] == pytest.approx(8, rel=1e-3)


def test_front_normals_come_before_back_normals() -> None:
    front, back = split_surfaces(torch.arange(6.0).view(1, 6, 1, 1))
    assert (front.flatten().tolist(), back.flatten().tolist()) == ([0, 1, 2], [3, 4, 5])
