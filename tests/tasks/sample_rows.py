"""Rows of real encoded images with analytic content: a ball before the 2K2K camera."""

import numpy as np

from schemas.camera import camera_2k2k, project, ray_directions
from schemas.codecs import encode_depth, encode_jpeg, encode_mask, encode_normals, encode_png
from schemas.seeds import derive_seed

RESOLUTION = 64
RADIUS = 0.3
"""Of the ball about the origin, scene units; the camera stands at (0, 0, 1)."""


def ball_row(
    sample_id: str = "RP/rp_ball_posed_001/0", *, split: str = "train", red: int = 200
) -> dict[str, object]:
    """Make the row of a ball: exact ray lengths and normals, a joint at the pole nearest to us."""
    dataset, item, yaw = sample_id.split("/")[:3]
    camera = camera_2k2k(RESOLUTION)
    rays = ray_directions(camera)
    middle = rays[..., 2]
    root = middle**2 - (1 - RADIUS**2)
    mask = root > 0
    half_chord = np.sqrt(np.where(mask, root, 0))
    front = np.where(mask, middle - half_chord, 0).astype(np.float32)
    back = np.where(mask, middle + half_chord, 0).astype(np.float32)
    centre = np.array([0.0, 0.0, 1.0])
    normals = [
        np.where(mask[..., None], (rays * depth[..., None] - centre) / RADIUS, 0).astype(np.float32)
        for depth in (front, back)
    ]
    color = np.zeros((RESOLUTION, RESOLUTION, 3), np.uint8)
    color[mask] = (red, 120, 40)
    joints_world = np.full((31, 3), np.nan)
    joints_world[0] = (0.0, 0.05, RADIUS)
    joints_world[5] = (0.1, -0.02, 0.1)
    known = ~np.isnan(joints_world[:, 0])
    keypoints = np.zeros((31, 3), np.float32)
    keypoints[known, :2] = project(camera, joints_world[known])
    keypoints[known, 2] = 1
    view = camera.world_to_camera
    joints_camera = joints_world @ view[:3, :3].T + view[:3, 3]
    image = encode_png(color)
    return {
        "sample_id": sample_id, "dataset": dataset, "item": item,
        "subject": item.partition("_posed_")[0], "split": split,
        "yaw": float(yaw), "pitch": 0.0, "camera": "2k2k",
        "width": RESOLUTION, "height": RESOLUTION,
        "intrinsics": camera.K.ravel(), "world_to_camera": view.ravel(),
        "mesh_to_world": np.eye(4).ravel(), "metres_per_unit": 2.4, "metric_source": "file",
        "image": {"bytes": encode_jpeg(color, 95), "path": None},
        "color_front": {"bytes": image, "path": None},
        "color_back": {"bytes": image, "path": None},
        "shaded": {"bytes": image, "path": None},
        "mask": {"bytes": encode_mask(mask), "path": None},
        "iuv": None,
        "depth": encode_depth(front, back, mask),
        "normals": encode_normals(normals[0], normals[1], mask),
        "keypoints": keypoints.ravel(),
        "joints_camera": joints_camera.astype(np.float32).ravel(),
        "keypoint_source": known.astype(np.uint8),
        "keypoint_occluded": np.where(known, 0, 255).astype(np.uint8),
        "background": "", "seed": derive_seed(0, sample_id),
    }  # fmt: skip
