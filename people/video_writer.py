"""Dances as videos in TikTok's layout, with the truth beside them.

    tiktok/<video>/color, color_WO_bg, mask, densepose/<7 digits>.png
    truth/<video>/<7 digits>.npz    depth (ray length, metres), normal (camera axes), triangle,
                                    rest (surface point in the canonical T-pose, centimetres)
    truth/<video>/camera.json       K and world_to_camera

The truth is for judging only. Source: docs/hdnet-dataset.md, "TikTok set".
"""

import io
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from pydantic import BaseModel, ConfigDict, Field

from people.clearance import clear_arms
from people.motion import Step, plan_dance
from people.person import Detail, Model, build_model, paint_model, pose_model
from people.rooms import draw_background
from people.skeleton import pose_skeleton
from people.stage import Shot, dancer_mesh, shoot, stage_camera, stand_on_stage
from people.stamp import is_whole, read_stamp, write_stamp
from people.whole_files import write_whole
from renderers.egl import GLContext
from schemas.camera import HDNET_RESOLUTION, Camera
from schemas.errors import RequestError

VIDEO_VERSION = 2
FIRST_DANCER = 3000
"""Videos show other people than the scans."""
ROOM_OFFSET = 500
REACH_CM = 24.0
"""How far flesh and cloth reach beyond the joints, fingers and hair included."""
WHITE = 255


class VideoJob(BaseModel):
    """One video; its settings decide its bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int
    index: int = Field(description="which video")
    frames: int = Field(description="how many, 30 a second")
    texture_size: int = Field(description="texels a side")
    detail: Detail = "fast"
    version: int = VIDEO_VERSION

    @property
    def name(self) -> str:
        """Return the video's folder name."""
        return f"synth{self.index:03d}"

    @property
    def key(self) -> str:
        """Return what the stamp files this video under."""
        return f"video/{self.name}"


def write_synthetic_videos(
    out: Path,
    *,
    videos: int,
    frames: int,
    seed: int,
    texture_size: int = 1024,
    detail: Detail = "fast",
    progress: Callable[[str], None] | None = None,
) -> tuple[str, ...]:
    """Write dances; return the names of the videos in the root.

    Videos that an equal call made before are kept. progress: told one line for each video made.
    Raises RequestError for fewer than one frame.
    """
    if videos < 0 or frames < 1:
        raise RequestError(
            "the synthetic videos",
            found=f"{videos} videos of {frames} frames",
            expected="0 or more videos of at least one frame",
            hint="Change --videos or --frames.",
        )
    look = VideoJob(seed=seed, index=0, frames=frames, texture_size=texture_size, detail=detail)
    jobs = [look.model_copy(update={"index": number}) for number in range(videos)]
    stamp = read_stamp(out)
    todo = [job for job in jobs if not is_whole(out, job, stamp.get(job.key))]
    if todo:
        with GLContext.open() as context:
            for done, job in enumerate(todo, start=1):
                files = {path: _write(out, path, data) for path, data in _video(context, job)}
                stamp[job.key] = {"job": job.model_dump(), "files": files}
                write_stamp(out, stamp)
                if progress is not None:
                    progress(f"{done}/{len(todo)} {job.name}")
    return tuple(job.name for job in jobs)


def _write(out: Path, path: str, data: bytes) -> int:
    write_whole(out / path, data)
    return len(data)


def _video(context: GLContext, job: VideoJob) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every file of a video."""
    model = build_model(job.seed, FIRST_DANCER + job.index, detail=job.detail)
    clear = partial(clear_arms, model.dressed, model.skeleton)
    steps = plan_dance(model.figure, job.seed, job.frames, clear=clear)
    camera = _choose_camera(model, steps)
    texture = paint_model(model, pose_model(model, steps[0].rotations), job.texture_size)
    room = draw_background(
        job.seed, ROOM_OFFSET + job.index, width=HDNET_RESOLUTION, height=HDNET_RESOLUTION
    )
    yield f"truth/{job.name}/camera.json", _format_camera(camera)
    for number, step in enumerate(steps, start=1):
        posed = pose_model(model, step.rotations)
        mesh = dancer_mesh(model, posed, texture)
        shot = shoot(context, camera, model, mesh, stand_on_stage(posed, step.heading_deg))
        yield from _frame_files(job.name, number, shot, room)


def _choose_camera(model: Model, steps: tuple[Step, ...]) -> Camera:
    """Choose one camera in whose crop the dancer stays throughout."""
    high, wide = 0.0, 0.0
    heads, pelvis = model.skeleton.heads, model.skeleton.head("pelvis")
    for step in steps:
        transforms = pose_skeleton(model.skeleton, step.rotations)
        matrices = np.stack([transforms[name] for name in model.skeleton.names])
        places = np.einsum("nij,nj->ni", matrices[:, :3, :3], heads) + matrices[:, :3, 3]
        high = max(high, float(np.ptp(places[:, 1])))
        wide = max(wide, float(np.linalg.norm((places - pelvis)[:, [0, 2]], axis=1).max()))
    scale = model.figure.scale / 100
    return stage_camera(
        height_m=(high + 1.2 * REACH_CM) * scale, width_m=2 * (wide + REACH_CM) * scale
    )


def _frame_files(
    video: str, number: int, shot: Shot, room: UInt8[np.ndarray, "H W 3"]
) -> Iterator[tuple[str, bytes]]:
    name, inside = f"{number:07d}", shot.mask[..., None]
    white = np.full_like(shot.color, WHITE)
    folder = f"tiktok/{video}"
    yield f"{folder}/color/{name}.png", encode_rgb(np.where(inside, shot.color, room))
    yield f"{folder}/color_WO_bg/{name}.png", encode_rgb(np.where(inside, shot.color, white))
    yield f"{folder}/mask/{name}.png", _encode(np.where(shot.mask, WHITE, 0).astype(np.uint8))
    # Written as blue, green, red = I, U, V, as DensePose's own images are.
    yield f"{folder}/densepose/{name}.png", _encode(shot.iuv)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, depth=shot.depth, normal=shot.normal, triangle=shot.triangle, rest=shot.rest
    )
    yield f"truth/{video}/{name}.npz", buffer.getvalue()


def _format_camera(camera: Camera) -> bytes:
    values = {"K": camera.K.tolist(), "world_to_camera": camera.world_to_camera.tolist()}
    return json.dumps(values).encode()


def encode_rgb(image: UInt8[np.ndarray, "H W 3"]) -> bytes:
    """Return an RGB image as a PNG."""
    return _encode(np.ascontiguousarray(image[:, :, ::-1]))


def _encode(image: np.ndarray) -> bytes:
    _, data = cv2.imencode(".png", image)
    return data.tobytes()
