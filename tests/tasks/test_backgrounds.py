import os
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from schemas.errors import InputError, RequestError
from schemas.manifest import Background, BackgroundList
from tasks.backgrounds import (
    Backgrounds,
    describe_shortage,
    freeze_backgrounds,
    read_background_list,
)
from tests.hostile_images import BMP_32K_RLE, GIF_64K, TIFF_1M, WEBP_16K


def _paint(path: Path, size: tuple[int, int], value: int = 90) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), value, np.uint8))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    _paint(tmp_path / "office" / "b.jpg", (300, 400))
    _paint(tmp_path / "bar" / "z.png", (64, 64))
    _paint(tmp_path / "bar" / "a.jpg", (200, 128))
    (tmp_path / "bar" / "page.jpg").write_text("<html>not found</html>")
    (tmp_path / "bar" / "notes.txt").write_text("no image")
    _paint(tmp_path / "__MACOSX" / "a.jpg", (64, 64))
    return tmp_path


def test_images_are_frozen_in_the_order_of_their_paths(root: Path) -> None:
    frozen = freeze_backgrounds(root)
    assert [one.path for one in frozen.images] == ["bar/a.jpg", "bar/z.png", "office/b.jpg"]
    assert (frozen.images[0].width, frozen.images[0].height) == (128, 200)


def test_what_is_no_image_is_listed_and_not_fatal(root: Path) -> None:
    refused = freeze_backgrounds(root).refused
    assert [one.path for one in refused] == ["bar/page.jpg"]
    assert "22 bytes that are no image" in refused[0].reason


@pytest.mark.parametrize(
    ("folder", "reason"), [("missing", "no such folder"), ("empty", "none usable")]
)
def test_a_folder_without_images_is_refused(tmp_path: Path, folder: str, reason: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match=reason):
        freeze_backgrounds(tmp_path / folder)


def test_only_images_that_cover_within_the_enlargement_are_used(root: Path) -> None:
    backgrounds = Backgrounds(root, freeze_backgrounds(root).images)
    assert [one.path for one in backgrounds.usable(256, 2.0)] == ["bar/a.jpg", "office/b.jpg"]
    assert [one.path for one in backgrounds.usable(256, 1.0)] == ["office/b.jpg"]


def test_a_seed_always_chooses_the_same_image(root: Path) -> None:
    backgrounds = Backgrounds(root, freeze_backgrounds(root).images)
    choices = {backgrounds.choose(64, 2.0, np.random.default_rng(7)) for _ in range(5)}
    assert len(choices) == 1


def test_without_backgrounds_the_choice_is_black() -> None:
    assert Backgrounds().choose(64, 2.0, np.random.default_rng(0)) is None


def test_a_image_that_changed_after_freezing_is_refused(root: Path) -> None:
    backgrounds = Backgrounds(root, freeze_backgrounds(root).images)
    _paint(root / "bar" / "a.jpg", (200, 128), value=10)
    with pytest.raises(InputError, match="another image than the data set was begun with"):
        backgrounds.read(backgrounds.images[0])


def test_a_image_that_is_gone_is_refused(root: Path) -> None:
    backgrounds = Backgrounds(root, freeze_backgrounds(root).images)
    (root / "bar" / "a.jpg").unlink()
    with pytest.raises(InputError, match="no such file"):
        backgrounds.read(backgrounds.images[0])


def test_reading_without_the_folder_is_refused(root: Path) -> None:
    frozen = freeze_backgrounds(root).images
    with pytest.raises(RequestError, match=r"the folder that holds bar/a\.jpg"):
        Backgrounds(None, frozen).read(frozen[0])


def test_an_input_is_described_with_size_and_digest(root: Path) -> None:
    backgrounds = Backgrounds(root, freeze_backgrounds(root).images)
    described = backgrounds.input_file(backgrounds.images[0])
    assert described.root == "backgrounds"
    assert described.size == (root / "bar" / "a.jpg").stat().st_size


ZOO = {
    "gif.jpg": ("GIF", "P"),
    "png.jpg": ("PNG", "RGB"),
    "grey.jpg": ("JPEG", "L"),
    "cmyk.jpg": ("JPEG", "CMYK"),
    "progressive.jpg": ("JPEG", "RGB"),
    "palette.png": ("PNG", "P"),
    "rgba.png": ("PNG", "RGBA"),
    "grey16.png": ("PNG", "I;16"),
    "one_bit.png": ("PNG", "1"),
}
"""What MIT-67 really holds, and more: name, format, mode."""


def _paint_zoo(root: Path, name: str) -> None:
    form, mode = ZOO[name]
    values = np.full((80, 120), 200 << 8 if mode == "I;16" else 200)
    if mode == "I;16":
        image = Image.fromarray(values.astype(np.uint16))
    else:
        rgb = Image.fromarray(np.repeat(values[..., None], 3, axis=2).astype(np.uint8))
        image = rgb.convert(mode)
    image.save(root / name, format=form, progressive=name.startswith("progressive"))


@pytest.mark.parametrize("name", ZOO)
def test_every_kind_of_image_is_read_as_rgb(tmp_path: Path, name: str) -> None:
    _paint_zoo(tmp_path, name)
    frozen = freeze_backgrounds(tmp_path)
    assert [(one.path, one.width, one.height) for one in frozen.images] == [(name, 120, 80)]
    image = Backgrounds(tmp_path, frozen.images).read(frozen.images[0])
    assert image.shape == (80, 120, 3)
    assert image.mean() == pytest.approx(200, abs=5)  # some modes are dithered


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "0 bytes"),
        (b"\xff\xd8\xff\xe0 cut off", "without its end: it was cut"),
        (b"GIF89a", "6 bytes that are no image"),
        (b"\x89PNG\r\n\x1a\n", "a PNG of 8 bytes without its end"),
    ],
)
def test_a_broken_image_is_listed_with_its_reason(root: Path, content: bytes, reason: str) -> None:
    (root / "bar" / "broken.jpg").write_bytes(content)
    refused = {one.path: one.reason for one in freeze_backgrounds(root).refused}
    assert reason in refused["bar/broken.jpg"]


def test_a_image_that_breaks_off_is_refused_not_filled_with_grey(root: Path) -> None:
    path = root / "office" / "b.jpg"
    path.write_bytes(path.read_bytes()[:-40])
    assert "office/b.jpg" in [one.path for one in freeze_backgrounds(root).refused]


def test_a_published_list_chooses_orders_and_repeats(root: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("office/b.jpg\nbar/a.jpg\noffice/b.jpg\n\nbar/gone.jpg\n")
    frozen = freeze_backgrounds(root, listed=listed)
    assert [one.path for one in frozen.images] == ["office/b.jpg", "bar/a.jpg", "office/b.jpg"]
    assert [(one.path, one.reason) for one in frozen.refused] == [("bar/gone.jpg", "no such file")]


@pytest.mark.parametrize("line", ["../secret.jpg", "a/../../b.jpg", "a\x00.jpg"])
def test_a_list_that_leaves_the_folder_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "list.txt").write_text(f"bar/a.jpg\n{line}\n")
    with pytest.raises(InputError, match="as entry 2; expected paths below the background root"):
        read_background_list(tmp_path / "list.txt")


def _sides(*sides: int) -> BackgroundList:
    images = (
        Background(path=f"{number}.jpg", sha256="0" * 64, width=side, height=3000)
        for number, side in enumerate(sides)
    )
    return BackgroundList(images=tuple(images))


def test_few_usable_backgrounds_are_warned_of_with_the_limit_that_admits_more() -> None:
    warning = describe_shortage(_sides(*[1024] * 10, *[512] * 60), 2048, 2.0)
    assert warning == (
        "only 10 of 70 backgrounds cover 2048 pixels when enlarged at most 2-fold "
        "(max_enlargement); a limit of 4 would admit 50"
    )


def test_a_limit_of_all_images_is_named_where_there_are_few_in_all() -> None:
    warning = describe_shortage(_sides(2048, 300), 2048, 2.0)
    assert warning is not None
    assert warning.endswith("a limit of 6.83 would admit 2")


def test_few_backgrounds_that_all_can_be_used_are_warned_of_without_a_limit() -> None:
    warning = describe_shortage(_sides(*[1024] * 8), 2048, 2.0)
    assert warning == "only 8 backgrounds: people will often have the same one"


@pytest.mark.parametrize("sides", [(), (1024,) * 50])
def test_enough_backgrounds_or_none_at_all_are_no_warning(sides: tuple[int, ...]) -> None:
    assert describe_shortage(_sides(*sides), 2048, 2.0) is None


@pytest.mark.parametrize("content", [BMP_32K_RLE, GIF_64K, WEBP_16K, TIFF_1M])
def test_an_image_that_would_fill_the_memory_is_refused_by_its_header(
    root: Path, content: bytes
) -> None:
    (root / "bar" / "bomb.jpg").write_bytes(content)
    refused = {one.path: one.reason for one in freeze_backgrounds(root).refused}
    assert re.fullmatch(r"\d+ x \d+ pixels", refused["bar/bomb.jpg"])


def test_a_name_that_is_not_utf8_is_refused_escaped_and_the_others_are_used(root: Path) -> None:
    before = len(freeze_backgrounds(root).images)
    path = os.fsencode(root) + b"/bar/\xff\xfe.jpg"
    Path(os.fsdecode(path)).write_bytes((root / "office" / "b.jpg").read_bytes())
    frozen = freeze_backgrounds(root)
    assert len(frozen.images) == before
    assert ("bar/\\udcff\\udcfe.jpg", "a name that is not UTF-8") in [
        (one.path, one.reason) for one in frozen.refused
    ]
    assert "udcff" in frozen.model_dump_json()


def test_a_pipe_in_the_folder_is_never_opened(root: Path) -> None:
    os.mkfifo(root / "bar" / "pipe.jpg")
    refused = {one.path: one.reason for one in freeze_backgrounds(root).refused}
    assert refused["bar/pipe.jpg"] == "a folder, pipe or device"


def test_a_pipe_in_the_place_of_a_frozen_image_is_not_waited_for(root: Path) -> None:
    frozen = freeze_backgrounds(root)
    path = root / frozen.images[0].path
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(InputError, match="no such file"):
        Backgrounds(root, frozen.images).read(frozen.images[0])
