"""Matches of people that we made ourselves, against the surface points that they truly show."""

from pathlib import Path

import numpy as np
import pytest

from people.video_writer import write_synthetic_videos
from schemas.pairing import PairSettings
from tasks.video.images import read_iuv
from tasks.video.matching import BodyPixels, Lattice, list_body_pixels, match_frames

FRAMES = 7


@pytest.fixture(scope="module")
def dance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a root with a dance of the older kind of people, whose truth is exact."""
    root = tmp_path_factory.mktemp("dance")
    write_synthetic_videos(
        root, videos=1, frames=FRAMES, seed=3, texture_size=256, figures="sculpted"
    )
    return root


def surface(root: Path, number: int) -> np.ndarray:
    """Return the surface point of each pixel on the person at rest, centimetres."""
    with np.load(root / f"truth/synth000/{number:07d}.npz") as truth:
        rest: np.ndarray = truth["rest"]
    return rest


def body(root: Path, number: int) -> BodyPixels:
    return list_body_pixels(read_iuv(root / f"tiktok/synth000/densepose/{number:07d}.png").iuv)


def shares_apart(root: Path, other: int) -> np.ndarray:
    """Return how far apart the surface points of matched pixels are, over the body's height."""
    found = match_frames(body(root, 1), body(root, other), PairSettings(), Lattice(7.0))
    rest_i, rest_j = surface(root, 1), surface(root, other)
    ends = (rest_i[found.pixels[:, 0], found.pixels[:, 1]],
            rest_j[found.pixels[:, 2], found.pixels[:, 3]])  # fmt: skip
    height_cm = np.nanmax(rest_i[..., 1]) - np.nanmin(rest_i[..., 1])
    apart: np.ndarray = np.linalg.norm(ends[0] - ends[1], axis=1) / height_cm
    return apart


@pytest.mark.parametrize("other", [4, 7])
def test_matched_pixels_show_the_same_point_of_the_person(dance: Path, other: int) -> None:
    apart = shares_apart(dance, other)
    assert len(apart) > 0.7 * len(body(dance, 1).place)
    # A pixel is about 0.45 % of the height wide: half of that, and a step of U or V, are free.
    assert np.median(apart) < 0.004
    assert np.percentile(apart, 95) < 0.008


@pytest.mark.long
def test_cloth_that_slips_over_the_body_is_matched_too(tmp_path: Path) -> None:
    write_synthetic_videos(tmp_path, videos=1, frames=4, seed=3, texture_size=256)
    apart = shares_apart(tmp_path, 4)
    assert len(apart) > 0.7 * len(body(tmp_path, 1).place)
    assert np.median(apart) < 0.005
    assert np.percentile(apart, 95) < 0.02
