"""One view of the published 2K2K layout as a sample: what it stores, and what follows from that.

Known from the files: images, depth, joints in the image. Known from the layout: the camera.
Worked out: normals, from depth. Not known: joints in space, occlusion, the scan's own
coordinates; those are NaN, 255, and the turn of the view alone.
"""

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8, UInt16

from renderers.keypoints import OCCLUSION_UNKNOWN
from renderers.placement import rotation_x, rotation_y
from schemas.camera import Camera, lift
from schemas.codecs import decode_pixels
from schemas.errors import InputError
from schemas.keypoints import JOINT_COUNT, KeypointSource
from schemas.regular_files import read_whole
from schemas.sample import Sample
from schemas.scan import InputFile, ScanRef
from schemas.seeds import derive_seed
from schemas.settings import RenderSettings
from schemas.size_limits import MAX_IMAGE_BYTES, check_array_size
from schemas.surfaces import Surface, Surfaces
from schemas.views import View, camera_of
from tasks.formats.twok2k.depth16 import decode_depth16
from tasks.formats.twok2k.depth_normals import normals_from_depth
from tasks.formats.twok2k.twok2k_layout import SIDES, Side, ViewFiles
from tasks.scans.textures import read_header

_KEYPOINT_SHAPE = (JOINT_COUNT, 3)


@dataclass(frozen=True, slots=True)
class ImportedView:
    """A sample and the files that it was read from."""

    sample: Sample
    files: tuple[InputFile, ...]


def import_view(
    root: Path, ref: ScanRef, view: View, settings: RenderSettings, *, metres_per_unit: float
) -> ImportedView:
    """Read one view; raises InputError naming the file that is missing, broken or of other size."""
    reader = _Reader(root, settings.resolution)
    files, camera = ViewFiles(ref.dataset, ref.item, view), camera_of(view, settings.resolution)
    depths = [reader.read_depth(files.depth(side), camera) for side in SIDES]
    mask: Bool[np.ndarray, "H W"] = (depths[0] > 0) & (depths[1] > 0)
    front, back = (
        _make_surface(reader.read_color(files.color(side)), depth, mask, camera, side)
        for side, depth in zip(SIDES, (depths[0], np.maximum(*depths)), strict=True)
    )
    shaded = np.where(mask[..., None], reader.read_color(files.shaded), np.uint8(0))
    keypoints = _find_keypoints(reader, files)
    sample_id = view.sample_id(ref.scan_id)
    sample = Sample(
        sample_id=sample_id, ref=ref, view=view, camera=camera,
        mesh_to_world=rotation_x(view.pitch) @ rotation_y(view.yaw),
        metres_per_unit=metres_per_unit,
        metric_source="assumed_height", surfaces=Surfaces(front, back, mask), shaded=shaded,
        image=shaded, keypoints=keypoints,
        joints_camera=np.full(_KEYPOINT_SHAPE, np.nan, np.float32),
        keypoint_source=(keypoints[:, 2] * KeypointSource.ANNOTATED).astype(np.uint8),
        keypoint_occluded=np.full(JOINT_COUNT, OCCLUSION_UNKNOWN, np.uint8),
        background=None, seed=derive_seed(settings.seed, sample_id),
    )  # fmt: skip
    return ImportedView(sample, tuple(reader.files))


def assume_size(root: Path, ref: ScanRef, settings: RenderSettings) -> float:
    """Return metres of a scene unit, so that what is seen of a scan has the assumed height.

    Measured once for all views, on the first that can be read; where none can, a unit is the
    height itself.
    """
    for view in sorted(settings.views, key=lambda one: (abs(one.pitch), abs(one.yaw), one)):
        camera = camera_of(view, settings.resolution)
        name = ViewFiles(ref.dataset, ref.item, view).depth("front")
        with suppress(InputError):
            depth = _Reader(root, settings.resolution).read_depth(name, camera)
            heights = lift(camera, depth.astype(np.float64))[..., 1][depth > 0]
            if heights.size and np.ptp(heights) > 0:
                return settings.assumed_height_m / float(np.ptp(heights))
    return settings.assumed_height_m


class _Reader:
    """Owns: the digests of the files of one view, in the order of reading."""

    def __init__(self, root: Path, resolution: int) -> None:
        self._root, self._resolution = root, resolution
        self.files: list[InputFile] = []

    def read_depth(self, name: PurePosixPath, camera: Camera) -> Float32[np.ndarray, "H W"]:
        def decode(data: bytes) -> np.ndarray | None:
            return _decode_png(data, name, cv2.IMREAD_UNCHANGED)

        stored: UInt16[np.ndarray, "H W"] = self._read(name, decode, np.uint16, 2)
        return decode_depth16(stored, camera)

    def read_color(self, name: PurePosixPath) -> UInt8[np.ndarray, "H W 3"]:
        def decode(data: bytes) -> np.ndarray | None:
            return _decode_png(data, name, cv2.IMREAD_COLOR_RGB)

        return self._read(name, decode, np.uint8, 3)

    def read_keypoints(self, name: PurePosixPath) -> Float64[np.ndarray, "31 3"]:
        data = self._load(name)
        check_array_size(io.BytesIO(data), name.as_posix(), len(data))
        try:
            values = np.load(io.BytesIO(data), allow_pickle=False)
            keypoints: Float64[np.ndarray, "31 3"] = values.astype(np.float64)
        except (ValueError, OSError, EOFError, AttributeError) as error:
            raise _refuse(name, f"no NumPy file of numbers ({error!s:.80})") from error
        if keypoints.shape != _KEYPOINT_SHAPE or not np.isfinite(keypoints).all():
            raise _refuse(name, f"an array of shape {keypoints.shape}", "(31, 3), all finite")
        return keypoints

    def is_there(self, name: PurePosixPath) -> bool:
        return (self._root / name).is_file()

    def _read(
        self,
        name: PurePosixPath,
        decode: Callable[[bytes], np.ndarray | None],
        kind: type[np.generic],
        axes: int,
    ) -> np.ndarray:
        image = decode(self._load(name))
        expected = (self._resolution, self._resolution)
        if image is None or image.ndim != axes or image.dtype != kind:
            found = "none" if image is None else f"{image.dtype} of shape {image.shape}"
            raise _refuse(name, f"an image of another kind ({found})")
        if image.shape[:2] != expected:
            raise _refuse(name, f"{image.shape[1]} x {image.shape[0]} pixels", str(expected))
        return image

    def _load(self, name: PurePosixPath) -> bytes:
        data = read_whole(self._root / name, MAX_IMAGE_BYTES)
        digest = sha256(data).hexdigest()
        self.files.append(InputFile(path=name.as_posix(), size=len(data), sha256=digest))
        return data


def _decode_png(data: bytes, name: PurePosixPath, flags: int) -> np.ndarray | None:
    read_header(data, name.as_posix(), check_sums=True)
    return decode_pixels(data, flags)


def _make_surface(
    color: UInt8[np.ndarray, "H W 3"],
    depth: Float32[np.ndarray, "H W"],
    mask: Bool[np.ndarray, "H W"],
    camera: Camera,
    side: Side,
) -> Surface:
    inside = np.where(mask, depth, np.float32(0))
    return Surface(
        color=np.where(mask[..., None], color, np.uint8(0)),
        depth=inside,
        normal=normals_from_depth(inside, mask, camera, side),
        triangle=np.full(mask.shape, -1, np.int32),
    )


def _find_keypoints(reader: _Reader, files: ViewFiles) -> Float32[np.ndarray, "31 3"]:
    """Read the joints; orthographic views have none, and a scan without annotation neither."""
    if files.branch != "PERS" or not reader.is_there(files.keypoints):
        return np.zeros(_KEYPOINT_SHAPE, np.float32)
    keypoints = reader.read_keypoints(files.keypoints)
    known = keypoints.any(axis=1)
    keypoints[:, 2] = known
    return keypoints.astype(np.float32)


def _refuse(
    name: PurePosixPath, found: str, expected: str = "what the layout has there"
) -> InputError:
    return InputError(
        name.as_posix(), found=found, expected=expected,
        hint="Render the view again, or take all of its files away.",
    )  # fmt: skip
