"""What people look at of a measured sample: its mesh, images of prediction and target, a page."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, UInt8

from schemas.camera import ray_directions
from tasks.evaluation.person_scores import (
    PersonTarget,
    normals_of_slopes,
    slopes_of_depth,
    slopes_of_nets,
)
from tasks.evaluation.surface_scores import SurfaceTarget, place_depth
from tasks.reconstruction.mesh_outputs import write_mesh, write_views
from tasks.reconstruction.overview import color_normals, draw_panels, shade_depth
from tasks.reconstruction.sheets import ColoredMesh
from tasks.reconstruction.surfaces import Surfaces, to_ray_length

PAGE, TURNTABLE, OVERVIEW = "view.html", "turntable.png", "overview.png"


def write_shown(
    folder: Path, name: str, mesh: ColoredMesh, comparison: UInt8[np.ndarray, "H W 3"]
) -> None:
    """Write mesh, turntable, overview and page; raises InputError for a mesh without a face."""
    facts = f"{len(mesh.faces):,} triangles; the images: prediction above, target below"
    write_mesh(folder, mesh)
    write_views(folder, name, mesh, comparison, facts)


def draw_person(
    target: PersonTarget, predicted: Mapping[str, np.ndarray]
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw depth and normals of the front, predicted above, true below; depth by its own range."""
    inside, camera = target.inside, target.camera
    front, back = (
        np.where(inside, to_ray_length(predicted[side], camera), 0).astype(np.float32)
        for side in ("front", "back")
    )
    said = Surfaces(front, back, target.image, camera)
    true = Surfaces(target.front, target.back, target.image, camera)
    nets = normals_of_slopes(
        *slopes_of_nets(predicted["normals"][:3].astype(np.float64), camera), target.front, camera,
        is_front=True,
    )  # fmt: skip
    top = {
        "image": target.image, "depth, predicted": _shade(said),
        "normals, predicted": _draw_normals(nets, inside),
        "normals of the depth, predicted": _draw_normals(_of_depth(said), inside),
    }  # fmt: skip
    bottom = {
        "person": np.where(inside[..., None], target.image, np.uint8(0)),
        "depth, true": _shade(true),
        "normals, true": _draw_normals(target.normals[0], inside),
        "normals of the depth, true": _draw_normals(_of_depth(true), inside),
    }  # fmt: skip
    return draw_panels(top, bottom)


def draw_surface(
    target: SurfaceTarget, predicted: Mapping[str, np.ndarray]
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw HDNet's depth and normals, predicted above, true below; depth by its own range."""
    inside, camera = target.mask, target.camera
    z = ray_directions(camera)[..., 2]
    rows = []
    for what, depth_m, normals in (
        ("predicted", place_depth(target, predicted), predicted["normals"].transpose(1, 2, 0)),
        ("true", target.depth_m, target.normals),
    ):
        length = np.where(inside, depth_m / z, 0).astype(np.float32)
        surface = Surfaces(length, length, target.color, camera)
        rows.append(
            {
                f"depth, {what}": _shade(surface),
                f"normals, {what}": _draw_normals(normals, inside),
                f"normals of the depth, {what}": _draw_normals(_of_depth(surface), inside),
            }
        )
    top = {"image": target.color, **rows[0]}
    return draw_panels(top, {"DensePose": target.densepose, **rows[1]})


def _shade(surfaces: Surfaces) -> UInt8[np.ndarray, "R R 3"]:
    """Draw the front's depth, white to dark over its own range."""
    return shade_depth(replace(surfaces, back=surfaces.front), surfaces.front)


def _of_depth(surfaces: Surfaces) -> Float[np.ndarray, "R R 3"]:
    across, down, _ = slopes_of_depth(surfaces.front, surfaces.mask)
    return normals_of_slopes(across, down, surfaces.front, surfaces.camera, is_front=True)


def _draw_normals(
    normals: Float[np.ndarray, "R R 3"], inside: Bool[np.ndarray, "R R"]
) -> UInt8[np.ndarray, "R R 3"]:
    return color_normals(normals.astype(np.float32), inside)
