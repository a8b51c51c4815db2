"""The commands export and import, and the options of render that fits and backgrounds have."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from people.writer import write_synthetic_root
from schemas.dataset_folder import DatasetFolder
from schemas.settings import RenderSettings
from tasks.dataset.preparation import prepare_dataset
from tests.flows.conftest import SMALL, Command, refusal
from tests.tasks.formats.folders import export_to
from tests.tasks.formats.twok2k.ball_sets import make_ball_set

pytestmark = pytest.mark.xdist_group("prefect-server")


def test_export_and_import_give_the_samples_back(scanmill: Command, tmp_path: Path) -> None:
    balls = make_ball_set(tmp_path / "balls")
    published, back = tmp_path / "published", tmp_path / "back"
    exported = scanmill(
        "export",
        "2k2k",
        balls,
        "--to",
        published,
        "--allow-other-resolution",
        "--json",
        "--workers",
        "1",
    )
    assert exported.returncode == 0, exported.stderr
    assert json.loads(exported.stdout)["views"] == 8
    checked = scanmill("validate", "--layout", "2k2k", published, "--json")
    assert checked.returncode == 0, checked.stdout
    imported = scanmill("import", "2k2k", published, "--out", back, "--json")
    assert imported.returncode == 0, imported.stderr
    assert json.loads(imported.stdout)["samples"] == 8


def test_an_imported_set_is_not_redone_by_rendering(scanmill: Command, tmp_path: Path) -> None:
    settings = RenderSettings(origin="imported")
    prepare_dataset(DatasetFolder.at(tmp_path / "back"), settings)
    refused = scanmill("rerun", tmp_path / "back")
    assert refused.returncode == 2
    assert "a data set that was imported from images" in refused.stderr


def test_a_view_that_can_not_be_imported_ends_with_1(scanmill: Command, tmp_path: Path) -> None:
    balls, published = make_ball_set(tmp_path / "balls"), tmp_path / "published"
    export_to(published, "2k2k", balls)
    shutil.rmtree(published / "ORTH/COLOR/SHADED/RP_0_y_0_x")
    ended = scanmill("import", "2k2k", published, "--out", tmp_path / "back")
    assert ended.returncode == 1
    assert "2 views could not be imported" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("export", "2k2k", "{balls}", "--to", "{new}"), "images of 64 pixels; expected 2048"),
        (("validate", "--layout", "2k2k", "{balls}"), "no PERS/DEPTH"),
        (("import", "2k2k", "{balls}", "--out", "{new}"), "no PERS/DEPTH"),
    ],
)
def test_what_a_flow_refuses_ends_with_2_and_its_reason(
    scanmill: Command, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    names = {"balls": make_ball_set(tmp_path / "balls"), "new": tmp_path / "new"}
    refused = scanmill(*(argument.format(**names) for argument in arguments))
    assert refused.returncode == 2
    assert message in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("export", "4d", "{here}", "--to", "{new}"), "the layout: '4d'; expected 2k2k"),
        (("export", "2k2k", "{new}", "--to", "{new}"), "no dataset.json"),
        (("import", "2k2k", "{new}", "--out", "{new}"), "no folder"),
    ],
)
def test_wrong_requests_end_with_2_and_their_reason(
    tmp_path: Path,
    arguments: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = {"here": tmp_path, "new": tmp_path / "new"}
    code, error = refusal((word.format(**places) for word in arguments), capsys)
    assert code == 2
    assert message in error


@pytest.mark.long
def test_fits_are_checked_with_a_model_and_kept(scanmill: Command, tmp_path: Path) -> None:
    people, out = tmp_path / "people", tmp_path / "out"
    write_synthetic_root(
        people, subjects=1, seed=1, texture_size=256, dataset="THuman2", backgrounds=0,
        detail="fast",
    )  # fmt: skip
    request = ("render", "--data", people, "--dataset", "THuman2", "--out", out, *SMALL)
    done = scanmill(
        *request, "--smplx-models", people / "smplx_models", "--require-fit", "--lights",
        "harmonics",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    manifest = json.loads((out / "manifests/samples/shard-00000.json").read_text())
    assert [check["is_misfit"] for check in manifest["fits"]] == [False]
    without = scanmill(*request, "--lights", "harmonics")
    assert without.returncode == 2
    assert "smplx_model" in without.stderr


def test_require_fit_asks_for_a_model(
    people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    render = ("render", "--data", people, "--dataset", "RP", "--out", tmp_path / "out")
    code, error = refusal((*render, "--require-fit"), capsys)
    assert code == 2
    assert "--smplx-models: no folder" in error


@pytest.mark.long
def test_refreshed_backgrounds_redo_what_stood_before_others(
    scanmill: Command, people: Path, tmp_path: Path
) -> None:
    rooms, out = tmp_path / "rooms", tmp_path / "out"
    rooms.mkdir()
    cv2.imwrite(str(rooms / "a.png"), np.full((128, 128, 3), 90, np.uint8))
    request = (
        "render", "--data", people, "--dataset", "RP", "--out", out, *SMALL, "--backgrounds", rooms
    )  # fmt: skip
    first = scanmill(*request)
    assert first.returncode == 0, first.stderr
    assert "only 1 background: people will often" in first.stderr
    cv2.imwrite(str(rooms / "b.png"), np.full((128, 128, 3), 200, np.uint8))
    again = scanmill(*request, "--refresh-backgrounds", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["worked_on"] == 3
    assert json.loads((out / "backgrounds.json").read_text())["version"] == 2
