"""Four golden images and one stored loss curve. To look at new beside old: `make golden`."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.golden.compare import CURVE, difference, read_stored
from tests.golden.curve import STEPS, train_curve
from tests.golden.scene import Image, draw_images

MEAN_TOLERANCE = 0.5
"""Of 0..255, mean over all channels and pixels: another Mesa may round texels otherwise."""

SHARE_TOLERANCE = 0.002
"""Pixels that may differ by more than 8 of 255: about a third of the silhouette's pixels."""

CURVE_TOLERANCE = 2e-3
"""Relative, of every term at every step. One machine repeats it to the bit; another processor
adds in another order, and 12 steps multiply that."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Image]:
    return draw_images(tmp_path_factory.mktemp("golden"))


@pytest.mark.parametrize("name", ["color", "lit", "depth", "normals"])
def test_an_image_is_the_golden_one(drawn: Mapping[str, Image], name: str) -> None:
    apart = difference(read_stored(name), drawn[name])
    assert apart.mean <= MEAN_TOLERANCE, "python -m tests.golden.compare OUT shows both"
    assert apart.share <= SHARE_TOLERANCE, "python -m tests.golden.compare OUT shows both"


def test_the_tolerance_notices_an_image_moved_by_one_pixel() -> None:
    stored = read_stored("color")
    moved = difference(stored[:, 1:], stored[:, :-1])
    assert moved.share > SHARE_TOLERANCE


def test_a_training_follows_the_stored_loss_curve(tmp_path: Path) -> None:
    stored = json.loads(CURVE.read_text())
    assert len(stored["loss"]) == STEPS
    for name, values in train_curve(tmp_path).items():
        assert values == pytest.approx(stored[name], rel=CURVE_TOLERANCE, abs=1e-5), name
