"""What HDNet predicted of one sample against the sample itself: depth, normals, the front mesh.

HDNet puts the median of every depth map at 4 m: it is put back to where the person was, which is
no alignment, since the nets can't know it. Lengths are metres before the camera, y up, until they
are measured in centimetres.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, UInt8

from renderers.session import open_session
from schemas.camera import Camera, ray_directions
from schemas.errors import InputError
from schemas.evaluation import Measures, Protocol
from tasks.dataset.stored_sample import StoredSample
from tasks.evaluation.aligning import align
from tasks.evaluation.data_items import DataItem, scan_to_world
from tasks.evaluation.image_measures import measure_angle, measure_depth
from tasks.evaluation.person_scores import CM_PER_METRE, normals_of_slopes, slopes_of_depth
from tasks.evaluation.shape_files import read_shape
from tasks.evaluation.surface import ShapeSurface
from tasks.evaluation.surface_measures import measure_surfaces
from tasks.evaluation.view_measures import measure_views
from tasks.formats.hdnet.labelled_sample import label_sample
from tasks.reconstruction.sheets import ColoredMesh, make_front_sheet
from tasks.reconstruction.surface_files import MAX_JUMP_M, TO_WORLD, lift_metres

MEDIAN_M = 4.0
"""Where training puts the median of every depth map. Source: docs/cameras.md, "HDNet's camera"."""

NEAREST_M, FARTHEST_M = 0.1, 100.0
"""Predicted depth beyond these is none."""


@dataclass(frozen=True, slots=True)
class SurfaceTarget:
    """A sample as HDNet sees it. depth_m: z, 0 outside. densepose: V, U, I. normals: camera axes.

    color: with its background. camera: of the sample.
    """

    image: UInt8[np.ndarray, "256 256 3"]
    color: UInt8[np.ndarray, "256 256 3"]
    mask: Bool[np.ndarray, "256 256"]
    densepose: UInt8[np.ndarray, "256 256 3"]
    depth_m: Float[np.ndarray, "256 256"]
    normals: Float[np.ndarray, "256 256 3"]
    camera: Camera

    @property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """What the nets read: schemas.prediction.PredictionJob."""
        return {"image": self.image, "mask": self.mask, "densepose": self.densepose}


def read_surface_target(sample: StoredSample) -> SurfaceTarget:
    """Read a sample of HDNet's camera; raises InputError where its DensePose is not known."""
    frame = label_sample(sample)
    if frame.iuv is None or frame.depth_m is None or frame.normals is None:
        raise InputError(
            sample.sample_id, found="no DensePose", expected="the column iuv, which HDNet reads",
            hint="Render with --densepose.",
        )  # fmt: skip
    return SurfaceTarget(
        frame.color_on_white, frame.color, frame.mask,
        np.ascontiguousarray(frame.iuv[..., ::-1]), frame.depth_m, frame.normals, sample.camera,
    )  # fmt: skip


def place_depth(
    target: SurfaceTarget, predicted: Mapping[str, np.ndarray]
) -> Float64[np.ndarray, "256 256"]:
    """Return the predicted depth moved from about 4 m to where the person was."""
    shift_m = MEDIAN_M - float(np.median(target.depth_m[target.mask]))
    depth: Float64[np.ndarray, "256 256"] = predicted["depth"].astype(np.float64) - shift_m
    return depth


def measure_surface_maps(target: SurfaceTarget, predicted: Mapping[str, np.ndarray]) -> Measures:
    """Compare depth, the nets' normals, and the normals of the depth."""
    inside, depth_m = target.mask, place_depth(target, predicted)
    normals = predicted["normals"].transpose(1, 2, 0).astype(np.float64)
    measures = measure_depth(
        CM_PER_METRE * depth_m, CM_PER_METRE * target.depth_m, inside, name="depth_front"
    )
    measures |= measure_angle(normals, target.normals, inside, name="normal_front")
    length = depth_m / ray_directions(target.camera)[..., 2]
    across, down, has_both = slopes_of_depth(length, inside)
    implied = normals_of_slopes(across, down, length, target.camera, is_front=True)
    return measures | measure_angle(implied, target.normals, has_both, name="depth_normal_front")


def measure_surface_mesh(
    target: SurfaceTarget,
    item: DataItem,
    sample: StoredSample,
    predicted: Mapping[str, np.ndarray],
    protocol: Protocol,
) -> tuple[Measures, ColoredMesh]:
    """Mesh the predicted front and compare it with the scan; returns the mesh, metres.

    Where the scan is unknown it is the mesh of the stored depth. Raises InputError when nothing
    was predicted that could be meshed.
    """
    depth_m = place_depth(target, predicted)
    seen = target.mask & (depth_m > NEAREST_M) & (depth_m < FARTHEST_M)
    made = mesh_front(np.where(seen, depth_m, 0), seen, target.color)
    if not len(made.faces):
        raise InputError(
            "the prediction", found="no surface of neighbouring pixels", expected="a person",
            hint="Train longer.",
        )  # fmt: skip
    mesh = _in_cm(made)
    if item.scan is None:
        scan = _in_cm(mesh_front(target.depth_m, target.mask, target.color))
    else:
        scan = _place_scan(item, sample)
    moved, _ = align(mesh, scan, protocol.align, seed=protocol.seed)
    measures = measure_surfaces(moved, scan, protocol).measures
    return measures | measure_views(moved, scan, protocol, open_session()), made


def mesh_front(
    depth_m: Float[np.ndarray, "256 256"],
    seen: Bool[np.ndarray, "256 256"],
    color: UInt8[np.ndarray, "256 256 3"],
) -> ColoredMesh:
    """Mesh one surface, metres before the camera, y up."""
    return make_front_sheet(lift_metres(depth_m), seen, color, MAX_JUMP_M)


def _in_cm(mesh: ColoredMesh) -> ShapeSurface:
    return ShapeSurface(mesh.vertices * CM_PER_METRE, mesh.faces.astype(np.int64))


def _place_scan(item: DataItem, sample: StoredSample) -> ShapeSurface:
    """Return the scan before the camera, y up, centimetres."""
    surface = read_shape(item.find_scan()).surface
    placed = sample.camera.world_to_camera @ scan_to_world(sample)
    metres = float(str(sample.row["metres_per_unit"]))
    points = (surface.vertices @ placed[:3, :3].T + placed[:3, 3]) * TO_WORLD
    return ShapeSurface(points * metres * CM_PER_METRE, surface.faces)
