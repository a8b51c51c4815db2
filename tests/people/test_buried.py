"""What lies inside is left out; what lies outside stays, with its atlas."""

import numpy as np
import trimesh

from people.atlas import Atlas
from people.buried import grow_kept, keep_faces, open_points


def test_a_ball_inside_a_ball_is_not_seen() -> None:
    outer = trimesh.creation.icosphere(subdivisions=4, radius=8.0).vertices
    inner = trimesh.creation.icosphere(subdivisions=3, radius=5.0).vertices
    both = np.concatenate([outer, inner]).astype(np.float32)
    seen = open_points(both, np.zeros(len(both), bool))
    upper = outer[:, 1] > -2
    assert seen[: len(outer)][upper].all()
    assert not seen[len(outer) :].any()


def test_the_faces_that_stay_keep_their_places() -> None:
    vertices = np.arange(18.0).reshape(6, 3)
    faces = np.array([[0, 1, 2], [3, 4, 5]], np.int32)
    uv = np.linspace(0, 1, 12).reshape(6, 2)
    atlas = Atlas(uv, uv, faces, np.array([1, 2], np.int32), np.arange(6, dtype=np.int32))
    place, kept, new = keep_faces(vertices, faces, atlas, np.array([False, True]))
    assert (place[kept] == vertices[[[3, 4, 5]]]).all()
    assert (new.uv[new.faces] == uv[[[3, 4, 5]]]).all()
    assert new.parts.tolist() == [2]


def test_what_touches_kept_faces_stays_too() -> None:
    faces = np.array([[k, k + 1, k + 2] for k in range(9)], np.int32)
    keep = np.zeros(9, bool)
    keep[4] = True
    grown = grow_kept(faces, keep, rounds=1)
    assert np.flatnonzero(grown).tolist() == [2, 3, 4, 5, 6]
