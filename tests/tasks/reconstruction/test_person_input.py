"""Joints, mask and window of a photograph: mapped to what the nets see, or refused."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.errors import InputError
from schemas.reconstruct_request import ReconstructRequest
from tasks.reconstruction.framing import (
    person_window,
    place,
    put_image,
    put_mask,
    put_points,
    whole_window,
)
from tasks.reconstruction.openpose import read_openpose
from tasks.reconstruction.person_input import prepare_person
from tasks.reconstruction.photos import read_photo
from tests.tasks.reconstruction.photo_files import (
    draw_figure,
    joints_of,
    openpose_person,
    write_openpose,
    write_photo,
)

HEIGHT, WIDTH = 300, 180
SIZE = (HEIGHT, WIDTH)


def ask(root: Path) -> ReconstructRequest:
    return ReconstructRequest(
        method="2k2k", photos=(str(root / "p"),), checkpoint="c", out="o",
        keypoints=str(root / "k"), mask=str(root / "m"),
    )  # fmt: skip


def test_joints_come_back_as_they_were_written(tmp_path: Path) -> None:
    joints = joints_of(*SIZE)
    joints[25] = 0
    read = read_openpose(write_openpose(tmp_path / "a.json", joints), "only", SIZE)
    assert np.allclose(read.values, joints)


def test_a_missing_ear_takes_the_eye(tmp_path: Path) -> None:
    joints = joints_of(*SIZE)
    joints[3] = 0
    read = read_openpose(write_openpose(tmp_path / "a.json", joints), "only", SIZE)
    assert np.allclose(read.values[3], joints[1])


def test_of_two_people_the_larger_one_is_taken(tmp_path: Path) -> None:
    joints = joints_of(*SIZE)
    child = joints * [0.5, 0.5, 1]
    path = write_openpose(tmp_path / "a.json", child, joints)
    assert np.allclose(read_openpose(path, "largest", SIZE).values, joints)
    with pytest.raises(InputError, match="2 people"):
        read_openpose(path, "only", SIZE)


def test_nobody_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no person among 0"):
        read_openpose(write_openpose(tmp_path / "a.json"), "largest", SIZE)


def test_a_hand_alone_is_nobody(tmp_path: Path) -> None:
    joints = joints_of(*SIZE)
    joints[:23] = 0
    with pytest.raises(InputError, match="no person among 1"):
        read_openpose(write_openpose(tmp_path / "a.json", joints), "largest", SIZE)


def test_joints_of_a_larger_photograph_are_refused(tmp_path: Path) -> None:
    path = write_openpose(tmp_path / "a.json", joints_of(4 * HEIGHT, 4 * WIDTH))
    with pytest.raises(InputError, match="inside the photograph"):
        read_openpose(path, "largest", SIZE)


def test_normalised_joints_are_refused(tmp_path: Path) -> None:
    path = write_openpose(tmp_path / "a.json", joints_of(1, 1))
    with pytest.raises(InputError, match="in pixels"):
        read_openpose(path, "largest", SIZE)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "0 bytes"), ("[]", "no list of people"), ('{"people": 3}', "no list of people"),
        ('{"people": [3]}', "a int as person"),
        ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', r"pose_keypoints_2d of shape \(2,\)"),
        ('{"people": [{"pose_keypoints_2d": "x"}]}', "no table of numbers"),
        ('{"people": [{"pose_keypoints_2d": [[1], 2]}]}', "no table of numbers"),
    ],
)  # fmt: skip
def test_broken_json_is_refused(tmp_path: Path, content: str, found: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InputError, match=found):
        read_openpose(tmp_path / "a.json", "largest", SIZE)


def test_infinite_joints_are_refused(tmp_path: Path) -> None:
    person = openpose_person(joints_of(*SIZE))
    person["pose_keypoints_2d"][0] = float("inf")
    (tmp_path / "a.json").write_text(json.dumps({"people": [person]}))
    with pytest.raises(InputError, match="finite"):
        read_openpose(tmp_path / "a.json", "largest", SIZE)


@pytest.mark.parametrize(("height", "width"), [(300, 180), (90, 400), (512, 512), (1000, 37)])
def test_a_marked_pixel_is_found_where_its_joint_is(height: int, width: int) -> None:
    image = np.zeros((height, width, 3), np.uint8)
    spot = np.array([[0.3 * width, 0.6 * height]])
    cv2.circle(
        image,
        (int(spot[0, 0]), int(spot[0, 1])),
        max(2, min(height, width) // 20),
        (255, 255, 255),
        -1,
    )
    spot = np.floor(spot) + 0.5
    put = place(whole_window(height, width), height, width, 512)
    seen = put_image(image, put)[..., 0].astype(float)
    rows, columns = np.indices(seen.shape) + 0.5
    found = [(columns * seen).sum() / seen.sum(), (rows * seen).sum() / seen.sum()]
    assert np.abs(put_points(spot, put)[0] - found).max() < 0.75


def test_the_border_is_repeated_and_the_mask_is_not() -> None:
    image, mask = draw_figure(100, 50)
    put = place(whole_window(100, 50), 100, 50, 256)
    assert np.array_equal(put_image(image, put)[:, 0], put_image(image, put)[:, 60])
    whole = put_mask(np.ones_like(mask), put)
    assert whole[:, 64:192].all()
    assert not whole[:, :64].any()


def test_the_window_of_a_person_has_the_height_of_training() -> None:
    window = person_window((40.0, 10.0, 60.0, 85.0))
    assert window.side == pytest.approx(100)
    assert (window.left + window.side / 2, window.top + window.side / 2) == (50, 47.5)


def test_mask_and_joints_reach_the_nets(tmp_path: Path) -> None:
    image, mask = draw_figure(*SIZE)
    write_photo(tmp_path / "p/a.png", image)
    write_photo(tmp_path / "m/a.png", mask.astype(np.uint8) * 255)
    write_openpose(tmp_path / "k/a_keypoints.json", joints_of(*SIZE))
    request = ask(tmp_path)
    prepared = prepare_person(read_photo(tmp_path / "p/a.png"), request, 256)
    assert prepared.is_cut
    assert prepared.mask.sum() == pytest.approx(mask.sum() * (256 / HEIGHT) ** 2, rel=0.02)
    expected = joints_of(*SIZE)[:, :2] * 256 / HEIGHT + [256 * (1 - WIDTH / HEIGHT) / 2, 0]
    assert np.abs(prepared.keypoints[:, :2] - expected).max() < 0.5


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    image, mask = draw_figure(*SIZE)
    write_photo(tmp_path / "p/a.png", image)
    write_photo(tmp_path / "m/a.png", mask[:-1].astype(np.uint8) * 255)
    write_openpose(tmp_path / "k/a.json", joints_of(*SIZE))
    request = ask(tmp_path)
    with pytest.raises(InputError, match="as the photograph"):
        prepare_person(read_photo(tmp_path / "p/a.png"), request, 256)


@pytest.mark.parametrize(
    ("part", "match"), [("none", "mask of 0 pixels"), ("beside", "same photo")]
)
def test_a_mask_of_another_photograph_is_refused(tmp_path: Path, part: str, match: str) -> None:
    image, _ = draw_figure(*SIZE)
    mask = np.zeros(SIZE, np.uint8)
    if part == "beside":
        mask[:, :30] = 255
    write_photo(tmp_path / "p/a.png", image)
    write_photo(tmp_path / "m/a.png", mask)
    write_openpose(tmp_path / "k/a.json", joints_of(*SIZE))
    request = ask(tmp_path)
    with pytest.raises(InputError, match=match):
        prepare_person(read_photo(tmp_path / "p/a.png"), request, 256)
