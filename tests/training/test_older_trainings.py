"""Trainings that an older version began go on as they would have: tests/data/before/README.md."""

import json
import tarfile
from pathlib import Path

import pytest

from training.run import main

ARCHIVE = Path(__file__).parents[1] / "data/before/trainings-5de4bf8.tar.xz"
TOLERANCE = 1e-4
"""Relative; the same libraries on the same machine agree to the bit."""

TRAININGS: dict[str, dict[str, object]] = {
    "depth": {"stage": "2k2k-depth", "data": ["people"], "init": "normal"},
    "hdnet-normal": {"stage": "hdnet-normal", "data": ["balls"], "batch": 2},
    "hdnet-depth": {"stage": "hdnet-depth", "data": ["balls"], "batch": 2, "accumulate": 2},
    "two-ranks": {"stage": "2k2k-normal", "data": ["people"], "nets": "coarse"},
}


def losses(path: Path) -> dict[int, float]:
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return {one["step"]: one["loss"] for one in records if "loss" in one}


@pytest.mark.parametrize("name", TRAININGS)
def test_an_older_training_goes_on_as_it_would_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    always = {"width": 0.01, "save_every": 2, "validate_every": 2, "workers": 1, "out": name}
    request = {**always, **TRAININGS[name], "steps": 4}
    assert main(["--request", json.dumps(request)]) == 0
    expected = losses(Path(f"{name}.later.jsonl"))
    assert losses(Path(name) / "metrics.jsonl") == pytest.approx(expected, rel=TOLERANCE)
