"""Images and maps as bytes, and back: PNG, JPEG and OpenEXR.

Images are RGB, row 0 on top. OpenEXR: data window = the person, display window = the image.
"""

import io
from collections.abc import Mapping

import cv2
import numpy as np
import OpenEXR
from jaxtyping import Bool, Float, Float16, Float32, UInt, UInt8

from schemas.errors import InputError
from schemas.exr_compression import EXR_CODECS, ExrCompression
from schemas.exr_encoding import encode_zip
from schemas.png_decoding import decode_8bit
from schemas.png_encoding import encode_8bit
from schemas.size_limits import MAX_TEXTURE_SIDE_PX, check_exr_size, check_image_size

DEPTH_CHANNELS = ("front.Z", "back.Z")
NORMAL_CHANNELS = ("front.NX", "front.NY", "front.NZ", "back.NX", "back.NY", "back.NZ")
MASK_INSIDE = 255

Box = tuple[slice, slice]
"""Rows and columns of an image, from their first to behind their last."""

_JPEG_444 = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)


def encode_png(image: UInt8[np.ndarray, "H W 3"]) -> bytes:
    """Encode RGB without loss."""
    return encode_8bit(image)


def encode_mask(mask: Bool[np.ndarray, "H W"]) -> bytes:
    """Encode a mask as 8-bit PNG, 255 inside."""
    return encode_8bit(mask.astype(np.uint8) * np.uint8(MASK_INSIDE))


def encode_jpeg(image: UInt8[np.ndarray, "H W 3"], quality: int) -> bytes:
    """Encode RGB as JPEG with full chroma resolution (4:4:4)."""
    options = (cv2.IMWRITE_JPEG_QUALITY, quality, *_JPEG_444)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return data.tobytes()


def encode_depth(
    front: Float32[np.ndarray, "h w"],
    back: Float32[np.ndarray, "h w"],
    mask: Bool[np.ndarray, "H W"],
    compression: ExrCompression = "zip",
    *,
    box: Box | None = None,
) -> bytes:
    """Encode ray lengths as OpenEXR, 32-bit float; scene units, 0 outside.

    box: rows and columns of the image that front and back hold; None: all.
    """
    planes = dict(zip(DEPTH_CHANNELS, (front, back), strict=True))
    return _encode_exr(planes, mask, np.float32, compression, box=box)


def encode_normals(
    front: Float[np.ndarray, "h w 3"],
    back: Float[np.ndarray, "h w 3"],
    mask: Bool[np.ndarray, "H W"],
    compression: ExrCompression = "zip",
    *,
    box: Box | None = None,
) -> bytes:
    """Encode unit normals in camera axes as OpenEXR, 16-bit float; 0 outside.

    box: as of encode_depth.
    """
    window = _window_of(mask, box)
    planes = [to_half(surface[window][..., axis]) for surface in (front, back) for axis in range(3)]
    return _write_exr(dict(zip(NORMAL_CHANNELS, planes, strict=True)), mask, compression)


def encode_front_normals(
    normals: Float32[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]
) -> bytes:
    """Encode one surface's normals in camera axes as OpenEXR, 32-bit float; 0 outside."""
    planes = [normals[..., axis] for axis in range(3)]
    return _encode_exr(dict(zip(NORMAL_CHANNELS[:3], planes, strict=True)), mask, np.float32)


def encode_z(depth: Float32[np.ndarray, "H W"], mask: Bool[np.ndarray, "H W"]) -> bytes:
    """Encode one surface's z (not ray length) as OpenEXR, 32-bit float, channel Z; 0 outside."""
    return _encode_exr({"Z": depth}, mask, np.float32)


def decode_front_normals(data: bytes) -> Float32[np.ndarray, "H W 3"]:
    """Decode one surface's normals at full size; camera axes, 0 outside."""
    planes = decode_exr(data, NORMAL_CHANNELS[:3])
    return np.stack([planes[name].astype(np.float32) for name in NORMAL_CHANNELS[:3]], axis=-1)


def decode_image(data: bytes) -> UInt8[np.ndarray, "H W 3"]:
    """Decode PNG or JPEG to RGB; raises InputError when it is neither or is cut."""
    return _decode("picture", data, cv2.IMREAD_COLOR_RGB)


def decode_pixels(data: bytes, flags: int) -> UInt[np.ndarray, "H W *channels"] | None:
    """Decode an image whose size was judged before; None where OpenCV finds none.

    flags: OpenCV's, as IMREAD_COLOR_RGB. Raises MemoryError when the machine has no room for it.
    """
    try:
        image: UInt[np.ndarray, "H W *channels"] | None
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(str(error)) from error
        return None
    return image


def decode_mask(data: bytes) -> Bool[np.ndarray, "H W"]:
    """Decode an 8-bit mask; True inside."""
    image = _decode("mask", data, cv2.IMREAD_GRAYSCALE)
    inside: Bool[np.ndarray, "H W"] = image > MASK_INSIDE // 2
    return inside


def decode_depth(
    data: bytes,
) -> tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W"]]:
    """Decode front and back ray length at full size; scene units, 0 outside."""
    planes = decode_exr(data, DEPTH_CHANNELS)
    return planes[DEPTH_CHANNELS[0]], planes[DEPTH_CHANNELS[1]]


def decode_normals(
    data: bytes,
) -> tuple[Float32[np.ndarray, "H W 3"], Float32[np.ndarray, "H W 3"]]:
    """Decode front and back normals at full size; camera axes, 0 outside."""
    planes = decode_exr(data, NORMAL_CHANNELS)
    stacked = np.stack([planes[name].astype(np.float32) for name in NORMAL_CHANNELS], axis=-1)
    return stacked[..., :3], stacked[..., 3:]


def decode_exr(data: bytes, channels: tuple[str, ...]) -> dict[str, Float[np.ndarray, "H W"]]:
    """Decode the named channels, pasted from the data window into the display window."""
    try:
        parts = OpenEXR.File(io.BytesIO(data), header_only=True).parts
        check_exr_size([part.header for part in parts], "OpenEXR")
        file = OpenEXR.File(io.BytesIO(data), separate_channels=True)
        header, stored = file.header(), file.channels()
        pixels = {name: stored[name].pixels for name in channels}
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise _undecodable(f"OpenEXR with channels {', '.join(channels)}", data) from error
    (left, top), (_, _) = header["dataWindow"]
    (x0, y0), (x1, y1) = header["displayWindow"]
    planes = {}
    for name, window in pixels.items():
        full = np.zeros((int(y1 - y0) + 1, int(x1 - x0) + 1), window.dtype)
        rows, columns = window.shape
        full[top - y0 : top - y0 + rows, left - x0 : left - x0 + columns] = window
        planes[name] = full
    return planes


def exr_compression_of(data: bytes) -> int:
    """Return the compression that an OpenEXR file's header names: schemas.exr_compression."""
    try:
        header = OpenEXR.File(io.BytesIO(data), header_only=True).header()
    except (RuntimeError, ValueError, TypeError) as error:
        raise _undecodable("OpenEXR", data) from error
    return int(header["compression"])


def bounding_window(mask: Bool[np.ndarray, "H W"]) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the smallest window that holds the mask, all included.

    An empty mask gives the top-left pixel, since a data window can't be empty.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return 0, 0, 0, 0
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


def _decode(what: str, data: bytes, flags: int) -> UInt8[np.ndarray, "H W *channels"]:
    try:
        check_image_size(data, what, max_pixels=MAX_TEXTURE_SIDE_PX**2)
    except InputError as error:
        raise _undecodable(what, data) from error
    ours = decode_8bit(data, 1 if flags == cv2.IMREAD_GRAYSCALE else 3)
    image = decode_pixels(data, flags) if ours is None else ours
    if image is None:
        raise _undecodable(what, data)
    return image


def _encode_exr(
    planes: Mapping[str, Float[np.ndarray, "h w"]],
    mask: Bool[np.ndarray, "H W"],
    precision: type[np.float16 | np.float32],
    compression: ExrCompression = "zip",
    *,
    box: Box | None = None,
) -> bytes:
    window = _window_of(mask, box)
    channels = {
        name: np.ascontiguousarray(plane[window], dtype=precision) for name, plane in planes.items()
    }
    return _write_exr(channels, mask, compression)


def _window_of(mask: Bool[np.ndarray, "H W"], box: Box | None = None) -> Box:
    """Return what the mask covers, in rows and columns of the box or of the image.

    A box need not hold the pixel that stands for an empty mask: then it is the box's first one.
    """
    left, top, right, bottom = bounding_window(mask)
    first = (0, 0) if box is None else (box[0].start, box[1].start)
    row, column = max(top - first[0], 0), max(left - first[1], 0)
    return np.s_[row : row + bottom - top + 1, column : column + right - left + 1]


def to_half(plane: Float[np.ndarray, "h w"]) -> Float16[np.ndarray, "h w"]:
    """Round to 16 bits as NumPy does; OpenCV does it with the processor's own instruction."""
    if plane.dtype != np.float32:
        return plane.astype(np.float16)
    flat = np.ascontiguousarray(plane)
    half: Float16[np.ndarray, "h w"]
    half = cv2.subtract(flat, 0, dtype=cv2.CV_16F)  # type: ignore[call-overload]  # knows no scalars
    return half


def _write_exr(
    channels: dict[str, Float[np.ndarray, "h w"]],
    mask: Bool[np.ndarray, "H W"],
    compression: ExrCompression,
) -> bytes:
    """Write channels of the mask's bounding window."""
    left, top, right, bottom = bounding_window(mask)
    height, width = mask.shape
    if compression == "fast_zip":
        data, display = (left, top, right, bottom), (0, 0, width - 1, height - 1)
        return encode_zip(channels, data=data, display=display)
    header = {
        "compression": OpenEXR.Compression(EXR_CODECS[compression].stored),
        "type": OpenEXR.scanlineimage,
        "dataWindow": (np.array([left, top], np.int32), np.array([right, bottom], np.int32)),
        "displayWindow": (
            np.array([0, 0], np.int32),
            np.array([width - 1, height - 1], np.int32),
        ),
    }
    buffer = io.BytesIO()
    OpenEXR.File(header, dict(channels)).write(buffer)  # it puts values of its own into the dict
    return buffer.getvalue()


def _undecodable(what: str, data: bytes) -> InputError:
    return InputError(
        what,
        found=f"{len(data)} bytes that begin with {data[:8]!r} and can't be decoded",
        expected="a whole PNG, JPEG or OpenEXR file",
        hint="Run `scanmill validate` on the data set, then `scanmill rerun --deep`.",
    )
