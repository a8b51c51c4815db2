"""Which images are taken of a scan, and what their samples are called."""

import re
from dataclasses import dataclass

from schemas.camera import CAMERA_MODELS, STANDARD_CAMERA, Camera, CameraName, StandardCamera
from schemas.errors import RequestError

MAX_ANGLES = 3600
_RANGE = re.compile(r"^(?P<start>[^:]+):(?P<stop>[^:]+):(?P<step>[^:]+)$")


@dataclass(frozen=True, slots=True, order=True)
class View:
    """One scan seen at one yaw and pitch by one camera; angles in degrees."""

    yaw: float
    pitch: float = 0.0
    camera: CameraName = STANDARD_CAMERA

    def sample_id(self, scan_id: str) -> str:
        """Name the sample: `<dataset>/<item>/<yaw>`, other views append what makes them other."""
        parts = [scan_id, format_angle(self.yaw)]
        if self.pitch:
            parts.append(f"pitch{format_angle(self.pitch)}")
        return "/".join(filter(None, (*parts, CAMERA_MODELS[self.camera].id_suffix)))


def format_angle(degrees: float) -> str:
    """Write an angle by its shortest decimals: no plus sign, never -0, no exponent."""
    whole = float(degrees)
    if whole == int(whole):
        return str(int(whole))
    return f"{whole:.10f}".rstrip("0")


def parse_angles(text: str, *, setting: str) -> tuple[float, ...]:
    """Read `-30:30:10` (stop included) or `-30,0,45`; raises RequestError naming the setting."""
    match = _RANGE.match(text.strip())
    if match is None:
        angles = [_number(part, setting) for part in text.split(",")]
    else:
        start, stop, step = (_number(match[name], setting) for name in ("start", "stop", "step"))
        angles = _range(start, stop, step, setting)
    distinct = {format_angle(angle) for angle in angles}
    if len(distinct) != len(angles):
        raise RequestError(
            setting, found=f"{text!r} names an angle twice", expected="distinct angles",
            hint="Remove the repetition.",
        )  # fmt: skip
    return tuple(angle + 0.0 for angle in angles)


def views_of(
    yaws: tuple[float, ...],
    pitches: tuple[float, ...],
    *,
    camera: StandardCamera,
    orthographic: bool,
) -> tuple[View, ...]:
    """List the views of every scan; `orthographic` adds views, it replaces none."""
    companion = CAMERA_MODELS[camera].companion
    cameras = (camera, companion) if orthographic and companion else (camera,)
    return tuple(View(yaw, pitch, name) for name in cameras for pitch in pitches for yaw in yaws)


def camera_of(view: View, resolution: int) -> Camera:
    """Make the camera of a view that does not depend on the scan.

    Raises RequestError for a camera that is placed for each scan.
    """
    model = CAMERA_MODELS[view.camera]
    if not model.is_fixed:
        raise RequestError(
            "the camera", found=model.name, expected="one that stands still",
            hint="Place each scan before it: renderers.viewpoint.",
        )  # fmt: skip
    return model.camera(resolution)


def _number(text: str, setting: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) <= MAX_ANGLES:
        raise RequestError(
            setting, found=repr(text), expected="degrees, as in -30:30:10 or -30,0,45",
            hint="Write a list, or start:stop:step with the stop included.",
        )  # fmt: skip
    return value


def _range(start: float, stop: float, step: float, setting: str) -> list[float]:
    count = int((stop - start) / step + 1e-9) + 1 if step else 0
    if not 1 <= count <= MAX_ANGLES:
        raise RequestError(
            setting, found=f"{start}:{stop}:{step}",
            expected="a step that leads from start to stop",
            hint="Write start:stop:step, for example -30:30:10.",
        )  # fmt: skip
    return [round(start + step * index, 9) for index in range(count)]
