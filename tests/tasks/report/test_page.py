import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.atomic_files import write_atomically
from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.fits import FitCheck
from schemas.manifest import PlannedShard
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from tasks.dataset.planning import plan_new
from tasks.dataset.preparation import prepare_dataset, resolve_backgrounds
from tasks.fits.check import describe_misfit
from tasks.report.contact_sheet import contact_sheet, square_around
from tasks.report.page import build_report, describe_dataset
from tasks.samples.render_shard import render_shard
from tasks.samples.sample_shards import RenderJob
from tests.tasks.formats.twok2k.ball_sets import make_ball_set
from tests.tasks.scan_folders import write_scan

SETTINGS = RenderSettings(resolution=64, yaws=(0.0, 30.0))
ITEMS = ("rp_ann_posed_001", "rp_<b>bob_posed_001")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> DatasetFolder:
    """Make a data set of one good and one broken scan, whose name is hostile."""
    from renderers.session import close_session, open_session  # noqa: PLC0415 - GL only here

    data, folder = tmp_path_factory.mktemp("data"), DatasetFolder.at(tmp_path_factory.mktemp("out"))
    for item in ITEMS:
        write_scan(data, item)
    (data / "obj/RP" / f"{ITEMS[1]}_OBJ" / f"{ITEMS[1]}_100k.obj").write_text("<html>")
    prepare_dataset(folder, SETTINGS)
    resolve_backgrounds(folder, None)
    refs = [ScanRef(dataset="RP", item=item, subject=item, split="train") for item in ITEMS]
    open_session()
    for shard in plan_new(folder, refs, scans_per_shard=1):
        render_shard(_job(folder, data, shard))
    close_session()
    return folder


def _job(folder: DatasetFolder, data: Path, shard: PlannedShard) -> RenderJob:
    return RenderJob(uri=str(folder.root), data_root=data, shard=shard, settings=SETTINGS)


@pytest.fixture(scope="module")
def page(dataset: DatasetFolder, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("report") / "report.html"
    assert build_report([str(dataset.root)], out) == out
    return out.read_text()


def test_the_page_needs_nothing_from_elsewhere(page: str) -> None:
    assert "http" not in page
    assert "<script" not in page
    assert page.count("data:image/jpeg;base64,") == 1 + 2


def test_totals_are_on_the_page(page: str) -> None:
    assert "<b>2</b>samples" in page
    assert "<b>2</b>failed samples" in page


def test_a_failure_is_listed_with_its_reason(page: str) -> None:
    assert "1 shard done with rejects" in page
    assert "an HTML page (a download that went wrong)" in page


def test_a_hostile_name_is_escaped(page: str) -> None:
    assert "<b>bob" not in page
    assert "&lt;b&gt;bob" in page


def test_the_contact_sheet_is_a_png_of_one_row_a_scan(dataset: DatasetFolder) -> None:
    data = contact_sheet(dataset, side=40)
    assert data is not None
    sheet = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert sheet is not None
    assert sheet.shape == (40, 9 * 40 + 8 * 4, 3)


def test_a_data_set_without_samples_has_no_contact_sheet(tmp_path: Path) -> None:
    folder = DatasetFolder.at(tmp_path)
    prepare_dataset(folder, SETTINGS)
    assert contact_sheet(folder) is None


def test_a_training_run_shows_its_curve_and_its_figures(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"stage": "2k2k-normal", "settings": {"lr": 1}}))
    (tmp_path / "validation.json").write_text(
        json.dumps(
            {"held_out": True, "splits": ["val", "test"], "measures": {"depth_mm": 12.34567}}
        )
    )
    cv2.imwrite(str(tmp_path / "curve.png"), np.zeros((8, 8, 3), np.uint8))
    page = build_report([str(tmp_path)], tmp_path / "report.html").read_text()
    shown = {"held out": "yes", "splits": "val, test", "depth mm": "12.346"}
    rows = (f'<td>{name}</td><td class="number">{value}</td>' for name, value in shown.items())
    assert all(row in page for row in rows)
    assert "data:image/png;base64," in page
    assert page.index("loss by step") < page.index("<h3>Validation</h3>")


def test_a_folder_that_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"neither dataset\.json nor run\.json"):
        build_report([str(tmp_path)], tmp_path / "report.html")


def test_the_square_around_a_mask_stays_inside_the_image() -> None:
    mask = np.zeros((50, 40), bool)
    mask[0:30, 35:40] = True
    rows, columns = square_around(mask)
    assert rows.stop - rows.start == columns.stop - columns.start
    assert rows.start == 0
    assert columns.stop == 40


def test_a_misfit_is_counted_and_listed(tmp_path: Path) -> None:
    folder = DatasetFolder.at(make_ball_set(tmp_path / "set"))
    check = FitCheck(
        scan_id="RP/rp_ball_posed_001", overlap=0.31, distance_m=0.2, height_ratio=0.5,
        is_misfit=True,
    )  # fmt: skip
    warning = f"{check.scan_id}: {describe_misfit(check)}"
    manifest = folder.read_manifest("shard-00000")
    flagged = manifest.model_copy(update={"fits": (check,), "warnings": (warning,)})
    write_atomically(folder.manifest_path("shard-00000"), flagged.model_dump_json())
    section = describe_dataset(folder)
    assert ("fits checked / misfits / median overlap", "1 / 1 / 31%") in section.tiles
    assert section.warnings == (warning,)
