"""What the device can hold: looked at before anything is sent to it."""

import cv2
import numpy as np
from jaxtyping import UInt8

from renderers.egl import GLInfo
from renderers.mesh_buffers import TEXELS_A_FACE, MeshBuffers
from schemas.camera import Camera
from schemas.errors import MachineError, RequestError


def check_resolution(info: GLInfo, camera: Camera) -> None:
    """Raise RequestError for an image of no size, MachineError for one past the device."""
    if camera.width < 1 or camera.height < 1:
        raise RequestError(
            "resolution",
            found=f"{camera.width} x {camera.height}",
            expected="at least one pixel each way",
            hint="Give a positive --resolution.",
        )
    side = max(camera.width, camera.height)
    limits = {
        "texture size": info.max_texture,
        "viewport size": info.max_viewport,
        "renderbuffer size": info.max_renderbuffer,
    }
    name, limit = min(limits.items(), key=lambda item: item[1])
    if side > limit:
        raise MachineError(
            f"resolution {camera.width} x {camera.height}",
            found=f"the {name} of {info.renderer} ends at {limit}",
            expected=f"at most {limit} pixels a side",
            hint="Lower --resolution, or draw on another device.",
        )


def check_faces(info: GLInfo, buffers: MeshBuffers) -> None:
    """Raise MachineError for more faces than the device's texture buffers hold."""
    limit = info.max_texture_buffer // TEXELS_A_FACE
    if len(buffers.faces) > limit:
        raise MachineError(
            "mesh",
            found=f"{len(buffers.faces)} faces",
            expected=f"at most {limit}, the texture buffer size of {info.renderer}",
            hint="Thin the mesh out, or draw on another device.",
        )


def fit_images(
    images: tuple[UInt8[np.ndarray, "_ _ 3"], ...], limit: int
) -> tuple[list[UInt8[np.ndarray, "_ _ 3"]], tuple[str, ...]]:
    """Shrink images that the device cannot hold, by area means; say so in warnings."""
    fitting, warnings = [], []
    for image in images:
        height, width = image.shape[:2]
        if max(height, width) > limit:
            scale = limit / max(height, width)
            size = max(round(width * scale), 1), max(round(height * scale), 1)
            fitting.append(np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA)))
            warnings.append(
                f"texture of {width} x {height} shrunk to {size[0]} x {size[1]}: "
                f"the device holds {limit} texels a side"
            )
        else:
            fitting.append(image)
    return fitting, tuple(warnings)
