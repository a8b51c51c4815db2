from pathlib import Path

import pytest

from schemas.dataset_folder import DatasetFolder
from schemas.settings import RenderSettings
from tasks.dataset.card import write_card
from tasks.dataset.preparation import prepare_dataset
from tests.tasks.video.paired import pair_all
from tests.tasks.video.sequence_files import write_sequence


@pytest.fixture
def folder(tmp_path: Path) -> DatasetFolder:
    write_sequence(tmp_path / "data/dance", 3)
    pair_all(tmp_path / "dances", tmp_path / "data")
    folder = DatasetFolder.at(tmp_path / "dances")
    write_card(folder)
    return folder


def test_totals_count_videos_frames_and_pairs(folder: DatasetFolder) -> None:
    totals = folder.read_description().totals
    assert (totals["videos"], totals["frames"], totals["pairs"]) == (1, 3, 6)


def test_the_card_of_videos_alone_speaks_of_no_scans(folder: DatasetFolder) -> None:
    text = (folder.root / "README.md").read_text()
    assert "config_name: frames" in text
    assert "config_name: pairs" in text
    assert "| pairs of frames | 6 |" in text
    assert "rendered by scanmill" not in text
    assert "config_name: samples" not in text


def test_a_data_set_begun_with_videos_may_be_rendered_into_later(folder: DatasetFolder) -> None:
    prepare_dataset(folder, RenderSettings(resolution=128))
    described = folder.read_description()
    assert described.renders
    assert described.settings.resolution == 128
    assert described.pairing is not None


@pytest.mark.parametrize(("part", "rows"), [("frames", 3), ("pairs", 6)])
def test_hugging_face_reads_both_parts_by_the_card(
    folder: DatasetFolder, part: str, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    read = datasets.load_dataset(
        str(folder.root), part, split="train", cache_dir=str(tmp_path / "cache")
    )
    assert len(read) == rows


def test_pandas_reads_pairs(folder: DatasetFolder) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.read_parquet(folder.root / "pairs")
    assert table["frame_i"].tolist() == [1, 1, 4, 4, 7, 7]
    assert len(table["pixels"][0]) == 1440
