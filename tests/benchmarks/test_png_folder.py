"""The straightforward loader makes the same images as ours: what is compared is speed alone."""

import cv2
import numpy as np
import pytest
import torch

from benchmarks.png_folder import compose, jitter
from training.twok2k.augment import measure_grey
from training.twok2k.person_examples import make_image
from training.twok2k.person_samples import PersonBatch

SIDE, LEVELS = 128, 4
"""Levels of 255 by which they may differ: theirs rounds after each of the changes, ours never."""


def ellipse() -> np.ndarray:
    down, across = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    inside: np.ndarray = (down / 50) ** 2 + (across / 25) ** 2 < 1
    return inside


def smooth(side: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC))


@pytest.mark.parametrize("factors", [[1.0, 1.0, 1.0], [0.7, 1.0, 1.0], [0.8, 0.75, 0.9]])
def test_the_same_draws_give_the_same_image(factors: list[float]) -> None:
    inside, crop = ellipse(), smooth(SIDE // 2, 1)
    shaded = smooth(SIDE, 0) * inside[..., None]
    person = jitter(shaded, factors, np.random.default_rng(0))
    theirs = compose(person, cv2.resize(crop, (SIDE, SIDE)), inside)
    depth = torch.from_numpy(inside[None, None].astype(np.float32))
    batch = PersonBatch(
        ("made/0",), torch.from_numpy(shaded[None]), torch.from_numpy(crop[None]), depth, depth,
        torch.zeros(1, 31, 3), torch.ones(1), torch.ones(1), torch.tensor([factors]),
        measure_grey([shaded]),
    )  # fmt: skip
    ours = 255 * make_image(batch)[0].permute(1, 2, 0).numpy()
    away = np.abs(ours - theirs)
    assert away.max() < LEVELS
    assert away.mean() < 1
