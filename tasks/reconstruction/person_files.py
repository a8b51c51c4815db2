"""The files of one reconstructed person: maps, clouds, meshes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from jaxtyping import Float, UInt8

from schemas.atomic_files import write_atomically
from schemas.body_parts import PARTS
from schemas.codecs import encode_depth, encode_mask, encode_png
from schemas.prediction import part_array
from schemas.reconstruct_request import Meshing
from tasks.formats.twok2k.depth16 import encode_depth16, encode_png16
from tasks.reconstruction.clouds import join_clouds, make_cloud, make_sides
from tasks.reconstruction.mesh_files import format_cloud
from tasks.reconstruction.mesh_outputs import write_mesh, write_views
from tasks.reconstruction.meshing import choose_meshing, make_mesh
from tasks.reconstruction.overview import draw_overview
from tasks.reconstruction.surfaces import Surfaces

WHITE = 255
SIDES = ("front", "back")
PUBLISHED_FACTOR = 1.0367394
"""What clouds of published weights are divided by. Source: docs/keypoints.md, "Projection"."""


@dataclass(frozen=True, slots=True)
class PersonAim:
    """How a person is written. name: for the page. scale: on scene units."""

    name: str
    scale: float
    meshing: Meshing


def write_person(
    folder: Path,
    surfaces: Surfaces,
    predicted: Mapping[str, np.ndarray],
    keypoints: Float[np.ndarray, "31 3"],
    aim: PersonAim,
) -> dict[str, float]:
    """Write all files of a person but the record; returns seconds by stage."""
    watch, scale = Stopwatch({}), aim.scale
    write_maps(folder, surfaces, predicted)
    watch("maps")
    cloud, sides = make_cloud(surfaces, scale), make_sides(surfaces, scale)
    whole = join_clouds([cloud, sides])
    write_atomically(folder / "cloud.ply", format_cloud(cloud))
    write_atomically(folder / "cloud_sides.ply", format_cloud(whole))
    watch("clouds")
    mesh = make_mesh(surfaces, whole, scale, aim.meshing)
    watch("mesh")
    write_mesh(folder, mesh)
    watch("mesh files")
    side, how = surfaces.front.shape[0], choose_meshing(aim.meshing)
    facts = f"2K2K at {side} pixels; {len(mesh.faces):,} triangles ({how})"
    write_views(folder, aim.name, mesh, draw_overview(surfaces, predicted, keypoints), facts)
    watch("views")
    return watch.seconds


def write_maps(folder: Path, surfaces: Surfaces, predicted: Mapping[str, np.ndarray]) -> None:
    """Write depth (16-bit PNG, EXR), normals, part normals and normals of the depth."""
    write_atomically(folder / "input.png", encode_png(surfaces.image))
    write_atomically(folder / "mask.png", encode_mask(surfaces.mask))
    for side, depth in zip(SIDES, (surfaces.front, surfaces.back), strict=True):
        stored = encode_depth16(depth, surfaces.camera, is_front=side == "front")
        write_atomically(folder / f"depth_{side}.png", encode_png16(stored))
    both = encode_depth(surfaces.front, surfaces.back, surfaces.mask)
    write_atomically(folder / "depth.exr", both)
    write_normals(folder, "normals", predicted["normals"])
    write_normals(folder, "consistency", np.where(surfaces.mask, predicted["consistency"], 0))
    for part in PARTS:
        array = predicted.get(part_array(part.name))
        if array is not None:
            write_normals(folder / "parts", part.name.replace(" ", "_"), array)


def write_normals(folder: Path, name: str, normals: Float[np.ndarray, "6 h w"]) -> None:
    """Write front and back normals, 0..1 as RGB: x, y, z of -1..1."""
    for side, planes in zip(SIDES, (normals[:3], normals[3:]), strict=True):
        write_atomically(folder / f"{name}_{side}.png", encode_png(_to_bytes(planes)))


def _to_bytes(planes: Float[np.ndarray, "3 h w"]) -> UInt8[np.ndarray, "h w 3"]:
    levels = np.clip(np.rint(planes.astype(np.float32) * WHITE), 0, WHITE)
    return np.ascontiguousarray(levels.astype(np.uint8).transpose(1, 2, 0))


@dataclass(slots=True)
class Stopwatch:
    """Seconds by stage. Owns: when the stage before ended."""

    seconds: dict[str, float]
    clock: Callable[[], float] = perf_counter
    since: float = -1.0

    def __post_init__(self) -> None:
        """Start."""
        self.since = self.clock()

    def __call__(self, stage: str) -> None:
        """End a stage."""
        now = self.clock()
        self.seconds[stage] = round(now - self.since, 3)
        self.since = now
