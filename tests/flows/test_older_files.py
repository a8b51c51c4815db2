"""Data sets and trainings that an older version wrote are read: status, validate, rerun, resume.

What they are: tests/data/before/README.md.
"""

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flows.conftest import Command

ARCHIVE = Path(__file__).parent.parent / "data/before/before.tar.xz"
TRAINING = (
    "--nets", "coarse", "--width", "0.02", "--val-split", "train", "--save-every", "1",
    "--picture-every", "100", "--workers", "1",
)  # fmt: skip
LOSS_TOLERANCE = 1e-4
"""Relative; the same code on the same machine agrees to the bit."""

Older = Callable[[str], Path]


@pytest.fixture
def older(tmp_path: Path) -> Older:
    """Return the unpacked folders by their names."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    return lambda name: tmp_path / name


def states(answer: str, kind: str) -> dict[str, tuple[str, bool]]:
    """Read state and whether older code made it, of every shard."""
    return {one["shard_id"]: (one["state"], one["older_code"]) for one in json.loads(answer)[kind]}


def test_status_names_the_states_and_the_older_code(scanmill: Command, older: Older) -> None:
    ended = scanmill("status", older("set"), "--json")
    assert states(ended.stdout, "shards") == {
        "shard-00000": ("done", True),
        "shard-00001": ("done", True),
        "shard-00002": ("rejects", True),
    }


def test_status_reads_the_older_videos(scanmill: Command, older: Older) -> None:
    ended = scanmill("status", older("set"), "--json")
    (state, _) = states(ended.stdout, "videos")["shard-00000"]
    assert state == "done", ended.stderr


def test_status_reads_every_byte(scanmill: Command, older: Older) -> None:
    ended = scanmill("status", older("imported"), "--deep", "--json")
    assert states(ended.stdout, "shards") == {
        "shard-00000": ("done", True),
        "shard-00001": ("done", True),
    }


def test_status_of_an_import_names_the_command_that_redoes_it(
    scanmill: Command, older: Older
) -> None:
    (older("imported") / "samples/shard-00000.parquet").unlink()
    ended = scanmill("status", older("imported"))
    assert "Redo what is left with: scanmill import, of the same folder" in ended.stdout


@pytest.mark.parametrize("name", ["set", "imported"])
def test_everything_in_an_older_data_set_still_holds(
    scanmill: Command, older: Older, name: str
) -> None:
    ended = scanmill("validate", older(name), "--workers", "1")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_rerun_redoes_the_rejected_scan_and_keeps_what_is_done(
    scanmill: Command, older: Older
) -> None:
    kept = (older("set") / "samples/shard-00000.parquet").read_bytes()
    ended = scanmill("rerun", older("set"), "--data", older("people"), "--workers", "1", "--json")
    assert json.loads(ended.stdout)["worked_on"] == 1, ended.stderr
    assert (older("set") / "samples/shard-00000.parquet").read_bytes() == kept


def test_the_older_command_is_refused_by_the_light_that_is_no_longer_the_default(
    scanmill: Command, older: Older
) -> None:
    command = (
        "render", "--data", older("people"), "--dataset", "RP", "--out", older("set"),
        "--resolution", "256", "--yaws", "0", "--workers", "1",
    )  # fmt: skip
    refused = scanmill(*command)
    assert refused.returncode == 2
    assert "lights: spots there, harmonics asked" in refused.stderr
    assert "--lights spots, once the default" in refused.stderr
    ended = scanmill(*command, "--lights", "spots", "--json")
    answer = json.loads(ended.stdout)
    assert answer["worked_on"] == 1  # the rejected one, because other code might read it
    assert (answer["states"]["done"], answer["states"]["rejects"]) == (2, 1)


@pytest.mark.long
def test_an_older_import_is_gone_on_with(scanmill: Command, older: Older) -> None:
    published = older("published")
    scanmill("export", "2k2k", older("set"), "--to", published, "--allow-other-resolution")
    ended = scanmill("import", "2k2k", published, "--out", older("imported"))
    assert ended.returncode == 0, ended.stderr


@pytest.mark.long
def test_rerun_of_older_code_makes_all_of_it_new(scanmill: Command, older: Older) -> None:
    scanmill(
        "rerun", older("set"), "--data", older("people"), "--older-code", "--workers", "1"
    )  # fmt: skip
    ended = scanmill("status", older("set"), "--json")
    assert {older_code for _, older_code in states(ended.stdout, "shards").values()} == {False}


def test_an_older_training_goes_on_as_it_would_have(scanmill: Command, older: Older) -> None:
    run = older("run")
    ended = scanmill(
        "train", "2k2k-normal", "--data", older("set"), "--out", run, "--steps", "4", *TRAINING
    )
    assert ended.returncode == 0, ended.stderr
    expected = losses(older("later_metrics.jsonl"))
    assert losses(run / "metrics.jsonl") == pytest.approx(expected, rel=LOSS_TOLERANCE)


def losses(path: Path) -> dict[int, float]:
    """Read the loss of every step."""
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return {one["step"]: one["loss"] for one in records if "loss" in one}


@pytest.mark.long
def test_an_older_training_serves_as_weights(scanmill: Command, older: Older) -> None:
    new = older("new-run")
    ended = scanmill(
        "train", "2k2k-normal", "--data", older("set"), "--out", new, "--init", older("run"),
        "--steps", "1", *TRAINING,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    later = losses(older("later_metrics.jsonl"))
    assert losses(new / "metrics.jsonl")[1] < later[1]
