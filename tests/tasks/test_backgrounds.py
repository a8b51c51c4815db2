from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.errors import InputError, RequestError
from tasks.backgrounds import Backgrounds, freeze_backgrounds


def _paint(path: Path, size: tuple[int, int], value: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), value, np.uint8))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    _paint(tmp_path / "office" / "b.jpg", (300, 400))
    _paint(tmp_path / "bar" / "z.png", (64, 64))
    _paint(tmp_path / "bar" / "a.jpg", (200, 128))
    (tmp_path / "bar" / "page.jpg").write_text("<html>not found</html>")
    (tmp_path / "bar" / "notes.txt").write_text("no picture")
    _paint(tmp_path / "__MACOSX" / "a.jpg", (64, 64))
    return tmp_path


def test_pictures_are_frozen_in_the_order_of_their_paths(root: Path) -> None:
    frozen = freeze_backgrounds(root)
    assert [one.path for one in frozen.pictures] == ["bar/a.jpg", "bar/z.png", "office/b.jpg"]
    assert (frozen.pictures[0].width, frozen.pictures[0].height) == (128, 200)


def test_what_is_no_picture_is_listed_and_not_fatal(root: Path) -> None:
    refused = freeze_backgrounds(root).refused
    assert [one.path for one in refused] == ["bar/page.jpg"]
    assert "22 bytes that are no picture" in refused[0].reason


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_a_folder_without_pictures_is_refused(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match=r"none usable|no such folder"):
        freeze_backgrounds(tmp_path / folder)


def test_only_pictures_that_cover_within_the_enlargement_are_used(root: Path) -> None:
    backgrounds = Backgrounds(root, freeze_backgrounds(root).pictures)
    assert [one.path for one in backgrounds.usable(256, 2.0)] == ["bar/a.jpg", "office/b.jpg"]
    assert [one.path for one in backgrounds.usable(256, 1.0)] == ["office/b.jpg"]


def test_a_seed_always_chooses_the_same_picture(root: Path) -> None:
    backgrounds = Backgrounds(root, freeze_backgrounds(root).pictures)
    choices = {backgrounds.choose(64, 2.0, np.random.default_rng(7)) for _ in range(5)}
    assert len(choices) == 1


def test_without_backgrounds_the_choice_is_black() -> None:
    assert Backgrounds().choose(64, 2.0, np.random.default_rng(0)) is None


def test_a_picture_that_changed_after_freezing_is_refused(root: Path) -> None:
    backgrounds = Backgrounds(root, freeze_backgrounds(root).pictures)
    _paint(root / "bar" / "a.jpg", (200, 128), value=10)
    with pytest.raises(InputError, match="another picture than the data set was begun with"):
        backgrounds.read(backgrounds.pictures[0])


def test_a_picture_that_is_gone_is_refused(root: Path) -> None:
    backgrounds = Backgrounds(root, freeze_backgrounds(root).pictures)
    (root / "bar" / "a.jpg").unlink()
    with pytest.raises(InputError, match="no such file"):
        backgrounds.read(backgrounds.pictures[0])


def test_reading_without_the_folder_is_refused(root: Path) -> None:
    frozen = freeze_backgrounds(root).pictures
    with pytest.raises(RequestError, match=r"the folder that holds bar/a\.jpg"):
        Backgrounds(None, frozen).read(frozen[0])


def test_an_input_is_described_with_size_and_digest(root: Path) -> None:
    backgrounds = Backgrounds(root, freeze_backgrounds(root).pictures)
    described = backgrounds.input_file(backgrounds.pictures[0])
    assert described.root == "backgrounds"
    assert described.size == (root / "bar" / "a.jpg").stat().st_size
