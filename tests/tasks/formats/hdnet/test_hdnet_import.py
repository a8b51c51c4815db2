"""A labelled set exported and imported again; and sets that others made."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.camera import ray_directions
from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError, RequestError
from tasks.checks.validation import validate_dataset
from tasks.dataset.shards import read_rows
from tasks.dataset.stored_sample import StoredSample
from tasks.formats.hdnet.hdnet_layout import LABELLED, HdnetFolder
from tasks.formats.hdnet.labelled_import import SETTINGS
from tests.tasks.formats.folders import export_to, import_from
from tests.tasks.formats.hdnet.ball_rows import hdnet_row
from tests.tasks.formats.hdnet.test_labelled_export import commit


@pytest.fixture
def source(tmp_path: Path) -> DatasetFolder:
    return commit(tmp_path / "set", "hdnet", [hdnet_row()])


@pytest.fixture
def published(source: DatasetFolder, tmp_path: Path) -> Path:
    export_to(tmp_path / "published", "hdnet", source.root)
    return tmp_path / "published"


def samples_of(folder: DatasetFolder) -> list[StoredSample]:
    settings = folder.read_description().settings
    return [
        StoredSample(row, settings)
        for shard_id in folder.committed_shards()
        for row in read_rows(folder.shard_path(shard_id))
    ]


def imported(published: Path, tmp_path: Path) -> DatasetFolder:
    summary = import_from(published, "hdnet", tmp_path / "back")
    assert summary.passed
    return DatasetFolder.at(tmp_path / "back")


def test_a_labelled_set_comes_back_as_it_was(
    source: DatasetFolder, published: Path, tmp_path: Path
) -> None:
    (one,), (other,) = samples_of(source), samples_of(imported(published, tmp_path))
    assert np.array_equal(other.mask, one.mask)
    # Metres are printed with six decimals. Normals are made of unit length before, so the half
    # floats next to the stored ones may come back.
    assert np.abs(other.depth[0] - one.depth[0]).max() < 2e-6
    assert np.abs(other.normals[0] - one.normals[0]).max() <= 2**-11
    assert np.array_equal(other.image("shaded"), one.image("shaded"))
    assert np.array_equal(other.image("iuv"), one.image("iuv"))
    assert pytest.approx(one.camera.K) == other.camera.K
    # `image` is a JPEG, written once more.
    differing = other.image("image").astype(int) - one.image("image")
    assert np.abs(differing).mean() < 1


def test_what_was_imported_passes_validation(published: Path, tmp_path: Path) -> None:
    found = validate_dataset(imported(published, tmp_path))
    assert found.findings == ()
    assert found.samples == 1


def test_what_the_published_set_does_not_hold_is_empty(published: Path, tmp_path: Path) -> None:
    (sample,) = samples_of(imported(published, tmp_path))
    assert not sample.has_back
    assert not sample.depth[1].any()
    assert not sample.normals[1].any()
    assert not sample.image("color_front").any()
    assert not sample.keypoints.any()


def test_a_frame_keeps_its_split_and_its_person(published: Path, tmp_path: Path) -> None:
    (sample,) = samples_of(imported(published, tmp_path))
    assert sample.sample_id == "HDNet/0000000/0/hdnet"
    assert sample.row["subject"] == "RP/rp_ball_posed_001"
    assert sample.row["split"] == "train"


def test_a_set_of_others_needs_no_list_and_no_densepose(published: Path, tmp_path: Path) -> None:
    folder = HdnetFolder(published / "Tang_data", LABELLED)
    folder.frame_list.unlink()
    folder.image("densepose", 0).unlink()
    (sample,) = samples_of(imported(published, tmp_path))
    assert sample.row["iuv"] is None
    assert sample.row["subject"] == "HDNet/0000000"
    manifest = DatasetFolder.at(tmp_path / "back").read_manifest("shard-00000")
    absent = [one.path for one in manifest.inputs if one.sha256 is None]
    assert absent == ["Tang_data/densepose/0000000.png"]


def test_depth_that_the_reader_does_not_use_is_outside(published: Path, tmp_path: Path) -> None:
    path = HdnetFolder(published / "Tang_data", LABELLED).depth(0)
    rows = [line.split(",") for line in path.read_text().splitlines()]
    rows[128][128] = "9.5"
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    (sample,) = samples_of(imported(published, tmp_path))
    assert not sample.mask[128, 128]
    assert sample.depth[0][128, 128] == 0
    assert sample.mask[128, 129]


def test_a_broken_frame_fails_alone_with_its_reason(published: Path, tmp_path: Path) -> None:
    path = HdnetFolder(published / "Tang_data", LABELLED).image("color", 0)
    assert cv2.imwrite(str(path), np.zeros((100, 256, 3), np.uint8))
    summary = import_from(published, "hdnet", tmp_path / "back")
    (failure,) = summary.failures
    assert (failure.sample_id, failure.kind) == ("HDNet/0000000/0/hdnet", "input")
    assert "256 x 100 pixels; expected 256 x 256 pixels" in failure.message


def test_a_broken_list_is_refused_by_its_line(published: Path, tmp_path: Path) -> None:
    HdnetFolder(published / "Tang_data", LABELLED).frame_list.write_text(
        "name,sample_id,split\n7,a,b\n"
    )
    with pytest.raises(InputError, match="line 2"):
        import_from(published, "hdnet", tmp_path / "back")


def test_a_folder_without_frames_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Tang_data").mkdir()
    with pytest.raises(RequestError, match="no labelled frame"):
        import_from(tmp_path, "hdnet", tmp_path / "back")


def test_a_second_import_does_only_what_is_not_done(published: Path, tmp_path: Path) -> None:
    imported(published, tmp_path)
    assert import_from(published, "hdnet", tmp_path / "back").samples == 0


def test_the_settings_say_that_there_is_no_back() -> None:
    assert (SETTINGS.origin, SETTINGS.camera) == ("imported", "hdnet")


def test_normals_of_others_are_made_to_face_the_camera(published: Path, tmp_path: Path) -> None:
    folder = HdnetFolder(published / "Tang_data", LABELLED)
    for path, value in zip(folder.normals(0), ("0.8", "0", "0.7"), strict=True):
        rows = [line.split(",") for line in path.read_text().splitlines()]
        rows[128][128] = value  # longer than 1, and turned away
        path.write_text("".join(",".join(row) + "\n" for row in rows))
    (sample,) = samples_of(imported(published, tmp_path))
    normal = sample.normals[0][128, 128].astype(float)
    ray = ray_directions(sample.camera)[128, 128]
    assert np.linalg.norm(normal) == pytest.approx(1, abs=2e-3)
    assert normal @ ray == pytest.approx(0, abs=2e-3)
