"""A stored sample as HDNet's labelled set holds one: one surface, metres, one camera.

A sample of HDNet's camera is taken as it is; one of the 2K2K camera is turned in place: the
camera stays where it stood, so that every ray it saw is a ray that HDNet's camera sees, only
aimed and scaled otherwise. Camera axes: x right, y down, z away from the camera.
"""

from typing import cast

import numpy as np
from jaxtyping import Bool, Float, Float64, Int, UInt8

from schemas.camera import (
    HDNET_CENTRE_PX,
    HDNET_FOCAL_PX,
    HDNET_RESOLUTION,
    Camera,
    LayoutName,
    camera_hdnet,
    lift,
    ray_directions,
)
from schemas.errors import InputError
from tasks.dataset.stored_sample import StoredSample
from tasks.formats.hdnet.hdnet_frames import PublishedFrame, lay_on_white

LAYOUT: LayoutName = "hdnet"
NEAREST_M, FARTHEST_M = 1.0, 8.0
"""Depth is used between these. Source: docs/hdnet-dataset.md, "Labelled set"."""

MIN_FILLED = 0.5
"""A person that takes less than that share of the crop's side is too far away to learn from."""


def label_sample(sample: StoredSample) -> PublishedFrame:
    """Convert one sample.

    Raises InputError naming the sample when its camera or geometry does not allow it.
    """
    layouts = sample.camera.model.layouts
    if LAYOUT not in layouts:
        raise _refuse(sample, f"the camera {sample.camera.name}", "a perspective camera")
    return _take_as_it_is(sample) if layouts[0] == LAYOUT else _turn_camera(sample)


def _take_as_it_is(sample: StoredSample) -> PublishedFrame:
    rays = ray_directions(sample.camera)
    metres = cast("float", sample.row["metres_per_unit"])
    depth_m = sample.depth[0].astype(np.float64) * rays[..., 2] * metres
    _check_range(sample, depth_m[sample.mask])
    return PublishedFrame(
        color=sample.image("image"),
        mask=sample.mask,
        depth_m=np.where(sample.mask, depth_m, 0),
        normals=sample.normals[0],
        color_on_white=lay_on_white(sample.image("shaded"), sample.mask),
        iuv=sample.image("iuv") if sample.row["iuv"] else None,
    )


def _turn_camera(sample: StoredSample) -> PublishedFrame:
    """Aim the sample's camera at the person as HDNet's camera is aimed, and resample."""
    camera, target = sample.camera, camera_hdnet(np.eye(4))
    if camera.focal_px < target.focal_px:
        found = f"{camera.width} pixels a side, coarser than HDNet's crops"
        raise _refuse(sample, found, f"a focal length of {target.focal_px:.0f} pixels or more")
    turn = _aim(sample, target)
    steps = int(np.ceil(camera.focal_px / target.focal_px))
    place, inside = _look_up(camera, turn, steps=1)
    mask = inside & sample.mask[place]
    _check_frame(sample, mask)
    rays = ray_directions(target)
    depth_m = np.where(mask, sample.depth[0][place] * rays[..., 2], 0.0)
    depth_m *= cast("float", sample.row["metres_per_unit"])
    _check_range(sample, depth_m[mask])
    normals = np.where(mask[..., None], sample.normals[0][place] @ turn.T, 0.0).astype(np.float32)
    fine_place, fine_inside = _look_up(camera, turn, steps=steps)
    cover = (fine_inside & sample.mask[fine_place])[..., None]
    color = np.where(fine_inside[..., None], sample.image("image")[fine_place], 0)
    white = np.where(cover, sample.image("shaded")[fine_place], 255)
    iuv = sample.image("iuv")[place] * mask[..., None] if sample.row["iuv"] else None
    return PublishedFrame(
        color=_shrink(color, steps), mask=mask, depth_m=depth_m,
        normals=normals, color_on_white=_shrink(white, steps), iuv=iuv,
    )  # fmt: skip


def _aim(sample: StoredSample, target: Camera) -> Float64[np.ndarray, "3 3"]:
    """Return the turn from the sample's camera axes to HDNet's.

    The middle of the person's box comes to lie in the middle of the crop, without roll.
    """
    points = lift(sample.camera, sample.depth[0])[sample.mask]
    if not len(points):
        raise _refuse(sample, "an empty mask", "a person")
    box = np.concatenate([points, lift(sample.camera, sample.depth[1])[sample.mask]])
    middle = (box.min(axis=0) + box.max(axis=0)) / 2
    half = target.width / 2
    aimed = np.array([(half - HDNET_CENTRE_PX[0]) / HDNET_FOCAL_PX,
                      (half - HDNET_CENTRE_PX[1]) / HDNET_FOCAL_PX, 1.0])  # fmt: skip
    turn: Float64[np.ndarray, "3 3"] = _frame_about(aimed) @ _frame_about(middle).T
    return turn


def _frame_about(direction: Float[np.ndarray, " 3"]) -> Float64[np.ndarray, "3 3"]:
    """Return x right, y down, z along a direction as columns, x level."""
    forward = direction / np.linalg.norm(direction)
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward], axis=1)


def _look_up(
    camera: Camera, turn: Float64[np.ndarray, "3 3"], *, steps: int
) -> tuple[tuple[Int[np.ndarray, "H W"], Int[np.ndarray, "H W"]], Bool[np.ndarray, "H W"]]:
    """Return which source pixel each ray of HDNet's crop meets, and whether there is one.

    steps: rays a pixel and direction.
    """
    offsets = (np.arange(HDNET_RESOLUTION * steps) + 0.5) / steps
    x, y = np.meshgrid(
        (offsets - HDNET_CENTRE_PX[0]) / HDNET_FOCAL_PX,
        (offsets - HDNET_CENTRE_PX[1]) / HDNET_FOCAL_PX,
    )
    rays = np.stack([x, y, np.ones_like(x)], axis=-1) @ turn  # to the sample's axes: turn.T each
    before = rays[..., 2] > 0
    depth = np.where(before, rays[..., 2], 1)
    columns = np.floor(rays[..., 0] / depth * camera.K[0, 0] + camera.K[0, 2]).astype(np.int64)
    rows = np.floor(rays[..., 1] / depth * camera.K[1, 1] + camera.K[1, 2]).astype(np.int64)
    inside = before & (rows >= 0) & (rows < camera.height)
    inside &= (columns >= 0) & (columns < camera.width)
    return (
        np.clip(rows, 0, camera.height - 1),
        np.clip(columns, 0, camera.width - 1),
    ), inside


def _shrink(image: UInt8[np.ndarray, "h w 3"], steps: int) -> UInt8[np.ndarray, "H W 3"]:
    side = HDNET_RESOLUTION
    means = image.reshape(side, steps, side, steps, 3).mean(axis=(1, 3))
    shrunk: UInt8[np.ndarray, "H W 3"] = np.rint(means).astype(np.uint8)
    return shrunk


def _check_frame(sample: StoredSample, mask: Bool[np.ndarray, "H W"]) -> None:
    """Refuse a person that the crop cuts, that its own image cuts, or that is too small."""
    own = sample.mask
    if own[[0, -1]].any() or own[:, [0, -1]].any():
        raise _refuse(sample, "a person cut by its own image", "a whole person")
    border = mask[[0, -1]].any() or mask[:, [0, -1]].any()
    if border:
        raise _refuse(sample, "a person that HDNet's crop would cut", "a person inside the crop")
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    extent = max(np.ptp(rows), np.ptp(columns)) + 1 if rows.size else 0
    if extent < MIN_FILLED * HDNET_RESOLUTION:
        found = f"a person of {extent} pixels in HDNet's crop"
        raise _refuse(sample, found, f"{MIN_FILLED:.0%} of {HDNET_RESOLUTION} or more")


def _check_range(sample: StoredSample, depth_m: Float[np.ndarray, " N"]) -> None:
    if not depth_m.size or depth_m.min() < NEAREST_M or depth_m.max() > FARTHEST_M:
        found = (
            f"depth from {depth_m.min():.2f} to {depth_m.max():.2f} m" if depth_m.size else "none"
        )
        raise _refuse(sample, found, f"{NEAREST_M:g} to {FARTHEST_M:g} m, which the reader uses")


def _refuse(sample: StoredSample, found: str, expected: str) -> InputError:
    return InputError(
        sample.sample_id, found=found, expected=expected,
        hint="Render with `--camera hdnet` for the labelled set.",
    )  # fmt: skip
