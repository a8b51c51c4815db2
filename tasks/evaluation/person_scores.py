"""What 2K2K predicted of one sample against the sample itself: depth, normals, mask, mesh.

Depth and normals are compared in the sample's own camera, at the resolution of the nets; meshes in
world axes, with the scan that the sample was drawn from.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from renderers.session import open_session
from schemas.camera import Camera, camera_2k2k, ray_directions
from schemas.errors import InputError
from schemas.evaluation import Measures, Protocol
from tasks.dataset.stored_sample import StoredSample
from tasks.evaluation.aligning import align
from tasks.evaluation.data_items import DataItem, scan_to_world
from tasks.evaluation.image_measures import measure_angle, measure_depth, silhouette_overlap
from tasks.evaluation.shape_files import read_shape
from tasks.evaluation.surface import ShapeSurface
from tasks.evaluation.surface_measures import measure_surfaces
from tasks.evaluation.view_measures import measure_views
from tasks.reconstruction.sheets import ColoredMesh, make_sheets
from tasks.reconstruction.surfaces import Surfaces, make_surfaces, to_ray_length

CM_PER_METRE = 100.0
MASK_THRESHOLD = 0.5
NORMAL_Z_PX = 2.008
"""z of the nets' normals, whose x and y are slopes in pixel-depths a pixel.

Source: docs/networks.md, "Other resolutions"."""

MIN_Z = 1e-3
SIDES = ("front", "back")


@dataclass(frozen=True, slots=True)
class PersonTarget:
    """A sample at the resolution of the nets.

    front, back: ray length, scene units, 0 outside. normals: of both, camera axes.
    cm_per_unit: of a scene unit.
    """

    image: UInt8[np.ndarray, "R R 3"]
    front: Float32[np.ndarray, "R R"]
    back: Float32[np.ndarray, "R R"]
    normals: tuple[Float32[np.ndarray, "R R 3"], Float32[np.ndarray, "R R 3"]]
    keypoints: Float32[np.ndarray, "31 3"]
    camera: Camera
    cm_per_unit: float

    @property
    def inside(self) -> Bool[np.ndarray, "R R"]:
        """True where the person is."""
        inside: Bool[np.ndarray, "R R"] = self.front > 0
        return inside

    @property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """What the nets read: schemas.prediction.PredictionJob."""
        return {"image": self.image, "mask": self.inside, "keypoints": self.keypoints}


def read_target(sample: StoredSample, resolution: int) -> PersonTarget:
    """Bring a sample to a resolution, as training does: every n-th pixel of the maps.

    Raises InputError where the sample's width is no multiple of it.
    """
    side = sample.mask.shape[0]
    every, rest = divmod(side, resolution)
    if rest or not every:
        raise InputError(
            sample.sample_id, found=f"{side} pixels a side",
            expected=f"a multiple of the {resolution} that the nets were trained at",
            hint="Render the data set at another --resolution.",
        )  # fmt: skip
    pick = np.s_[(every - 1) // 2 :: every, (every - 1) // 2 :: every]
    front, back = (np.ascontiguousarray(depth[pick]) for depth in sample.depth)
    keypoints = sample.keypoints.astype(np.float32)
    keypoints[:, :2] /= every
    image = sample.image("image")
    if every > 1:
        image = cv2.resize(image, (resolution, resolution), interpolation=cv2.INTER_AREA)
    first, second = (np.ascontiguousarray(normal[pick]) for normal in sample.normals)
    metres = float(str(sample.row["metres_per_unit"]))
    return PersonTarget(
        image, front, back, (first, second), keypoints, camera_2k2k(resolution),
        metres * CM_PER_METRE,
    )  # fmt: skip


def measure_maps(target: PersonTarget, predicted: Mapping[str, np.ndarray]) -> Measures:
    """Compare depth, normals of the nets, normals of the depth, and the mask."""
    inside, camera = target.inside, target.camera
    said = predicted["mask"] > MASK_THRESHOLD
    measures: Measures = {"mask_overlap": silhouette_overlap(said, inside)}
    planes = np.split(predicted["normals"].astype(np.float64), 2)
    for side, true, normals, plane in zip(
        SIDES, (target.front, target.back), target.normals, planes, strict=True
    ):
        length = to_ray_length(predicted[side], camera)
        cm = target.cm_per_unit
        measures |= measure_depth(cm * length, cm * true, inside, name=f"depth_{side}")
        covered = inside & (plane.sum(axis=0) > 0)  # no part reaches the other pixels
        seen = normals_of_slopes(
            *slopes_of_nets(plane, camera), true, camera, is_front=side == "front"
        )
        measures |= measure_angle(seen, normals, covered, name=f"normal_{side}")
        across, down, has_both = slopes_of_depth(length, inside)
        of_depth = normals_of_slopes(across, down, length, camera, is_front=side == "front")
        measures |= measure_angle(of_depth, normals, has_both, name=f"depth_normal_{side}")
    return measures


def measure_mesh(
    target: PersonTarget,
    item: DataItem,
    sample: StoredSample,
    predicted: Mapping[str, np.ndarray],
    protocol: Protocol,
    *,
    scale: float,
) -> tuple[Measures, ColoredMesh]:
    """Mesh the predicted surfaces and compare them with the scan; returns the mesh, scene units.

    scale: on scene units. Where the scan is unknown it is the mesh of the stored depth.
    Raises InputError when nothing was predicted that could be meshed.
    """
    surfaces = make_surfaces(predicted, target.image, target.inside)
    made = make_sheets(surfaces, scale)
    covered = float(surfaces.mask.sum() / target.inside.sum())
    cm = target.cm_per_unit
    mesh = ShapeSurface(made.vertices * cm, made.faces.astype(np.int64))
    scan = find_scan_surface(target, item, sample)
    moved, _ = align(mesh, scan, protocol.align, seed=protocol.seed)
    measures = measure_surfaces(moved, scan, protocol).measures
    seen = measure_views(moved, scan, protocol, open_session())
    return {**measures, "mesh_coverage": covered, **seen}, made


def find_scan_surface(target: PersonTarget, item: DataItem, sample: StoredSample) -> ShapeSurface:
    """Return the scan in world axes, centimetres; without its file: the stored depth, meshed."""
    if item.scan is None:
        stored = Surfaces(target.front, target.back, target.image, target.camera)
        sheets = make_sheets(stored, 1.0)
        return ShapeSurface(sheets.vertices * target.cm_per_unit, sheets.faces.astype(np.int64))
    placed = scan_to_world(sample)
    surface = read_shape(item.find_scan()).surface
    vertices = surface.vertices @ placed[:3, :3].T + placed[:3, 3]
    return ShapeSurface(vertices * target.cm_per_unit, surface.faces)


def slopes_of_nets(
    normals: Float[np.ndarray, "3 R R"], camera: Camera
) -> tuple[Float[np.ndarray, "R R"], Float[np.ndarray, "R R"]]:
    """Return the slopes of ray length (scene units a pixel, right and down) of the nets' normals.

    normals: in 0..1; docs/networks.md, "Other resolutions".
    """
    x, y, z = 2 * normals - 1
    factor = NORMAL_Z_PX / np.maximum(z, MIN_Z) / camera.focal_px
    return -x * factor, -y * factor


def slopes_of_depth(
    length: Float[np.ndarray, "R R"], inside: Bool[np.ndarray, "R R"]
) -> tuple[Float[np.ndarray, "R R"], Float[np.ndarray, "R R"], Bool[np.ndarray, "R R"]]:
    """Return central differences of ray length, and where all four neighbours are inside."""
    across, down = np.zeros_like(length), np.zeros_like(length)
    across[:, 1:-1] = (length[:, 2:] - length[:, :-2]) / 2
    down[1:-1] = (length[2:] - length[:-2]) / 2
    kernel = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    whole = cv2.erode(
        inside.astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    return across, down, whole > 0


def normals_of_slopes(
    across: Float[np.ndarray, "R R"],
    down: Float[np.ndarray, "R R"],
    length: Float[np.ndarray, "R R"],
    camera: Camera,
    *,
    is_front: bool,
) -> Float[np.ndarray, "R R 3"]:
    """Return unit normals, camera axes, of a surface by its ray length and the slopes of that.

    With the unit ray r of a pixel, a point is l r, and its tangents are l' r + l r'; the normal is
    their cross product, which points away from the camera: outwards on the back.
    """
    ray = ray_directions(camera)
    plane = ray / ray[..., 2:]
    norm = np.linalg.norm(plane, axis=-1, keepdims=True)
    tangents = []
    for axis, slope in enumerate((across, down)):
        step = np.zeros(3)
        step[axis] = 1 / camera.focal_px
        turned = (step - ray * (ray @ step)[..., None]) / norm
        tangents.append(slope[..., None] * ray + length[..., None] * turned)
    crossed = np.cross(tangents[0], tangents[1])
    length_of = np.maximum(np.linalg.norm(crossed, axis=-1, keepdims=True), np.finfo(float).tiny)
    unit: Float[np.ndarray, "R R 3"] = (-1 if is_front else 1) * crossed / length_of
    return unit
