"""The meter of a step's parts: whose time and whose memory it was."""

from time import sleep

import numpy as np
import pytest
import torch

from benchmarks.step_parts import MIB, Meter

SLEPT_S = 0.05


class Reader:
    """Reads slowly, and much."""

    def read(self) -> np.ndarray:
        """Return 96 MiB."""
        sleep(SLEPT_S)
        return np.ones(96 * MIB, np.uint8)


@pytest.fixture
def meter() -> Meter:
    """Return a meter whose time begins now."""
    meter = Meter(torch.device("cpu"))
    with meter.part("nothing"):
        pass
    meter.costs.clear()
    return meter


def test_what_lies_inside_a_part_counts_for_the_inner_one_alone(meter: Meter) -> None:
    reader = Reader()
    meter.watch(reader, "read", "read")
    with meter.part("decode"):
        reader.read()
        reader.read()
        sleep(SLEPT_S)
    assert meter.costs["read"].wall >= 2 * SLEPT_S
    assert meter.costs["decode"].wall >= SLEPT_S
    assert meter.costs["decode"].busy < SLEPT_S


def test_the_peak_belongs_to_the_part_that_reached_it(meter: Meter) -> None:
    with meter.part("large"):
        Reader().read()
    with meter.part("small"):
        pass
    assert meter.costs["large"].peak - meter.costs["small"].peak > 90 * MIB


def test_a_meter_that_is_off_counts_nothing(meter: Meter) -> None:
    meter.is_on = False
    with meter.part("decode"):
        sleep(SLEPT_S)
    assert not meter.costs
