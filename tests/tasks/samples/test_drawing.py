import dataclasses
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from renderers.session import DrawingSession, close_session, open_session
from schemas.camera import project
from schemas.errors import InputError
from schemas.sample import Sample
from schemas.scan import Scan, ScanRef
from schemas.settings import RenderSettings
from tasks.backgrounds import Backgrounds, freeze_backgrounds
from tasks.samples.drawing import Stopwatch, ViewFailure, draw_scan
from tasks.samples.scan_reading import load_scan
from tests.tasks.scan_folders import write_scan

SETTINGS = RenderSettings(resolution=128, yaws=(-20.0, 0.0), orthographic=True)
REF = ScanRef(dataset="RP", item="rp_box_posed_001", subject="rp_box", split="train")


@pytest.fixture(scope="module")
def session() -> Iterator[DrawingSession]:
    yield open_session()
    close_session()


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    root = tmp_path_factory.mktemp("data")
    write_scan(root)
    return load_scan(root, REF)


def _draw(
    scan: Scan,
    session: DrawingSession,
    *,
    settings: RenderSettings = SETTINGS,
    backgrounds: Backgrounds | None = None,
) -> list[Sample | ViewFailure]:
    chosen = backgrounds or Backgrounds()
    return list(draw_scan(scan, settings, session, backgrounds=chosen, stopwatch=Stopwatch()))


@pytest.fixture(scope="module")
def samples(scan: Scan, session: DrawingSession) -> list[Sample]:
    drawn = _draw(scan, session)
    assert all(isinstance(one, Sample) for one in drawn)
    return [one for one in drawn if isinstance(one, Sample)]


def test_views_come_in_the_order_of_the_settings(samples: list[Sample]) -> None:
    assert [one.sample_id for one in samples] == [
        "RP/rp_box_posed_001/-20", "RP/rp_box_posed_001/0",
        "RP/rp_box_posed_001/-20/orthographic", "RP/rp_box_posed_001/0/orthographic",
    ]  # fmt: skip


def test_all_layers_share_one_silhouette(samples: list[Sample]) -> None:
    sample = samples[0]
    for layer in (sample.surfaces.front.depth, sample.surfaces.back.depth):
        assert np.array_equal(layer > 0, sample.surfaces.mask)
    assert not sample.shaded[~sample.surfaces.mask].any()


def test_front_lies_before_back(samples: list[Sample]) -> None:
    inside = samples[0].surfaces.mask
    front, back = samples[0].surfaces.front.depth, samples[0].surfaces.back.depth
    assert (front[inside] <= back[inside]).all()


def test_the_height_in_the_image_is_that_of_the_box_seen_by_the_camera(
    samples: list[Sample],
) -> None:
    # 170 cm high, 20 cm deep: half the height is 1 / 2.8, the front is 10 / 85 of that nearer.
    half = 1 / 2.8
    nearest = 1 - half * 10 / 85
    rows = np.flatnonzero(samples[1].surfaces.mask.any(axis=1))
    assert len(rows) == pytest.approx(2 * half / nearest * samples[1].camera.focal_px, abs=1.01)


@pytest.mark.parametrize("pitch", [-60.0, -15.5, 30.0, 89.0])
def test_a_pitched_box_is_as_high_in_the_image_as_its_turned_sides(
    scan: Scan, session: DrawingSession, pitch: float
) -> None:
    settings = SETTINGS.model_copy(update={"yaws": (0.0,), "pitches": (pitch,)})
    sample = _draw(scan, session, settings=settings)[1]
    assert isinstance(sample, Sample)
    assert sample.sample_id.endswith(f"/0/pitch{pitch:g}/orthographic")
    # 170 cm high and 20 deep; the half height of 85 cm is 1 / 2.8 scene units
    turn = np.radians(abs(pitch))
    extent = (170 * np.cos(turn) + 20 * np.sin(turn)) / 85 / 2.8
    rows = np.flatnonzero(sample.surfaces.mask.any(axis=1))
    assert len(rows) == pytest.approx(extent * sample.camera.focal_px, abs=1.01)


def test_metric_size_comes_from_the_file(samples: list[Sample]) -> None:
    assert samples[0].metres_per_unit == pytest.approx(0.85 * 2.8)
    assert samples[0].metric_source == "file"


def test_joints_are_projected_by_the_samples_own_camera(samples: list[Sample], scan: Scan) -> None:
    for sample in (samples[0], samples[2]):
        world = scan.joints.positions @ sample.mesh_to_world[:3, :3].T + sample.mesh_to_world[:3, 3]
        known = scan.joints.known
        expected = project(sample.camera, world)[known]
        assert sample.keypoints[known, :2] == pytest.approx(expected, abs=1e-3)


def test_the_published_light_is_another_light_on_the_same_person(
    scan: Scan, session: DrawingSession, samples: list[Sample]
) -> None:
    settings = SETTINGS.model_copy(update={"lights": "spots"})
    first = _draw(scan, session, settings=settings)[0]
    assert isinstance(first, Sample)
    assert np.array_equal(first.surfaces.mask, samples[0].surfaces.mask)
    assert not np.array_equal(first.shaded, samples[0].shaded)
    assert not first.shaded[~first.surfaces.mask].any()


def test_without_backgrounds_the_training_image_is_the_lit_person_on_black(
    samples: list[Sample],
) -> None:
    assert np.array_equal(samples[0].image, samples[0].shaded)
    assert samples[0].background is None


def test_every_sample_has_a_seed_and_lights_of_its_own(samples: list[Sample]) -> None:
    assert len({one.seed for one in samples}) == len(samples)


def test_the_same_work_gives_the_same_arrays(
    scan: Scan, session: DrawingSession, samples: list[Sample]
) -> None:
    again = _draw(scan, session)
    for one, other in zip(samples, again, strict=True):
        assert isinstance(other, Sample)
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.surfaces.front.depth, other.surfaces.front.depth)
        assert np.array_equal(one.surfaces.back.normal, other.surfaces.back.normal)


def test_a_background_shows_where_the_person_is_not(
    scan: Scan, session: DrawingSession, tmp_path: Path
) -> None:
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((200, 200, 3), 77, np.uint8))
    backgrounds = Backgrounds(tmp_path, freeze_backgrounds(tmp_path).images)
    sample = _draw(scan, session, backgrounds=backgrounds)[1]
    assert isinstance(sample, Sample)
    assert sample.image[2, 2].tolist() == [77, 77, 77]
    assert sample.background is not None
    assert sample.background.path == "wall.png"


def test_a_view_that_fails_is_a_value_and_the_others_go_on(
    scan: Scan, session: DrawingSession, tmp_path: Path
) -> None:
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), np.full((200, 200, 3), 77, np.uint8))
    backgrounds = Backgrounds(tmp_path, freeze_backgrounds(tmp_path).images)
    (tmp_path / "a.png").unlink()
    settings = RenderSettings(resolution=128, yaws=tuple(float(yaw) for yaw in range(12)))
    drawn = _draw(scan, session, settings=settings, backgrounds=backgrounds)
    failed = [one for one in drawn if isinstance(one, ViewFailure)]
    assert 0 < len(failed) < len(drawn)
    assert failed[0].stage == "composite"
    assert isinstance(failed[0].error, InputError)


def test_what_the_device_made_necessary_is_told(
    scan: Scan, session: DrawingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = dataclasses.replace(session.context.info, max_texture=16)
    monkeypatch.setattr(session.context, "info", small)
    told: list[str] = []
    settings = RenderSettings(resolution=64, yaws=(0.0,))
    list(
        draw_scan(
            scan, settings, session,
            backgrounds=Backgrounds(), stopwatch=Stopwatch(), on_warning=told.append,
        )
    )  # fmt: skip
    assert len(told) == 1
    assert "16" in told[0]
