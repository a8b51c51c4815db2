from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.errors import InputError
from schemas.pairing import PairSettings
from tasks.video.cropping import WHOLE, Crop
from tasks.video.sequences import list_frames
from tasks.video.survey import Survey, survey_sequence
from tests.tasks.video.sequence_files import paint_iuv, write_frame, write_sequence


def survey(folder: Path, **settings: object) -> Survey:
    return survey_sequence(list_frames("v", folder), PairSettings.model_validate(settings))


def test_frames_of_256_pixels_are_taken_whole(tmp_path: Path) -> None:
    found = survey(write_sequence(tmp_path, 2))
    assert [crop for _, crop in found.frames] == [WHOLE, WHOLE]


def test_a_frame_that_lacks_a_image_is_listed_with_what_it_lacks(tmp_path: Path) -> None:
    write_sequence(tmp_path, 2)
    (tmp_path / "mask/0000004.png").unlink()
    (tmp_path / "densepose/0000004.png").unlink()
    (failure,) = survey(tmp_path).failures
    assert (failure.sample_id, failure.kind, failure.stage) == ("v/0000004", "input", "read")
    assert "no image in densepose and mask" in failure.message


def spoil_iuv_size(folder: Path) -> None:
    cv2.imwrite(str(folder / "densepose/0000004.png"), paint_iuv(10, 10, side=128))


def spoil_mask(folder: Path) -> None:
    cv2.imwrite(str(folder / "mask/0000004.png"), np.zeros((256, 256), np.uint8))


def spoil_both_sizes(folder: Path) -> None:
    write_frame(folder, "0000004", paint_iuv(10, 10, side=128))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_iuv_size, "128 x 128 pixels; expected 256 x 256 pixels, the size of the mask"),
        (spoil_mask, "an empty mask"),
        (spoil_both_sizes, "expected 256 x 256 pixels, as frame 1 has it"),
    ],
)
def test_a_frame_of_another_size_or_without_a_person_is_listed(
    tmp_path: Path, spoil: object, message: str
) -> None:
    write_sequence(tmp_path, 3)
    spoil(tmp_path)  # type: ignore[operator]  # one of three above
    found = survey(tmp_path)
    assert [files.number for files, _ in found.frames] == [1, 7]
    assert message in found.failures[0].message


def test_a_frame_with_another_channel_order_is_dropped_alone(tmp_path: Path) -> None:
    write_sequence(tmp_path, 3)
    write_frame(tmp_path, "0000007", paint_iuv(), order="IUV")
    found = survey(tmp_path)
    assert [files.number for files, _ in found.frames] == [1, 4]
    (failure,) = found.failures
    assert (failure.sample_id, failure.kind) == ("v/0000007", "input")
    assert failure.message.startswith(str(tmp_path / "densepose/0000007.png"))
    assert "channel order IUV; expected VUI, as in the other 2 frames of v" in failure.message


def test_a_dropped_frame_does_not_widen_the_crop(tmp_path: Path) -> None:
    for number, order, column in (("1", "VUI", 200), ("4", "VUI", 200), ("7", "IUV", 20)):
        write_frame(tmp_path, number, paint_iuv(200, column, side=512), order=order)
    crops = [crop for _, crop in survey(tmp_path, crop_fill=0.86).frames]
    assert crops == [Crop(left=194, top=168, side=84)] * 2


def test_as_many_frames_of_one_channel_order_as_of_the_other_are_refused(tmp_path: Path) -> None:
    write_sequence(tmp_path, 2)
    write_frame(tmp_path, "0000004", paint_iuv(), order="IUV")
    with pytest.raises(InputError, match="1 frames in each of the orders VUI and IUV"):
        survey(tmp_path)


def test_an_inverted_mask_is_a_warning_that_names_the_frame(tmp_path: Path) -> None:
    write_sequence(tmp_path, 2)
    path = tmp_path / "mask/0000004.png"
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    cv2.imwrite(str(path), 255 - mask)
    found = survey(tmp_path)
    assert [files.number for files, _ in found.frames] == [1, 4]
    assert found.warnings == ("v/0000004: the mask holds 0% of the IUV's body: is it inverted?",)


def test_a_mask_that_holds_the_body_is_no_warning(tmp_path: Path) -> None:
    assert survey(write_sequence(tmp_path, 2)).warnings == ()


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """Two frames of 512 pixels; the person of 72 x 20 pixels moves by 100 columns."""
    for number, column in (("1", 100), ("4", 200)):
        write_frame(tmp_path, number, paint_iuv(200, column, side=512))
    return tmp_path


def test_one_window_for_the_whole_sequence_holds_all_its_people(wide: Path) -> None:
    crops = [crop for _, crop in survey(wide, crop_fill=0.86).frames]
    assert crops == [Crop(left=86, top=110, side=200)] * 2


def test_a_window_for_each_frame_follows_the_person(wide: Path) -> None:
    crops = [crop for _, crop in survey(wide, crop="frame").frames]
    assert crops == [Crop(left=96, top=170, side=80), Crop(left=196, top=170, side=80)]


def test_a_sequence_without_any_frame_is_refused(tmp_path: Path) -> None:
    for name in ("color", "densepose", "mask"):
        (tmp_path / name).mkdir()
    with pytest.raises(InputError, match="no image in color, densepose and mask"):
        survey(tmp_path)
