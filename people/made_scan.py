"""What every kind of person becomes before it is written: mesh, texture, annotations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int32, UInt8

from people.atlas import Atlas

FigureKind = Literal["lifelike", "sculpted"]
"""lifelike: MakeHuman's bodies in draped clothes. sculpted: the older kind, signed distances."""


@dataclass(frozen=True, slots=True)
class FitPose:
    """The pose and shape under which the stand-in SMPL-X model's joints are a person's.

    betas: shape. turns: by number of the joint (0 the pelvis), rotations in rest axes; an absent
    joint does not turn. rest_pelvis_m: where the model's pelvis is with these betas.
    posed_pelvis_cm: where the person's is.
    """

    betas: Float64[np.ndarray, " 10"]
    turns: dict[int, Float64[np.ndarray, "3 3"]]
    rest_pelvis_m: Float64[np.ndarray, " 3"]
    posed_pelvis_cm: Float64[np.ndarray, " 3"]


@dataclass(frozen=True, slots=True)
class MadeScan:
    """A finished person; centimetres, y up, facing +z, feet on y = 0.

    index: who of the run. joints: COCO-WholeBody. texture: RGB, row 0 at the top. labels: class of
    each face, None where there are none. annotations: more files, by name without folder, which are
    written beside the layouts.
    """

    index: int
    vertices: Float64[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    atlas: Atlas
    texture: UInt8[np.ndarray, "S S 3"]
    joints: Float64[np.ndarray, "133 3"]
    fit: FitPose | None
    labels: UInt8[np.ndarray, " F"] | None = None
    annotations: Mapping[str, bytes] = field(default_factory=dict)
