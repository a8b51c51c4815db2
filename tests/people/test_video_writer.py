"""Dances: files in TikTok's layout, true IUV that leads back to the surface, smooth motion."""

import json
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.interpolate import LinearNDInterpolator

from people.figure import draw_figure
from people.motion import FRAMES_PER_KEY, plan_dance
from people.person import Model, build_model
from people.video_writer import FIRST_DANCER, write_synthetic_videos
from schemas.errors import RequestError

FRAMES = 2
LAST = "0000002"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("videos")
    write_synthetic_videos(
        out, videos=1, frames=FRAMES, seed=2, texture_size=128, detail="sketch",
        figures="sculpted",
    )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def dancer() -> Model:
    return build_model(2, FIRST_DANCER, detail="sketch")


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


@pytest.mark.parametrize("folder", ["color", "color_WO_bg", "mask", "densepose"])
def test_every_folder_holds_every_frame(root: Path, folder: str) -> None:
    names = sorted(path.name for path in (root / "tiktok/synth000" / folder).iterdir())
    assert names == ["0000001.png", "0000002.png"]


@pytest.mark.parametrize("folder", ["color", "color_WO_bg", "mask", "densepose"])
def test_images_are_256_pixels_square(root: Path, folder: str) -> None:
    assert read(root / f"tiktok/synth000/{folder}/{LAST}.png").shape[:2] == (256, 256)


def test_parts_stand_in_the_blue_channel_inside_the_mask_alone(root: Path) -> None:
    parts = read(root / f"tiktok/synth000/densepose/{LAST}.png")[..., 0]
    mask = read(root / f"tiktok/synth000/mask/{LAST}.png")
    assert parts.max() <= 24
    np.testing.assert_array_equal(parts > 0, mask > 100)


def test_iuv_leads_back_to_the_surface_point(root: Path, dancer: Model) -> None:
    """Each chart interpolates rest points over its UV; one level of 255 is a quarter centimetre."""
    iuv = read(root / f"tiktok/synth000/densepose/{LAST}.png")
    truth = np.load(root / f"truth/synth000/{LAST}.npz")["rest"]
    atlas, misses = dancer.atlas, []
    for part in (1, 2, 9, 10, 13, 14):
        own = np.unique(atlas.faces[atlas.parts == part])
        chart = LinearNDInterpolator(atlas.chart_uv[own], dancer.rest[atlas.vertex[own]])
        there = iuv[..., 0] == part
        found = chart(iuv[there][:, 1:] / 255.0)
        misses.append(np.linalg.norm(found - truth[there], axis=1))
    assert np.nanmedian(np.concatenate(misses)) < 0.4


def test_depth_and_rest_are_known_on_the_same_pixels(root: Path) -> None:
    truth = np.load(root / f"truth/synth000/{LAST}.npz")
    np.testing.assert_array_equal(truth["depth"] > 0, np.isfinite(truth["rest"][..., 0]))


def test_normals_face_the_camera(root: Path) -> None:
    truth = np.load(root / f"truth/synth000/{LAST}.npz")
    assert truth["normal"][truth["depth"] > 0][:, 2].mean() < -0.5


def test_the_dancer_stays_inside_the_crop(root: Path) -> None:
    mask = read(root / f"tiktok/synth000/mask/{LAST}.png")
    assert not mask[[0, -1]].any()
    assert not mask[:, [0, -1]].any()


def test_the_camera_is_hdnets(root: Path) -> None:
    camera = json.loads((root / "truth/synth000/camera.json").read_text())
    expected = np.array([[314.094, 0, 34.972], [0, 314.094, 139.520], [0, 0, 1]])
    np.testing.assert_allclose(camera["K"], expected, atol=1e-3)


def test_second_call_writes_nothing(root: Path) -> None:
    told: list[str] = []
    write_synthetic_videos(
        root, videos=1, frames=FRAMES, seed=2, texture_size=128, detail="sketch",
        progress=told.append, figures="sculpted",
    )  # fmt: skip
    assert told == []


def test_no_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="0 frames"):
        write_synthetic_videos(tmp_path, videos=1, frames=0, seed=0)


@pytest.mark.parametrize("bone", ["left_upper_arm", "right_forearm", "left_thigh", "chest"])
def test_a_bone_turns_little_from_frame_to_frame(bone: str) -> None:
    steps = plan_dance(draw_figure(1, 0), 1, 3 * FRAMES_PER_KEY, clear=dict)
    turns = [a.rotations[bone].T @ b.rotations[bone] for a, b in pairwise(steps)]
    angles = [np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))) for turn in turns]
    assert max(angles) < 22


def test_a_dance_moves() -> None:
    steps = plan_dance(draw_figure(1, 0), 1, 3 * FRAMES_PER_KEY, clear=dict)
    assert np.ptp([step.heading_deg for step in steps]) > 10
