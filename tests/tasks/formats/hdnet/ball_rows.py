"""Rows of real encoded images of a ball that any pinhole camera sees; all of it analytic."""

import numpy as np

from schemas.camera import Camera, camera_2k2k, camera_hdnet, ray_directions
from schemas.codecs import encode_depth, encode_jpeg, encode_mask, encode_normals, encode_png

RED = (200, 120, 40)
METRES_PER_UNIT = 2.4
RADIUS = 0.3
"""In scene units of the 2K2K camera, which stands one unit from the ball's centre."""

HDNET_DISTANCE_M, HDNET_RADIUS_M = 3.0, 0.8


def crop_ray() -> np.ndarray:
    """Return the unit ray through the middle of HDNet's crop, by the numbers of its camera."""
    focal = 1111.6 / 3.5390625
    x, y = (128 - 34.972) / focal, (128 - 139.520) / focal
    ray: np.ndarray = np.array([x, y, 1.0]) / np.sqrt(x * x + y * y + 1)
    return ray


def meet_ball(
    rays: np.ndarray, centre: np.ndarray, radius: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mask, and the ray lengths to the near and to the far side, 0 outside."""
    middle = rays @ centre
    root = middle**2 - (centre @ centre - radius**2)
    mask = root > 0
    half_chord = np.sqrt(np.where(mask, root, 0))
    return mask, np.where(mask, middle - half_chord, 0), np.where(mask, middle + half_chord, 0)


def ball_row(
    camera: Camera, centre: np.ndarray, radius: float, *, sample_id: str, metres: float
) -> dict[str, object]:
    """Make the row of a ball at a centre in camera axes, scene units."""
    rays = ray_directions(camera)
    mask, front, back = meet_ball(rays, centre, radius)
    normals = [
        np.where(mask[..., None], (rays * depth[..., None] - centre) / radius, 0).astype(np.float32)
        for depth in (front, back)
    ]
    color = np.where(mask[..., None], np.array(RED, np.uint8), np.uint8(0))
    iuv = np.where(mask[..., None], np.array([2, 100, 150], np.uint8), np.uint8(0))
    dataset, item, yaw = sample_id.split("/")[:3]
    return {
        "sample_id": sample_id, "dataset": dataset, "item": item, "subject": item,
        "split": "train", "yaw": float(yaw), "pitch": 0.0, "camera": camera.name,
        "width": camera.width, "height": camera.height, "intrinsics": camera.K.ravel(),
        "world_to_camera": camera.world_to_camera.ravel(), "mesh_to_world": np.eye(4).ravel(),
        "metres_per_unit": metres, "metric_source": "file",
        "image": image(encode_jpeg(color, 95)), "color_front": image(encode_png(color)),
        "color_back": image(encode_png(color)), "shaded": image(encode_png(color)),
        "mask": image(encode_mask(mask)), "iuv": image(encode_png(iuv)),
        "depth": encode_depth(front.astype(np.float32), back.astype(np.float32), mask),
        "normals": encode_normals(normals[0], normals[1], mask),
        "keypoints": np.zeros(93, np.float32), "joints_camera": np.full(93, np.nan, np.float32),
        "keypoint_source": np.zeros(31, np.uint8),
        "keypoint_occluded": np.full(31, 255, np.uint8), "background": "", "seed": 0,
    }  # fmt: skip


def standard_row(
    resolution: int = 640, *, offset: tuple[float, float] = (0.0, 0.0), radius: float = RADIUS
) -> dict[str, object]:
    """Make the row of a ball before the 2K2K camera, moved sideways by an offset."""
    centre = np.array([*offset, 1.0])
    return ball_row(
        camera_2k2k(resolution), centre, radius,
        sample_id="RP/rp_ball_posed_001/0", metres=METRES_PER_UNIT,
    )  # fmt: skip


def hdnet_row(radius_m: float = HDNET_RADIUS_M) -> dict[str, object]:
    """Make the row of a ball on the ray of the crop's centre of HDNet's camera, in metres."""
    return ball_row(
        camera_hdnet(np.eye(4)), HDNET_DISTANCE_M * crop_ray(), radius_m,
        sample_id="RP/rp_ball_posed_001/0/hdnet", metres=1.0,
    )  # fmt: skip


def image(data: bytes) -> dict[str, object]:
    """Make the cell of an image column."""
    return {"bytes": data, "path": None}
