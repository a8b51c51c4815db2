"""People under the default light: none is dark, whatever its clothes, its seed and its view."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import UInt8

from people.writer import write_synthetic_root
from renderers.harmonics import MEDIAN_BRIGHTNESS
from renderers.session import close_session, open_session
from schemas.sample import Sample
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from tasks.backgrounds import Backgrounds
from tasks.samples.drawing import Stopwatch, draw_scan
from tasks.samples.scan_reading import load_scan

PEOPLE = 4
LUMA = np.array([0.299, 0.587, 0.114])
"""Of sRGB levels. Source: Rec. ITU-R BT.601."""


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Sample]]:
    root = tmp_path_factory.mktemp("lit")
    names = write_synthetic_root(
        root,
        subjects=PEOPLE,
        seed=9,
        texture_size=128,
        backgrounds=0,
        detail="sketch",
        figures="sculpted",
    )
    session, settings = open_session(), RenderSettings(resolution=128, yaws=(-30.0, 0.0, 30.0))
    scans = (
        load_scan(Path(root), ScanRef(dataset="RP", item=name, subject=name, split="train"))
        for name in names
    )
    yield [
        one
        for scan in scans
        for one in draw_scan(
            scan, settings, session, backgrounds=Backgrounds(), stopwatch=Stopwatch()
        )
        if isinstance(one, Sample)
    ]
    close_session()


def median_luma(color: UInt8[np.ndarray, "N 3"]) -> float:
    return float(np.median(color @ LUMA))


def test_the_median_brightness_of_a_person_keeps_within_the_stated_range(
    samples: list[Sample],
) -> None:
    shares = [
        median_luma(one.shaded[one.surfaces.mask])
        / median_luma(one.surfaces.front.color[one.surfaces.mask])
        for one in samples
    ]
    assert len(shares) == 3 * PEOPLE
    assert MEDIAN_BRIGHTNESS[0] < min(shares) < max(shares) < MEDIAN_BRIGHTNESS[1]
