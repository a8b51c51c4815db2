"""HDNet's stages on videos as programs, killed by the kernel and repeated."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.predicted_normals import read_plan
from tasks.video.predicted_shards import list_predicted
from tests.tasks.video.paired import pair_all
from tests.tasks.video.sequence_files import write_sequence
from tests.training.conftest import request_of
from tests.training.hdnet.video_runs import PREDICT, VIDEO, losses, predict_into, run

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[3]


def command(stage: str, *words: object) -> list[str]:
    request = request_of([stage, *map(str, words), "--width", "0.0625"])
    return [sys.executable, "-u", "-m", "training.run", *request]


def kill_after(arguments: list[str], words: str) -> None:
    """Start a program, and kill it as soon as it says this."""
    process = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    with process.stdout as said:
        assert any(line.startswith(words) for line in said)
        process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def finish(arguments: list[str]) -> None:
    subprocess.run(arguments, check=True, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})


def test_a_killed_training_on_videos_ends_with_the_uninterrupted_curve_to_the_bit(
    balls: Path, predicted: Path, trained: Path, tmp_path: Path
) -> None:
    words = (
        "--data", balls, predicted, "--init", trained / "hdnet-depth", "--steps", 6,
        "--save-every", 2, "--validate-every", 9, "--max-val-samples", 1,
    )  # fmt: skip
    finish(command(VIDEO, *words, "--out", tmp_path / "whole"))
    stopped = command(VIDEO, *words, "--out", tmp_path / "out")
    kill_after(stopped, "step 4/6")
    assert (tmp_path / "out/latest").read_text() in ("step-00000002\n", "step-00000004\n")
    finish(stopped)
    whole, out = losses(tmp_path / "whole"), losses(tmp_path / "out")
    assert [one["loss"] for one in out] == [one["loss"] for one in whole]


def test_a_killed_prediction_repeats_one_file_at_most(trained: Path, tmp_path: Path) -> None:
    write_sequence(tmp_path / "data/dance", 24)
    pair_all(tmp_path / "dances", tmp_path / "data")
    init = trained / "hdnet-normal"
    shutil.copytree(tmp_path / "dances", tmp_path / "whole")
    predict_into(tmp_path / "whole", init, tmp_path / "other")
    out = tmp_path / "out"
    stopped = command(PREDICT, "--data", tmp_path / "dances", "--init", init, "--out", out)
    kill_after(stopped, "step 8/24")
    assert list_predicted(out) == ()
    first = read_plan(out).files_of(out, read_plan(out).shards[0])[0][0]
    made = first.stat().st_mtime_ns
    assert run(PREDICT, tmp_path / "dances", out, "--init", init) == 0
    assert first.stat().st_mtime_ns == made
    assert len(list_predicted(out)) == 1
