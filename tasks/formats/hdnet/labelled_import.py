"""One frame of the published labelled set as a sample: what it stores, and what it does not know.

Known from the files: colour, colour on white, mask, depth, normals of the front, DensePose.
Known from the layout: the camera. Not known, and left empty: the back surface, the texture's own
colour, joints, the scan and its turn. A set whose settings say `origin: imported, camera: hdnet`
holds such samples and no others. Source: docs/hdnet-dataset.md, "Labelled set".
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from renderers.keypoints import OCCLUSION_UNKNOWN
from schemas.camera import Camera, camera_hdnet, ray_directions
from schemas.errors import InputError
from schemas.keypoints import JOINT_COUNT
from schemas.pairing import FRAME_SIDE_PX
from schemas.regular_files import is_readable_file
from schemas.sample import Sample
from schemas.scan import InputFile, ScanRef
from schemas.seeds import derive_seed
from schemas.settings import RenderSettings
from schemas.surfaces import Surface, Surfaces
from tasks.formats.hdnet.hdnet_layout import HdnetFolder
from tasks.formats.hdnet.labelled_sample import FARTHEST_M, NEAREST_M
from tasks.scans.files import digest_files
from tasks.video.images import read_color, read_iuv, read_mask
from tasks.video.number_grids import read_grid

SETTINGS = RenderSettings(origin="imported", camera="hdnet", yaws=(0.0,))
"""Of every imported labelled set."""

SHORTEST_NORMAL = 0.5
"""A normal shorter than that is none: published ones have unit length, 0 where there is none."""

ROUNDING = 2e-3
"""Of a unit vector: three halves, each rounded by 2**-11."""

_SIDE = FRAME_SIDE_PX
_TO_CAMERA = np.diag([1.0, -1.0, -1.0, 1.0])
"""The world of an imported frame: the camera's place, y up and z towards the viewer."""


@dataclass(frozen=True, slots=True)
class ImportedFrame:
    """A sample and the files that it was read from."""

    sample: Sample
    files: tuple[InputFile, ...]


def import_frame(root: Path, folder: HdnetFolder, ref: ScanRef) -> ImportedFrame:
    """Read one frame; root: what the paths of its files are recorded below.

    Its mask is where the published mask, a depth that the reader uses, and a normal agree.
    Raises InputError naming the file that is missing, broken or of another size.
    """
    number, camera = int(ref.item), camera_hdnet(_TO_CAMERA)
    files = digest_files(_list_files(folder, number), root)
    z, normals = _read_depth(folder, number), _read_normals(folder, number)
    mask = _require_side(read_mask(folder.image("mask", number)), folder, number, "mask")
    mask = mask & (z >= NEAREST_M) & (z <= FARTHEST_M) & normals.any(axis=-1)
    if not mask.any():
        raise _refuse(folder.depth(number), "no pixel with mask, depth and normal", "a person")
    (view,) = SETTINGS.views
    sample_id = view.sample_id(ref.scan_id)
    white = _read_colors(folder, number, "color_WO_bg")
    return ImportedFrame(
        Sample(
            sample_id=sample_id, ref=ref, view=view, camera=camera, mesh_to_world=np.eye(4),
            metres_per_unit=1.0, metric_source="file",
            surfaces=_make_surfaces(z, normals, mask, camera),
            shaded=np.where(mask[..., None], white, np.uint8(0)),
            image=_read_colors(folder, number, "color"),
            keypoints=np.zeros((JOINT_COUNT, 3), np.float32),
            joints_camera=np.full((JOINT_COUNT, 3), np.nan, np.float32),
            keypoint_source=np.zeros(JOINT_COUNT, np.uint8),
            keypoint_occluded=np.full(JOINT_COUNT, OCCLUSION_UNKNOWN, np.uint8),
            background=None, seed=derive_seed(SETTINGS.seed, sample_id),
            iuv=_read_iuv(folder, number),
        ),
        files,
    )  # fmt: skip


def _list_files(folder: HdnetFolder, number: int) -> tuple[Path, ...]:
    """List what decides a sample; the DensePose image is looked for and may be absent."""
    images = ("color", "color_WO_bg", "mask", "densepose")
    return (
        *(folder.image(name, number) for name in images),
        folder.depth(number),
        *folder.normals("normal", number),
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
    front = Surface(
        color=np.zeros((*mask.shape, 3), np.uint8),
        depth=np.where(mask, z / rays[..., 2], 0).astype(np.float32),
        normal=np.where(inside, _face(normals, rays), 0).astype(np.float32),
        triangle=np.full(mask.shape, -1, np.int32),
    )
    empty = Surface(
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


def _read_depth(folder: HdnetFolder, number: int) -> Float64[np.ndarray, "256 256"]:
    return read_grid(folder.depth(number), ",", side=_SIDE)


def _read_normals(folder: HdnetFolder, number: int) -> Float64[np.ndarray, "256 256 3"]:
    """Read x, y, z; 0 where there is no normal."""
    paths = folder.normals("normal", number)
    normals = np.stack([read_grid(path, ",", side=_SIDE) for path in paths], axis=-1)
    is_given = np.linalg.norm(normals, axis=-1, keepdims=True) >= SHORTEST_NORMAL
    given: Float64[np.ndarray, "256 256 3"] = np.where(is_given, normals, 0)
    return given


def _read_colors(folder: HdnetFolder, number: int, name: str) -> UInt8[np.ndarray, "256 256 3"]:
    return _require_side(read_color(folder.image(name, number)), folder, number, name)


def _read_iuv(folder: HdnetFolder, number: int) -> UInt8[np.ndarray, "256 256 3"] | None:
    path = folder.image("densepose", number)
    if not is_readable_file(path):
        return None
    return _require_side(read_iuv(path).iuv, folder, number, "densepose")


def _require_side(image: np.ndarray, folder: HdnetFolder, number: int, name: str) -> np.ndarray:
    """Return an image of the one size; raises InputError for another."""
    if image.shape[:2] != (_SIDE, _SIDE):
        found = f"{image.shape[1]} x {image.shape[0]} pixels"
        raise _refuse(folder.image(name, number), found, f"{_SIDE} x {_SIDE} pixels")
    return image


def _refuse(path: Path, found: str, expected: str) -> InputError:
    return InputError(
        str(path), found=found, expected=expected,
        hint="Run `scanmill validate --layout hdnet` for all that is wrong in the folder.",
    )  # fmt: skip
