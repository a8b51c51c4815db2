"""The settings of a data set: what decides its bytes, and nothing else.

Roots, workers, runner, logging and device are no settings.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from schemas.camera import CAMERA_MODELS, STANDARD_CAMERA, StandardCamera
from schemas.errors import RequestError
from schemas.exr_compression import ExrCompression
from schemas.fits import Fronting
from schemas.options import CONFIG, INTERNAL, Shown
from schemas.views import MAX_ANGLES, View, format_angle, parse_angles, views_of
from schemas.wording import shorten

DEFAULT_YAWS_DEG = (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0)
"""Source: docs/2k2k-dataset.md, "Placing a scan before the camera", step 5."""

RESOLUTION_STEP = 8
MIN_RESOLUTION = 64
MAX_PITCH_DEG = 89.0
DEGREES = Shown("DEGREES")
OLDER_DEFAULTS = {"lights": "spots"}
"""Defaults of older versions that are others today: data sets made with them keep them."""


@dataclass(frozen=True, slots=True)
class Later:
    """Marks a setting that came after the first data sets, in its Annotated type.

    At its default it is left out of digests: data sets that were made before it keep theirs.
    """


def angles_reader(setting: str) -> BeforeValidator:
    """Make what reads angles as they are written: `-30,0,45`, `-30:30:10` (stop included)."""

    def read(value: object) -> object:
        return parse_angles(value, setting=setting) if isinstance(value, str) else value

    return BeforeValidator(read, json_schema_input_type=tuple[float, ...] | str)


class RenderSettings(BaseModel):
    """Everything that a rendered sample's bytes depend on, besides its inputs and the code."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    origin: Annotated[Literal["rendered", "imported"], INTERNAL] = "rendered"
    """imported: read from images that other code rendered"""
    camera: StandardCamera = STANDARD_CAMERA
    """What the scans are seen by."""
    resolution: int = Field(default=2048, ge=MIN_RESOLUTION, multiple_of=RESOLUTION_STEP)
    """Pixels a side; 256 for hdnet, and no other."""
    yaws: Annotated[tuple[float, ...], angles_reader("--yaws"), DEGREES] = Field(
        default=DEFAULT_YAWS_DEG, min_length=1, max_length=MAX_ANGLES
    )
    """Degrees: a list, or start:stop:step, stop included."""
    pitches: Annotated[tuple[float, ...], angles_reader("--pitches"), DEGREES] = Field(
        default=(0.0,), min_length=1, max_length=MAX_ANGLES
    )
    """As --yaws."""
    orthographic: bool = False
    """Add orthographic views; not beside the camera hdnet."""
    normals: Annotated[Literal["smooth", "flat"], CONFIG] = "smooth"
    """Angle-weighted vertex normals, or face normals."""
    color_filter: Annotated[Literal["box", "nearest"], CONFIG] = "box"
    """How texels become a pixel: mean over its footprint, or nearest."""
    lights: Literal["spots", "harmonics"] = "harmonics"
    """How people are lit: from all around, never dark; or by the published spots."""
    ambient: Annotated[Literal["neutral", "published"], CONFIG] = "neutral"
    """published: (0.01, 0.01, 0.1), a blue cast, in perspective."""
    max_enlargement: float = Field(default=2.0, ge=1.0)
    """How much a background may be enlarged to cover an image."""
    seam: Annotated[Literal["filtered", "hard"], CONFIG] = "filtered"
    """Treatment of the border between person and background."""
    joint_factor: Annotated[float, CONFIG] = Field(default=1.0, gt=0)
    """1.037 imitates the published projection: docs/keypoints.md."""
    fronting: Fronting = "true_yaw"
    """How a SMPL-X fit's turn is read; published: imitated."""
    smplx_model: Annotated[str, INTERNAL] = ""
    """sha256 of the SMPL-X model that fills joints and checks fits"""
    require_fit: bool = False
    """Fail scans whose fit is missing or lies elsewhere."""
    iuv_files: Annotated[bool, CONFIG] = False
    """Take IUV from DensePose images where there are any."""
    assumed_height_m: Annotated[float, CONFIG] = Field(default=1.70, gt=0)
    """Metres; used where neither file nor fit gives a scale."""
    seed: int = Field(default=0, ge=0)
    """Seed of lights and backgrounds."""
    split_seed: Annotated[int, CONFIG] = Field(default=0, ge=0)
    """Seed of the train, val, test split."""
    jpeg_quality: Annotated[int, CONFIG] = Field(default=95, ge=1, le=100)
    """Of the training image."""
    exr_compression: Annotated[ExrCompression, Later()] = "zip"
    """Of depth and normals. fast_zip: ZIP too, quicker, 5% larger; htj2k: small, few readers."""

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
        """Refuse a size that the camera has not, and views that can't be added to its own."""
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
                message = f"{name} names an angle twice: {shorten(angles)}"
                raise ValueError(message)
        if any(abs(yaw) > MAX_ANGLES for yaw in self.yaws):
            message = f"yaws must lie within +-{MAX_ANGLES} degrees: {shorten(self.yaws)}"
            raise ValueError(message)
        if any(abs(pitch) > MAX_PITCH_DEG for pitch in self.pitches):
            message = f"pitches must lie within +-{MAX_PITCH_DEG} degrees: {shorten(self.pitches)}"
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


def digest_of(settings: BaseModel) -> str:
    """Return the sha256 hex digest of the canonical JSON, without what is Later and not used."""
    later = {
        name
        for name, field in type(settings).model_fields.items()
        if Later() in field.metadata and getattr(settings, name) == field.default
    }
    plain = settings.model_dump(mode="json", exclude=later)
    return hashlib.sha256(canonical_json(plain).encode()).hexdigest()


def refuse_difference(uri: str, *, stored: BaseModel, asked: BaseModel) -> None:
    """Refuse work whose settings differ from the data set's, naming what differs.

    Where the data set has what was the default of an older version, the option that asks for it is
    named: the same command, repeated, asks for something else today.
    """
    old, new = stored.model_dump(mode="json"), asked.model_dump(mode="json")
    differing = [
        f"{key}: {old[key]} there, {new[key]} asked" for key in old if old[key] != new[key]
    ]
    if differing:
        raise RequestError(
            uri,
            found="a data set made with other settings (" + "; ".join(differing) + ")",
            expected="the same settings for all of one data set",
            hint=f"Use the data set's settings{_name_older_defaults(old, new)}, or another --out.",
        )


def _name_older_defaults(old: dict[str, object], new: dict[str, object]) -> str:
    options = [
        f"--{key} {value}"
        for key, value in OLDER_DEFAULTS.items()
        if old.get(key) == value != new.get(key)
    ]
    return f" ({' '.join(options)}, once the default)" if options else ""
