from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.settings import RenderSettings, digest_of
from tasks.dataset.preparation import prepare_dataset, resolve_backgrounds, sweep_leftovers


@pytest.fixture
def folder(tmp_path: Path) -> DatasetFolder:
    return DatasetFolder.at(tmp_path / "set")


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    root = tmp_path / "rooms"
    root.mkdir()
    cv2.imwrite(str(root / "hall.png"), np.full((40, 40, 3), 90, np.uint8))
    return root


def test_the_first_run_writes_settings_and_their_digest(folder: DatasetFolder) -> None:
    settings = RenderSettings(resolution=256)
    prepare_dataset(folder, settings)
    stored = folder.read_description()
    assert stored.settings == settings
    assert stored.settings_digest == digest_of(settings)


def test_the_same_settings_are_accepted_again(folder: DatasetFolder) -> None:
    first = prepare_dataset(folder, RenderSettings())
    assert prepare_dataset(folder, RenderSettings()) == first


def test_other_settings_are_refused_by_name(folder: DatasetFolder) -> None:
    prepare_dataset(folder, RenderSettings(seed=1))
    with pytest.raises(RequestError, match="seed: 1 there, 2 asked"):
        prepare_dataset(folder, RenderSettings(seed=2))


def test_a_folder_of_other_things_is_refused(folder: DatasetFolder) -> None:
    folder.root.mkdir()
    (folder.root / "thesis.tex").write_text("")
    with pytest.raises(RequestError, match=r"no dataset.json, but 'thesis.tex'"):
        prepare_dataset(folder, RenderSettings())


def test_a_file_in_the_way_is_refused(folder: DatasetFolder) -> None:
    folder.root.write_text("")
    with pytest.raises(RequestError, match="set is a file; expected a folder"):
        prepare_dataset(folder, RenderSettings())


def test_backgrounds_are_frozen_by_the_first_run(folder: DatasetFolder, rooms: Path) -> None:
    resolve_backgrounds(folder, rooms)
    cv2.imwrite(str(rooms / "attic.png"), np.full((40, 40, 3), 10, np.uint8))
    assert [one.path for one in resolve_backgrounds(folder, rooms).images] == ["hall.png"]


def test_backgrounds_may_not_be_left_out_later(folder: DatasetFolder, rooms: Path) -> None:
    resolve_backgrounds(folder, rooms)
    with pytest.raises(RequestError, match="no folder; expected 1 frozen images"):
        resolve_backgrounds(folder, None)


def test_backgrounds_may_not_come_later(folder: DatasetFolder, rooms: Path) -> None:
    resolve_backgrounds(folder, None)
    with pytest.raises(RequestError, match="expected 0 frozen images"):
        resolve_backgrounds(folder, rooms)


def test_a_refresh_starts_a_new_version(folder: DatasetFolder, rooms: Path) -> None:
    resolve_backgrounds(folder, rooms)
    cv2.imwrite(str(rooms / "attic.png"), np.full((40, 40, 3), 10, np.uint8))
    renewed = resolve_backgrounds(folder, rooms, refresh=True)
    assert [one.path for one in renewed.images] == ["attic.png", "hall.png"]
    assert renewed.version == 2
    assert resolve_backgrounds(folder, rooms) == renewed


def test_a_refresh_that_finds_the_same_keeps_the_version(
    folder: DatasetFolder, rooms: Path
) -> None:
    resolve_backgrounds(folder, rooms)
    assert resolve_backgrounds(folder, rooms, refresh=True).version == 1


def test_a_refresh_may_bring_backgrounds_to_a_black_set(folder: DatasetFolder, rooms: Path) -> None:
    resolve_backgrounds(folder, None)
    assert resolve_backgrounds(folder, rooms, refresh=True).version == 2


def test_what_killed_writers_left_is_swept(folder: DatasetFolder) -> None:
    prepare_dataset(folder, RenderSettings())
    left = folder.root / "samples/.tmp-shard-00000.parquet-0"
    left.parent.mkdir()
    left.write_bytes(b"half")
    assert sweep_leftovers(folder) == ("samples/.tmp-shard-00000.parquet-0",)
    assert not left.exists()
