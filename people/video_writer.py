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

from people.dancers import Dancer, lifelike_dancer, sculpted_dancer
from people.figure import CM_PER_M
from people.made_scan import FigureKind
from people.person import Detail
from people.rooms import draw_background
from people.stage import Shot, atlas_mesh, shoot, stage_camera, stand_on_stage
from people.stamp import OnItem, Sizes, SynthJob, make_missing, write_files
from renderers.egl import GLContext
from schemas.camera import HDNET_RESOLUTION, Camera
from schemas.codecs import encode_mask, encode_png
from schemas.errors import RequestError

VIDEO_VERSION = 2
VIDEO_VERSIONS: dict[FigureKind, int] = {"sculpted": VIDEO_VERSION, "lifelike": 106}
FIRST_DANCER = 3000
"""Videos show other people than the scans."""
ROOM_OFFSET = 500
REACH_CM = 24.0
"""How far flesh and cloth reach beyond the joints, fingers and hair included."""
WHITE = 255


class VideoJob(SynthJob):
    """One video. index: which one."""

    frames: int = Field(description="how many, 30 a second")
    figures: FigureKind = "sculpted"
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

    def stamped(self) -> dict[str, object]:
        """Return the fields as stamps have them: those from before there were two kinds too."""
        fields = self.model_dump()
        if self.figures == "sculpted":
            del fields["figures"]
        return fields


def write_synthetic_videos(
    out: Path,
    *,
    videos: int,
    frames: int,
    seed: int,
    texture_size: int = 1024,
    detail: Detail = "fast",
    progress: OnItem | None = None,
    figures: FigureKind = "lifelike",
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
    look = VideoJob(
        seed=seed, index=0, frames=frames, texture_size=texture_size, detail=detail,
        figures=figures, version=VIDEO_VERSIONS[figures],
    )  # fmt: skip
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
    make = lifelike_dancer if job.figures == "lifelike" else sculpted_dancer
    dancer = make(job.seed, FIRST_DANCER + job.index, job.frames, job.detail, job.texture_size)
    camera = _choose_camera(dancer)
    room = draw_background(
        job.seed, ROOM_OFFSET + job.index, width=HDNET_RESOLUTION, height=HDNET_RESOLUTION
    )
    yield f"truth/{job.name}/camera.json", _format_camera(camera)
    for number, frame in enumerate(dancer.frames(), start=1):
        mesh = atlas_mesh(frame.vertices, dancer.faces, dancer.surface.atlas, dancer.texture)
        place = stand_on_stage(frame.pelvis, frame.heading_deg)
        shot = shoot(context, camera, dancer.surface, mesh, place)
        yield from _frame_files(job.name, number, shot, room)


def _choose_camera(dancer: Dancer) -> Camera:
    """Choose one camera in whose crop the dancer stays throughout."""
    high, wide = dancer.extent_cm
    return stage_camera(
        height_m=(high + 1.2 * REACH_CM) / CM_PER_M, width_m=2 * (wide + REACH_CM) / CM_PER_M
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
