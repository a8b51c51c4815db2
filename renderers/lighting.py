"""Lit colour of the front surface, as pyrender draws it, from the triangles that are seen.

Lights are a value, drawn from a seeded generator apart from any drawing, so that other kinds can
be added. The light that a surface sends back is worked out in shaders/lit.frag; tests give the same
scene to pyrender itself.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64, Int64, UInt8

from renderers.gl_objects import Uniform
from renderers.rasterizer import Rasterizer
from renderers.seen_pixels import paint_seen
from schemas.camera import Camera

AmbientLight = Literal["neutral", "published"]

SPOT_COUNT = 360
SPOT_RADIUS = 2.0
SPOT_INTENSITIES = (8, 9)
SPOT_GREEN = (0.7, 0.8)
SPOT_INNER_CONE, SPOT_OUTER_CONE = np.pi / 10, np.pi / 6
"""Source: docs/2k2k-dataset.md, "Measured on the published renderer", Lighting."""

SPOTS_USED = 4
"""What pyrender's shader holds of one kind. Source: pyrender.constants.MAX_N_LIGHTS."""

ROUGHNESS = (2 / 3) ** 0.25
"""What pyrender makes of an OBJ material without a shininess; a metal. Source: pyrender.Mesh."""

AMBIENT: dict[tuple[AmbientLight, str], tuple[float, float, float]] = {
    ("neutral", "perspective"): (0.01, 0.01, 0.01),
    ("neutral", "orthographic"): (0.01, 0.01, 0.01),
    ("published", "perspective"): (0.01, 0.01, 0.1),
    ("published", "orthographic"): (0.0, 0.0, 0.0),
}
"""By setting and projection. The published blue cast is kept out unless asked for."""

_AS_THEY_STAND = np.eye(4)


@dataclass(frozen=True, slots=True)
class SpotLights:
    """A ring of spot lights at height 0 round the world's origin, aimed at it.

    angles_deg: 0 is before the person (+z), 90 at +x. intensity: candela, for all. green: of the
    light's colour, whose red and blue are 1.
    """

    angles_deg: Int64[np.ndarray, " L"]
    intensity: float
    green: float


def choose_spot_lights(random: np.random.Generator) -> SpotLights:
    """Draw the lights of one view: the same generator state gives the same lights."""
    angles = random.integers(0, 360, size=SPOT_COUNT)
    intensity = SPOT_INTENSITIES[int(random.integers(0, len(SPOT_INTENSITIES)))]
    return SpotLights(angles, float(intensity), float(random.uniform(*SPOT_GREEN)))


def draw_lit(
    rasterizer: Rasterizer,
    camera: Camera,
    mesh_to_world: Float[np.ndarray, "4 4"],
    lights: SpotLights,
    *,
    ambient: AmbientLight = "neutral",
    lights_to_world: Float64[np.ndarray, "4 4"] = _AS_THEY_STAND,
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw the front surface under spot lights, flat-shaded, black outside.

    lights_to_world: similarity from the 2K2K camera's world, in which the lights are meant, to
    this one; the person is lit as there, whatever the unit of this world.
    """
    for image in rasterizer.images:
        image.add_levels()
    world_to_lights = np.linalg.inv(lights_to_world)
    camera_centre = np.linalg.inv(camera.world_to_camera)[:3, 3]
    cone = 1 / (math.cos(SPOT_INNER_CONE) - math.cos(SPOT_OUTER_CONE))
    uniforms = {
        "local_to_light": world_to_lights @ mesh_to_world @ rasterizer.local_to_mesh,
        "camera_position": world_to_lights[:3, :3] @ camera_centre + world_to_lights[:3, 3],
        "cone": np.array([cone, -cone * math.cos(SPOT_OUTER_CONE)]),
        "ambient": np.array(AMBIENT[ambient, camera.projection]),
        "roughness": ROUGHNESS,
    }
    return paint_seen(
        rasterizer, "lit.frag", camera, mesh_to_world,
        uniforms=uniforms | _spot_uniforms(lights),
    )  # fmt: skip


def _spot_uniforms(lights: SpotLights) -> dict[str, Uniform]:
    """Return the spots that pyrender would use, and no more; the others shine nothing.

    Its shader takes the four nearest to the mesh's origin. All are equally far, so which four
    hangs on rounding and memory addresses there; here it is the first four drawn.
    """
    uniforms: dict[str, Uniform] = {}
    angles = np.radians(lights.angles_deg[:SPOTS_USED])
    color = lights.intensity * np.array([1.0, lights.green, 1.0])
    for number in range(SPOTS_USED):
        angle = angles[number] if number < len(angles) else 0.0
        outward = np.array([np.sin(angle), 0.0, np.cos(angle)])
        uniforms[f"light_position[{number}]"] = SPOT_RADIUS * outward
        uniforms[f"light_direction[{number}]"] = -outward
        uniforms[f"light_color[{number}]"] = color * (number < len(angles))
    return uniforms
