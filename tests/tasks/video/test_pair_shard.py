import hashlib
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.codecs import decode_front_normals, decode_image, decode_mask
from schemas.dataset_folder import DatasetFolder
from schemas.manifest import Manifest
from schemas.pairing import PairSettings
from tasks.dataset.shards import read_rows
from tasks.video.pair_shard import pair_video
from tests.tasks.video.paired import FEW, pair_all, plan_pairs
from tests.tasks.video.sequence_files import (
    paint_iuv,
    write_frame,
    write_normals,
    write_sequence,
)

ORDER = [(1, 4), (1, 7), (4, 7), (4, 1), (7, 4), (7, 1)]


def rows(root: Path, part: str) -> list[dict[str, object]]:
    return list(read_rows(root / part / "shard-00000.parquet"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_sequence(tmp_path / "data/tiktok/dance", 3)
    return tmp_path / "data"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_every_frame_becomes_a_row(data: Path, out: Path) -> None:
    (outcome,) = pair_all(out, data)
    assert (outcome.state, outcome.frames, outcome.rows) == ("done", 3, 6)
    assert [row["frame_id"] for row in rows(out, "frames")] == [
        "dance/0000001", "dance/0000004", "dance/0000007",
    ]  # fmt: skip


def test_a_frame_holds_its_images_canonical(data: Path, out: Path) -> None:
    pair_all(out, data)
    row = rows(out, "frames")[1]
    np.testing.assert_array_equal(decode_image(row["iuv"]["bytes"]), paint_iuv(101, 92))  # type: ignore[index]  # a struct column
    assert decode_mask(row["mask"]["bytes"]).sum() == 6 * 20 * 12  # type: ignore[index]  # a struct column
    color = np.random.default_rng(1).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    np.testing.assert_array_equal(decode_image(row["color"]["bytes"]), color[..., ::-1])  # type: ignore[index]  # a struct column
    assert row["pred_normals"] is None


def test_a_frame_knows_its_camera_and_its_crop(data: Path, out: Path) -> None:
    pair_all(out, data)
    row = rows(out, "frames")[0]
    assert row["intrinsics"] == pytest.approx(
        [314.0945, 0, 34.9724, 0, 314.0945, 139.5199, 0, 0, 1], abs=1e-4
    )
    assert row["crop"] == [0.0, 0.0, 256.0, 256.0]


def test_pairs_stand_in_the_order_of_frames_then_neighbours(data: Path, out: Path) -> None:
    pair_all(out, data)
    assert [(row["frame_i"], row["frame_j"]) for row in rows(out, "pairs")] == ORDER
    assert rows(out, "pairs")[0]["pair_id"] == "dance/0000001--0000004"


def test_matches_of_a_moved_image_are_its_motion(data: Path, out: Path) -> None:
    pair_all(out, data)
    pixels = np.array(rows(out, "pairs")[1]["pixels"])
    assert len(pixels) == 6 * 20 * 12
    assert np.unique(pixels[:, 2:] - pixels[:, :2], axis=0).tolist() == [[2, 4]]


def test_limits_and_parts_agree(data: Path, out: Path) -> None:
    pair_all(out, data)
    row = rows(out, "pairs")[0]
    limits = np.array(row["limits"]).reshape(24, 2)
    assert limits[[0, 1, 2, 3, 14, 15, 23]].tolist() == [
        [0, 239], [240, 479], [480, 719], [-1, -1], [720, 959], [960, 1199], [1200, 1439],
    ]  # fmt: skip
    assert row["part"] == [p for p in (1, 2, 3, 15, 16, 24) for _ in range(240)]


def test_the_same_video_gives_the_same_bytes(data: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        pair_all(tmp_path / name, data)
    for part in ("frames", "pairs"):
        files = [tmp_path / name / part / "shard-00000.parquet" for name in ("a", "b")]
        assert files[0].read_bytes() == files[1].read_bytes()


def manifest(out: Path, part: str) -> Manifest:
    return DatasetFolder.at(out).read_manifest("shard-00000", part)  # type: ignore[arg-type]  # a part


def test_records_name_every_file_with_its_digest_and_the_absent_ones(data: Path, out: Path) -> None:
    pair_all(out, data)
    inputs = {one.path: one.sha256 for one in manifest(out, "frames").inputs}
    assert len(inputs) == 3 * (3 + 3)
    assert inputs["tiktok/dance/pred_normals/0000001_1.txt"] is None
    color = (data / "tiktok/dance/color/0000001.png").read_bytes()
    assert inputs["tiktok/dance/color/0000001.png"] == hashlib.sha256(color).hexdigest()


def test_frames_with_too_few_neighbours_are_left_out_and_listed(data: Path, out: Path) -> None:
    write_frame(data / "tiktok/dance", "0000016", paint_iuv())
    (outcome,) = pair_all(out, data, PairSettings(min_neighbours=3))
    assert outcome.warnings == (
        "dance/0000001: left out of the pairs, 2 neighbours of at least 3",
        "dance/0000016: left out of the pairs, 2 neighbours of at least 3",
    )
    assert {row["frame_i"] for row in rows(out, "pairs")} == {4, 7}


def test_a_video_with_too_few_pairs_keeps_its_frames_and_is_refused_by_name(
    data: Path, out: Path
) -> None:
    (outcome,) = pair_all(out, data, PairSettings())
    assert (outcome.state, outcome.frames, outcome.rows) == ("rejects", 3, 0)
    (failure,) = outcome.failures
    assert (failure.sample_id, failure.stage, failure.kind) == ("dance", "match", "input")
    assert "--min-neighbours 2 would admit it" in failure.message


def test_a_single_frame_with_neighbours_makes_no_row(data: Path, out: Path) -> None:
    write_frame(data / "tiktok/dance", "0000016", paint_iuv())
    write_frame(data / "tiktok/dance", "0000010", paint_iuv())
    (outcome,) = pair_all(out, data, PairSettings(reach=6, min_neighbours=4))
    assert [len([r for r in rows(out, "pairs") if r["frame_i"] == n]) for n in (1, 7)] == [0, 0]
    assert outcome.rows == 0


def lose_colour(folder: Path) -> None:
    (folder / "color/0000004.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")


def lose_mask(folder: Path) -> None:
    (folder / "mask/0000004.png").unlink()


def lose_iuv(folder: Path) -> None:
    cv2.imwrite(str(folder / "densepose/0000004.png"), np.full((256, 256, 3), 99, np.uint8))


def swap_channels(folder: Path) -> None:
    write_frame(folder, "0000004", paint_iuv(), order="IUV")


def replace_by_pipe(folder: Path) -> None:
    lose_mask(folder)
    os.mkfifo(folder / "mask/0000004.png")


LOSSES = [lose_colour, lose_mask, lose_iuv, swap_channels, replace_by_pipe]


@pytest.mark.parametrize("lose", LOSSES)
def test_a_frame_that_cannot_be_used_fails_alone(data: Path, out: Path, lose: object) -> None:
    lose(data / "tiktok/dance")  # type: ignore[operator]  # one of three above
    (outcome,) = pair_all(out, data, PairSettings(min_neighbours=1))
    assert [failure.sample_id for failure in outcome.failures] == ["dance/0000004"]
    assert [(row["frame_i"], row["frame_j"]) for row in rows(out, "pairs")] == [(1, 7), (7, 1)]


def test_channel_orders_without_a_majority_refuse_the_video(data: Path, out: Path) -> None:
    write_frame(data / "tiktok/dance", "0000004", paint_iuv(), order="IUV")
    (data / "tiktok/dance/densepose/0000007.png").unlink()
    (outcome,) = pair_all(out, data)
    assert (outcome.state, outcome.frames) == ("rejects", 0)
    assert "one order within a sequence" in outcome.failures[0].message
    assert outcome.failures[0].sample_id == "dance"


def test_an_inverted_mask_comes_out_with_a_warning(data: Path, out: Path) -> None:
    path = data / "tiktok/dance/mask/0000004.png"
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    cv2.imwrite(str(path), 255 - mask)
    (outcome,) = pair_all(out, data)
    assert (outcome.state, outcome.frames) == ("done", 3)
    assert outcome.warnings[0].startswith("dance/0000004: the mask holds 0% of the IUV's body")


def test_predicted_normals_are_taken_where_they_are_there(data: Path, out: Path) -> None:
    write_normals(data / "tiktok/dance", "0000004", (0.6, 0.0, -0.8))
    pair_all(out, data)
    normals = decode_front_normals(rows(out, "frames")[1]["pred_normals"])  # type: ignore[arg-type]  # bytes
    assert normals[55, 80].tolist() == pytest.approx([0.6, 0.0, -0.8])
    assert normals[0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("normal", "message"),
    [((3.0, 0.0, -4.0), "normals of length 5.000"), ((np.nan, 0, 1), "which is in no number")],
)
def test_predicted_normals_that_are_none_refuse_the_frame(
    data: Path, out: Path, normal: tuple[float, float, float], message: str
) -> None:
    write_normals(data / "tiktok/dance", "0000004", normal)
    (outcome,) = pair_all(out, data, PairSettings(min_neighbours=1))
    assert message in outcome.failures[0].message


def test_when_the_disk_fails_nothing_is_committed(data: Path, out: Path) -> None:
    (job,) = plan_pairs(out, data)
    (out / "pairs").write_text("a file in the way")
    outcome = pair_video(job)
    assert (outcome.state, outcome.committed) == ("failed", False)
    assert outcome.failures[0].kind == "environment"
    assert not (out / "manifests").exists()
    assert list((out / "frames").iterdir()) == []


def test_videos_get_shards_and_splits_of_their_own(data: Path, out: Path) -> None:
    write_sequence(data / "tiktok/another", 3)
    jobs = plan_pairs(out, data)
    assert [(job.shard.shard_id, job.shard.video.video) for job in jobs] == [
        ("shard-00000", "another"), ("shard-00001", "dance"),
    ]  # fmt: skip
    assert plan_pairs(out, data) == []


def test_new_videos_move_no_old_one(data: Path, out: Path) -> None:
    plan_pairs(out, data)
    write_sequence(data / "tiktok/another", 3)
    (job,) = plan_pairs(out, data)
    assert (job.shard.shard_id, job.shard.video.video) == ("shard-00001", "another")


def test_a_wide_video_is_cropped_and_the_crop_recorded(tmp_path: Path, out: Path) -> None:
    for number, column in (("1", 100), ("4", 104), ("7", 108)):
        write_frame(tmp_path / "wide/v", number, paint_iuv(200, column, side=512))
    outcomes = pair_all(out, tmp_path / "wide", FEW)
    assert [one.rows for one in outcomes] == [6]
    assert rows(out, "frames")[0]["crop"] == [95.0, 165.0, 89.0, 89.0]
