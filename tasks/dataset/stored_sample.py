"""One stored sample: a row of a shard, decoded where it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from schemas.camera import CAMERA_MODELS, Camera, CameraName
from schemas.codecs import MASK_INSIDE, decode_depth, decode_image, decode_normals
from schemas.keypoints import JOINT_COUNT
from schemas.settings import RenderSettings
from schemas.views import View

Row = Mapping[str, object]


@dataclass(frozen=True)
class StoredSample:
    """A row, decoded where it is asked for. Not slotted: decoded values are kept."""

    row: Row
    settings: RenderSettings
    _images: dict[str, UInt8[np.ndarray, "H W 3"]] = field(default_factory=dict)

    @property
    def sample_id(self) -> str:
        """The row's own name."""
        return str(self.row["sample_id"])

    @property
    def view(self) -> View | None:
        """The view of the settings that the row says it is; its angles are stored as float32."""
        stored = tuple(self.row[key] for key in ("yaw", "pitch", "camera"))
        for view in self.settings.views:
            if (np.float32(view.yaw), np.float32(view.pitch), view.camera) == stored:
                return view
        return None

    @property
    def has_back(self) -> bool:
        """Whether the back surface is known: published labelled sets of HDNet have none."""
        return (
            self.settings.origin == "rendered" or CAMERA_MODELS[self.settings.camera].imports_back
        )

    @cached_property
    def camera(self) -> Camera:
        """The camera of the row's own matrices."""
        name = cast("CameraName", self.row["camera"])
        return Camera(
            name=name,
            projection=CAMERA_MODELS[name].projection,
            width=cast("int", self.row["width"]),
            height=cast("int", self.row["height"]),
            K=self.numbers("intrinsics").reshape(3, 3),
            world_to_camera=self.numbers("world_to_camera").reshape(4, 4),
        )

    @cached_property
    def mask_levels(self) -> UInt8[np.ndarray, "H W"]:
        """The mask as it is stored: 0 or 255."""
        return np.ascontiguousarray(self.image("mask")[..., 0])

    @cached_property
    def mask(self) -> Bool[np.ndarray, "H W"]:
        """True inside."""
        inside: Bool[np.ndarray, "H W"] = self.mask_levels > MASK_INSIDE // 2
        return inside

    @cached_property
    def depth(self) -> tuple[Float32[np.ndarray, "H W"], Float32[np.ndarray, "H W"]]:
        """Front and back ray length."""
        return decode_depth(self.encoded("depth"))

    @cached_property
    def normals(self) -> tuple[Float32[np.ndarray, "H W 3"], Float32[np.ndarray, "H W 3"]]:
        """Front and back normals."""
        return decode_normals(self.encoded("normals"))

    @cached_property
    def keypoints(self) -> Float[np.ndarray, "31 3"]:
        """x, y, known."""
        return self.numbers("keypoints").reshape(JOINT_COUNT, 3)

    def numbers(self, column: str) -> Float[np.ndarray, " N"]:
        """Return a list column as float64."""
        return np.asarray(self.row[column], np.float64)

    def encoded(self, column: str) -> bytes:
        """Return the encoded bytes of an image or map."""
        cell = self.row[column]
        data = cell["bytes"] if isinstance(cell, dict) else cell
        return cast("bytes", data)

    def image(self, column: str) -> UInt8[np.ndarray, "H W 3"]:
        """Decode an image, once."""
        if column not in self._images:
            self._images[column] = decode_image(self.encoded(column))
        return self._images[column]

    def rays_inside(self) -> Float[np.ndarray, "N 3"]:
        """Return the unit ray through the centre of each pixel of the mask, row by row."""
        rows, columns = np.nonzero(self.mask)
        rays = np.zeros((len(rows), 3))
        rays[:, 2] = 1
        if self.camera.is_perspective:
            K = self.camera.K
            rays[:, 0] = (columns + 0.5 - K[0, 2]) / K[0, 0]
            rays[:, 1] = (rows + 0.5 - K[1, 2]) / K[1, 1]
            rays /= np.sqrt(np.einsum("ij,ij->i", rays, rays))[:, None]
        return rays
