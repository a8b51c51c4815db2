import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.atomic_files import write_atomically
from schemas.dataset_folder import DatasetFolder
from schemas.manifest import RunRecord
from schemas.pairing import PairSettings
from tasks.dataset.run_records import write_run
from tasks.dataset.states import DatasetStatus, ShardStatus, dataset_status, shards_to_redo
from tasks.video.video_shards import VIDEOS
from tests.tasks.video.paired import pair_all
from tests.tasks.video.sequence_files import paint_iuv, write_frame, write_normals, write_sequence


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_sequence(tmp_path / "data/dance", 3)
    return tmp_path / "data"


@pytest.fixture
def out(data: Path, tmp_path: Path) -> Path:
    pair_all(tmp_path / "out", data)
    return tmp_path / "out"


def video_status(
    folder: DatasetFolder, *, data_root: Path | None = None, deep: bool = False
) -> DatasetStatus:
    given = {"videos": data_root} if data_root else {}
    return dataset_status(folder, VIDEOS, given=given, deep=deep)


def look(out: Path, data: Path | None, *, deep: bool = False) -> ShardStatus:
    (shard,) = video_status(DatasetFolder.at(out), data_root=data, deep=deep).shards
    return shard


def test_a_video_that_was_just_paired_is_done(out: Path, data: Path) -> None:
    shard = look(out, data)
    assert (shard.state, shard.reasons, shard.rows, shard.older_code) == ("done", (), 6, False)


def change_colour(_: Path, data: Path) -> None:
    write_frame(data / "dance", "0000004", paint_iuv(101, 92), seed=99)


def lose_mask(_: Path, data: Path) -> None:
    (data / "dance/mask/0000004.png").unlink()


def add_frame(_: Path, data: Path) -> None:
    write_frame(data / "dance", "0000010", paint_iuv())


def predict_normals(_: Path, data: Path) -> None:
    write_normals(data / "dance", "0000004", (0, 0, -1))


def cut_frames(out: Path, _: Path) -> None:
    path = out / "frames/shard-00000.parquet"
    path.write_bytes(path.read_bytes()[:-9])


def lose_pairs(out: Path, _: Path) -> None:
    (out / "pairs/shard-00000.parquet").unlink()


def lose_record(out: Path, _: Path) -> None:
    (out / "manifests/pairs/shard-00000.json").unlink()


def break_record(out: Path, _: Path) -> None:
    (out / "manifests/frames/shard-00000.json").write_text("{}")


def lose_video(_: Path, data: Path) -> None:
    shutil.rmtree(data / "dance")


def change_settings(out: Path, _: Path) -> None:
    folder = DatasetFolder.at(out)
    other = folder.read_description().model_copy(update={"pairing_digest": "0" * 64})
    write_atomically((folder.root / "dataset.json"), other.model_dump_json())


@pytest.mark.parametrize(
    ("change", "state", "reason"),
    [
        (change_colour, "stale", "dance/color/0000004.png changed"),
        (lose_mask, "stale", "dance/mask/0000004.png is gone"),
        (add_frame, "stale", "dance/color/0000010.png is new"),
        (predict_normals, "stale", "dance/pred_normals/0000004_1.txt was absent and is there now"),
        (change_settings, "stale", "made with other settings"),
        (cut_frames, "corrupt", "frames/shard-00000.parquet: not the file that was committed"),
        (lose_pairs, "corrupt", "pairs/shard-00000.parquet is missing"),
        (lose_record, "missing", "no commit record"),
        (break_record, "corrupt", "manifest: no readable Manifest"),
        (lose_video, "orphaned", "dance: the video is gone"),
    ],
)
def test_every_change_gives_its_state_and_reason(
    out: Path, data: Path, change: Callable[[Path, Path], None], state: str, reason: str
) -> None:
    change(out, data)
    shard = look(out, data)
    assert shard.state == state
    assert reason in "; ".join(shard.reasons)


def test_a_refused_video_has_rejects(data: Path, tmp_path: Path) -> None:
    pair_all(tmp_path / "few", data, PairSettings())
    shard = look(tmp_path / "few", data)
    assert shard.state == "rejects"
    assert "--min-neighbours 2 would admit it" in shard.reasons[0]


def test_a_pipe_in_the_place_of_an_image_is_no_change(data: Path, tmp_path: Path) -> None:
    (data / "dance/mask/0000004.png").unlink()
    os.mkfifo(data / "dance/mask/0000004.png")
    pair_all(tmp_path / "piped", data)
    assert look(tmp_path / "piped", data).state == "rejects"


def test_a_flipped_byte_of_the_same_size_is_found_by_a_deep_look(out: Path, data: Path) -> None:
    path = out / "pairs/shard-00000.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert look(out, data, deep=True).state == "corrupt"


def test_what_is_stale_is_redone_and_what_lost_its_video_is_not(out: Path, data: Path) -> None:
    add_frame(out, data)
    assert shards_to_redo(video_status(DatasetFolder.at(out), data_root=data)) == ("shard-00000",)
    lose_video(out, data)
    assert shards_to_redo(video_status(DatasetFolder.at(out), data_root=data)) == ()


def test_the_root_defaults_to_that_of_the_last_run_that_paired(out: Path, data: Path) -> None:
    for ended, roots in (("2026-01-01", {"videos": str(data)}), ("2026-01-02", {"data": "/none"})):
        record = RunRecord(
            command="pair", started=ended, ended=ended, seconds=1, workers=1, host="here",
            roots=roots, shards={}, samples=0, failures=0,
        )  # fmt: skip
        write_run(DatasetFolder.at(out), record)
    add_frame(out, data)
    assert look(out, None).state == "stale"


def test_without_a_root_inputs_are_not_looked_at(out: Path) -> None:
    found = video_status(DatasetFolder.at(out))
    assert not found.inputs_checked
    assert found.is_done
