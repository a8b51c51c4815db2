"""From scans to both phases in one command: lost scans, what is skipped, what is refused."""

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from flows.prepare_steps import (
    LostScan,
    check_share,
    find_lost,
    inspect_scans,
    is_validated,
    note_validated,
)
from flows.summary import RunSummary
from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError, RequestError
from schemas.manifest import Failure
from schemas.prepare_request import STAGES_OF, PrepareRequest
from schemas.requests import RenderRequest
from schemas.settings import RenderSettings
from schemas.train_request import TrainOptions
from tasks.dataset.preparation import prepare_dataset
from tests.flows.conftest import BOXES, command_in, own_folders, refusal
from tests.flows.live_server import LiveServer
from tests.tasks.scan_folders import write_scan
from tests.training.conftest import Ellipsoid, ellipsoid_row, write_shard

pytestmark = pytest.mark.xdist_group("prefect-server")

Answer = subprocess.CompletedProcess[str]
BROKEN = f"RP/{BOXES[1]}"


def request(data: Path, out: Path, *, share: float = 0.02, **train: object) -> PrepareRequest:
    return PrepareRequest(
        render=RenderRequest(data=str(data), dataset="RP", out=str(out / "dataset")),
        out=str(out), train=TrainOptions.model_validate(train), max_reject_share=share,
    )  # fmt: skip


def lost(count: int) -> list[LostScan]:
    return [LostScan(scan_id=f"RP/{number}", reason="no mesh") for number in range(count)]


def failure(sample_id: str, message: str) -> Failure:
    return Failure(
        sample_id=sample_id, stage="draw", kind="input", error="InputError", message=message
    )


def summary(*failures: Failure) -> RunSummary:
    return RunSummary(
        command="render", uri="set", worked_on=1, states={}, samples=1, rejected=len(failures),
        failures=failures, warnings=(), unfinished=(), bytes=0, seconds=0.0, stages={},
    )  # fmt: skip


def break_mesh(people: Path) -> None:
    item = BROKEN.removeprefix("RP/")
    (people / "obj/RP" / f"{item}_OBJ" / f"{item}_100k.obj").write_text("v 0 0 nan\nf 1 1 1\n")


def test_share_of_lost_scans_at_the_limit_is_accepted(tmp_path: Path) -> None:
    check_share(lost(2), 100, request(tmp_path, tmp_path))


def test_more_lost_scans_stop_it_and_are_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"3 of 100 scans lost: RP/0 \(no mesh\).*0\.03"):
        check_share(lost(3), 100, request(tmp_path, tmp_path))


def test_only_the_first_lost_scans_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"RP/4 \(no mesh\); and 2 more; expected at most 2.0% lost"
    ):
        check_share(lost(7), 7, request(tmp_path, tmp_path))


def test_a_scan_is_lost_once_however_many_of_its_samples_failed() -> None:
    failed = [failure("RP/a/-30", "dark"), failure("RP/a/30", "cut"), failure("RP/b/0", "torn")]
    assert [(one.scan_id, one.reason) for one in find_lost(summary(*failed))] == [
        ("RP/a", "dark"), ("RP/b", "torn"),
    ]  # fmt: skip


def test_broken_scans_stop_it_before_anything_is_rendered(people: Path, tmp_path: Path) -> None:
    break_mesh(people)
    with pytest.raises(InputError, match=f"1 of 3 scans lost: {BROKEN}"):
        inspect_scans(request(people, tmp_path))


def test_broken_scans_within_the_share_do_not(people: Path, tmp_path: Path) -> None:
    break_mesh(people)
    inspect_scans(request(people, tmp_path, share=0.34))


def test_shards_are_read_back_again_when_they_changed(tmp_path: Path) -> None:
    asked = request(tmp_path, tmp_path)
    write_shard(tmp_path / "dataset", "shard-00000", [ellipsoid_row("a", "train", 64, Ellipsoid())])
    assert not is_validated(asked)
    note_validated(asked)
    assert is_validated(asked)
    write_shard(tmp_path / "dataset", "shard-00001", [ellipsoid_row("b", "train", 64, Ellipsoid())])
    assert not is_validated(asked)


def test_phase_2_begins_with_the_weights_of_phase_1(tmp_path: Path) -> None:
    asked = request(tmp_path, tmp_path, steps=3, nproc=2)
    normal, depth = asked.trainings
    assert (normal.stage, depth.stage, asked.pairing) == ("2k2k-normal", "2k2k-depth", None)
    assert depth.init == normal.out
    assert (depth.steps, depth.nproc) == (3, 2)


def hdnet_request(data: Path, out: Path, *, videos: str | None, **train: object) -> PrepareRequest:
    settings = RenderSettings.model_validate({"camera": "hdnet"})
    render = RenderRequest(data=str(data), dataset="RP", out=str(out / "set"), settings=settings)
    options = TrainOptions.model_validate(train)
    return PrepareRequest(render=render, out=str(out), train=options, videos=videos)


def test_views_that_no_network_trains_on_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(STAGES_OF, "hdnet")
    with pytest.raises(RequestError, match=r"^--camera: hdnet; expected 2k2k"):
        hdnet_request(tmp_path, tmp_path, videos=None).check()


def test_views_of_hdnets_camera_lead_to_all_stages_of_hdnet(tmp_path: Path) -> None:
    asked = hdnet_request(tmp_path, tmp_path, videos="dances", steps=3, heads="published")
    normal, predicted, depth, video = asked.trainings
    stages = [one.stage for one in asked.trainings]
    assert stages == ["hdnet-normal", "hdnet-predict-normals", "hdnet-depth", "hdnet-video"]
    assert (predicted.init, video.init, depth.init) == (normal.out, depth.out, None)
    assert (predicted.steps, depth.steps, depth.heads, video.heads) == (None, 3, "published", None)
    assert asked.pairing is not None
    assert (asked.pairing.data, asked.pairing.out) == ("dances", asked.render.out)
    for training in asked.trainings:
        training.check()


def test_what_no_stage_of_hdnet_knows_is_refused_by_its_option(
    people: Path, tmp_path: Path
) -> None:
    asked = hdnet_request(people, tmp_path / "out", videos=None, mask_loss="published")
    with pytest.raises(RequestError, match=r"--train-mask-loss: published; .*--camera hdnet"):
        asked.check()


def test_2k2k_takes_no_videos(people: Path, tmp_path: Path) -> None:
    asked = request(people, tmp_path / "out").model_copy(update={"videos": str(people)})
    with pytest.raises(RequestError, match="--videos"):
        asked.check()


def test_coarse_nets_are_refused_because_phase_2_needs_all(people: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="--train-nets: coarse"):
        request(people, tmp_path / "out", nets="coarse").check()


def test_shards_may_stand_elsewhere_than_the_trainings(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Shown by the refusal of a data set that is there and has other settings."""
    prepare_dataset(DatasetFolder.at(tmp_path / "shards"), RenderSettings(resolution=128))
    words = ("prepare-and-train", "--data", people, "--dataset", "RP", "--out", tmp_path / "out")
    code, said = refusal([*words, "--shards", tmp_path / "shards"], capsys)
    assert code == 2
    assert f"{tmp_path}/shards" in said
    assert "resolution" in said


class Prepared(NamedTuple):
    """Three runs of the same command; the first one accepts no lost scan."""

    out: Path
    refused: Answer
    done: Answer
    again: Answer
    before: dict[str, bytes]


@pytest.fixture(scope="module")
def prepared(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("prepared")
    people, out = folder / "people", folder / "out"
    for seed, item in enumerate(BOXES):
        write_scan(people, item, seed=seed)
    break_mesh(people)
    run = command_in({**server.environment, **own_folders(folder)})
    words = (
        "prepare-and-train", "--data", people, "--dataset", "RP", "--out", out,
        "--resolution", 256, "--yaws", 0, "--train-steps", 2, "--train-width", 0.05,
    )  # fmt: skip
    refused = run(*words)
    done = run(*words, "--max-reject-share", 0.5)
    before = made(out)
    return Prepared(out, refused, done, run(*words, "--max-reject-share", 0.5, "--json"), before)


def made(out: Path) -> dict[str, bytes]:
    """Read what a second run must leave as it is."""
    files = [*out.glob("dataset/samples/*"), *out.glob("2k2k-*/model.safetensors")]
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(files)}


@pytest.mark.long
def test_a_lost_scan_ends_the_command_with_1_and_nothing_is_rendered(prepared: Prepared) -> None:
    assert prepared.refused.returncode == 1
    assert f"1 of 3 scans lost: {BROKEN}" in prepared.refused.stderr


@pytest.mark.long
def test_both_phases_are_trained_on_the_scans_that_are_left(prepared: Prepared) -> None:
    assert prepared.done.returncode == 0, prepared.done.stderr
    assert "2 samples of 3 scans, 1 of them lost" in prepared.done.stdout
    assert {"2k2k-normal/model.safetensors", "2k2k-depth/model.safetensors"} <= set(prepared.before)


@pytest.mark.long
def test_nothing_is_done_twice(prepared: Prepared) -> None:
    assert prepared.again.returncode == 0, prepared.again.stderr
    answer = json.loads(prepared.again.stdout)
    assert [one["worked"] for one in answer["trainings"]] == [False, False]
    assert made(prepared.out) == prepared.before


@pytest.mark.long
def test_its_stages_are_subflows_on_the_page(prepared: Prepared, server: LiveServer) -> None:
    assert prepared.done.returncode == 0
    shown = server.prefect("flow-run", "ls", "--limit", "50").replace("\n", " ")
    assert all(name in shown for name in ("prepare-and-train", "render", "validate", "train"))


@pytest.mark.long
def test_its_data_set_is_whole(prepared: Prepared) -> None:
    folder = DatasetFolder.at(str(prepared.out / "dataset"))
    assert len(folder.committed_shards()) == 3


@pytest.mark.long
def test_it_ends_with_people_measured_and_a_report(prepared: Prepared) -> None:
    assert prepared.done.returncode == 0, prepared.done.stderr
    answer = json.loads(prepared.again.stdout)
    assert answer["evaluation"]["samples"] >= 1
    assert "depth_front_cm" in answer["evaluation"]["figures"]
    assert (prepared.out / "evaluation/evaluation.md").read_text().startswith("| measure |")
    assert "<h2>Evaluation" in Path(answer["report"]).read_text()
