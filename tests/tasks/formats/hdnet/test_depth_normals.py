"""The measure of depth against normals, on a ball of which both are known."""

import numpy as np
import pytest

from benchmarks.depth_normals import compare
from schemas.settings import RenderSettings
from tasks.dataset.stored_sample import StoredSample
from tests.tasks.formats.hdnet.ball_rows import hdnet_row


@pytest.fixture(scope="module")
def medians() -> dict[str, float]:
    sample = StoredSample(hdnet_row(), RenderSettings(camera="hdnet", yaws=(0.0,)))
    return {name: float(np.median(found)) for name, found in compare(sample).items()}


def test_edges_rebuilt_from_normals_agree_with_depth(medians: dict[str, float]) -> None:
    assert medians["edges of normals"] < 0.05


def test_a_facet_lies_half_a_pixel_beside_its_own(medians: dict[str, float]) -> None:
    # A pixel is 3 m / 314 = 9.6 mm wide, and a ball of 0.8 m turns by 0.68 degrees on that way;
    # the middle of the facet's long side is half of its diagonal away.
    assert medians["own pixel"] == pytest.approx(0.68 * np.sqrt(2) / 2, rel=0.25)
