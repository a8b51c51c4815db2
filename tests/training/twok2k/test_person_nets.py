"""The nets against a direct transcription of the reference's formulas on equal weights.

The transcription reads weights by their published names and calls plain functions only.
"""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from schemas.train_forms import DepthGradient, FrozenNorm
from training.loop.compute_modes import recompute_activations
from training.twok2k.alignment import PartTransforms
from training.twok2k.person_nets import (
    PersonDepthNets,
    PersonNormalNets,
    build_depth_nets,
    build_normal_nets,
    masked_coarse_depth,
)
from training.twok2k.published_names import to_published
from training.twok2k.surface_nets import DepthPrediction

WIDTH = 0.125
Weights = dict[str, Tensor]


def conv_norm(w: Weights, conv: str, norm: str, x: Tensor) -> Tensor:
    x = functional.conv2d(x, w[f"{conv}.weight"], w[f"{conv}.bias"], padding="same")
    mean = x.mean(dim=(0, 2, 3), keepdim=True)
    var = ((x - mean) ** 2).mean(dim=(0, 2, 3), keepdim=True)
    scale, shift = (w[f"{norm}.{k}"].view(1, -1, 1, 1) for k in ("weight", "bias"))
    return (x - mean) / torch.sqrt(var + 1e-5) * scale + shift


def block(w: Weights, name: str, x: Tensor) -> Tensor:
    x = conv_norm(w, f"{name}.conv.0", f"{name}.conv.1", x).relu()
    return conv_norm(w, f"{name}.conv.3", f"{name}.conv.4", x).relu()


def up(w: Weights, name: str, x: Tensor) -> Tensor:
    x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    return conv_norm(w, f"{name}.up.1", f"{name}.up.2", x).relu()


def gate(w: Weights, name: str, g: Tensor, s: Tensor) -> Tensor:
    g = conv_norm(w, f"{name}.W_g.0", f"{name}.W_g.1", g)
    x = conv_norm(w, f"{name}.W_x.0", f"{name}.W_x.1", s)
    return s * conv_norm(w, f"{name}.psi.0", f"{name}.psi.1", (g + x).relu()).sigmoid()


def down(x: Tensor) -> Tensor:
    return x.unflatten(2, (-1, 2)).unflatten(4, (-1, 2)).amax(dim=(3, 5))


def climb(w: Weights, net: str, levels: list[Tensor]) -> Tensor:
    d = levels[-1]
    for k in range(len(levels), 1, -1):
        d = up(w, f"{net}.Up{k}", d)
        d = torch.cat([gate(w, f"{net}.Att{k}", d, levels[k - 2]), d], dim=1)
        d = block(w, f"{net}.Up_conv{k}", d)
    return d


def normals_by_formula(w: Weights, net: str, x: Tensor) -> Tensor:
    levels = [block(w, f"{net}.Conv1", x)]
    for k in (2, 3, 4):
        levels.append(block(w, f"{net}.Conv{k}", down(levels[-1])))
    head = f"{net}.Conv_1x1.conv.0"
    return functional.conv2d(climb(w, net, levels), w[f"{head}.weight"], w[f"{head}.bias"]).relu()


def coarse_by_formula(w: Weights, image: Tensor, normals: Tensor) -> Tensor:
    net = "ImgNorm_to_Dep"
    one, two = block(w, f"{net}.Conv1_1", image), block(w, f"{net}.Conv1_2", normals)
    levels = [torch.cat([one, two], dim=1)]
    for k in (2, 3, 4, 5):
        one = block(w, f"{net}.Conv{k}_1", down(one))
        two = block(w, f"{net}.Conv{k}_2", down(two))
        levels.append(torch.cat([one, two], dim=1))
    top = climb(w, net, levels)
    return functional.conv2d(top, w[f"{net}.Conv_1x1.weight"], w[f"{net}.Conv_1x1.bias"])


def refined_by_formula(w: Weights, depth: Tensor, normals: Tensor) -> Tensor:
    x = depth
    sampled = (normals[:, :, 1::4, 1::4], normals[:, :, 0::2, 0::2], normals)
    heads = ("merge1_2.conv.0", "merge2_2.conv.0", "merge3_2")
    for step, (seen, head) in enumerate(zip(sampled, heads, strict=True), start=1):
        name = f"refine.normal{step}.conv"
        n = conv_norm(w, f"{name}.0", f"{name}.1", seen).relu()
        x = torch.cat([up(w, f"refine.depth{step}", x), n], dim=1)
        x = block(w, f"refine.merge{step}_1", x)
        x = functional.conv2d(x, w[f"refine.{head}.weight"], w[f"refine.{head}.bias"])
        x = x if head == "merge3_2" else x.relu()
    return x


def channels(prediction: DepthPrediction) -> Tensor:
    return torch.cat([prediction.front, prediction.back, prediction.mask], dim=1)


def activated(raw: Tensor) -> Tensor:
    return torch.cat([raw[:, :2].clamp(0, 6), raw[:, 2:].sigmoid()], dim=1)


def random(*shape: int) -> Tensor:
    return torch.rand(*shape, dtype=torch.float64)


def no_transforms(batch: int, dtype: torch.dtype = torch.float32) -> PartTransforms:
    identity = torch.eye(3, dtype=dtype)[:2].expand(batch, 12, 2, 3)
    return PartTransforms(identity, identity, torch.ones(batch, 12, dtype=torch.bool))


def spread_biases(model: nn.Module) -> None:
    for name, value in model.named_parameters():
        if value.dim() == 1:
            nn.init.uniform_(value, 0.5 if name.endswith("weight") else -0.2, 1.0)


@pytest.fixture
def phase_2() -> PersonDepthNets:
    model = build_depth_nets(width=WIDTH)
    spread_biases(model)
    # In double precision the order of sums is no excuse.
    return model.double()


def test_normal_net_agrees_with_the_formulas(phase_2: PersonDepthNets) -> None:
    w = to_published(phase_2.state_dict())
    x = random(2, 3, 32, 32) * 2 - 1
    expected = normals_by_formula(w, "img2normal_down", x)
    torch.testing.assert_close(phase_2.normals.whole(x).double(), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("group", "published", "size"),
    [("head", "face", 48), ("upper_body", "upper", 48), ("arms", "arm", 32), ("feet", "shoe", 16)],
)
def test_part_nets_stand_under_their_published_names(
    phase_2: PersonDepthNets, group: str, published: str, size: int
) -> None:
    w = to_published(phase_2.state_dict())
    x = random(2, 6, size, size)
    expected = normals_by_formula(w, f"img2normal_{published}", x)
    predicted = phase_2.normals.parts[group](x)
    torch.testing.assert_close(predicted.double(), expected, atol=1e-5, rtol=1e-5)


def test_coarse_depth_net_agrees_with_the_formulas(phase_2: PersonDepthNets) -> None:
    w = to_published(phase_2.state_dict())
    image, normals = random(2, 3, 32, 32) * 2 - 1, random(2, 6, 32, 32)
    expected = activated(coarse_by_formula(w, image, normals))
    predicted = channels(phase_2.normals.coarse(image, normals))
    torch.testing.assert_close(predicted.double(), expected, atol=1e-5, rtol=1e-5)


def test_refinement_net_agrees_with_the_formulas(phase_2: PersonDepthNets) -> None:
    w = to_published(phase_2.state_dict())
    depth, normals = random(1, 2, 8, 8) * 6, random(1, 6, 64, 64)
    expected = activated(refined_by_formula(w, depth, normals))
    predicted = channels(phase_2.refinement(depth, normals))
    torch.testing.assert_close(predicted.double(), expected, atol=1e-5, rtol=1e-5)


def test_whole_image_net_sees_an_eighth_without_antialiasing(phase_2: PersonDepthNets) -> None:
    image = random(1, 3, 256, 256) * 2 - 1
    small = image.unflatten(2, (-1, 8)).unflatten(4, (-1, 8))[:, :, :, 3:5, :, 3:5].mean((3, 5))
    predicted = phase_2.normals(image, no_transforms(1, torch.float64)).whole
    torch.testing.assert_close(predicted, phase_2.normals.whole(small), atol=1e-5, rtol=1e-5)


def test_depth_loss_reaches_the_whole_image_net() -> None:
    model = build_normal_nets(nets="coarse", width=WIDTH)
    model(torch.rand(1, 3, 256, 256), no_transforms(1)).coarse.front.sum().backward()
    gradient = next(model.whole.encoder.parameters()).grad
    assert gradient is not None
    assert float(gradient.abs().sum()) > 0


def test_part_nets_give_the_whole_image_net_no_gradient() -> None:
    model = build_normal_nets(width=WIDTH)
    model(torch.rand(1, 3, 256, 256), no_transforms(1)).parts["head"].sum().backward()
    assert all(parameter.grad is None for parameter in model.whole.parameters())


def test_a_part_without_transform_is_predicted_as_zero() -> None:
    model, transforms = build_normal_nets(width=WIDTH), no_transforms(1)
    transforms.valid[0, 3] = False
    arms = model(torch.rand(1, 3, 256, 256), transforms).parts["arms"].detach()
    assert float(arms[0, 1].abs().sum()) == 0
    assert float(arms[0, 0].abs().sum()) > 0


def test_a_part_without_transform_leaves_batch_statistics_alone() -> None:
    model, transforms = build_normal_nets(width=WIDTH).double(), no_transforms(1, torch.float64)
    image = random(1, 3, 256, 256)
    all_arms = model(image, transforms).parts["arms"]
    transforms.valid[0, 3] = False
    # The identity transform makes the four crops equal: fewer of them change no statistics.
    torch.testing.assert_close(model(image, transforms).parts["arms"][0, 0], all_arms[0, 0])


def test_crops_of_the_parts_are_scaled_and_rounded_up_to_eight() -> None:
    model = build_normal_nets(width=WIDTH)
    parts = model(torch.rand(1, 3, 256, 256), no_transforms(1)).parts
    assert {group: tuple(value.shape) for group, value in parts.items()} == {
        "head": (1, 1, 6, 48, 40),
        "upper_body": (1, 1, 6, 72, 48),
        "arms": (1, 4, 6, 48, 32),
        "legs": (1, 4, 6, 40, 32),
        "feet": (1, 2, 6, 24, 16),
    }


def test_coarse_depth_is_background_where_the_mask_is_at_most_half() -> None:
    logit = torch.tensor([[[[-1.0, 1.0]]]])
    depth = DepthPrediction(torch.full((1, 1, 1, 2), 2.0), torch.full((1, 1, 1, 2), 3.0), logit)
    expected = torch.tensor([[[[6.0, 2.0]], [[0.0, 3.0]]]])
    torch.testing.assert_close(masked_coarse_depth(depth), expected)


@pytest.mark.parametrize(("frozen_norm", "moves"), [("batch", True), ("running", False)])
def test_frozen_running_averages_move_only_in_the_published_form(
    frozen_norm: FrozenNorm, moves: bool
) -> None:
    model = build_depth_nets(width=WIDTH, frozen_norm=frozen_norm).train()
    name = "normals.whole.encoder.blocks.0.1.running_mean"
    before = model.get_buffer(name).clone()
    model(torch.rand(1, 3, 256, 256), no_transforms(1))
    after = model.get_buffer(name)
    assert bool((before != after).any()) == moves


def test_centred_heads_begin_where_relu_passes_their_gradient() -> None:
    model = build_normal_nets(nets="coarse", width=WIDTH, heads="centred").eval()
    found = model(torch.rand(2, 3, 256, 256), no_transforms(2))
    depths = torch.cat([found.coarse.front, found.coarse.back])
    assert float(found.whole.detach().min()) > 0
    assert float(depths.detach().min()) > 0
    assert float(depths.detach().max()) < 6


def test_the_refined_depth_of_centred_heads_begins_near_three() -> None:
    model = build_depth_nets(width=WIDTH, heads="centred").eval()
    found = model(torch.rand(1, 3, 256, 256), no_transforms(1))
    assert float(found.front.detach().mean()) == pytest.approx(3, abs=0.5)


def test_heads_that_begin_at_the_means_predict_people_about_the_scenes_origin() -> None:
    model = build_normal_nets(nets="coarse", width=WIDTH, heads="means").eval()
    coarse = model(torch.rand(1, 3, 256, 256), no_transforms(1)).coarse
    means = [float(depth.detach().mean()) for depth in (coarse.front, coarse.back)]
    assert means == pytest.approx([1.92, 2.21], abs=0.3)


@pytest.mark.parametrize(("depth_gradient", "reaches"), [("published", True), ("detached", False)])
def test_the_coarse_depth_trains_the_whole_image_net_unless_detached(
    depth_gradient: DepthGradient, reaches: bool
) -> None:
    model = build_normal_nets(nets="coarse", width=WIDTH, depth_gradient=depth_gradient)
    model(torch.rand(1, 3, 256, 256), no_transforms(1)).coarse.mask_logit.sum().backward()
    assert (model.whole.head.weight.grad is not None) == reaches


def test_the_composed_depth_is_the_backgrounds_where_the_mask_says_no_person() -> None:
    logit = torch.tensor([[[[1.0, -1.0]]]])
    depth = torch.full((1, 1, 1, 2), 2.0)
    composed = DepthPrediction(depth, depth, logit).composed
    assert composed.front.tolist() == [[[[2.0, 6.0]]]]
    assert composed.back.tolist() == [[[[2.0, 0.0]]]]


def test_a_residual_refinement_that_adds_nothing_gives_the_coarse_depth() -> None:
    model = build_depth_nets(width=WIDTH, heads="means", form="residual").eval()
    nn.init.zeros_(model.refinement.head.weight)
    image, nobody = torch.rand(1, 3, 256, 256), no_transforms(1)
    coarse, found = model.normals(image, nobody).coarse, model(image, nobody)
    enlarged = functional.interpolate(coarse.back, size=(256, 256), mode="bilinear")
    torch.testing.assert_close(found.back, enlarged)


def test_heads_are_drawn_as_published_unless_asked_otherwise() -> None:
    torch.manual_seed(0)
    head = build_normal_nets(nets="coarse").whole.head
    # 2 / (1 * 1 * 6 outputs), from 6 * 64 draws.
    assert float(head.weight.detach().var()) == pytest.approx(1 / 3, rel=0.3)


def recomputed_pair() -> tuple[PersonNormalNets, PersonNormalNets]:
    pair = []
    for recompute in (False, True):
        torch.manual_seed(3)
        model = build_normal_nets(nets="coarse", width=WIDTH)
        if recompute:
            recompute_activations(model)
        output = model(torch.rand(1, 3, 256, 256), no_transforms(1))
        (output.coarse.front.sum() + output.whole.sum()).backward()
        pair.append(model)
    return pair[0], pair[1]


def test_recomputing_activations_changes_no_gradient() -> None:
    plain, recomputed = recomputed_pair()
    pairs = zip(plain.parameters(), recomputed.parameters(), strict=True)
    for one, other in pairs:
        torch.testing.assert_close(one.grad, other.grad, rtol=0, atol=0)


def test_recomputing_activations_moves_running_averages_once() -> None:
    plain, recomputed = recomputed_pair()
    pairs = zip(plain.buffers(), recomputed.buffers(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
