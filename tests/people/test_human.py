"""Lifelike people: closed, jointed, unfolded, labelled, and a pure function of their seed."""

import io
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import smplx
import torch
import trimesh
from scipy.spatial import cKDTree

from people.human import Human, finish_scan, make_human
from people.human_fit import fit_human, format_human_model
from people.human_mesh import piece_mesh
from people.human_texture import EMPTY
from people.smplx_fit import format_fit

SMPLX_OF_JOINT = {
    0: 55, 1: 57, 2: 56, 3: 59, 4: 58, 5: 16, 6: 17, 7: 18, 8: 19, 9: 20, 10: 21, 11: 1, 12: 2,
    13: 4, 14: 5, 15: 7, 16: 8, 17: 60, 18: 61, 19: 62, 20: 63, 21: 64, 22: 65,
}  # fmt: skip
"""Source: docs/keypoints.md, "Gap filling"."""


@pytest.fixture(scope="module")
def human() -> Human:
    return make_human(5, 1, texture_size=256, detail="fast")


def test_no_corner_samples_a_texel_that_nothing_is_painted_on(human: Human) -> None:
    size = len(human.albedo)
    empty = (human.albedo == EMPTY).all(axis=-1)
    place = np.stack([1 - human.atlas.uv[:, 1], human.atlas.uv[:, 0]], axis=1) * size - 0.5
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        row, column = np.clip(np.floor(place) + corner, 0, size - 1).astype(int).T
        assert not empty[row, column].any()


def test_every_surface_but_the_skin_is_closed(human: Human) -> None:
    open_ones = [
        surface.name
        for surface in human.surfaces[1:]
        if not trimesh.Trimesh(surface.vertices, surface.faces).is_watertight
    ]
    assert open_ones == []


def test_skin_that_clothes_hide_is_left_out(human: Human) -> None:
    assert 0 < len(human.surfaces[0].faces) < len(piece_mesh("skin", 0).faces)


def test_soles_are_on_the_floor(human: Human) -> None:
    assert human.vertices[:, 1].min() == pytest.approx(0, abs=1e-9)


def test_joints_are_inside_the_persons_box(human: Human) -> None:
    low, high = human.vertices.min(axis=0) - 1, human.vertices.max(axis=0) + 1
    assert ((human.joints > low) & (human.joints < high)).all()


def test_the_face_points_lie_on_the_skin(human: Human) -> None:
    skin = piece_mesh("skin", 1).place(human.posed.vertices)
    assert cKDTree(skin).query(human.joints[23:91])[0].max() < 1e-3


def test_left_is_the_persons_left(human: Human) -> None:
    assert human.joints[1, 0] > human.joints[2, 0]


def test_every_face_has_a_part_and_a_place_in_its_chart(human: Human) -> None:
    assert set(np.unique(human.atlas.parts)) <= set(range(1, 25))
    assert human.atlas.chart_uv.min() >= 0
    assert human.atlas.chart_uv.max() <= 1


def test_the_atlas_is_the_mesh_with_seams(human: Human) -> None:
    assert (human.atlas.vertex[human.atlas.faces] == human.faces).all()


def test_left_and_right_hand_have_their_own_parts(human: Human) -> None:
    tree = cKDTree(human.vertices[human.faces].mean(axis=1))
    parts = human.atlas.parts[tree.query(human.joints[[99, 120]])[1]]
    assert parts.tolist() == [4, 3]


def test_labels_name_what_is_seen(human: Human) -> None:
    assert {"skin", "eyes"} < set(human.classes)
    assert len(human.labels) == len(human.faces)


def test_light_only_takes_from_the_albedo(human: Human) -> None:
    darker = human.texture.astype(int) <= human.albedo.astype(int) * 1.2 + 2
    assert darker.mean() > 0.99
    assert human.texture.mean() < human.albedo.mean()


def test_the_same_seed_gives_the_same_bytes(human: Human) -> None:
    again = make_human(5, 1, texture_size=256, detail="fast")
    assert again.vertices.tobytes() == human.vertices.tobytes()
    assert again.texture.tobytes() == human.texture.tobytes()


def test_the_naked_body_is_registered_to_the_scan(human: Human) -> None:
    known = finish_scan(human, fitted=False).annotations
    naked = trimesh.load(io.BytesIO(known["naked.ply"]), file_type="ply", process=False)
    assert isinstance(naked, trimesh.Trimesh)
    assert len(naked.vertices) == 53_514
    # The scan's coarse skin is the same surface before refinement, which moves it a little.
    skin = human.vertices[: len(human.surfaces[0].vertices)]
    assert cKDTree(naked.vertices).query(skin)[0].max() < 2.0


def test_annotations_tell_bones_and_traits(human: Human) -> None:
    person = json.loads(finish_scan(human, fitted=False).annotations["person.json"])
    assert person["traits"]["seed"] == 5
    assert len(person["rest_to_posed_cm"]["left_hand"]) == 4


def test_the_fitted_models_joints_are_within_two_centimetres(human: Human, tmp_path: Path) -> None:
    folder = tmp_path / "smplx"
    folder.mkdir()
    (folder / "SMPLX_MALE.npz").write_bytes(format_human_model())
    data = format_fit(fit_human(human.body, human.posed), np.eye(3), 1.0, np.zeros(3))
    fit = pickle.loads(data)  # noqa: S301 - written by this test itself
    model = smplx.create(str(tmp_path), model_type="smplx", gender="male", num_pca_comps=12)
    pose = {k: torch.from_numpy(v) for k, v in fit.items() if k not in ("scale", "translation")}
    joints = model(**pose).joints.detach().numpy()[0] + fit["translation"]
    off = [
        np.linalg.norm(joints[SMPLX_OF_JOINT[j]] - human.joints[j] / 100) for j in SMPLX_OF_JOINT
    ]
    assert max(off) < 0.02
