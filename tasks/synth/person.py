"""All rooms together: from (seed, index) to a textured, posed, jointed mesh in centimetres."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int32, UInt8

from tasks.synth.atlas import Atlas, build_atlas
from tasks.synth.dressed import dress, dressed_distance
from tasks.synth.figure import Figure, draw_figure, rng_for
from tasks.synth.folds import fold_height, measure_bends
from tasks.synth.joints import pose_joints, rest_joints
from tasks.synth.markers import paint_markers, points_in_front
from tasks.synth.meshing import Faces, extract_surface, vertex_normals
from tasks.synth.paint import Canvas, paint_texture
from tasks.synth.parts import label_faces
from tasks.synth.pose import draw_rotations
from tasks.synth.shapes import Points
from tasks.synth.skeleton import Rotations, Skeleton, Transforms, build_skeleton, pose_skeleton
from tasks.synth.skinning import bone_weights, mend_posed, skin_points

Detail = Literal["full", "fast"]
SPACING_CM: dict[Detail, float] = {"full": 0.95, "fast": 1.75}
"""Grid spacing: about 80,000 and about 22,000 triangles."""
POSE_PURPOSE = 1


@dataclass(frozen=True, slots=True)
class Person:
    """A finished person; vertices and joints in centimetres, y up, facing +z, feet on y = 0.

    joints: COCO-WholeBody. rest: where each vertex was in the canonical T-pose.
    texture: RGB, row 0 at the top. rotations: the pose, by bone. pelvis: the posed root joint.
    head_size: the head's size against the canonical one.
    """

    figure: Figure
    vertices: Float64[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    rest: Points
    atlas: Atlas
    texture: UInt8[np.ndarray, "S S 3"]
    joints: Float64[np.ndarray, "133 3"]
    rotations: Rotations
    pelvis: Float64[np.ndarray, " 3"]
    head_size: float


def make_person(
    seed: int,
    index: int,
    *,
    texture_size: int = 2048,
    detail: Detail = "full",
    markers: bool = False,
) -> Person:
    """Make one person: a pure function of its arguments.

    markers: paint a disc in front of each kept joint and take its centre as the joint.
    """
    figure = draw_figure(seed, index)
    skeleton, dressed = build_skeleton(figure), dress(figure)
    rest, faces = extract_surface(partial(dressed_distance, dressed), SPACING_CM[detail])
    rotations = draw_rotations(figure, rng_for(seed, index, POSE_PURPOSE))
    transforms = pose_skeleton(skeleton, rotations)
    height = fold_height(dressed, measure_bends(rotations), rest)
    normals = vertex_normals(rest, faces)
    shape = rest + normals * height[:, None]
    posed = _pose_mesh(figure, (skeleton, transforms), shape, faces)
    lift = np.array([0.0, float(posed[:, 1].min()), 0.0])
    vertices = (posed.astype(np.float64) - lift) * figure.scale
    joints = (
        pose_joints(*rest_joints(skeleton, dressed.body.head), transforms) - lift
    ) * figure.scale
    if markers:
        joints = points_in_front(vertices, faces, joints)
    atlas = build_atlas(rest, faces, label_faces(figure, rest, faces))
    texture = paint_texture(figure, Canvas(dressed, atlas, rest, normals, height), texture_size)
    if markers:
        paint_markers(texture, atlas, vertices, joints)
    return Person(
        figure=figure,
        vertices=vertices,
        faces=faces,
        rest=rest,
        atlas=atlas,
        texture=texture,
        joints=joints,
        rotations=rotations,
        pelvis=(skeleton.head("pelvis") - lift) * figure.scale,
        head_size=dressed.body.head.size,
    )


def _pose_mesh(
    figure: Figure, bones: tuple[Skeleton, Transforms], rest: Points, faces: Faces
) -> Points:
    skeleton, transforms = bones
    weights = bone_weights(figure, skeleton, rest)
    return mend_posed(rest, skin_points(skeleton, transforms, weights, rest), faces)
