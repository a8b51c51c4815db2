"""The guard of the benchmarks: which ratios have fallen, by real files."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.guard import KEPT_IN, hold, judge

ROOT = Path(__file__).parents[1]
RECORDED = {"render.whole": {"ratio": 4.0, "noise": 0.25}}


@pytest.mark.parametrize(("ratio", "fallen"), [(4.5, 0), (3.1, 0), (2.9, 1)])
def test_a_ratio_falls_when_it_is_below_its_record_by_more_than_its_noise(
    ratio: float, fallen: int
) -> None:
    assert len(judge({"render.whole": ratio}, RECORDED)) == fallen


def test_the_program_ends_with_1_when_a_recorded_ratio_fell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "ratios.jsonl"
    monkeypatch.setenv(KEPT_IN, str(kept))
    command = [sys.executable, "-m", "benchmarks.guard", str(kept)]
    hold("render.whole", 1000.0)
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == 0
    hold("obj.trimesh", 0.1)
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "fallen: obj.trimesh: 0.10" in ended.stdout
