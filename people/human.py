"""A whole person of the newer kind: body, clothes, hair, texture, annotations, from its seed."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, UInt8

from people.atlas import Atlas
from people.buried import grow_kept, keep_faces, open_points
from people.figure import rng_for
from people.hair_mold import Molds
from people.human_annotations import human_annotations
from people.human_atlas import Surface, charts_near, inner_surface, join_surfaces, skin_surface
from people.human_body import HumanBody, PosedBody, build_body, pose_body
from people.human_fit import fit_human
from people.human_joints import posed_joints
from people.human_mesh import PieceName, piece_mesh
from people.human_outfit import NOTHING_HELD, dress_human
from people.human_pose import Held, draw_human_pose
from people.human_texture import Rectangle, Texture, paint_human
from people.made_scan import MadeScan
from people.meshing import vertex_normals
from people.outfits import draw_outfit
from people.person import Detail
from people.pieces import Piece, pack_tiles
from people.skeleton import Rotations
from people.soft_light import soft_light
from people.traits import draw_traits

LEVELS: dict[Detail, int] = {"full": 1, "fast": 0, "sketch": 0}
"""Rounds of refinement of the skin: 107,024 or 26,756 triangles before what clothes hide is left
out."""
CLOTH_REGION = (0.5, 0.0, 0.5, 1.0)
"""Left, bottom, width and height of what clothes and hair have of the texture."""
GUTTER, GUTTER_SHARE = 0.004, 0.08
"""Free rim of a tile: of the texture's side, and at most of the tile's own."""
POSE_PURPOSE = 12
HAIR_COVER, BALD_COVER = 0.6, 0.1
"""How much of the scalp roots hide."""
HAIR = ("hair", "beard")
"""Labels of what is seen through."""
OPEN_MOUTH = ("surprised", "talking")
"""Expressions that show teeth and tongue."""


@dataclass(frozen=True, slots=True)
class Human:
    """A finished person; centimetres, y up, facing +z, feet or soles on y = 0.

    surfaces: what the mesh is joined from, each whole; the mesh lacks what is buried. labels: of
    each face, a number in `classes`. joints: COCO-WholeBody. texture: RGB with soft light, row 0 at
    the top. albedo: without.
    """

    body: HumanBody
    posed: PosedBody
    vertices: Float64[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    atlas: Atlas
    surfaces: tuple[Surface, ...]
    labels: Int32[np.ndarray, " F"]
    classes: tuple[str, ...]
    texture: UInt8[np.ndarray, "S S 3"]
    albedo: UInt8[np.ndarray, "S S 3"]
    joints: Float64[np.ndarray, "133 3"]


def make_human(
    seed: int, index: int, *, texture_size: int = 2048, detail: Detail = "full"
) -> Human:
    """Make one person: a pure function of its arguments."""
    body = build_body(draw_traits(seed, index))
    rotations, held = draw_human_pose(body, rng_for(seed, index, POSE_PURPOSE))
    return finish_human(body, rotations, texture_size=texture_size, detail=detail, held=held)


@dataclass(frozen=True, slots=True)
class Dressed:
    """A posed body with all that lies on it, before it is joined and painted.

    placed: clothes and hair with their tiles' rectangles. whole: all surfaces. seen: the same
    without the skin that clothes hide for good.
    """

    posed: PosedBody
    placed: tuple[tuple[Piece, Rectangle], ...]
    whole: tuple[Surface, ...]
    seen: tuple[Surface, ...]

    def paint(self, body: HumanBody, size: int) -> tuple[Texture, Texture]:
        """Return texture and albedo."""
        outfit = draw_outfit(body.traits)
        return paint_human(
            body.traits, self.whole, _light(self.whole), self.placed, size,
            scalp=HAIR_COVER if outfit.hair else BALD_COVER, recede=outfit.recede,
        )  # fmt: skip


def pose_dressed(
    body: HumanBody,
    rotations: Rotations,
    detail: Detail,
    held: Held = NOTHING_HELD,
    molds: Molds | None = None,
) -> Dressed:
    """Pose a body and dress it; feet or soles are on y = 0.

    molds: for the same mesh in several poses.
    """
    posed = pose_body(body, rotations)
    dressing = dress_human(body, posed, detail, held, molds)
    lowest = min([0.0, *(float(piece.vertices[:, 1].min()) for piece in dressing.pieces)])
    floor = np.array([0.0, lowest, 0.0])
    pieces = tuple(replace(one, vertices=one.vertices - floor) for one in dressing.pieces)
    posed, placed = lift_posed(posed, floor), place_tiles(pieces)
    whole = _all_surfaces(body, posed, placed, LEVELS[detail])
    return Dressed(posed, placed, whole, (_drop_hidden(whole[0], dressing.hidden), *whole[1:]))


def finish_human(
    body: HumanBody,
    rotations: Rotations,
    *,
    texture_size: int,
    detail: Detail,
    held: Held = NOTHING_HELD,
) -> Human:
    """Pose, dress, join and paint a body."""
    dressed = pose_dressed(body, rotations, detail, held)
    vertices, faces, atlas = join_surfaces(dressed.seen)
    vertices[:, 1] -= vertices[:, 1].min()
    classes = tuple(dict.fromkeys(surface.label for surface in dressed.seen))
    labels = _label_faces(dressed.seen, classes)
    # Skin stays whole: it is what is seen between strands of hair.
    is_hair = np.isin(labels, [classes.index(name) for name in HAIR if name in classes])
    middles = vertices[faces].mean(axis=1).astype(np.float32)
    seen = open_points(middles, is_hair)
    keep = seen | (grow_kept(faces, seen) & ~is_hair) | (labels == 0)
    vertices, faces, atlas = keep_faces(vertices, faces, atlas, keep)
    texture, albedo = dressed.paint(body, texture_size)
    return Human(
        body=body,
        posed=dressed.posed,
        vertices=vertices,
        faces=faces,
        atlas=atlas,
        surfaces=dressed.seen,
        labels=labels[keep],
        classes=classes,
        texture=texture,
        albedo=albedo,
        joints=posed_joints(body, dressed.posed),
    )


def lift_posed(posed: PosedBody, floor: Float64[np.ndarray, " 3"]) -> PosedBody:
    """Return a posed body moved by -floor: soles of shoes are below those of feet."""
    transforms = {}
    for name, matrix in posed.transforms.items():
        transforms[name] = matrix.copy()
        transforms[name][:3, 3] -= floor
    moves = posed.moves.copy()
    moves[:, :, 3] -= floor.astype(np.float32)
    vertices = posed.vertices - floor.astype(np.float32)
    return replace(posed, vertices=vertices, transforms=transforms, moves=moves)


def place_tiles(pieces: tuple[Piece, ...]) -> tuple[tuple[Piece, Rectangle], ...]:
    """Return each piece with its tile's left, bottom, right and top in the texture."""
    left, bottom, width, height = CLOTH_REGION
    sizes = [piece.tile_cm for piece in pieces]
    tiles = pack_tiles(sizes, width=width, height=height) if sizes else []
    placed = []
    for piece, (x, y, wide, high) in zip(pieces, tiles, strict=True):
        rim = min(GUTTER, GUTTER_SHARE * wide, GUTTER_SHARE * high)
        inner = (left + x + rim, bottom + y + rim)
        far = (left + x + wide - rim, bottom + y + high - rim)
        placed.append((piece, (*inner, *far)))
    return tuple(placed)


def _all_surfaces(
    body: HumanBody, posed: PosedBody, placed: tuple[tuple[Piece, Rectangle], ...], level: int
) -> tuple[Surface, ...]:
    inner: list[PieceName] = ["left_eye", "right_eye"]
    if body.traits.expression in OPEN_MOUTH:
        inner += ["upper_teeth", "lower_teeth", "tongue"]
    skin = skin_surface(posed.vertices, level)
    eyes = (inner_surface(posed.vertices, name, level) for name in inner)
    return (skin, *eyes, *(_cloth_surface(piece, place) for piece, place in placed))


def _cloth_surface(piece: Piece, rectangle: Rectangle) -> Surface:
    left, bottom, right, top = rectangle
    uv = np.array([left, bottom]) + piece.uv * np.array([right - left, top - bottom])
    parts, corners = charts_near(piece.near, piece.faces)
    return Surface(
        piece.name, piece.name, piece.vertices, piece.faces, uv, piece.uv_faces, parts, corners
    )


def _light(surfaces: tuple[Surface, ...]) -> Float32[np.ndarray, " V"]:
    """Return soft light at all vertices, one surface after another."""
    starts = np.cumsum([0, *(len(surface.vertices) for surface in surfaces)])
    faces = np.concatenate([s.faces + start for s, start in zip(surfaces, starts, strict=False)])
    points = np.concatenate([surface.vertices for surface in surfaces]).astype(np.float32)
    faces = faces.astype(np.int32)
    return soft_light(points, vertex_normals(points, faces), faces)


def _drop_hidden(skin: Surface, hidden: Bool[np.ndarray, " 13380"]) -> Surface:
    """Leave out skin that clothes hide for good; hidden: of the base mesh's skin vertices."""
    base = piece_mesh("skin", 0)
    level = 0 if len(skin.faces) == len(base.faces) else 1
    matrix = piece_mesh("skin", level).matrix[:, : len(hidden)]
    under = np.asarray(matrix @ hidden.astype(np.float32)) > 1 - 1e-4
    keep = ~under[skin.faces].all(axis=1)
    used, faces = np.unique(skin.faces[keep], return_inverse=True)
    return replace(
        skin,
        vertices=skin.vertices[used],
        faces=faces.reshape(-1, 3).astype(np.int32),
        uv_faces=skin.uv_faces[keep],
        parts=skin.parts[keep],
        corner_charts=skin.corner_charts[keep],
    )


def _label_faces(
    surfaces: tuple[Surface, ...], classes: tuple[str, ...]
) -> Int32[np.ndarray, " F"]:
    numbers = [classes.index(surface.label) for surface in surfaces]
    return np.repeat(numbers, [len(surface.faces) for surface in surfaces]).astype(np.int32)


def finish_scan(human: Human, *, fitted: bool) -> MadeScan:
    """Return a person as it is written in any layout; fitted: with an SMPL-X fit."""
    return MadeScan(
        human.body.traits.index,
        human.vertices,
        human.faces,
        human.atlas,
        human.texture,
        human.joints,
        fit_human(human.body, human.posed) if fitted else None,
        human.labels.astype(np.uint8),
        human_annotations(human),
    )
