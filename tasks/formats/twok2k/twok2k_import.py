"""A folder of the published 2K2K layout as samples: what it stores, and what follows from that.

Known from the files: images, depth, joints in the image. Known from the layout: the camera.
Computed: normals, from depth. Not known: joints in space, occlusion, the scan's own coordinates;
those are NaN, 255, and the turn of the view alone.
"""

from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Float64

from renderers.placement import rotation_x, rotation_y
from renderers.projected_joints import OCCLUSION_UNKNOWN
from schemas.camera import lift
from schemas.errors import InputError
from schemas.keypoints import JOINT_COUNT, KeypointSource
from schemas.sample import Sample, Surface, Surfaces
from schemas.scan import ScanRef
from schemas.seeds import derive_seed
from schemas.settings import RenderSettings
from schemas.views import View, camera_of
from tasks.formats.importing import ImportSource, SampleSource, SampleWithFiles
from tasks.formats.twok2k.depth_normals import normals_from_depth
from tasks.formats.twok2k.twok2k_layout import SIDES
from tasks.formats.twok2k.view_files import PublishedView, read_front_depth, read_view
from tasks.formats.twok2k.view_folder import list_folder, resolve_settings

SCANS_REMEMBERED = 64
"""Sizes of scans that are kept: the views of one follow each other."""


def open_folder(root: Path) -> ImportSource:
    """List the views of a folder: one shard for each scan.

    Raises RequestError when it holds no view, InputError for a list or a name that can't be read.
    """
    found = list_folder(root, split_seed=RenderSettings().split_seed)
    settings = resolve_settings(root, found)
    return ImportSource(samples=SampleSource(found.scans, settings, scans_per_shard=1))


def read_sample(root: Path, ref: ScanRef, view: View, settings: RenderSettings) -> SampleWithFiles:
    """Read one view; raises InputError naming the file that is missing, broken or of other size."""
    stored = read_view(root, ref, view, settings.resolution)
    mask: Bool[np.ndarray, "H W"] = (stored.depth[0] > 0) & (stored.depth[1] > 0)
    front = _make_surface(stored, mask, 0, stored.depth[0])
    back = _make_surface(stored, mask, 1, np.maximum(*stored.depth))
    shaded = np.where(mask[..., None], stored.shaded, np.uint8(0))
    keypoints = _mark_known(stored.keypoints)
    sample_id = view.sample_id(ref.scan_id)
    sample = Sample(
        sample_id=sample_id, ref=ref, view=view, camera=stored.camera,
        mesh_to_world=rotation_x(view.pitch) @ rotation_y(view.yaw),
        metres_per_unit=assume_size(root, ref, settings), metric_source="assumed_height",
        surfaces=Surfaces(front, back, mask), shaded=shaded, image=shaded, keypoints=keypoints,
        joints_camera=np.full((JOINT_COUNT, 3), np.nan, np.float32),
        keypoint_source=(keypoints[:, 2] * KeypointSource.ANNOTATED).astype(np.uint8),
        keypoint_occluded=np.full(JOINT_COUNT, OCCLUSION_UNKNOWN, np.uint8),
        background=None, seed=derive_seed(settings.seed, sample_id),
    )  # fmt: skip
    return SampleWithFiles(sample, stored.files)


@lru_cache(SCANS_REMEMBERED)
def assume_size(root: Path, ref: ScanRef, settings: RenderSettings) -> float:
    """Return metres of a scene unit, so that what is seen of a scan has the assumed height.

    Measured once for all views, on the first that can be read; where none can, a unit is the
    height itself.
    """
    for view in sorted(settings.views, key=lambda one: (abs(one.pitch), abs(one.yaw), one)):
        with suppress(InputError):
            depth = read_front_depth(root, ref, view, settings.resolution)
            points = lift(camera_of(view, settings.resolution), depth.astype(np.float64))
            heights = points[..., 1][depth > 0]
            if heights.size and np.ptp(heights) > 0:
                return settings.assumed_height_m / float(np.ptp(heights))
    return settings.assumed_height_m


def _make_surface(
    stored: PublishedView,
    mask: Bool[np.ndarray, "H W"],
    place: int,
    depth: Float32[np.ndarray, "H W"],
) -> Surface:
    """Make the front (0) or the back surface (1) inside the mask."""
    inside = np.where(mask, depth, np.float32(0))
    return Surface.of_images(
        color=np.where(mask[..., None], stored.color[place], np.uint8(0)),
        depth=inside,
        normal=normals_from_depth(inside, mask, stored.camera, SIDES[place]),
        triangle=np.full(mask.shape, -1, np.int32),
    )


def _mark_known(keypoints: Float64[np.ndarray, "31 3"] | None) -> Float32[np.ndarray, "31 3"]:
    """Mark joints with any number as known; a view without annotation knows none."""
    if keypoints is None:
        return np.zeros((JOINT_COUNT, 3), np.float32)
    marked = keypoints.astype(np.float32)
    marked[:, 2] = keypoints.any(axis=1)
    return marked
