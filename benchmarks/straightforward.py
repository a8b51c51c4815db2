"""The straightforward way to render a scan: trimesh and Embree, vectorised; pyrender for light.

What a careful person writes in a day: rays only inside the person's rectangle, first hits by
Embree from the front and from behind, colour by cv2.remap, light by pyrender.OffscreenRenderer.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

os.environ.setdefault("PYOPENGL_PLATFORM", "egl")  # before pyrender is imported

import pyrender
import trimesh

from renderers.compositing import composite, crop_background
from renderers.placement import place_scan
from renderers.projected_joints import project_joints
from schemas.camera import Camera, project, ray_directions
from schemas.profiling import span
from schemas.sample import Sample, Surface, Surfaces
from schemas.scan import Scan
from schemas.seeds import generator
from schemas.settings import RenderSettings
from schemas.views import View, camera_of
from tasks.backgrounds import Backgrounds

Array = np.ndarray[Any, Any]
Window = tuple[slice, slice]

BACK_AND_FORTH = 3
"""Scene units from the camera to behind every person."""

LIGHTS = 4
"""As many as pyrender uses."""

TABLE_COLUMNS = 1 << 14
"""cv2.remap takes no longer row."""

TO_CAMERA_AXES = np.array([1, -1, -1])


def load_colored(path: Path) -> tuple[Any, Array | None]:
    """Read a mesh, and its texture unless its vertices have colours, as trimesh does."""
    mesh: Any = trimesh.load(path, process=False, force="mesh")
    if mesh.visual.kind == "vertex":
        return mesh, None
    return mesh, np.asarray(mesh.visual.material.image.convert("RGB"))


def draw_straightforward(
    mesh: Any,  # noqa: ANN401 - trimesh has no types
    texture: Array | None,
    *,
    scan: Scan,
    settings: RenderSettings,
    backgrounds: Backgrounds,
) -> Iterator[Sample]:
    """Make the samples of all views; joints come from `scan`."""
    placement = place_scan(scan.mesh, scan.ref, assumed_height_m=settings.assumed_height_m)
    for view in settings.views:
        camera, matrix = camera_of(view, settings.resolution), placement.turned(view)
        with span("build"):
            placed = mesh.copy()
            placed.apply_transform(matrix)
            caster = trimesh.ray.ray_pyembree.RayMeshIntersector(placed)
        with span("draw"):
            surfaces = cast_surfaces(placed, caster, camera, texture)
        with span("light"):
            shaded = light_with_pyrender(placed, camera, surfaces.mask)
        with span("composite"):
            image = lay_over_background(shaded, surfaces.mask, settings, backgrounds)
        yield assemble(scan, view, camera, matrix, surfaces=surfaces, shaded=shaded, image=image)


def cast_surfaces(mesh: Any, caster: Any, camera: Camera, texture: Array | None) -> Surfaces:  # noqa: ANN401
    """Cast one ray a pixel from the camera, and one back from behind the person."""
    window = person_window(mesh, camera)
    directions = (ray_directions(camera)[window] * TO_CAMERA_AXES).reshape(-1, 3)
    eye = np.array([0.0, 0.0, 1.0])
    forth = caster.intersects_first(np.broadcast_to(eye, directions.shape), directions)
    back = caster.intersects_first(eye + BACK_AND_FORTH * directions, -directions)
    front_surface, back_surface = (
        shade_hits(mesh, hit, directions, window=window, camera=camera, texture=texture)
        for hit in (forth, back)
    )
    mask = (front_surface.triangle >= 0) & (back_surface.triangle >= 0)
    return Surfaces(front_surface, back_surface, mask)


def person_window(mesh: Any, camera: Camera) -> Window:  # noqa: ANN401
    """Return the rows and columns that the mesh can cover."""
    pixels = project(camera, mesh.vertices)
    low = np.clip(np.floor(pixels.min(axis=0)).astype(int) - 1, 0, None)
    high = np.ceil(pixels.max(axis=0)).astype(int) + 1
    return slice(low[1], high[1]), slice(low[0], high[0])


def shade_hits(
    mesh: Any,  # noqa: ANN401
    hit: Array,
    directions: Array,
    *,
    window: Window,
    camera: Camera,
    texture: Array | None,
) -> Surface:
    """Work out depth, colour and normal where rays meet triangles."""
    eye = np.array([0.0, 0.0, 1.0])
    rays = np.flatnonzero(hit >= 0)
    faces = mesh.faces[hit[rays]]
    a, b, c = (mesh.vertices[faces[:, corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)
    towards = directions[rays]
    length = np.einsum("ij,ij->i", normal, a - eye) / np.einsum("ij,ij->i", normal, towards)
    weights = barycentric(eye + towards * length[:, None], (a, b, c), normal)
    smooth = np.einsum("ij,ijk->ik", weights, mesh.vertex_normals[faces])
    smooth /= np.linalg.norm(smooth, axis=1, keepdims=True)

    def paste(values: Array, dtype: type) -> Array:
        patch = np.zeros((len(hit), *values.shape[1:]), dtype)
        patch[rays] = values
        image = np.zeros((camera.height, camera.width, *values.shape[1:]), dtype)
        image[window] = patch.reshape(image[window].shape)
        return image

    return Surface.of_images(
        color=paste(color_hits(mesh, faces, weights, texture), np.uint8),
        depth=paste(length, np.float32),
        normal=paste(smooth * TO_CAMERA_AXES, np.float32),
        triangle=paste(hit[rays] + 1, np.int32) - 1,
    )


def color_hits(mesh: Any, faces: Array, weights: Array, texture: Array | None) -> Array:  # noqa: ANN401
    """Read the texture, or mix the colours of the corners."""
    if texture is None:
        colors = mesh.visual.vertex_colors[:, :3].astype(np.float32)
        mixed: Array = np.rint(np.einsum("ij,ijk->ik", weights, colors[faces]))
        return mixed
    return sample_texture(texture, np.einsum("ij,ijk->ik", weights, mesh.visual.uv[faces]))


def barycentric(points: Array, corners: tuple[Array, Array, Array], normal: Array) -> Array:
    """Return the weights of the corners at points in their planes, (N, 3)."""
    a, b, c = corners
    area = np.einsum("ij,ij->i", normal, normal)
    u = np.einsum("ij,ij->i", np.cross(c - b, points - b), normal) / area
    v = np.einsum("ij,ij->i", np.cross(a - c, points - c), normal) / area
    return np.stack([u, v, 1 - u - v], axis=1)


def sample_texture(texture: Array, uv: Array) -> Array:
    """Read the texture bilinearly."""
    height, width = texture.shape[:2]
    x = (uv[:, 0] % 1 * width - 0.5).astype(np.float32)
    y = ((1 - uv[:, 1] % 1) * height - 0.5).astype(np.float32)
    padding = -len(x) % TABLE_COLUMNS
    x, y = (np.pad(one, (0, padding)).reshape(-1, TABLE_COLUMNS) for one in (x, y))
    sampled = cv2.remap(texture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return sampled.reshape(-1, 3)[: len(uv)]


def light_with_pyrender(mesh: Any, camera: Camera, mask: Array) -> Array:  # noqa: ANN401
    """Light the front by spots on the published ring, as the published code does."""
    scene = pyrender.Scene(ambient_light=(0.01, 0.01, 0.01), bg_color=(0, 0, 0, 0))
    scene.add(pyrender.Mesh.from_trimesh(mesh, smooth=False))
    focal, centre = float(camera.K[0, 0]), float(camera.K[0, 2])
    pose = np.eye(4)
    pose[2, 3] = 1
    eye = pyrender.IntrinsicsCamera(focal, focal, centre, centre, znear=0.1, zfar=10)
    scene.add(eye, pose=pose)
    for angle in np.radians(generator(0, "lights").integers(360, size=LIGHTS)):
        cosine, sine = np.cos(angle), np.sin(angle)
        spot = np.array([[cosine, 0, sine, 2 * sine], [0, 1, 0, 0], [-sine, 0, cosine, 2 * cosine]])
        light = pyrender.SpotLight(np.ones(3), 8.0, None, np.pi / 10, np.pi / 6)
        scene.add(light, pose=np.vstack([spot, [0, 0, 0, 1]]))
    renderer = pyrender.OffscreenRenderer(camera.width, camera.height)
    color, _ = renderer.render(scene)
    renderer.delete()
    return np.where(mask[..., None], color, 0).astype(np.uint8)


def lay_over_background(
    shaded: Array, mask: Array, settings: RenderSettings, backgrounds: Backgrounds
) -> Array:
    """Lay the person over an image, with our own compositing."""
    rng = generator(0, "background")
    chosen = backgrounds.choose(settings.resolution, settings.max_enlargement, rng)
    if chosen is None:
        return shaded
    crop = crop_background(backgrounds.read(chosen), settings.resolution, rng)
    return composite(shaded, mask, crop)


def assemble(
    scan: Scan,
    view: View,
    camera: Camera,
    matrix: Array,
    *,
    surfaces: Surfaces,
    shaded: Array,
    image: Array,
) -> Sample:
    """Make the value that our own encoders take."""
    joints = project_joints(
        scan.joints, camera,
        mesh_to_world=matrix, front_depth=surfaces.front.depth, metres_per_unit=1.0,
    )  # fmt: skip
    return Sample(
        sample_id=view.sample_id(scan.ref.scan_id), ref=scan.ref, view=view, camera=camera,
        mesh_to_world=matrix, metres_per_unit=1.0, metric_source="file", surfaces=surfaces,
        shaded=shaded, image=image, keypoints=joints.pixels, joints_camera=joints.camera,
        keypoint_source=joints.source, keypoint_occluded=joints.occluded, background=None, seed=0,
    )  # fmt: skip
