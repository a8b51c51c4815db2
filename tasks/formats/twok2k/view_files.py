"""The files of one view of the published 2K2K layout, read as they are."""

import io
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8, UInt16

from schemas.camera import Camera
from schemas.codecs import decode_pixels
from schemas.errors import InputError
from schemas.keypoints import JOINT_COUNT
from schemas.regular_files import read_whole
from schemas.scan import InputFile, ScanRef
from schemas.size_limits import MAX_IMAGE_BYTES, check_array_size
from schemas.views import View, camera_of
from tasks.formats.twok2k.depth16 import decode_depth16
from tasks.formats.twok2k.twok2k_layout import SIDES, ViewFiles
from tasks.scans.textures import read_header

_KEYPOINT_SHAPE = (JOINT_COUNT, 3)


@dataclass(frozen=True, slots=True)
class PublishedView:
    """All that is stored of one view. Pairs are front and back.

    depth: ray length, 0 outside. keypoints: x, y, known in corner-origin pixels; None without the
    file, as for every orthographic view. files: what was read.
    """

    names: ViewFiles
    camera: Camera
    depth: tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W"]]
    color: tuple[UInt8[np.ndarray, "H W 3"], UInt8[np.ndarray, "H W 3"]]
    shaded: UInt8[np.ndarray, "H W 3"]
    keypoints: Float64[np.ndarray, "31 3"] | None
    files: tuple[InputFile, ...]


def read_view(root: Path, ref: ScanRef, view: View, resolution: int) -> PublishedView:
    """Read one view; raises InputError naming the file that is missing, broken or of other size."""
    reader = _Reader(root, resolution)
    names, camera = ViewFiles(ref.dataset, ref.item, view), camera_of(view, resolution)
    front, back = (reader.read_depth(names.depth(side), camera) for side in SIDES)
    color_front, color_back = (reader.read_color(names.color(side)) for side in SIDES)
    has_keypoints = names.branch == "PERS" and (root / names.keypoints).is_file()
    return PublishedView(
        names=names,
        camera=camera,
        depth=(front, back),
        color=(color_front, color_back),
        shaded=reader.read_color(names.shaded),
        keypoints=reader.read_keypoints(names.keypoints) if has_keypoints else None,
        files=tuple(reader.files),
    )


def read_front_depth(
    root: Path, ref: ScanRef, view: View, resolution: int
) -> Float32[np.ndarray, "H W"]:
    """Read the ray lengths of the front surface alone; raises InputError as read_view."""
    name = ViewFiles(ref.dataset, ref.item, view).depth("front")
    return _Reader(root, resolution).read_depth(name, camera_of(view, resolution))


class _Reader:
    """Owns: the digests of the files of one view, in the order of reading."""

    def __init__(self, root: Path, resolution: int) -> None:
        self._root, self._resolution = root, resolution
        self.files: list[InputFile] = []

    def read_depth(self, name: PurePosixPath, camera: Camera) -> Float32[np.ndarray, "H W"]:
        stored: UInt16[np.ndarray, "H W"] = self._read(name, cv2.IMREAD_UNCHANGED, np.uint16, 2)
        return decode_depth16(stored, camera)

    def read_color(self, name: PurePosixPath) -> UInt8[np.ndarray, "H W 3"]:
        return self._read(name, cv2.IMREAD_COLOR_RGB, np.uint8, 3)

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

    def _read(
        self, name: PurePosixPath, flags: int, kind: type[np.generic], axes: int
    ) -> np.ndarray:
        data = self._load(name)
        read_header(data, name.as_posix(), check_sums=True)
        image = decode_pixels(data, flags)
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


def _refuse(
    name: PurePosixPath, found: str, expected: str = "what the layout has there"
) -> InputError:
    return InputError(
        name.as_posix(), found=found, expected=expected,
        hint="Render the view again, or take all of its files away.",
    )  # fmt: skip
