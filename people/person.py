"""All rooms together: from (seed, index) to a textured, posed, jointed mesh in centimetres."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int32, UInt8

from people.atlas import Atlas, build_atlas
from people.body import body_distance
from people.clothes import Dressed, dress, dressed_distance
from people.densepose_parts import label_faces
from people.figure import Figure, draw_figure, rng_for
from people.folds import fold_height, measure_bends
from people.markers import paint_markers, points_in_front
from people.meshing import extract_surface, vertex_normals
from people.paint import Canvas, paint_texture
from people.pose import clear_arms, pose_rotations, pose_table
from people.shapes import Distances, Points
from people.skeleton import Rotations, Skeleton, build_skeleton, carry, pose_skeleton
from people.skinning import Weights, bone_weights, repair_posed, skin_points
from people.wholebody import rest_joints, snap_face

Detail = Literal["full", "fast", "sketch"]
SPACING_CM: dict[Detail, float] = {"full": 0.95, "fast": 1.75, "sketch": 2.6}
"""Grid spacing: about 90,000, 25,000 and 11,000 triangles."""
POSE_PURPOSE = 1


@dataclass(frozen=True, slots=True)
class Model:
    """A figure at rest, ready to be posed; canonical centimetres.

    weights: each vertex's share in each bone. joints, carriers: COCO-WholeBody, and their bones.
    """

    figure: Figure
    skeleton: Skeleton
    dressed: Dressed
    rest: Points
    faces: Int32[np.ndarray, "F 3"]
    normals: Points
    weights: Weights
    atlas: Atlas
    joints: Float64[np.ndarray, "133 3"]
    carriers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Posed:
    """A model in a pose, the person's own centimetres.

    pelvis: the root joint. height: how far folds stand off, canonical centimetres.
    """

    vertices: Float64[np.ndarray, "V 3"]
    joints: Float64[np.ndarray, "133 3"]
    pelvis: Float64[np.ndarray, " 3"]
    height: Distances


@dataclass(frozen=True, slots=True)
class Person:
    """A finished person; centimetres, y up, facing +z, feet on y = 0.

    joints: COCO-WholeBody. texture: RGB, row 0 at the top. rotations: the pose, by bone.
    """

    model: Model
    posed: Posed
    texture: UInt8[np.ndarray, "S S 3"]
    joints: Float64[np.ndarray, "133 3"]
    rotations: Rotations


def make_person(
    seed: int,
    index: int,
    *,
    texture_size: int = 2048,
    detail: Detail = "full",
    markers: bool = False,
) -> Person:
    """Make one person: a pure function of its arguments.

    markers: paint a disc in front of each kept joint and take its centre as the joint; the cloth
    is then smooth, because a disc over a fold has no centre to be seen.
    """
    model = build_model(seed, index, detail=detail)
    rotations = draw_pose(model, rng_for(seed, index, POSE_PURPOSE))
    posed = pose_model(model, rotations, folded=not markers)
    texture = paint_model(model, posed, texture_size)
    joints = posed.joints
    if markers:
        joints = points_in_front(posed.vertices, model.faces, joints, model.atlas)
        paint_markers(texture, model.atlas, posed.vertices, joints)
    return Person(model, posed, texture, joints, rotations)


def draw_pose(model: Model, rng: np.random.Generator) -> Rotations:
    """Draw a figure's own pose, its arms clear of its body."""
    rotations = pose_rotations(model.figure.heft, pose_table().turns_of(model.figure.pose), rng)
    return clear_arms(model.dressed, model.skeleton, rotations)


def build_model(seed: int, index: int, *, detail: Detail = "full") -> Model:
    """Mesh a figure at rest, weigh its vertices and unfold its atlas."""
    figure = draw_figure(seed, index)
    skeleton, dressed = build_skeleton(figure), dress(figure)
    rest, faces = extract_surface(partial(dressed_distance, dressed), SPACING_CM[detail])
    joints, carriers = rest_joints(skeleton, dressed.body.head)
    return Model(
        figure=figure,
        skeleton=skeleton,
        dressed=dressed,
        rest=rest,
        faces=faces,
        normals=vertex_normals(rest, faces),
        weights=bone_weights(figure, skeleton, rest),
        atlas=build_atlas(rest, faces, label_faces(figure, rest, faces)),
        joints=snap_face(joints, partial(body_distance, dressed.body)),
        carriers=carriers,
    )


def pose_model(model: Model, rotations: Rotations, *, folded: bool = True) -> Posed:
    """Fold the cloth for a pose, bend the model into it and set it on the floor."""
    transforms = pose_skeleton(model.skeleton, rotations)
    height = fold_height(model.dressed, measure_bends(rotations), model.rest) * np.float32(folded)
    shape = model.rest + model.normals * height[:, None]
    skinned = skin_points(model.skeleton, transforms, model.weights, shape)
    posed = repair_posed(shape, skinned, model.faces).astype(np.float64)
    lift = np.array([0.0, posed[:, 1].min(), 0.0])
    pelvis = model.skeleton.head("pelvis")
    joints = carry(model.joints, model.carriers, transforms)
    scale = model.figure.scale
    return Posed((posed - lift) * scale, (joints - lift) * scale, (pelvis - lift) * scale, height)


def paint_model(model: Model, posed: Posed, texture_size: int) -> UInt8[np.ndarray, "S S 3"]:
    """Paint a model's texture, its folds shaded as in a pose."""
    canvas = Canvas(model.dressed, model.atlas, model.rest, model.normals, posed.height)
    return paint_texture(model.figure, canvas, texture_size)
