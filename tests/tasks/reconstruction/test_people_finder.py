"""Finding people: windows and anchors in closed form; the networks where they are installed."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from schemas.errors import DependencyError, InputError
from schemas.reconstruct_request import ReconstructRequest
from tasks.reconstruction.people_finder import find_person, find_person_mask
from tasks.reconstruction.photos import read_photo
from tasks.reconstruction.pose_detection import SIDE, anchors, decode_detections, window_around
from tasks.reconstruction.pose_networks import HANDS, open_network
from tasks.reconstruction.pose_windows import TurnedWindow, lay_on_photo, look_through
from tests.tasks.reconstruction.photo_files import draw_figure, write_photo

INSTALLED = all(map(importlib.util.find_spec, ("ai_edge_litert", "mediapipe")))
needs_networks = pytest.mark.skipif(not INSTALLED, reason="networks are installed by make photos")
REQUEST = ReconstructRequest(method="2k2k", photos=("p",), checkpoint="c", out="o")


def test_anchors_are_the_middles_of_all_cells() -> None:
    assert anchors().shape == (2254, 2)
    assert np.allclose(anchors()[0], 0.5 / 28)
    assert np.allclose(anchors()[-1], 6.5 / 7)


def test_a_detection_is_read_once() -> None:
    raw, logits = np.zeros((2254, 12)), np.full(2254, -9.0)
    for place, logit in ((0, 3.0), (1, 2.0), (2253, 1.0)):
        raw[place, 2:4], raw[place, 6:8] = 0.5 * SIDE, (0.1 * SIDE, -0.2 * SIDE)
        logits[place] = logit
    first, second = decode_detections(raw, logits)
    assert first.score == pytest.approx(1 / (1 + np.exp(-3)))
    assert np.allclose(first.points[0], 0.5 / 28)
    assert np.allclose(first.points[1] - first.points[0], (0.1, -0.2))
    assert np.allclose(second.box[:2], 6.5 / 7 - 0.25)


def test_a_window_stands_upright_along_the_person() -> None:
    lying = window_around(np.array([50.0, 40.0]), np.array([70.0, 40.0]))
    assert lying.angle == pytest.approx(np.pi / 2)
    assert lying.side == pytest.approx(2 * 1.25 * 20)
    assert np.allclose(lying.to_photo(np.array([[0.5, 0.0]])), [[75.0, 40.0]])


def test_a_window_turns_its_points_about_its_middle() -> None:
    window = TurnedWindow(30.0, 70.0, 50.0, np.pi / 2)
    points = np.array([[0.5, 0.5], [1.0, 0.5], [0.5, 1.0]])
    assert np.allclose(window.to_photo(points), [[30, 70], [30, 95], [5, 70]])


def test_what_is_seen_through_a_window_is_laid_back_where_it_was() -> None:
    image = np.zeros((200, 160, 3), np.uint8)
    cv2.circle(image, (90, 120), 12, (255, 255, 255), -1)
    window = TurnedWindow(85.0, 110.0, 90.0, 0.5)
    seen = look_through(image, window, 256)[..., 0]
    back = lay_on_photo(seen, window, 200, 160)
    assert np.abs(back - image[..., 0] / 255.0).mean() < 0.003


def test_another_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hand_landmark_full.tflite").write_bytes(b"another network")
    with pytest.raises(InputError, match="another network"):
        open_network(HANDS, str(tmp_path))


def test_a_missing_network_says_how_it_is_installed(tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match="make photos"):
        open_network(HANDS, str(tmp_path))


@needs_networks
def test_the_nose_of_a_photographed_person_is_found(tmp_path: Path) -> None:
    photo = read_photo(write_photo(tmp_path / "a.png", skimage.data.astronaut()))
    joints = find_person(photo, REQUEST).joints
    assert np.abs(joints.values[0, :2] - [220, 122]).max() < 15  # seen by eye
    assert joints.values[1, 0] > joints.values[2, 0]  # the left eye is at the right
    mask = find_person_mask(photo, REQUEST)
    assert mask[122, 220]
    assert not mask[40, 40]


@needs_networks
def test_an_ellipse_is_nobody(tmp_path: Path) -> None:
    photo = read_photo(write_photo(tmp_path / "a.png", draw_figure(300, 200)[0]))
    with pytest.raises(InputError, match="nobody"):
        find_person(photo, REQUEST)


@needs_networks
def test_of_two_people_the_larger_one_is_taken(tmp_path: Path) -> None:
    person = skimage.data.astronaut()
    both = np.zeros((512, 900, 3), np.uint8)
    both[:, :512] = person
    both[100:356, 600:856] = cv2.resize(person, (256, 256), interpolation=cv2.INTER_AREA)
    photo = read_photo(write_photo(tmp_path / "a.png", both))
    assert find_person(photo, REQUEST).joints.values[0, 0] < 512
    with pytest.raises(InputError, match="2 people"):
        find_person(photo, REQUEST.model_copy(update={"person": "only"}))
