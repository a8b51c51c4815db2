"""Dances as videos in TikTok's layout, with the ground truth beside them.

    tiktok/<video>/color, color_WO_bg, mask, densepose/<7 digits>.png
    truth/<video>/<7 digits>.npz    depth (ray length, metres), normal (camera axes), triangle,
                                    rest (surface point in the canonical T-pose, centimetres)
    truth/<video>/camera.json       K and world_to_camera

The ground truth is for judging only. Source: docs/hdnet-dataset.md, "TikTok set".
"""

import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from pydantic import Field

from people.motion import Step, plan_dance
from people.person import Detail, Model, build_model, paint_model, pose_model
from people.pose import clear_arms
from people.rooms import draw_background
from people.skeleton import carry, pose_skeleton
from people.stage import Shot, shoot, stage_camera, stand_on_stage, textured_mesh
from people.stamp import OnItem, Sizes, SynthJob, make_missing, write_files
from renderers.egl import GLContext
from schemas.camera import HDNET_RESOLUTION, Camera
from schemas.codecs import encode_mask, encode_png
from schemas.errors import RequestError

VIDEO_VERSION = 2
FIRST_DANCER = 3000
"""Videos show other people than the scans."""
ROOM_OFFSET = 500
REACH_CM = 24.0
"""How far flesh and cloth reach beyond the joints, fingers and hair included."""
WHITE = 255


class VideoJob(SynthJob):
    """One video. index: which one."""

    frames: int = Field(description="how many, 30 a second")
    detail: Detail = "fast"
    version: int = VIDEO_VERSION

    @property
    def name(self) -> str:
        """Return the video's folder name."""
        return f"synth{self.index:03d}"

    @property
    def key(self) -> str:
        """Return `video/` and the name."""
        return f"video/{self.name}"


def write_synthetic_videos(
    out: Path,
    *,
    videos: int,
    frames: int,
    seed: int,
    texture_size: int = 1024,
    detail: Detail = "fast",
    progress: OnItem | None = None,
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
    return make_missing(out, jobs, partial(_make_all, out), progress)


def _make_all(out: Path, jobs: list[VideoJob]) -> Iterator[tuple[VideoJob, Sizes]]:
    if not jobs:
        return
    with GLContext.open() as context:
        for job in jobs:
            yield job, write_files(out, _video(context, job))


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
        mesh = textured_mesh(model, posed, texture)
        shot = shoot(context, camera, model, mesh, stand_on_stage(posed, step.heading_deg))
        yield from _frame_files(job.name, number, shot, room)


def _choose_camera(model: Model, steps: tuple[Step, ...]) -> Camera:
    """Choose one camera in whose crop the dancer stays throughout."""
    high, wide = 0.0, 0.0
    heads, pelvis = model.skeleton.heads, model.skeleton.head("pelvis")
    for step in steps:
        transforms = pose_skeleton(model.skeleton, step.rotations)
        places = carry(heads, model.skeleton.names, transforms)
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
    yield f"{folder}/color/{name}.png", encode_png(np.where(inside, shot.color, room))
    yield f"{folder}/color_WO_bg/{name}.png", encode_png(np.where(inside, shot.color, white))
    yield f"{folder}/mask/{name}.png", encode_mask(shot.mask)
    # Written as blue, green, red = I, U, V, as DensePose's own images are.
    yield f"{folder}/densepose/{name}.png", encode_png(np.ascontiguousarray(shot.iuv[..., ::-1]))
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, depth=shot.depth, normal=shot.normal, triangle=shot.triangle, rest=shot.rest
    )
    yield f"truth/{video}/{name}.npz", buffer.getvalue()


def _format_camera(camera: Camera) -> bytes:
    values = {"K": camera.K.tolist(), "world_to_camera": camera.world_to_camera.tolist()}
    return json.dumps(values).encode()
