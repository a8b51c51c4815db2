"""A scan as it comes from disk: one textured mesh of one person, its joints and its files.

Coordinates are those of the scan's own file (y up, the person faces +z), whatever its unit.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, UInt8, UInt16
from pydantic import BaseModel, ConfigDict, Field

from schemas.fits import FittedBody, SmplxFit

DatasetName = Literal["RP", "THuman2", "2K2K", "HDNet"]
"""HDNet: frames of its published labelled set; they come from no scan."""
DENSEPOSE_PARTS = 24
"""Numbered from 1; 0 is background. Source: docs/hdnet-dataset.md, "DensePose IUV"."""
CHART_END, CHART_ROW = 65535, np.dtype("<u2")
"""The stored number at the end of a chart, and the type of a stored row."""
ScannedName = Literal["RP", "THuman2", "2K2K"]
"""Those that consist of scans."""

DATASET_NAMES: tuple[ScannedName, ...] = get_args(ScannedName)


class InputFile(BaseModel):
    """One file that decided a sample's bytes, or was looked for and is absent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(description="below its root, with forward slashes")
    root: Literal["data", "backgrounds", "densepose"] = "data"
    size: int | None = Field(default=None, description="bytes; null: absent")
    sha256: str | None = Field(default=None, description="hex digest; null: absent")


class ScanRef(BaseModel):
    """Which scan is meant, before anything of it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: DatasetName
    item: str = Field(
        description="RenderPeople: e.g. rp_aaron_posed_013; HDNet: a frame; else the id, e.g. 0016"
    )
    subject: str = Field(description="groups the scans of one person")
    split: Literal["train", "val", "test"]

    @property
    def scan_id(self) -> str:
        """Return `<dataset>/<item>`, the stem of its sample ids."""
        return f"{self.dataset}/{self.item}"


@dataclass(frozen=True, slots=True)
class Material:
    """What a group of faces is painted with.

    texture: RGB, row 0 is the top of the image (v = 1), or None. color: RGB used where there
    is no texture.
    """

    name: str
    texture: UInt8[np.ndarray, "TH TW 3"] | None
    color: tuple[int, int, int] = (204, 204, 204)


FACES_AT_ONCE = 1 << 16
"""Of a mesh, where arrays of all of them would take more memory and more time than some do."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """A triangle mesh with separate indices for positions and texture coordinates.

    vertices: file coordinates. faces: into vertices. uv: u right, v up, (0, 0) bottom left.
    uv_faces: into uv; -1 in all three corners of a face without texture coordinates.
    face_material: into materials; -1 for none. vertex_colors: RGB, used by faces without texture.
    """

    vertices: Float64[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    uv: Float32[np.ndarray, "T 2"] | None = None
    uv_faces: Int32[np.ndarray, "F 3"] | None = None
    face_material: Int32[np.ndarray, " F"] | None = None
    vertex_colors: UInt8[np.ndarray, "V 3"] | None = None
    materials: tuple[Material, ...] = ()

    @property
    def used_vertices(self) -> Float64[np.ndarray, "U 3"]:
        """The vertices that faces use, each once, in their order."""
        is_used = np.zeros(len(self.vertices), bool)
        is_used[self.faces.ravel()] = True
        return self.vertices[is_used]


@dataclass(frozen=True, slots=True)
class Charts:
    """DensePose charts of a mesh's faces.

    part: 1..24. uv: U and V at the corners, 0..1 over the part's chart.
    """

    part: UInt8[np.ndarray, " F"]
    uv: Float32[np.ndarray, "F 3 2"]

    @staticmethod
    def from_rows(rows: UInt16[np.ndarray, "F 7"]) -> "Charts":
        """Undo `rows`."""
        uv = rows[:, 1:].astype(np.float32) / CHART_END
        return Charts(part=rows[:, 0].astype(np.uint8), uv=uv.reshape(-1, 3, 2))

    @property
    def rows(self) -> UInt16[np.ndarray, "F 7"]:
        """What `DensePose/<dataset>/<item>.npy` holds: part, then u, v of the three corners.

        u and v are 0..65535, where 65535 is the end of the part's chart.
        """
        uv = np.rint(self.uv.reshape(len(self.part), -1) * CHART_END)
        return np.column_stack([self.part, uv]).astype(CHART_ROW)


@dataclass(frozen=True, slots=True)
class Joints:
    """The 31 joints of a scan in file coordinates, NaN where unknown.

    source: 0 none, 1 annotated, 2 corrected, 3 copied, 4 SMPL-X (schemas.keypoints.KeypointSource).
    """

    positions: Float64[np.ndarray, "31 3"]
    known: Bool[np.ndarray, " 31"]
    source: UInt8[np.ndarray, " 31"]


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything read for one scan.

    fit: None where there is none. body: the body of the fit, None without a SMPL-X model.
    charts: None where the faces' DensePose parts are unknown, as for all scans but synthetic ones.
    """

    ref: ScanRef
    mesh: Mesh
    joints: Joints
    files: tuple[InputFile, ...]
    warnings: tuple[str, ...] = ()
    fit: SmplxFit | None = None
    body: FittedBody | None = None
    charts: Charts | None = None


class VideoRef(BaseModel):
    """One sequence of frames."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    video: str = Field(min_length=1, description="name of its folder")
    folder: str = Field(description="below the data root, forward slashes; . for the root itself")
    split: Literal["train", "val", "test"]
    layout: Literal["sequence", "published"] = Field(
        default="sequence", description="a folder of frames, or part of a published HDNet set"
    )
