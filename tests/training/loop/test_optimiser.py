import math

import numpy as np
import pytest
import torch

from training.data.sample_order import Epochs
from training.loop.optimiser import Optimiser, learning_rate, published_factor
from training.run_settings import ModelSettings


@pytest.mark.parametrize(
    ("epoch", "factor"),
    [
        (0.0, 0.0),
        (0.005, 0.5),
        (0.01, 1.0),
        (0.01 + 4.99 / 2, 0.5),
        (5 + 0.01, 0.5),
        (10 + 0.01 + 4.99 / 2, 0.125),
        (5 - 1e-9, 0.0),
    ],
)
def test_the_factor_rises_falls_and_halves(epoch: float, factor: float) -> None:
    assert published_factor(epoch) == pytest.approx(factor, abs=1e-6)


def test_a_step_stands_at_the_middle_of_its_share_of_the_epoch() -> None:
    settings = ModelSettings(stage="2k2k-normal", resolution=256)
    t = 1.5 / 10
    expected = 1e-4 * (1 + math.cos(math.pi * (t - 0.01) / 4.99)) / 2
    assert learning_rate(1, Epochs(10), settings) == pytest.approx(expected)


def test_a_constant_schedule_stays() -> None:
    settings = ModelSettings(
        stage="2k2k-normal", resolution=256, schedule="constant", learning_rate=3e-3
    )
    assert learning_rate(12345, Epochs(10), settings) == 3e-3


def test_the_length_of_an_epoch_can_be_set() -> None:
    settings = ModelSettings(stage="2k2k-normal", resolution=256, steps_per_epoch=1000)
    assert learning_rate(1, Epochs(10), settings) == pytest.approx(1e-4 * published_factor(0.0015))


@pytest.mark.parametrize("rule", ["pytorch", "tensorflow"])
def test_a_step_is_that_of_the_rules_formula(rule: str) -> None:
    net = torch.nn.Linear(3, 2).double()
    settings = ModelSettings.model_validate(
        {"stage": "hdnet-video", "resolution": 256, "epsilon": 0.1, "adam": rule}
    )
    optimiser, expected = Optimiser(net, settings), net.weight.detach().numpy().copy()
    first, second = np.zeros_like(expected), np.zeros_like(expected)
    for step in range(1, 4):
        optimiser.clear_gradients()
        net(torch.full((1, 3), float(step), dtype=torch.float64)).square().sum().backward()
        gradient = net.weight.grad.numpy()  # type: ignore[union-attr]  # after backward
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        correction = math.sqrt(1 - 0.999**step)
        epsilon = 0.1 * (correction if rule == "pytorch" else 1)
        rate = 1e-3 * correction / (1 - 0.9**step)
        expected -= rate * first / (np.sqrt(second) + epsilon)
        optimiser.step(1e-3)
        np.testing.assert_allclose(net.weight.detach().numpy(), expected, rtol=1e-12)
