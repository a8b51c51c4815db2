from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from renderers.session import DrawingSession, close_session, open_session
from schemas.errors import InputError
from schemas.fits import FitCheck
from schemas.sample import Sample
from schemas.scan import Scan
from schemas.settings import RenderSettings
from tasks.backgrounds import Backgrounds
from tasks.fits.body_model import BodyModel
from tasks.fits.check import describe_misfit, find_overlap
from tasks.samples.drawing import Stopwatch, ViewFailure, draw_scan
from tasks.samples.scan_reading import load_scan
from tests.tasks.fits.fitted_scans import thuman_ref, write_thuman_scan

SETTINGS = RenderSettings(resolution=64, yaws=(0,), smplx_model="0" * 64)
REQUIRING = SETTINGS.model_copy(update={"require_fit": True})


@pytest.fixture(scope="module")
def session() -> Iterator[DrawingSession]:
    yield open_session()
    close_session()


@pytest.fixture(scope="module")
def scan(fitted_root: Path, stand_in: BodyModel) -> Scan:
    item = next((fitted_root / "obj/THuman2/data").iterdir()).name
    return load_scan(fitted_root, thuman_ref(item), model=stand_in)


def _move_body(scan: Scan, *, scale: float = 1.0, shift_m: float = 0.0) -> Scan:
    assert scan.body is not None
    assert scan.fit is not None
    vertices = scan.body.vertices * scale + [shift_m * scan.fit.scale, 0, 0]
    return replace(scan, body=replace(scan.body, vertices=vertices))


def _draw(
    scan: Scan, session: DrawingSession, settings: RenderSettings = SETTINGS
) -> tuple[list[FitCheck], list[Sample | ViewFailure]]:
    checks: list[FitCheck] = []
    drawn = draw_scan(
        scan, settings, session,
        backgrounds=Backgrounds(), stopwatch=Stopwatch(), on_fit=checks.append,
    )  # fmt: skip
    return checks, list(drawn)


def test_a_body_that_lies_in_its_scan_is_no_misfit(scan: Scan, session: DrawingSession) -> None:
    (check,), _ = _draw(scan, session)
    assert not check.is_misfit
    assert check.overlap > 0.75
    assert check.distance_m is not None
    assert check.distance_m < 0.03


@pytest.mark.parametrize(
    ("scale", "shift_m"), [(1.3, 0.0), (0.7, 0.0), (1.0, 0.3), (100.0, 0.0), (1.0, 50.0)]
)
def test_a_body_of_the_wrong_size_or_place_is_a_misfit(
    scan: Scan, session: DrawingSession, scale: float, shift_m: float
) -> None:
    (check,), drawn = _draw(_move_body(scan, scale=scale, shift_m=shift_m), session)
    assert check.is_misfit
    assert len(drawn) == 1


def test_with_require_fit_a_misfit_fails_the_scan(scan: Scan, session: DrawingSession) -> None:
    with pytest.raises(InputError, match=r"misfit: the fitted body's silhouette overlaps by \d+%"):
        _draw(_move_body(scan, scale=1.3), session, REQUIRING)


def test_with_require_fit_a_scan_without_fit_fails(tmp_path: Path, session: DrawingSession) -> None:
    write_thuman_scan(tmp_path, yaw_deg=None)
    scan = load_scan(tmp_path, thuman_ref())
    with pytest.raises(InputError, match="THuman2/0001: no SMPL-X fit; expected a fit"):
        _draw(scan, session, REQUIRING)


def test_a_good_fit_passes_where_fits_are_required(scan: Scan, session: DrawingSession) -> None:
    _, drawn = _draw(scan, session, REQUIRING)
    assert isinstance(drawn[0], Sample)


def test_overlap_is_the_common_part_by_the_union() -> None:
    one = np.array([[True, True, False, False]])
    other = np.array([[False, True, True, True]])
    assert find_overlap(one, other) == 0.25
    assert find_overlap(one & ~one, one & ~one) == 0


def test_a_misfit_is_described_with_what_was_met() -> None:
    check = FitCheck(
        scan_id="THuman2/0001", overlap=0.41, distance_m=0.123, height_ratio=1.2, is_misfit=True
    )
    assert "overlaps by 41% and is 120% as high, its surface is 0.123 m off" in (
        describe_misfit(check)
    )
