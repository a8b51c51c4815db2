from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError, RequestError
from schemas.pairing import PairSettings
from tasks.dataset.commit import ShardOutcome
from tasks.dataset.planning import plan_new_videos
from tasks.dataset.preparation import prepare_pairing
from tasks.dataset.shards import read_rows
from tasks.formats.hdnet.frame_list import read_videos
from tasks.formats.hdnet.hdnet_import import import_video, open_folder
from tasks.formats.hdnet.hdnet_layout import TIKTOK, HdnetFolder
from tasks.video.video_shards import PairJob
from tests.tasks.formats.folders import export_to
from tests.tasks.video.paired import pair_all
from tests.tasks.video.sequence_files import paint_iuv as paint
from tests.tasks.video.sequence_files import write_frame, write_normals, write_sequence

PARTS = ("frames", "pairs")


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """Two videos; one of them cropped, one with a frame of predicted normals."""
    write_sequence(tmp_path / "data/a", 3, first=17634)
    write_normals(tmp_path / "data/a", "0017637", (0.6, 0.0, -0.8))
    for number, column in (("1", 100), ("4", 104), ("7", 108)):
        write_frame(tmp_path / "data/b", number, paint(200, column, side=512))
    pair_all(tmp_path / "first", tmp_path / "data")
    export_to(tmp_path / "to", "hdnet", tmp_path / "first")
    return tmp_path / "to"


def import_all(root: Path, out: Path) -> list[ShardOutcome]:
    source = open_folder(root).videos
    assert source is not None
    settings = source.settings
    prepare_pairing(DatasetFolder.at(out), settings)
    planned = plan_new_videos(DatasetFolder.at(out), source.videos)
    return [
        import_video(PairJob(uri=str(out), data_root=root, shard=shard, settings=settings))
        for shard in planned
    ]


def rows(out: Path, part: str) -> list[dict[str, object]]:
    return [row for path in sorted((out / part).glob("*.parquet")) for row in read_rows(path)]


@pytest.mark.parametrize("part", PARTS)
def test_what_was_exported_comes_back_as_it_was(published: Path, tmp_path: Path, part: str) -> None:
    outcomes = import_all(published, tmp_path / "back")
    assert [one.state for one in outcomes] == ["done", "done"]
    assert rows(tmp_path / "back", part) == rows(tmp_path / "first", part)


def test_settings_follow_the_published_list(published: Path) -> None:
    source = open_folder(published).videos
    assert source is not None
    assert source.settings == PairSettings(neighbours=4, min_neighbours=1)


def test_without_our_list_the_set_is_one_video_of_its_own_numbers(
    published: Path, tmp_path: Path
) -> None:
    (published / "tiktok_data/frames.csv").unlink()
    (outcome,) = import_all(published / "tiktok_data", tmp_path / "back")
    assert (outcome.names, outcome.state, outcome.rows) == (("tiktok_data",), "done", 12)
    names = [row["frame_id"] for row in rows(tmp_path / "back", "frames")]
    assert names[0] == "tiktok_data/0017634"
    assert names[-1] == "tiktok_data/0020006"


def count_from_zero(folder: Path) -> None:
    path = folder / "correspondences/corrs/0017634_0017637_i_r1_c1_r2_c2.txt"
    table = np.loadtxt(path, delimiter=",", dtype=int) - [0, 1, 1, 1, 1]
    np.savetxt(path, table, delimiter=",", fmt="%d")


def lose_limits(folder: Path) -> None:
    (folder / "correspondences/corrs/0017634_0017637_i_limit.txt").unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(count_from_zero, "counted from another base"), (lose_limits, "no such file")],
)
def test_a_pair_that_breaks_the_rules_is_left_out_by_name(
    published: Path, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(published / "tiktok_data")
    outcome = import_all(published, tmp_path / "back")[0]
    (failure,) = outcome.failures
    assert (failure.sample_id, failure.kind) == ("a/0017634--0017637", "input")
    assert message in failure.message
    assert outcome.rows == 5


def test_pairs_of_a_lost_frame_are_left_out(published: Path, tmp_path: Path) -> None:
    (published / "tiktok_data/mask/0017637.png").unlink()
    outcome = import_all(published, tmp_path / "back")[0]
    assert [failure.sample_id for failure in outcome.failures] == [
        "a/0017637", "a/0017634--0017637", "a/0017637--0017640", "a/0017637--0017634",
        "a/0017640--0017637",
    ]  # fmt: skip
    assert outcome.rows == 2


def test_a_labelled_set_alone_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Tang_data").mkdir()
    with pytest.raises(RequestError, match="no TikTok set in it"):
        open_folder(tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0017634,a,5", "line 4: 0017634 or its frame twice"),
        ("0000009,a,17634", "line 4: 0000009 or its frame twice"),
        ("../../etc,a,5", "line 4: name"),
        ("0000009,,5", "line 4: video"),
        ("0000009,a,x", "line 4: frame"),
    ],
)
def test_a_list_of_frames_that_cannot_be_is_refused_naming_the_line(
    tmp_path: Path, line: str, message: str
) -> None:
    (tmp_path / "frames.csv").write_text(
        f"name,video,frame\n0017634,a,17634\n0017637,a,3\n{line}\n"
    )
    with pytest.raises(InputError, match=message):
        read_videos(HdnetFolder(tmp_path, TIKTOK))
