"""Who dances in a video: both kinds of people, as the stage wants them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float64, Int32, UInt8

from people.hair_mold import Molds
from people.human import Dressed, pose_dressed
from people.human_atlas import join_surfaces
from people.human_body import build_body
from people.human_motion import plan_human_motion
from people.human_skeleton import share_along_spine
from people.motion import Step, plan_dance
from people.person import Detail, build_model, paint_model, pose_model
from people.pose import clear_arms
from people.skeleton import Rotations, Skeleton, carry, pose_skeleton
from people.stage import StageSurface
from people.traits import draw_traits

STRIDE_ROOM = 1.06
"""Room for a foot that steps towards the camera."""


@dataclass(frozen=True, slots=True)
class DancerFrame:
    """One frame; centimetres. pelvis: the root joint. heading_deg: turned to the left so far."""

    vertices: Float64[np.ndarray, "V 3"]
    pelvis: Float64[np.ndarray, " 3"]
    heading_deg: float


@dataclass(frozen=True, slots=True)
class Dancer:
    """A person in a video.

    extent_cm: how high the joints reach in all frames, and how far from the pelvis sideways.
    frames: makes the frames, one after another.
    """

    faces: Int32[np.ndarray, "F 3"]
    surface: StageSurface
    texture: UInt8[np.ndarray, "S S 3"]
    extent_cm: tuple[float, float]
    frames: Callable[[], Iterator[DancerFrame]]


def sculpted_dancer(seed: int, index: int, frames: int, detail: Detail, size: int) -> Dancer:
    """Return a dancer of the older kind."""
    model = build_model(seed, index, detail=detail)
    clear = partial(clear_arms, model.dressed, model.skeleton)
    steps = plan_dance(model.figure, seed, frames, clear=clear)
    texture = paint_model(model, pose_model(model, steps[0].rotations), size)

    def poses() -> Iterator[DancerFrame]:
        for step in steps:
            posed = pose_model(model, step.rotations)
            yield DancerFrame(posed.vertices, posed.pelvis, step.heading_deg)

    high, wide = _extent(model.skeleton, steps)
    scale = model.figure.scale
    surface = StageSurface(model.rest, model.atlas)
    return Dancer(model.faces, surface, texture, (high * scale, wide * scale), poses)


def lifelike_dancer(seed: int, index: int, frames: int, detail: Detail, size: int) -> Dancer:
    """Return a lifelike dancer, whose clothes are draped again in every frame."""
    body = build_body(draw_traits(seed, index))
    steps = plan_human_motion(body, frames)
    molds = Molds()

    def dress(rotations: Rotations) -> Dressed:
        return pose_dressed(body, share_along_spine(rotations), detail, molds=molds)

    rest, faces, atlas = join_surfaces(dress({}).seen)
    texture, _ = dress(steps[0].rotations).paint(body, size)

    def poses() -> Iterator[DancerFrame]:
        for step in steps:
            dressed = dress(step.rotations)
            vertices = np.concatenate([surface.vertices for surface in dressed.seen])
            pelvis = dressed.posed.transforms["pelvis"] @ [*body.skeleton.head("pelvis"), 1]
            yield DancerFrame(vertices, np.asarray(pelvis[:3]), step.heading_deg)

    surface = StageSurface(rest.astype(np.float32), atlas)
    high, wide = _extent(body.skeleton, steps)
    return Dancer(faces, surface, texture, (STRIDE_ROOM * high, STRIDE_ROOM * wide), poses)


def _extent(skeleton: Skeleton, steps: tuple[Step, ...]) -> tuple[float, float]:
    high, wide = 0.0, 0.0
    pelvis = skeleton.head("pelvis")
    for step in steps:
        transforms = pose_skeleton(skeleton, step.rotations)
        places = carry(skeleton.heads, skeleton.names, transforms)
        high = max(high, float(np.ptp(places[:, 1])))
        wide = max(wide, float(np.linalg.norm((places - pelvis)[:, [0, 2]], axis=1).max()))
    return high, wide
