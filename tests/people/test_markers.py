"""Markers painted on a person are found in the image where the joints are projected to."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from people.markers import marker_color, marker_radius_cm
from people.writer import write_synthetic_root
from renderers.session import close_session, open_session
from schemas.keypoints import COCO_WHOLEBODY_INDICES
from schemas.sample import Sample
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from tasks.backgrounds import Backgrounds
from tasks.samples.drawing import Stopwatch, draw_scan
from tasks.samples.scan_reading import load_scan

ITEM = "rp_synth000_posed_001"
RESOLUTION = 1024
YAWS = (-20.0, 0.0, 20.0)
COLOR_TOLERANCE = 60
FACING, SMOOTH = 0.5, 0.9
"""Least cosine of a marker's surface with the view, and with the normal in its middle: a disc
that is bent over an edge or seen from the side has no centre to be found."""


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Sample]]:
    root = tmp_path_factory.mktemp("synth")
    write_synthetic_root(
        root,
        subjects=1,
        seed=4,
        texture_size=2048,
        backgrounds=0,
        detail="fast",
        markers=True,
        figures="sculpted",
    )
    ref = ScanRef(dataset="RP", item=ITEM, subject="rp_synth000", split="train")
    settings = RenderSettings(resolution=RESOLUTION, yaws=YAWS)
    drawn = draw_scan(
        load_scan(Path(root), ref), settings, open_session(),
        backgrounds=Backgrounds(), stopwatch=Stopwatch(),
    )  # fmt: skip
    yield [one for one in drawn if isinstance(one, Sample)]
    close_session()


def _find_marker(sample: Sample, joint: int) -> np.ndarray | None:
    """Return the centre of a marker near its projection; None where it is bent or hidden."""
    x, y = sample.keypoints[joint, :2]
    radius_units = marker_radius_cm(COCO_WHOLEBODY_INDICES[joint]) / 100 / sample.metres_per_unit
    radius = radius_units * sample.camera.focal_px
    reach = int(np.ceil(3 * radius))
    rows = slice(int(y) - reach, int(y) + reach + 1)
    columns = slice(int(x) - reach, int(x) + reach + 1)
    patch = sample.surfaces.front.color[rows, columns].astype(int)
    away = np.abs(patch - np.array(marker_color(joint))).sum(axis=-1)
    share = np.clip(1 - away / (3 * COLOR_TOLERANCE), 0, None)
    normals = sample.surfaces.front.normal[rows, columns]
    depth = sample.surfaces.front.depth[rows, columns]
    disc = np.hypot(*(np.indices(share.shape) - reach)) < 1.3 * radius + 1
    middle = normals[reach, reach]
    bent = -middle[2] < FACING or (normals[disc] @ middle).min() < SMOOTH
    broken = np.ptp(depth[disc]) > 3 * radius_units
    if bent or broken or not share[reach, reach]:
        return None
    share = share * disc
    row, column = (np.tensordot(share, grid) / share.sum() for grid in np.indices(share.shape))
    return np.array([column + columns.start + 0.5, row + rows.start + 0.5])


def _distances(samples: list[Sample]) -> np.ndarray:
    found = []
    for sample in samples:
        for joint in np.flatnonzero(sample.keypoints[:, 2]):
            centre = _find_marker(sample, int(joint))
            if centre is not None:
                found.append(np.linalg.norm(centre - sample.keypoints[joint, :2]))
    return np.array(found)


def test_markers_are_found_within_half_a_pixel_of_the_projection(samples: list[Sample]) -> None:
    distances = _distances(samples)
    assert len(distances) >= 10 * len(YAWS)
    assert distances.max() < 0.5


def test_a_marker_that_is_seen_is_not_called_occluded(samples: list[Sample]) -> None:
    for sample in samples:
        seen = [joint for joint in range(31) if _find_marker(sample, joint) is not None]
        assert not sample.keypoint_occluded[seen].any()
