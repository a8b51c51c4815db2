"""DensePose images of somebody's own as the column `iuv`: taken, refused, missed, watched."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import pytest

from schemas.codecs import decode_image
from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from schemas.views import View
from tasks.dataset.shards import read_rows
from tasks.dataset.states import dataset_status
from tasks.samples.densepose_files import DenseposeFiles
from tasks.samples.sample_shards import SAMPLES
from tests.tasks.data_sets import plan_jobs, render_jobs
from tests.tasks.scan_folders import write_scan

REF = ScanRef(dataset="RP", item="rp_box_posed_001", subject="rp_box", split="train")
SETTINGS = RenderSettings(camera="hdnet", yaws=(0.0, 90.0), iuv_files=True)
MASK = np.zeros((256, 256), bool)
MASK[40:200, 100:160] = True


def iuv_of(mask: np.ndarray) -> np.ndarray:
    """Make part 2 inside, U by columns and V by rows."""
    rows, columns = np.indices(mask.shape)
    iuv = np.stack([np.full(mask.shape, 2), columns % 256, rows % 256], axis=-1)
    image: np.ndarray = (iuv * mask[..., None]).astype(np.uint8)
    return image


def write_iuv(root: Path, name: str, iuv: np.ndarray, *, order: str = "VUI") -> Path:
    """Write I, U, V as an RGB reader will give them in an order."""
    path = root / "RP/rp_box_posed_001" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    rgb = iuv if order == "IUV" else iuv[..., ::-1]
    assert cv2.imwrite(str(path), rgb[..., ::-1])
    return path


@pytest.mark.parametrize(
    ("view", "name"),
    [
        (View(-30.0, 0.0, "hdnet"), "RP/rp_box_posed_001/-30.png"),
        (View(12.5), "RP/rp_box_posed_001/12.5.png"),
        (View(0.0, 15.0, "hdnet"), "RP/rp_box_posed_001/0/pitch15.png"),
        (View(0.0, 0.0, "orthographic"), "RP/rp_box_posed_001/0/orthographic.png"),
    ],
)
def test_a_view_s_image_has_the_name_of_its_sample(view: View, name: str) -> None:
    assert DenseposeFiles(Path("d")).place(REF, view) == Path("d") / name


@pytest.mark.parametrize("order", ["IUV", "VUI"])
def test_either_order_of_channels_is_read_as_part_u_v(tmp_path: Path, order: str) -> None:
    write_iuv(tmp_path, "0", iuv_of(MASK), order=order)
    found = DenseposeFiles(tmp_path).read(REF, View(0.0), MASK)
    assert found is not None
    assert np.array_equal(found, iuv_of(MASK))


def test_a_view_without_a_image_has_none(tmp_path: Path) -> None:
    assert DenseposeFiles(tmp_path).read(REF, View(0.0), MASK) is None


def over(part: int) -> np.ndarray:
    iuv = iuv_of(MASK)
    iuv[50:60, 110:150, 0] = part
    return iuv


@pytest.mark.parametrize(
    ("iuv", "found"),
    [
        (iuv_of(MASK)[:128], "256 x 128 pixels; expected 256 x 256 pixels"),
        (over(25), "part 25"),
        (iuv_of(np.roll(MASK, 70, axis=1)), "0% lie on the one that was rendered"),
        (np.minimum(iuv_of(MASK), 20), "both possible"),
    ],
)
def test_a_image_that_can_t_be_of_this_view_is_refused_with_the_reason(
    tmp_path: Path, iuv: np.ndarray, found: str
) -> None:
    path = write_iuv(tmp_path, "0", iuv)
    with pytest.raises(InputError, match=found) as caught:
        DenseposeFiles(tmp_path).read(REF, View(0.0), MASK)
    assert caught.value.thing == str(path)


@pytest.fixture
def labelled(tmp_path: Path, painter: ProcessPoolExecutor) -> DatasetFolder:
    """Render a box by HDNet's camera: one view with an image, one with a damaged one."""
    write_scan(tmp_path / "data")
    write_iuv(tmp_path / "iuv", "0", iuv_of(MASK))
    write_iuv(tmp_path / "iuv", "90", iuv_of(MASK)[:100])
    (job,) = plan_jobs(tmp_path / "out", tmp_path / "data", settings=SETTINGS)
    job = job.model_copy(update={"densepose_root": tmp_path / "iuv"})
    painter.submit(render_jobs, [job]).result()
    return DatasetFolder.at(tmp_path / "out")


def look(folder: DatasetFolder) -> tuple[str, tuple[str, ...]]:
    root = folder.root.parent
    found = dataset_status(
        folder, SAMPLES, given={"data/RP": root / "data", "densepose": root / "iuv"}
    )
    return found.shards[0].state, found.shards[0].reasons


def test_the_numbers_stand_in_the_sample_without_loss(labelled: DatasetFolder) -> None:
    (row,) = read_rows(labelled.shard_path("shard-00000"))
    stored = cast("dict[str, bytes]", row["iuv"])["bytes"]
    assert np.array_equal(decode_image(stored), iuv_of(MASK))


def test_a_damaged_image_fails_its_sample_alone(labelled: DatasetFolder) -> None:
    manifest = labelled.read_manifest("shard-00000")
    (failure,) = manifest.failures
    assert failure.sample_id == "RP/rp_box_posed_001/90/hdnet"
    assert (failure.kind, failure.stage) == ("input", "read")
    assert "256 x 100 pixels" in failure.message
    assert look(labelled)[0] == "rejects"


def test_a_image_that_changes_makes_the_shard_stale(labelled: DatasetFolder) -> None:
    write_iuv(labelled.root.parent / "iuv", "90", iuv_of(MASK))
    assert look(labelled) == ("stale", ("RP/rp_box_posed_001/90.png changed",))


def test_a_image_that_appears_makes_the_shard_stale(
    tmp_path: Path, painter: ProcessPoolExecutor
) -> None:
    write_scan(tmp_path / "data")
    (tmp_path / "iuv").mkdir()
    (job,) = plan_jobs(tmp_path / "out", tmp_path / "data", settings=SETTINGS)
    job = job.model_copy(update={"densepose_root": tmp_path / "iuv"})
    painter.submit(render_jobs, [job]).result()
    folder = DatasetFolder.at(tmp_path / "out")
    assert [row["iuv"] for row in read_rows(folder.shard_path("shard-00000"))] == [None, None]
    assert look(folder)[0] == "done"
    write_iuv(tmp_path / "iuv", "0", iuv_of(MASK))
    assert look(folder) == ("stale", ("RP/rp_box_posed_001/0.png was absent and is there now",))
