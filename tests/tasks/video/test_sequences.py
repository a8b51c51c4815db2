from pathlib import Path

import pytest

from schemas.errors import InputError, RequestError
from tasks.video.sequences import find_empty_folders, find_sequences, list_frames
from tests.tasks.video.sequence_files import paint_iuv, write_frame, write_sequence


@pytest.mark.parametrize("below", ["tiktok/dance", "dance"])
def test_sequences_stand_below_tiktok_or_below_the_root(tmp_path: Path, below: str) -> None:
    folder = write_sequence(tmp_path / below, 1)
    assert find_sequences(tmp_path) == (("dance", folder),)


def test_a_root_may_be_a_sequence_itself(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "dance", 1)
    assert find_sequences(folder) == (("dance", folder),)


def test_several_sequences_are_sorted_by_name(tmp_path: Path) -> None:
    for name in ("tiktok/b", "tiktok/a", "c"):
        write_sequence(tmp_path / name, 1)
    assert [name for name, _ in find_sequences(tmp_path)] == ["a", "b", "c"]


def test_a_root_without_sequences_is_refused(tmp_path: Path) -> None:
    (tmp_path / "color").mkdir()
    with pytest.raises(RequestError, match="no folder with color/, densepose/ and mask/"):
        find_sequences(tmp_path)


def test_two_sequences_of_one_name_are_refused(tmp_path: Path) -> None:
    for name in ("tiktok/a", "a"):
        write_sequence(tmp_path / name, 1)
    with pytest.raises(RequestError, match="two sequences named 'a'"):
        find_sequences(tmp_path)


def test_a_folder_name_that_would_break_names_of_pairs_is_refused(tmp_path: Path) -> None:
    write_sequence(tmp_path / "a--b", 1)
    with pytest.raises(RequestError, match="can't name a video"):
        find_sequences(tmp_path)


def test_numbers_may_have_any_count_of_digits(tmp_path: Path) -> None:
    for number in ("7", "0012", "00000345"):
        write_frame(tmp_path, number, paint_iuv())
    assert [frame.number for frame in list_frames("v", tmp_path).frames] == [7, 12, 345]


def test_images_of_a_frame_are_found_by_number_whatever_their_digits(tmp_path: Path) -> None:
    write_frame(tmp_path, "7", paint_iuv())
    (tmp_path / "mask/7.png").rename(tmp_path / "mask/0007.png")
    (frame,) = list_frames("v", tmp_path).frames
    assert frame.images["mask"] == tmp_path / "mask/0007.png"
    assert frame.missing == ()


def test_a_frame_without_one_of_its_images_knows_where_it_would_stand(tmp_path: Path) -> None:
    write_frame(tmp_path, "007", paint_iuv())
    (tmp_path / "densepose/007.png").unlink()
    (frame,) = list_frames("v", tmp_path).frames
    assert frame.missing == (tmp_path / "densepose/007.png",)


def test_a_number_twice_in_one_folder_is_refused(tmp_path: Path) -> None:
    write_frame(tmp_path, "7", paint_iuv())
    write_frame(tmp_path, "07", paint_iuv())
    with pytest.raises(InputError, match="the number 7 twice"):
        list_frames("v", tmp_path)


def test_a_number_beyond_any_video_is_refused(tmp_path: Path) -> None:
    write_frame(tmp_path, "9999999999999999", paint_iuv())
    with pytest.raises(InputError, match="a number beyond any video"):
        list_frames("v", tmp_path)


def test_files_without_a_number_are_named_and_hidden_ones_are_not(tmp_path: Path) -> None:
    write_frame(tmp_path, "7", paint_iuv())
    for name in ("cover.png", ".DS_Store", "notes\n.txt"):
        (tmp_path / "color" / name).write_text("x")
    assert list_frames("v", tmp_path).unused == (
        "color/'cover.png' is no image with a number",
        r"color/'notes\n.txt' is no image with a number",
    )


def test_predicted_normals_count_when_all_three_are_there(tmp_path: Path) -> None:
    write_frame(tmp_path, "7", paint_iuv())
    (tmp_path / "pred_normals").mkdir()
    paths = tuple(tmp_path / "pred_normals" / f"7_{axis}.txt" for axis in (1, 2, 3))
    for path in paths[:2]:
        path.write_text("0")
    assert list_frames("v", tmp_path).frames[0].normals == ()
    paths[2].write_text("0")
    assert list_frames("v", tmp_path).frames[0].normals == paths


def test_all_that_was_tried_is_listed_so_that_its_appearance_is_seen(tmp_path: Path) -> None:
    write_frame(tmp_path, "7", paint_iuv())
    (tmp_path / "mask/7.png").unlink()
    tried = {path.relative_to(tmp_path).as_posix()
             for path in list_frames("v", tmp_path).frames[0].looked_for}  # fmt: skip
    assert tried == {
        "color/7.png", "densepose/7.png", "mask/7.png",
        "pred_normals/7_1.txt", "pred_normals/7_2.txt", "pred_normals/7_3.txt",
    }  # fmt: skip


def test_folders_below_tiktok_that_hold_no_sequence_are_listed(tmp_path: Path) -> None:
    write_sequence(tmp_path / "tiktok/dance", 1)
    for name in ("empty", "half/color"):
        (tmp_path / "tiktok" / name).mkdir(parents=True)
    (tmp_path / "obj").mkdir()
    empty = find_empty_folders(tmp_path)
    assert empty == (tmp_path / "tiktok/empty", tmp_path / "tiktok/half")
