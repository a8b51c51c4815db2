"""A synthetic person in THuman2.0's layout, whose fit fits the stand-in model beside it."""

from pathlib import Path

import pytest

from people.writer import write_synthetic_root
from tasks.fits.body_model import BodyModel, digest_model, open_body_model


@pytest.fixture(scope="session")
def fitted_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a data root of one fitted person, with the stand-in model in it."""
    root = tmp_path_factory.mktemp("fitted")
    write_synthetic_root(
        root,
        subjects=1,
        seed=1,
        texture_size=256,
        dataset="THuman2",
        backgrounds=0,
        detail="fast",
        figures="sculpted",
    )
    return root


@pytest.fixture(scope="session")
def stand_in(fitted_root: Path) -> BodyModel:
    """Open the stand-in model."""
    folder = fitted_root / "smplx_models"
    return open_body_model(folder, digest_model(folder))
