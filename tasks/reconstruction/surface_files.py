"""The files of one surface that HDNet reconstructed: text as published, maps, mesh.

Points are in metres, x right, y up, z towards the viewer, the camera at the origin.
"""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from schemas.atomic_files import write_atomically
from schemas.camera import camera_hdnet, ray_directions
from schemas.codecs import encode_front_normals, encode_mask, encode_png, encode_z
from schemas.errors import InputError
from tasks.formats.hdnet.hdnet_frames import image_of_normals, round_unit
from tasks.formats.twok2k.depth16 import encode_png16
from tasks.formats.twok2k.depth_normals import normals_from_depth
from tasks.reconstruction.clouds import Cloud
from tasks.reconstruction.mesh_files import format_cloud
from tasks.reconstruction.mesh_outputs import write_mesh, write_views
from tasks.reconstruction.overview import draw_panels
from tasks.reconstruction.sheets import make_front_sheet
from tasks.video.number_grids import format_grid

NEAREST_M, FARTHEST_M = 0.5, 6.5
"""Depth beyond these is none: 16 bits of tenths of a millimetre end there."""

UNITS_PER_M = 10_000
MAX_JUMP_M = 0.1
TO_WORLD = np.array([1.0, -1.0, -1.0])


def write_surface(
    folder: Path,
    name: str,
    given: Mapping[str, np.ndarray],
    predicted: Mapping[str, np.ndarray],
) -> None:
    """Write all files of a surface but the record; raises InputError when nothing is left."""
    mask, image = given["mask"].astype(bool), given["color"]
    depth, normals = predicted["depth"].astype(np.float64), predicted["normals"].transpose(1, 2, 0)
    seen = mask & (depth >= NEAREST_M) & (depth <= FARTHEST_M)
    if not seen.any():
        raise InputError(
            "the prediction", found="no depth in that range",
            expected=f"{NEAREST_M:g} to {FARTHEST_M:g} m", hint="Train longer.",
        )  # fmt: skip
    depth_m = np.where(seen, depth, 0)
    _write_text(folder, depth_m, normals)
    implied = _write_maps(folder, given, depth_m, normals)
    points = lift_metres(depth_m)
    cloud = Cloud(points[seen], image[seen], -points[seen])
    write_atomically(folder / "cloud.ply", format_cloud(cloud))
    mesh = make_front_sheet(points, seen, image, MAX_JUMP_M)
    write_mesh(folder, mesh)
    overview = draw_panels(
        {"input": image, "on white": given["image"], "DensePose": given["densepose"]},
        {"depth": _grey(depth_m), "normals": image_of_normals(normals),
         "normals of the depth": image_of_normals(implied)},
    )  # fmt: skip
    write_views(folder, name, mesh, overview, f"HDNet; {len(mesh.faces):,} triangles")


def lift_metres(depth_m: Float[np.ndarray, "H W"]) -> Float[np.ndarray, "H W 3"]:
    """Return the points of z depths before HDNet's camera, metres, y up."""
    camera = camera_hdnet(np.eye(4))
    rays = ray_directions(camera)
    points: Float[np.ndarray, "H W 3"] = rays * (depth_m / rays[..., 2])[..., None] * TO_WORLD
    return points


def _write_text(
    folder: Path, depth_m: Float[np.ndarray, "H W"], normals: Float[np.ndarray, "H W 3"]
) -> None:
    write_atomically(folder / "depth.txt", format_grid(depth_m, ","))
    for axis, plane in enumerate(np.moveaxis(round_unit(normals), -1, 0), start=1):
        write_atomically(folder / f"pred_normals_{axis}.txt", format_grid(plane, " "))


def _write_maps(
    folder: Path,
    given: Mapping[str, np.ndarray],
    depth_m: Float[np.ndarray, "H W"],
    normals: Float[np.ndarray, "H W 3"],
) -> Float[np.ndarray, "H W 3"]:
    """Write images and EXR maps; returns the normals of the depth."""
    seen: Bool[np.ndarray, "H W"] = depth_m > 0
    camera = camera_hdnet(np.eye(4))
    length = (depth_m / ray_directions(camera)[..., 2]).astype(np.float32)
    implied = normals_from_depth(length, seen, camera, "front")
    stored = np.rint(depth_m * UNITS_PER_M).astype(np.uint16)
    single = normals.astype(np.float32)
    files = {
        "input.png": encode_png(given["image"]), "mask.png": encode_mask(seen),
        "depth.png": encode_png16(stored), "depth.exr": encode_z(depth_m.astype(np.float32), seen),
        "normals.png": encode_png(image_of_normals(normals)),
        "normals.exr": encode_front_normals(single, given["mask"].astype(bool)),
        "consistency.png": encode_png(image_of_normals(implied)),
    }  # fmt: skip
    for name, data in files.items():
        write_atomically(folder / name, data)
    return implied


def _grey(depth_m: Float[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W 3"]:
    """Draw depth from white (near) to dark (far)."""
    seen = depth_m > 0
    near, far = np.percentile(depth_m[seen], [1, 99])
    share = np.clip((far - depth_m) / max(float(far - near), 1e-6), 0, 1)
    grey = np.where(seen, 40 + share * 215, 0).astype(np.uint8)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
