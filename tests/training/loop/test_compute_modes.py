"""Cheaper ways to compute learn as float32 does, on a small budget."""

import json
from pathlib import Path

import pytest

from tests.training.conftest import request_of
from training.run import main

STEPS, LAST = 60, 10
NEAR = 0.05
"""Of the loss: what a training in another precision may differ by."""

pytestmark = pytest.mark.long


def train(dataset: Path, out: Path, *options: str) -> list[float]:
    """Return the losses of a short training."""
    always = [
        "2k2k-normal", "--nets", "coarse", "--width", "0.1", "--learning-rate", "0.002",
        "--schedule", "constant", "--batch", "2", "--steps", str(STEPS), "--validate-every", "99",
    ]  # fmt: skip
    assert main(request_of([*always, "--data", str(dataset), "--out", str(out), *options])) == 0
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


@pytest.fixture(scope="module")
def in_float32(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """Return the losses of the plain way."""
    return train(dataset, tmp_path_factory.mktemp("plain") / "out")


@pytest.mark.parametrize("options", [("--precision", "bf16"), ("--recompute",)])
def test_a_cheaper_way_learns_as_much(
    dataset: Path, tmp_path: Path, in_float32: list[float], options: tuple[str, ...]
) -> None:
    cheaper = train(dataset, tmp_path / "out", *options)
    assert sum(cheaper[-LAST:]) < 0.8 * sum(cheaper[:LAST])
    assert sum(cheaper[-LAST:]) == pytest.approx(sum(in_float32[-LAST:]), rel=NEAR)
