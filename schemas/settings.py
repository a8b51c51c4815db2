"""The settings of a data set: what decides its bytes, and nothing else.

Roots, workers, runner, logging and device are no settings.
"""

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.camera import CAMERA_MODELS, STANDARD_CAMERA, StandardCamera
from schemas.errors import RequestError
from schemas.fits import Fronting
from schemas.views import View, format_angle, views_of

DEFAULT_YAWS_DEG = (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0)
"""Source: docs/2k2k-dataset.md, "Placing a scan before the camera", step 5."""

RESOLUTION_STEP = 8
MIN_RESOLUTION = 64
MAX_PITCH_DEG = 89.0


class RenderSettings(BaseModel):
    """Everything that a rendered sample's bytes depend on, besides its inputs and the code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: Literal["rendered", "imported"] = Field(
        default="rendered", description="imported: read from images that other code rendered"
    )
    camera: StandardCamera = Field(
        default=STANDARD_CAMERA, description="camera of the standard views"
    )
    resolution: int = Field(
        default=2048, ge=MIN_RESOLUTION, multiple_of=RESOLUTION_STEP,
        description="pixels a side; the camera hdnet has 256 and no other",
    )  # fmt: skip
    yaws: tuple[float, ...] = Field(default=DEFAULT_YAWS_DEG, min_length=1, description="degrees")
    pitches: tuple[float, ...] = Field(default=(0.0,), min_length=1, description="degrees")
    orthographic: bool = Field(
        default=False, description="adds orthographic views; not beside the camera hdnet"
    )
    normals: Literal["smooth", "flat"] = Field(
        default="smooth", description="angle-weighted vertex normals, or face normals"
    )
    color_filter: Literal["box", "nearest"] = Field(
        default="box", description="how texels become a pixel: mean over its footprint, or nearest"
    )
    lights: Literal["spots", "harmonics"] = Field(
        default="spots",
        description="lighting of `shaded`: published spots, or second-order spherical harmonics",
    )
    ambient: Literal["neutral", "published"] = Field(
        default="neutral", description="published: (0.01, 0.01, 0.1), a blue cast, in perspective"
    )
    max_enlargement: float = Field(
        default=2.0, ge=1.0, description="how much a background may be enlarged to cover an image"
    )
    seam: Literal["filtered", "hard"] = Field(
        default="filtered", description="treatment of the border between person and background"
    )
    joint_factor: float = Field(
        default=1.0, gt=0, description="1.037 imitates the published projection: docs/keypoints.md"
    )
    fronting: Fronting = Field(
        default="true_yaw", description="how a SMPL-X fit's turn is read; published: imitated"
    )
    smplx_model: str = Field(
        default="", description="sha256 of the SMPL-X model that fills joints and checks fits"
    )
    require_fit: bool = Field(
        default=False, description="a scan whose fit is missing or lies elsewhere fails"
    )
    iuv_files: bool = Field(
        default=False, description="IUV is taken from DensePose images where there are any"
    )
    assumed_height_m: float = Field(
        default=1.70, gt=0, description="metres; used where neither file nor fit gives a scale"
    )
    seed: int = Field(default=0, ge=0, description="seed of lights and backgrounds")
    split_seed: int = Field(default=0, ge=0, description="seed of the train, val, test split")
    jpeg_quality: int = Field(default=95, ge=1, le=100, description="of the training image")

    @model_validator(mode="before")
    @classmethod
    def _take_fixed_resolution(cls, values: object) -> object:
        """Give a camera of one size that size where none is asked for."""
        if isinstance(values, dict):
            for model in CAMERA_MODELS.values():
                if model.resolution and model.name == values.get("camera"):
                    return {"resolution": model.resolution, **values}
        return values

    @model_validator(mode="after")
    def _fit_camera(self) -> "RenderSettings":
        """Refuse a size that the camera has not, and views that can't stand beside its own."""
        model = CAMERA_MODELS[self.camera]
        if model.resolution not in (None, self.resolution):
            message = (
                f"camera {model.name} with resolution {model.resolution}, not {self.resolution}"
            )
            raise ValueError(message)
        if self.orthographic and model.companion is None:
            message = f"camera {model.name} without orthographic views"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _views_are_distinct(self) -> "RenderSettings":
        for name, angles in (("yaws", self.yaws), ("pitches", self.pitches)):
            if len({format_angle(angle) for angle in angles}) != len(angles):
                message = f"{name} names an angle twice: {angles}"
                raise ValueError(message)
        if any(abs(pitch) > MAX_PITCH_DEG for pitch in self.pitches):
            message = f"pitches must lie within +-{MAX_PITCH_DEG} degrees: {self.pitches}"
            raise ValueError(message)
        return self

    @property
    def views(self) -> tuple[View, ...]:
        """List the views of every scan, in the order in which they are stored."""
        return views_of(self.yaws, self.pitches, camera=self.camera, orthographic=self.orthographic)


def canonical_json(value: BaseModel | dict[str, object]) -> str:
    """Write JSON that is equal for equal values: sorted keys, no spaces, no NaN."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(value: BaseModel | dict[str, object]) -> str:
    """Return the sha256 hex digest of the canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def refuse_difference(uri: str, *, stored: BaseModel, asked: BaseModel) -> None:
    """Refuse work whose settings differ from the data set's, naming what differs."""
    old, new = stored.model_dump(mode="json"), asked.model_dump(mode="json")
    differing = [
        f"{key}: {old[key]} there, {new[key]} asked" for key in old if old[key] != new[key]
    ]
    if differing:
        raise RequestError(
            uri,
            found="a data set made with other settings (" + "; ".join(differing) + ")",
            expected="the same settings for all of one data set",
            hint="Use the data set's settings, or another --out.",
        )
