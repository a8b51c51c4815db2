"""Raw scans: a sphere in a shell becomes one sphere; holes are few; charts fill the atlas once."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from people.atlas import Atlas
from people.made_scan import MadeScan
from people.rawness import SPACING_CM, cut_charts, roughen
from people.writer import write_synthetic_root
from schemas.errors import RequestError

RADIUS_CM, COLOR = 12.0, (200, 120, 40)


def ball(radius: float) -> trimesh.Trimesh:
    return trimesh.creation.icosphere(subdivisions=4, radius=radius)


@pytest.fixture(scope="module")
def raw() -> MadeScan:
    layers = trimesh.util.concatenate([ball(RADIUS_CM), ball(RADIUS_CM - 0.5)])
    assert isinstance(layers, trimesh.Trimesh)
    vertices, faces = np.asarray(layers.vertices), np.asarray(layers.faces).astype(np.int32)
    uv = np.full((len(vertices), 2), 0.5)
    own = np.arange(len(vertices), dtype=np.int32)
    atlas = Atlas(uv, uv, faces, np.full(len(faces), 7, np.int32), own)
    texture = np.full((64, 64, 3), COLOR, np.uint8)
    labels = np.ones(len(faces), np.uint8)
    scan = MadeScan(0, vertices, faces, atlas, texture, np.zeros((133, 3)), None, labels)
    skin = ball(RADIUS_CM - 1)
    return roughen(scan, 3, (np.asarray(skin.vertices), np.asarray(skin.faces).astype(np.int32)))


def test_only_the_outer_layer_is_left_a_millimetre_exactly(raw: MadeScan) -> None:
    radius = np.linalg.norm(raw.vertices, axis=1)
    assert np.abs(np.median(radius) - RADIUS_CM) < 0.1
    assert np.percentile(np.abs(radius - RADIUS_CM), 99) < 0.5 * SPACING_CM


def test_holes_are_there_but_small(raw: MadeScan) -> None:
    area = trimesh.Trimesh(raw.vertices, raw.faces, process=False).area
    whole = 4 * np.pi * RADIUS_CM**2
    assert 0.9 * whole < area < whole * 1.02


def test_parts_labels_and_colours_are_carried(raw: MadeScan) -> None:
    assert set(raw.atlas.parts.tolist()) == {7}
    assert raw.labels is not None
    assert (raw.labels == 1).all()
    assert np.abs(raw.texture.reshape(-1, 3).mean(axis=0) - COLOR).max() < 12


def test_the_six_sides_of_a_ball_are_charts_of_their_own(raw: MadeScan) -> None:
    uv, uv_faces, vertex, chart = cut_charts(raw.vertices, raw.faces, 512)
    assert (vertex[uv_faces] == raw.faces).all()
    assert len(np.unique(chart)) >= 6
    assert uv.min() >= 0
    assert uv.max() <= 1


def test_sculpted_figures_are_not_made_raw(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="Add --figures lifelike"):
        write_synthetic_root(tmp_path, subjects=1, seed=0, raw=True, figures="sculpted")
