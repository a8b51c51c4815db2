import numpy as np
import pytest
import torch
from torch import nn

from training.hdnet.hourglass import (
    ConvShiftRelu,
    Shift,
    build_hourglass,
    enlarge_twofold,
)

# Weights 3 x 3 x in x out, a bias and a shift for each channel out; last a 1x1 convolution.
INNER = [
    (64, 64), (64, 64), (64, 128), (128, 256), (256, 512), (512, 1024), (1024, 1024), (1024, 512),
    (1024, 512), (512, 256), (512, 256), (256, 128), (256, 128), (128, 64), (128, 64), (64, 64),
]  # fmt: skip


@pytest.mark.parametrize(("channels_in", "channels_out"), [(3, 3), (9, 1)])
def test_the_published_parameters_are_all_there(channels_in: int, channels_out: int) -> None:
    with torch.device("meta"):
        net = build_hourglass(channels_in, channels_out, width=1)
    sizes = [9 * one * other + 2 * other for one, other in [(channels_in, 64), *INNER]]
    count = sum(value.numel() for value in net.parameters())
    assert count == sum(sizes) + 64 * channels_out + channels_out
    assert round(count / 1e6, 2) == 28.36


@pytest.mark.parametrize(("channels_in", "channels_out"), [(3, 3), (9, 1)])
def test_the_answer_is_as_large_as_the_image(channels_in: int, channels_out: int) -> None:
    net = build_hourglass(channels_in, channels_out, width=0.05)
    assert net(torch.rand(2, channels_in, 32, 48)).shape == (2, channels_out, 32, 48)


def test_the_answer_may_be_negative() -> None:
    net = build_hourglass(3, 3, width=0.1)
    assert net(torch.rand(1, 3, 32, 32)).min() < 0


def test_enlarging_keeps_the_first_pixel_and_repeats_the_last() -> None:
    row = torch.tensor([[[[0.0, 4.0, 10.0]]]])
    expected = [0.0, 2.0, 4.0, 7.0, 10.0, 10.0]
    torch.testing.assert_close(enlarge_twofold(row)[0, 0], torch.tensor([expected, expected]))


def test_the_norm_has_no_scale_and_its_own_epsilon() -> None:
    norm = Shift(1)
    torch.nn.init.constant_(norm.beta, 5.0)
    # Mean 2, variance 1 without correction: 1 / sqrt(1.001) = 0.9995004.
    values = norm(torch.tensor([1.0, 3.0]).reshape(1, 1, 1, 2)).flatten()
    assert values.tolist() == pytest.approx([5 - 0.9995004, 5 + 0.9995004], abs=1e-6)


def test_statistics_are_those_of_the_batch_in_use_too() -> None:
    net = build_hourglass(3, 3, width=0.05)
    image = torch.rand(1, 3, 32, 32)
    assert torch.equal(net.train()(image), net.eval()(image))
    assert list(net.buffers()) == []


def test_weights_are_cut_at_two_deviations_and_biases_start_at_zero() -> None:
    torch.manual_seed(1)
    block = build_hourglass(64, 1, width=1 / 2).encoder[0]
    assert isinstance(block, ConvShiftRelu)
    conv = block[0]
    assert isinstance(conv, nn.Conv2d)
    assert conv.bias is not None
    deviation = np.sqrt(2.6 / (9 * 64))
    assert conv.weight.abs().max() <= 2 * deviation
    # Cutting a normal distribution at two leaves 0.8796 of its deviation.
    assert float(conv.weight.detach().std()) == pytest.approx(0.8796 * deviation, rel=0.02)
    assert not conv.bias.any()


def test_blocks_recompute_to_the_same_gradient() -> None:
    block = ConvShiftRelu([3, 4, 5])
    image = torch.rand(1, 3, 8, 8)
    gradients = []
    for block.recompute in (False, True):
        block.zero_grad()
        block(image).square().sum().backward()
        gradients.append(next(block.parameters()).grad)
    torch.testing.assert_close(gradients[0], gradients[1])
