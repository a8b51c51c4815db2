"""Lit colour of the front surface, by pyrender's shader in our own GL context.

Lights are a value, drawn from a seeded generator apart from any drawing, so that other kinds can
be added. Of pyrender only the renderer class is used, none of its windows or platforms.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64, Int32, Int64, UInt8

from renderers.lit_geometry import LitGeometry
from renderers.lit_scene import GL_CAMERA_FROM_CAMERA, LitRenderer, OrderedScene, RectangleCamera
from renderers.rasterizer import Rasterizer
from renderers.view_rays import work_out_view
from schemas.camera import Camera

# isort: split
# pyrender imports OpenGL, and that may not happen before renderers.gl has chosen the platform.
import pyrender

AmbientLight = Literal["neutral", "published"]

SPOT_COUNT = 360
SPOT_RADIUS = 2.0
SPOT_INTENSITIES = (8, 9)
SPOT_GREEN = (0.7, 0.8)
SPOT_INNER_CONE, SPOT_OUTER_CONE = np.pi / 10, np.pi / 6
"""Source: docs/2k2k-dataset.md, "Measured on the published renderer", Lighting."""

SPOTS_USED = 4
"""What pyrender's shader holds of one kind. Source: pyrender.constants.MAX_N_LIGHTS."""

AMBIENT: dict[tuple[AmbientLight, str], tuple[float, float, float]] = {
    ("neutral", "perspective"): (0.01, 0.01, 0.01),
    ("neutral", "orthographic"): (0.01, 0.01, 0.01),
    ("published", "perspective"): (0.01, 0.01, 0.1),
    ("published", "orthographic"): (0.0, 0.0, 0.0),
}
"""By setting and projection. The published blue cast is kept out unless asked for."""

_AS_THEY_STAND = np.eye(4)
NEIGHBOURS = ((0, -1), (0, 1), (-1, 0), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))
"""Row and column steps; those that share a side come first."""


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
    mask: Bool[np.ndarray, "H W"],
    lights: SpotLights,
    *,
    ambient: AmbientLight = "neutral",
    visible: Int32[np.ndarray, "H W"] | None = None,
    lights_to_world: Float64[np.ndarray, "4 4"] = _AS_THEY_STAND,
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw the front surface under spot lights, flat-shaded, black outside the mask.

    mask: of the same view, from `Rasterizer.draw`. The few of its pixels that pyrender's own
    rasterisation misses take the colour of a neighbour. visible: the front surface's triangles, of
    the same view too; with it only these are drawn and lit, which takes half the time.
    lights_to_world: similarity from the 2K2K camera's world, in which the lights are meant, to
    this one; the person is lit as there, whatever the unit of this world.
    """
    rasterizer.context.check()
    image: UInt8[np.ndarray, "H W 3"] = np.zeros((camera.height, camera.width, 3), np.uint8)
    local_to_world = mesh_to_world @ rasterizer.buffers.local_to_mesh
    view = work_out_view(camera, local_to_world, rasterizer.buffers.positions)
    if view is None:
        return image
    renderer = rasterizer.context.cached("lit renderer", LitRenderer)
    geometry = rasterizer.cached("lit geometry", lambda: LitGeometry(rasterizer, renderer))
    scene = OrderedScene(
        bg_color=(0.0, 0.0, 0.0, 0.0), ambient_light=AMBIENT[ambient, camera.projection]
    )
    geometry.show(None if visible is None else visible[view.rectangle.slices])
    scene.add(geometry.mesh, pose=local_to_world)
    pose = np.linalg.inv(camera.world_to_camera) @ GL_CAMERA_FROM_CAMERA
    scene.add(RectangleCamera(camera, view.rectangle, view.near, view.far), pose=pose)
    _add_spots(scene, lights, lights_to_world)
    lit = renderer.draw(scene, view.rectangle)
    image[view.rectangle.slices] = _cut_by_mask(lit, mask[view.rectangle.slices])
    return image


def _add_spots(
    scene: OrderedScene, lights: SpotLights, lights_to_world: Float64[np.ndarray, "4 4"]
) -> None:
    """Add the spots that pyrender would use, and no more.

    Its shader takes the four nearest to the mesh's origin. All are equally far, so which four
    hangs on rounding and memory addresses there; here it is the first four drawn. Light falls
    off with the square of the distance, so a unit's size squared goes into the intensity.
    """
    units = float(np.linalg.norm(lights_to_world[:3, 0]))
    for angle in np.radians(lights.angles_deg[:SPOTS_USED]):
        backward = np.array([np.sin(angle), 0.0, np.cos(angle)])
        pose = np.eye(4)
        pose[:3, 0] = np.cross([0.0, 1.0, 0.0], backward)
        pose[:3, 2], pose[:3, 3] = backward, SPOT_RADIUS * backward
        pose = lights_to_world @ pose
        pose[:3, :3] /= units
        spot = pyrender.SpotLight(
            color=[1.0, lights.green, 1.0],
            intensity=lights.intensity * units**2,
            innerConeAngle=SPOT_INNER_CONE,
            outerConeAngle=SPOT_OUTER_CONE,
        )
        scene.add(spot, pose=pose)


def _cut_by_mask(
    lit: UInt8[np.ndarray, "h w 4"], inside: Bool[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w 3"]:
    """Blacken what lies outside; give missed pixels the colour of a neighbour, ring by ring."""
    color = np.where(inside[..., None], lit[..., :3], np.uint8(0))
    known = inside & (lit[..., 3] > 0)
    missing = np.argwhere(inside & ~known)
    while len(missing) and known.any():
        found, colors = _neighbour_colors(color, known, missing)
        if not found.any():
            break
        rows, columns = missing[found].T
        color[rows, columns], known[rows, columns] = colors[found], True
        missing = missing[~found]
    return color


def _neighbour_colors(
    color: UInt8[np.ndarray, "h w 3"],
    known: Bool[np.ndarray, "h w"],
    pixels: Int64[np.ndarray, "N 2"],
) -> tuple[Bool[np.ndarray, " N"], UInt8[np.ndarray, "N 3"]]:
    """Look for a known neighbour of each pixel, in a fixed order: whether, and its colour."""
    found = np.zeros(len(pixels), bool)
    colors = np.zeros((len(pixels), 3), np.uint8)
    for step in NEIGHBOURS:
        rows, columns = (pixels + step).T
        valid = (rows >= 0) & (rows < known.shape[0]) & (columns >= 0) & (columns < known.shape[1])
        valid[valid] &= known[rows[valid], columns[valid]]
        new = valid & ~found
        colors[new], found[new] = color[rows[new], columns[new]], True
    return found, colors
