"""A closed layer on the skin below hair: what shows between locks, and hair that is cropped."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int32

from people.anny_assets import BODY_VERTICES
from people.garment_surfaces import Points
from people.hair_layout import across, on_tile
from people.hair_locks import Head
from people.hair_lump import unit_normals
from people.hair_paint import Relief, sample_relief
from people.hair_styles import CROWN, Cut
from people.human_mesh import piece_mesh
from people.pieces import close_sheet, open_sides

CAP_DEPTH_CM = 0.4
CAP_OFF_CM, CAP_RIM_CM, CAP_DIVE = 0.06, 0.2, 0.4
"""A cap lies on the scalp and dives below the skin at the hairline, so that its edge is smooth."""
CAP_FROM = 0.12
"""How far down its locks a cap looks at the crown."""
CHIN_TOP_CM, BEARD_CM, SCALP_CM = 153.0, 14.0, 24.0
"""Canonical height of a beard's root, and how long the tile is over beard and scalp."""


@dataclass(frozen=True, slots=True)
class Part:
    """A closed part of hair; uv: of its tile. near: base skin vertex of each vertex."""

    vertices: Points
    faces: Int32[np.ndarray, "F 3"]
    uv: Float64[np.ndarray, "V 2"]
    near: Int32[np.ndarray, " V"]


def lay_cap(
    skin: Points,
    inside: Float64[np.ndarray, " 13380"],
    cut: Cut,
    *,
    head: Head,
    relief: Relief,
    rng: np.random.Generator,
    fine: bool = True,
) -> Part:
    """Lay a closed layer over the skin, so that none shows between locks, or as cropped hair.

    inside: how far inside the outline base vertices lie, centimetres. fine: rounder outside.
    """
    mesh = piece_mesh("skin", 1)
    padded = np.full(mesh.matrix.shape[1], -1.0)
    padded[:BODY_VERTICES] = inside + cut.frayed * rng.standard_normal(BODY_VERTICES)
    depth = mesh.matrix @ padded
    table = without_pinches(mesh.faces[(depth[mesh.faces] > CAP_RIM_CM).any(axis=1)])
    own, faces = np.unique(table, return_inverse=True)
    faces = faces.reshape(-1, 3).astype(np.int32)
    whole = np.zeros((mesh.matrix.shape[1], 3))
    whole[:BODY_VERTICES] = skin
    surface = (mesh.matrix @ whole)[own]
    ramp = np.clip(depth[own] / cut.ramp, 0, 1)
    off = CAP_OFF_CM + cut.cap * ramp * ramp * (3 - 2 * ramp)
    off += CAP_DIVE * np.minimum(depth[own] - CAP_RIM_CM, 0)
    surface = surface + np.maximum(off, -CAP_DEPTH_CM)[:, None] * unit_normals(surface, faces)
    sheet = close_sheet(surface, faces, faces, thickness_cm=cut.cap + CAP_DEPTH_CM, fine=fine)
    place = head.canonical(sheet.vertices)
    along = np.clip(np.linalg.norm(place - CROWN, axis=1) / SCALP_CM, 0, 1)
    if cut.flow == "chin":
        along = np.clip((CHIN_TOP_CM - place[:, 1]) / BEARD_CM, 0, 1)
    uv = np.stack([across(cut, place), CAP_FROM + (1 - CAP_FROM) * along], axis=1)
    rough = np.asarray(sheet.source @ ramp)
    rough = rough * 0.5 * min(cut.groove, cut.cap) * sample_relief(relief, uv)
    outside = np.arange(len(place)) < len(place) - len(own)
    bumps = np.where(outside, rough, 0.0)[:, None] * unit_normals(sheet.vertices, sheet.faces)
    near = np.asarray(mesh.matrix[own].argmax(axis=1)).ravel()
    near = near[np.asarray(sheet.source.argmax(axis=1)).ravel()]
    return Part(sheet.vertices + bumps, sheet.faces, on_tile(uv), near.astype(np.int32))


def without_pinches(faces: Int32[np.ndarray, "F 3"]) -> Int32[np.ndarray, "G 3"]:
    """Leave out triangles at vertices where rims touch, until no rim does."""
    while True:
        face, corner = open_sides(faces)
        meets = np.bincount(faces[face, corner], minlength=int(faces.max()) + 1)
        pinched = (meets > 1)[faces].any(axis=1)
        if not pinched.any():
            return faces
        faces = faces[~pinched]
