import pytest
import torch
from torch import Tensor
from torch.nn import functional

from schemas.body_parts import GROUPS, PartGroup, crop_size, group_members
from training.twok2k.alignment import PartTransforms, lay_back
from training.twok2k.blending import blend_normals, occupancy, part_weights


def identity(batch: int = 1) -> PartTransforms:
    matrix = torch.eye(3)[:2].expand(batch, 12, 2, 3).clone()
    return PartTransforms(matrix, matrix, torch.ones(batch, 12, dtype=torch.bool))


def only(transforms: PartTransforms, *places: int) -> PartTransforms:
    valid = torch.zeros_like(transforms.valid)
    valid[:, list(places)] = True
    return PartTransforms(transforms.fitted, transforms.inverse, valid)


def constant_parts(values: dict[PartGroup, float], resolution: int) -> dict[PartGroup, Tensor]:
    return {
        group: torch.full(
            (1, len(group_members(group)), 6, *crop_size(group, resolution)), values.get(group, 0.0)
        )
        for group in GROUPS
    }


def test_occupancy_at_2048_is_a_box_eight_pixels_in_blurred_by_fifteen() -> None:
    height, width = crop_size("feet", 2048)
    box = torch.zeros(1, 1, height, width)
    box[..., 8:-8, 8:-8] = 1
    offsets = torch.arange(-7, 8).float()
    bell = torch.exp(-(offsets**2) / 50)
    kernel = torch.outer(bell, bell) / bell.sum() ** 2
    expected = functional.conv2d(box, kernel[None, None], padding=7)[0, 0]
    torch.testing.assert_close(occupancy(height, width, 2048), expected, atol=1e-6, rtol=1e-5)


def test_occupancy_never_reaches_the_border_of_the_crop() -> None:
    weights = occupancy(*crop_size("head", 2048), 2048)
    border = torch.cat([weights[0], weights[-1], weights[:, 0], weights[:, -1]])
    assert float(border.max()) == 0


@pytest.mark.parametrize(("resolution", "reach"), [(2048, 7), (1024, 3), (512, 1), (256, 1)])
def test_the_blur_scales_and_stays_odd_and_at_least_three(resolution: int, reach: int) -> None:
    weights = occupancy(64, 64, resolution)
    margin = max(1, 8 * resolution // 2048)
    first = int(torch.nonzero(weights[32])[0])
    assert first == margin - reach


def test_one_part_alone_keeps_its_values_where_it_is() -> None:
    parts = constant_parts({"head": 0.7}, 256)
    blended = blend_normals(parts, only(identity(), 0), 256)
    assert float(blended[0, :, 128, 128].mean()) == pytest.approx(0.7, abs=1e-6)
    assert float(blended[0, :, 10, 10].sum()) == 0


def test_overlapping_parts_are_averaged_by_their_weights() -> None:
    parts = constant_parts({"head": 0.2, "upper_body": 0.8}, 256)
    blended = blend_normals(parts, only(identity(), 0, 1), 256)
    assert float(blended[0, 0, 128, 128]) == pytest.approx(0.5, abs=1e-5)


def test_a_part_without_transform_counts_nothing() -> None:
    parts = constant_parts({"head": 0.2, "upper_body": 0.8}, 256)
    blended = blend_normals(parts, only(identity(), 0), 256)
    assert float(blended[0, 0, 128, 128]) == pytest.approx(0.2, abs=1e-6)


def test_blending_agrees_with_padding_everything_to_the_full_image() -> None:
    torch.manual_seed(1)
    resolution = 256
    transforms = identity()
    turn = torch.tensor([[0.8, -0.3, 0.1], [0.3, 0.8, -0.2]])
    transforms.fitted[:] = turn
    parts = {
        group: torch.rand(1, len(group_members(group)), 6, *crop_size(group, resolution))
        for group in GROUPS
    }
    top, below = torch.zeros(1, 6, resolution, resolution), torch.zeros(1, 1, 256, 256)
    grid = functional.affine_grid(turn[None], [1, 6, resolution, resolution], align_corners=False)
    for crops in parts.values():
        height, width = crops.shape[-2:]
        pad = ((256 - width) // 2,) * 2 + ((256 - height) // 2,) * 2
        weight = functional.pad(occupancy(height, width, resolution)[None, None], pad)
        laid_weight = functional.grid_sample(weight, grid, align_corners=False)
        for part in range(crops.shape[1]):
            laid = functional.grid_sample(
                functional.pad(crops[:, part], pad), grid, align_corners=False
            )
            top, below = top + laid * laid_weight, below + laid_weight
    expected = top / torch.where(below == 0, 1, below)
    blended = blend_normals(parts, transforms, resolution)
    torch.testing.assert_close(blended, expected, atol=2e-4, rtol=0)


def test_a_part_counts_less_at_the_edge_of_the_image_that_its_crop_leaves() -> None:
    # As published: the image's own occupancy is aligned, cropped, padded, blurred and warped back.
    resolution = 256
    group: PartGroup = "feet"
    place = group_members(group)[0]
    inverse = torch.tensor([[1.0, 0.0, 0.95], [0.0, 1.0, 0.0]])
    fitted = torch.tensor([[1.0, 0.0, -0.95], [0.0, 1.0, 0.0]])
    all_fitted, all_inverse = (one.expand(1, 12, 2, 3).contiguous() for one in (fitted, inverse))
    valid = torch.ones(1, 12, dtype=torch.bool)
    chosen = only(PartTransforms(all_fitted, all_inverse, valid), place)
    height, width = crop_size(group, resolution)
    grid = functional.affine_grid(inverse[None], [1, 1, 256, 256], align_corners=False)
    seen = functional.grid_sample(torch.ones(1, 1, 256, 256), grid, align_corners=False)
    box = torch.zeros_like(seen)
    top, left = (resolution - height) // 2 + 1, (resolution - width) // 2 + 1
    box[..., top:-top, left:-left] = seen[..., top:-top, left:-left]
    bell = torch.exp(-(torch.arange(-1, 2).float() ** 2) / (2 * (5 / 8) ** 2))
    kernel = torch.outer(bell, bell) / bell.sum() ** 2
    weight = functional.conv2d(box, kernel[None, None], padding=1)
    grid = functional.affine_grid(fitted[None], [1, 1, 256, 256], align_corners=False)
    share = functional.grid_sample(weight, grid, align_corners=False)
    weights = part_weights((height, width), chosen.select((place,)), resolution)
    laid = lay_back(weights, fitted[None, None], resolution)[0, 0]
    torch.testing.assert_close(laid, share[0], atol=1e-5, rtol=1e-5)
    edge = laid[0, 128]
    assert float(edge[-1]) < float(edge[-4])
