"""Videos from the command line: paired, looked at, checked, exported, brought back."""

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from flows.new_runs import resolve
from schemas.dataset_folder import DatasetFolder
from schemas.requests import RenderRequest
from schemas.settings import RenderSettings
from tests.flows.conftest import Command, command_in, own_folders, refusal
from tests.flows.live_server import LiveServer
from tests.tasks.video.paired import pair_all
from tests.tasks.video.sequence_files import paint_iuv, write_frame, write_sequence

ONE = ("--workers", "1")
"""Each worker process takes seconds to start."""
FEW = ("--min-neighbours", "2", *ONE)


class Paired(NamedTuple):
    """A data set of three videos, beside a folder that is none; and how it was made."""

    videos: Path
    out: Path
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def paired(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Paired:
    folder = tmp_path_factory.mktemp("paired")
    videos, out = write_videos(folder / "videos"), folder / "set"
    (videos / "tiktok/dora").mkdir()
    run = command_in({**server.environment, **own_folders(folder)})
    return Paired(videos, out, run("pair", "--data", videos, "--out", out, *FEW))


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Make a root of three short videos."""
    return write_videos(tmp_path / "videos")


def write_videos(root: Path) -> Path:
    for name in ("ann", "bob", "cid"):
        write_sequence(root / "tiktok" / name, 3)
    return root


def test_videos_go_the_whole_way(scanmill: Command, paired: Paired, tmp_path: Path) -> None:
    out, published, back = paired.out, tmp_path / "published", tmp_path / "back"
    assert (paired.done.returncode, paired.done.stderr.count("Traceback")) == (0, 0), paired.done
    assert "9 frames" in paired.done.stdout
    assert "18 pairs, videos: 3 done" in paired.done.stdout
    for command in (
        ("status", out), ("validate", out), ("export", "hdnet", out, "--to", published, *ONE),
        ("validate", "--layout", "hdnet", published),
        ("import", "hdnet", published, "--out", back, *ONE), ("validate", back),
    ):  # fmt: skip
        done = scanmill(*command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    for part in ("frames", "pairs"):
        names = [
            [name for shard in folder.committed_shards(part)
             for name in folder.read_manifest(shard, part).sample_ids]
            for folder in (DatasetFolder.at(out), DatasetFolder.at(back))
        ]  # fmt: skip
        assert names[0] == names[1]


def test_a_video_that_is_refused_ends_with_1_and_names_the_way_out(
    scanmill: Command, videos: Path, tmp_path: Path
) -> None:
    done = scanmill("pair", "--data", videos, "--out", tmp_path / "set", *ONE)
    assert done.returncode == 1
    assert "--min-neighbours 2 would admit it" in done.stdout
    again = scanmill("pair", "--data", videos, "--out", tmp_path / "set", *FEW)
    assert (again.returncode, "18 pairs" in again.stdout) == (0, True)


def test_a_folder_that_holds_no_sequence_is_mentioned(paired: Paired) -> None:
    said = paired.done.stderr
    assert "tiktok/dora': passed over, it lacks color, densepose and mask folders" in said


def test_a_changed_video_is_redone_by_rerun_and_others_are_left_alone(
    scanmill: Command, videos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "set"
    assert scanmill("pair", "--data", videos, "--out", out, *FEW).returncode == 0
    write_frame(videos / "tiktok/bob", "0000010", paint_iuv(103, 96))
    status = scanmill("status", out, "--json")
    assert [one["state"] for one in json.loads(status.stdout)["videos"]] == [
        "done", "stale", "done",
    ]  # fmt: skip
    done = scanmill("rerun", out, "--json", *ONE)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["worked_on"], answer["samples"]) == (0, 1, 24)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "{tmp}/none"), "--data: no folder"),
        (("--data", "{tmp}"), "no folder with color/, densepose/ and mask/"),
        (("--data", "{videos}", "--policy", "best"), "--policy: 'best'"),
        (("--data", "{videos}", "--min-neighbours", "9"), "min_neighbours 9 is more than 4"),
    ],
)
def test_requests_that_are_wrong_are_refused_before_any_work(
    videos: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = {"tmp": str(tmp_path), "videos": str(videos)}
    given = [word.format(**places) for word in arguments]
    code, error = refusal(("pair", *given, "--out", tmp_path / "set"), capsys)
    assert code == 2
    assert message in error
    assert not (tmp_path / "set").exists()


def test_other_settings_are_refused_once_there_are_pairs(scanmill: Command, paired: Paired) -> None:
    done = scanmill("pair", "--data", paired.videos, "--out", paired.out, "--min-neighbours", "1")
    assert done.returncode == 2
    assert "min_neighbours: 2 there, 1 asked" in done.stderr


def test_a_data_set_begun_with_videos_leaves_the_settings_of_rendering_open(
    videos: Path, people: Path, tmp_path: Path
) -> None:
    pair_all(tmp_path / "set", videos)
    settings = RenderSettings(resolution=128)
    resolve(
        RenderRequest(data=str(people), dataset="RP", out=str(tmp_path / "set"), settings=settings)
    )


def test_a_labelled_set_goes_the_whole_way(scanmill: Command, people: Path, tmp_path: Path) -> None:
    out, published, back = (tmp_path / name for name in ("set", "published", "back"))
    for command in (
        ("render", "--data", people, "--dataset", "RP", "--out", out, "--camera", "hdnet",
         "--yaws", "0", *ONE),
        ("validate", out), ("export", "hdnet", out, "--to", published, *ONE),
        ("validate", "--layout", "hdnet", published),
        ("import", "hdnet", published, "--out", back, *ONE), ("validate", back),
    ):  # fmt: skip
        done = scanmill(*command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    (shard,) = DatasetFolder.at(back).committed_shards()
    assert DatasetFolder.at(back).read_manifest(shard).rows == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--resolution", "512"), "expected camera hdnet with resolution 256, not 512"),
        (("--orthographic",), "expected camera hdnet without orthographic views"),
        (("--densepose", "nowhere"), "--densepose: no folder nowhere"),
    ],
)
def test_what_hdnets_camera_can_t_do_is_refused_before_any_work(
    people: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "set"
    render = ("render", "--data", people, "--dataset", "RP", "--out", out, "--camera", "hdnet")
    code, error = refusal((*render, *options), capsys)
    assert code == 2
    assert message in error
    assert not out.exists()
