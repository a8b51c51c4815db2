"""Balls of two scans with standard and orthographic views, exported once for all tests."""

from pathlib import Path

import pytest

from tasks.formats.outcomes import ExportOutcome
from tests.tasks.formats.folders import export_to
from tests.tasks.formats.twok2k.ball_sets import make_ball_set


@pytest.fixture(scope="session")
def ball_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a data set of two scans, one in train and one in val."""
    return make_ball_set(tmp_path_factory.mktemp("set") / "balls")


@pytest.fixture(scope="session")
def exported(
    ball_set: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ExportOutcome]:
    """Export that data set in the published layout."""
    target = tmp_path_factory.mktemp("published") / "out"
    return target, export_to(target, "2k2k", ball_set)
