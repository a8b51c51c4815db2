import math

import pytest

from training.data.sample_order import Epochs
from training.loop.optimiser import learning_rate, published_factor
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
