from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from training.twok2k.blocks import initialise
from training.twok2k.person_nets import build_depth_nets, build_normal_nets
from training.twok2k.published_names import to_published
from training.twok2k.sizes import refinement_net

FACTS = Path(__file__).parent.parent / "published_state_dict.tsv"


def published_shapes() -> dict[str, tuple[int, ...]]:
    rows = (line.split("\t") for line in FACTS.read_text().splitlines()[1:])
    return {
        name: () if shape == "scalar" else tuple(map(int, shape.split("x"))) for name, shape in rows
    }


def count(module: nn.Module, *, trained: bool = False) -> int:
    parameters = module.parameters()
    return sum(p.numel() for p in parameters if p.requires_grad or not trained)


@pytest.mark.parametrize(
    ("build", "parameters"), [(build_normal_nets, 77_381_161), (build_depth_nets, 77_655_212)]
)
def test_parameters_are_as_many_as_published(
    build: Callable[[], nn.Module], parameters: int
) -> None:
    with torch.device("meta"):
        assert count(build()) == parameters


def test_only_the_refinement_net_trains_in_phase_2() -> None:
    with torch.device("meta"):
        assert count(build_depth_nets(), trained=True) == 274_051


def test_names_and_shapes_are_the_published_ones_with_nothing_missing_or_left_over() -> None:
    with torch.device("meta"):
        weights = to_published(build_depth_nets().state_dict())
    assert {name: tuple(value.shape) for name, value in weights.items()} == published_shapes()


def test_half_the_width_halves_inner_channels_and_keeps_the_ends() -> None:
    shapes = {name: tuple(v.shape) for name, v in refinement_net(width=0.5).state_dict().items()}
    assert shapes["depth_branches.0.1.weight"] == (16, 2, 3, 3)
    assert shapes["merges.2.1.weight"] == (3, 32, 1, 1)


def test_convolution_weights_start_with_variance_two_over_fan_out() -> None:
    layer = nn.Conv2d(64, 128, 3)
    initialise(layer)
    assert float(layer.weight.detach().var()) == pytest.approx(2 / (9 * 128), rel=0.03)


def test_batch_norm_starts_at_one_and_zero_with_the_published_constants() -> None:
    norms = [m for m in refinement_net(width=0.1).modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(n.momentum, n.eps) for n in norms} == {(0.1, 1e-5)}
    assert all(bool((n.weight == 1).all() and (n.bias == 0).all()) for n in norms)


def test_every_convolution_has_a_bias() -> None:
    with torch.device("meta"):
        convolutions = [m for m in build_depth_nets().modules() if isinstance(m, nn.Conv2d)]
    assert all(isinstance(layer.bias, Tensor) for layer in convolutions)
