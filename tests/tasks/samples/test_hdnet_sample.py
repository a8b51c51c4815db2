"""One view of a scan by HDNet's camera, from the scan to the sample."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from renderers.session import DrawingSession, close_session, open_session
from schemas.camera import ray_directions
from schemas.sample import Sample
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from tasks.backgrounds import Backgrounds
from tasks.samples.drawing import Stopwatch, draw_scan
from tasks.samples.scan_reading import load_scan
from tests.tasks.scan_folders import write_scan

REF = ScanRef(dataset="RP", item="rp_box_posed_001", subject="rp_box", split="train")
SETTINGS = RenderSettings(camera="hdnet", yaws=(0.0, 90.0))


@pytest.fixture(scope="module")
def session() -> Iterator[DrawingSession]:
    yield open_session()
    close_session()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_scan(folder)
    return folder


def draw(root: Path, session: DrawingSession, settings: RenderSettings) -> list[Sample]:
    scan = load_scan(root, REF)
    drawn = draw_scan(scan, settings, session, backgrounds=Backgrounds(), stopwatch=Stopwatch())
    return [one for one in drawn if isinstance(one, Sample)]


@pytest.fixture(scope="module")
def samples(root: Path, session: DrawingSession) -> list[Sample]:
    return draw(root, session, SETTINGS)


def test_sample_ids_end_in_the_cameras_name(samples: list[Sample]) -> None:
    assert [one.sample_id for one in samples] == [
        "RP/rp_box_posed_001/0/hdnet", "RP/rp_box_posed_001/90/hdnet",
    ]  # fmt: skip


def test_a_scene_unit_is_a_metre(samples: list[Sample]) -> None:
    assert [one.metres_per_unit for one in samples] == [1.0, 1.0]
    assert samples[0].metric_source == "file"


def test_depth_is_that_of_a_box_of_a_person_s_size(samples: list[Sample]) -> None:
    # 170 cm fill 0.9 * 256 pixels of a focal length of 1111.6 / 3.539 pixels: about 2.3 m away.
    sample = samples[0]
    z = sample.surfaces.front.depth * ray_directions(sample.camera)[..., 2]
    inside = sample.surfaces.mask
    assert 2.0 < z[inside].min() < z[inside].max() < 2.6
    thickness = (sample.surfaces.back.depth - sample.surfaces.front.depth)[inside]
    assert np.median(thickness) == pytest.approx(0.20, abs=0.01)


def test_what_is_seen_faces_the_camera(samples: list[Sample]) -> None:
    inside = samples[0].surfaces.mask
    normals = samples[0].surfaces.front.normal[inside]
    assert ((normals * ray_directions(samples[0].camera)[inside]).sum(axis=1) <= 1e-6).all()
    # The camera is off axis: a few at the rim that face it have n_z > 0 all the same.
    assert (normals[:, 2] < 0).mean() > 0.99


def test_joints_lie_inside_the_person_and_are_in_metres(samples: list[Sample]) -> None:
    sample = samples[0]
    known = sample.keypoints[:, 2] > 0
    columns, rows = np.floor(sample.keypoints[known, :2]).astype(int).T
    assert sample.surfaces.mask[rows, columns].all()
    shoulders, ankles = sample.joints_camera[[5, 6]], sample.joints_camera[[15, 16]]
    assert np.linalg.norm(np.mean(shoulders - ankles, axis=0)) == pytest.approx(1.32, abs=0.02)


@pytest.mark.parametrize("lights", ["spots", "harmonics"])
def test_the_person_is_as_bright_as_before_the_2k2k_camera(
    root: Path, session: DrawingSession, lights: str
) -> None:
    def brightness(camera: str) -> float:
        settings = RenderSettings.model_validate(
            {"camera": camera, "resolution": 256, "yaws": (0.0,), "lights": lights, "seed": 3}
        )
        sample = draw(root, session, settings)[0]
        inside = sample.surfaces.mask
        return float(sample.shaded[inside].mean() / sample.surfaces.front.color[inside].mean())

    # Other samples, so other lights: alike in kind, not in number.
    assert 0.4 < brightness("hdnet") / brightness("2k2k") < 2.5
