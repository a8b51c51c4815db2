"""One frame of the published labelled set as a sample: what it stores, and what it does not know.

Known from the files: colour, colour on white, mask, depth, normals of the front, DensePose.
Known from the layout: the camera. Not known, and left empty: the back surface, the texture's own
colour, joints, the scan and its turn. A set whose settings say `origin: imported, camera: hdnet`
holds such samples and no others. Source: docs/hdnet-dataset.md, "Labelled set".

Our own exports carry frames.csv, which says what sample a frame was: it keeps its split, and all
views of one scan stay together. Frames of others are people of their own, split by hash.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from renderers.projected_joints import OCCLUSION_UNKNOWN
from schemas.camera import Camera, camera_hdnet, ray_directions
from schemas.file_status import is_readable_file
from schemas.keypoints import JOINT_COUNT
from schemas.sample import Sample, Surface, Surfaces
from schemas.scan import DatasetName, ScanRef
from schemas.seeds import derive_seed
from schemas.settings import RenderSettings
from schemas.views import View
from tasks.dataset.splits import split_of
from tasks.formats.hdnet.frame_list import LabelledFrame, read_frames
from tasks.formats.hdnet.hdnet_frames import (
    break_rule,
    read_colors,
    read_densepose,
    read_depth,
    read_normals,
    read_person,
)
from tasks.formats.hdnet.hdnet_layout import LABELLED, HdnetFolder, find_sets, seven_digits
from tasks.formats.hdnet.labelled_sample import FARTHEST_M, NEAREST_M
from tasks.formats.importing import SampleSource, SampleWithFiles
from tasks.scans.files import digest_files

SETTINGS = RenderSettings(origin="imported", camera="hdnet", yaws=(0.0,), lights="spots")
"""Of every imported labelled set."""

FRAMES_PER_SHARD = 64
"""About 8 MB: a frame is a fiftieth of a scan's views in the 2K2K layout."""

DATASET: DatasetName = "HDNet"
"""What names the data set of imported frames."""

MIN_NORMAL_LENGTH = 0.5
"""A normal shorter than that is none: published ones have unit length, 0 where there is none."""

ROUNDING = 2e-3
"""Of a unit vector: three halves, each rounded by 2**-11."""

_TO_CAMERA = np.diag([1.0, -1.0, -1.0, 1.0])
"""The world of an imported frame: the camera's place, y up and z towards the viewer."""


def list_frames(folder: HdnetFolder) -> SampleSource | None:
    """Name the frames of a labelled set, None without any.

    Raises InputError when its frames.csv is broken.
    """
    named = {row.name: row for _, row in read_frames(folder.frame_list, LabelledFrame)}
    refs = tuple(_name_frame(seven_digits(n), named) for n in folder.list_numbers())
    return SampleSource(refs, SETTINGS, FRAMES_PER_SHARD) if refs else None


def read_sample(root: Path, ref: ScanRef, view: View, settings: RenderSettings) -> SampleWithFiles:
    """Read one frame of the labelled set below a root.

    Its mask is where the published mask, a depth that the reader uses, and a normal agree.
    Raises InputError naming the file that is missing, broken or of another size.
    """
    folder = find_sets(root).labelled or HdnetFolder(root, LABELLED)
    number, camera = int(ref.item), camera_hdnet(_TO_CAMERA)
    files = digest_files(_list_files(folder, number), root)
    z, normals = read_depth(folder, number), _drop_short(read_normals(folder, number))
    mask = read_person(folder, number)
    mask = mask & (z >= NEAREST_M) & (z <= FARTHEST_M) & normals.any(axis=-1)
    if not mask.any():
        found = "no pixel with mask, depth and normal"
        raise break_rule(folder.depth(number), found, "a person")
    sample_id = view.sample_id(ref.scan_id)
    white = read_colors(folder, number, "color_WO_bg")
    has_iuv = is_readable_file(folder.image("densepose", number))
    return SampleWithFiles(
        Sample(
            sample_id=sample_id, ref=ref, view=view, camera=camera, mesh_to_world=np.eye(4),
            metres_per_unit=1.0, metric_source="file",
            surfaces=_make_surfaces(z, normals, mask, camera),
            shaded=np.where(mask[..., None], white, np.uint8(0)),
            image=read_colors(folder, number, "color"),
            keypoints=np.zeros((JOINT_COUNT, 3), np.float32),
            joints_camera=np.full((JOINT_COUNT, 3), np.nan, np.float32),
            keypoint_source=np.zeros(JOINT_COUNT, np.uint8),
            keypoint_occluded=np.full(JOINT_COUNT, OCCLUSION_UNKNOWN, np.uint8),
            background=None, seed=derive_seed(settings.seed, sample_id),
            iuv=read_densepose(folder, number).iuv if has_iuv else None,
        ),
        files,
    )  # fmt: skip


def _name_frame(name: str, named: dict[str, LabelledFrame]) -> ScanRef:
    row = named.get(name)
    if row is None:
        subject = f"{DATASET}/{name}"
        split = split_of(SETTINGS.split_seed, subject)
        return ScanRef(dataset=DATASET, item=name, subject=subject, split=split)
    scan_id = "/".join(row.sample_id.split("/")[:2])
    return ScanRef(dataset=DATASET, item=name, subject=scan_id, split=row.split)


def _list_files(folder: HdnetFolder, number: int) -> tuple[Path, ...]:
    """List what decides a sample; the DensePose image is looked for and may be absent."""
    images = ("color", "color_WO_bg", "mask", "densepose")
    return (
        *(folder.image(name, number) for name in images),
        folder.depth(number),
        *folder.normals(number),
    )


def _make_surfaces(
    z: Float64[np.ndarray, "256 256"],
    normals: Float64[np.ndarray, "256 256 3"],
    mask: Bool[np.ndarray, "256 256"],
    camera: Camera,
) -> Surfaces:
    """Return the front as far as it is known, and a back that is empty."""
    rays = ray_directions(camera)
    inside = mask[..., None]
    front = Surface.of_images(
        color=np.zeros((*mask.shape, 3), np.uint8),
        depth=np.where(mask, z / rays[..., 2], 0).astype(np.float32),
        normal=np.where(inside, _face(normals, rays), 0).astype(np.float32),
        triangle=np.full(mask.shape, -1, np.int32),
    )
    empty = Surface.of_images(
        color=front.color, depth=np.zeros_like(front.depth), normal=np.zeros_like(front.normal),
        triangle=front.triangle,
    )  # fmt: skip
    return Surfaces(front, empty, mask)


def _face(
    normals: Float64[np.ndarray, "256 256 3"], rays: Float64[np.ndarray, "256 256 3"]
) -> Float64[np.ndarray, "256 256 3"]:
    """Clamp normals that turn away to perpendicular, and make all of unit length.

    What holds already, but for rounding, is left as it is: so an export comes back unchanged.
    """
    away = (normals * rays).sum(axis=-1, keepdims=True)
    facing = np.where(away > ROUNDING, normals - away * rays, normals)
    lengths = np.linalg.norm(facing, axis=-1, keepdims=True)
    is_off = (np.abs(lengths - 1) > ROUNDING) & (lengths > 0)
    unit: Float64[np.ndarray, "256 256 3"] = facing / np.where(is_off, lengths, 1)
    return unit


def _drop_short(normals: Float64[np.ndarray, "256 256 3"]) -> Float64[np.ndarray, "256 256 3"]:
    """Set what is too short to be a normal to 0."""
    is_given = np.linalg.norm(normals, axis=-1, keepdims=True) >= MIN_NORMAL_LENGTH
    given: Float64[np.ndarray, "256 256 3"] = np.where(is_given, normals, 0)
    return given
