"""DensePose's 24 parts on a figure at rest, and where each part's chart lies in the atlas.

Parts: 1 torso back, 2 torso front, 3 right hand, 4 left hand, 5 left foot, 6 right foot,
7/9 upper leg right back/front, 8/10 left, 11/13 lower leg right back/front, 12/14 left,
15/17 upper arm left front/back, 16/18 right, 19/21 lower arm left front/back, 20/22 right,
23 head right, 24 head left. Source: docs/hdnet-dataset.md; which of a pair is the front is ours.
Hands and feet are cut in two halves that share their part's chart.
"""

import numpy as np
from jaxtyping import Float64, Int32

from people.figure import Figure
from people.meshing import Faces, edges_of, label_pieces
from people.shapes import Points
from people.skeleton import shoulder_shift_cm
from people.skinning import ANKLE_Y, ELBOW_X, KNEE_Y, SHOULDER_X, WRIST_X, smooth_step

Islands = Int32[np.ndarray, " F"]

HALVES = 2
"""An island's number is 2 * part + half."""
CELLS: dict[int, tuple[float, float, float, float]] = {
    **{part: (4 * column, 10, 4, 6) for column, part in enumerate((23, 24, 1, 2))},
    **{7 + column: (2 * column, 4, 2, 6) for column in range(8)},
    **{15 + column: (column, 0, 1, 4) for column in range(8)},
    **{3 + column: (8 + 2 * column, 0, 2, 4) for column in range(4)},
}
"""Left, bottom, width and height of each part's cell, in sixteenths of the atlas, v up."""
CELL_UNITS = 16
HEADS, TORSO, HANDS, FEET = (23, 24), (1, 2), (3, 4), (5, 6)
TORSO_Z, LEG_Z, ARM_Z = -2.0, -1.0, -3.4
SMOOTH_ROUNDS, REPAIR_ROUNDS = 4, 6


def label_faces(figure: Figure, rest: Points, faces: Faces) -> Islands:
    """Return each face's island: 2 * part + half; every island is one connected piece."""
    centre = rest[faces].mean(axis=1)
    return clean_islands(_label_points(figure, centre), faces)


def clean_islands(islands: Islands, faces: Faces) -> Islands:
    """Smooth the borders of islands of faces, and give splinters to their neighbours."""
    pairs = face_pairs(faces)
    for _ in range(SMOOTH_ROUNDS):
        islands = _majority(islands, pairs)
    for _ in range(REPAIR_ROUNDS):
        islands = _drop_splinters(islands, pairs)
    return islands


def _label_points(figure: Figure, points: Points) -> Islands:
    left = points[:, 0] >= 0
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    x = x - shoulder_shift_cm(figure) * smooth_step(x, 0.0, SHOULDER_X) * (y > ELBOW_X)
    island = (HALVES * np.where(z > TORSO_Z, 2, 1)).astype(np.int32)
    leg = 83.0 + 0.45 * x - y > 0
    _paint_leg(island, leg, left, (x, y, z))
    arm = (x - 0.9 * np.maximum(0, 133 - y) > SHOULDER_X) & (y > 115)
    _paint_arm(island, arm, left, (x, y, z))
    head = y + 0.6 * (z + 2) > 152
    island = np.where(head, HALVES * np.where(left, 24, 23), island)
    return island.astype(np.int32)


def _paint_leg(
    island: Islands,
    leg: np.ndarray,
    left: np.ndarray,
    xyz: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    x, y, z = xyz
    front = z > LEG_Z
    upper = np.where(front, 9, 7) + left
    lower = np.where(front, 13, 11) + left
    island[leg] = HALVES * np.where(y > KNEE_Y, upper, lower)[leg]
    foot = leg & (y < ANKLE_Y)
    outer = x > 10.7 + 0.1 * z
    island[foot] = (HALVES * np.where(left, 5, 6) + outer)[foot]


def _paint_arm(
    island: Islands,
    arm: np.ndarray,
    left: np.ndarray,
    xyz: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    x, y, z = xyz
    back = HALVES * (z < ARM_Z)
    island[arm] = (HALVES * (np.where(left, 15, 16) + back))[arm]
    lower = arm & (x > ELBOW_X)
    island[lower] = (HALVES * (np.where(left, 19, 20) + back))[lower]
    hand = arm & (x > WRIST_X)
    middle = 140.6 - 1.4 * smooth_step(z.astype(np.float32), 0.5, 2.8)
    island[hand] = (HALVES * np.where(left, 4, 3) + (y > middle))[hand]


def face_pairs(faces: Faces) -> Int32[np.ndarray, "E 2"]:
    """Return the two faces of every edge of a closed mesh."""
    edges = np.sort(edges_of(faces), axis=1)
    owner = np.repeat(np.arange(len(faces), dtype=np.int32), 3)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    return owner[order].reshape(-1, 2)


def _majority(islands: Islands, pairs: Int32[np.ndarray, "E 2"]) -> Islands:
    """Let a face join the island that two of its three neighbours belong to."""
    neighbours = _neighbours(len(islands), pairs)
    near = islands[neighbours]
    agreed = np.where(near[:, 1] == near[:, 2], near[:, 1], near[:, 0])
    twice = (near[:, 0] == near[:, 1]) | (near[:, 0] == near[:, 2]) | (near[:, 1] == near[:, 2])
    return np.where(twice, agreed, islands).astype(np.int32)


def _neighbours(count: int, pairs: Int32[np.ndarray, "E 2"]) -> Int32[np.ndarray, "F 3"]:
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    order = np.argsort(ends[:, 0], kind="stable")
    near: Int32[np.ndarray, "F 3"] = ends[order, 1].reshape(count, 3)
    return near


def _drop_splinters(islands: Islands, pairs: Int32[np.ndarray, "E 2"]) -> Islands:
    """Give every piece but the largest of an island to the neighbour it touches most."""
    piece = connected_pieces(islands, pairs)
    sizes = np.bincount(piece)
    island_of = np.zeros(len(sizes), np.int32)
    island_of[piece] = islands
    best = np.zeros(island_of.max() + 1, np.int64)
    np.maximum.at(best, island_of, sizes)
    small = sizes < best[island_of]
    out = islands.copy()
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    for number in np.flatnonzero(small):
        touching = ends[(piece[ends[:, 0]] == number) & (piece[ends[:, 1]] != number), 1]
        out[piece == number] = np.bincount(islands[touching]).argmax()
    return out


def connected_pieces(islands: Islands, pairs: Int32[np.ndarray, "E 2"]) -> Islands:
    """Give each connected piece of faces with equal island a number."""
    same = pairs[islands[pairs[:, 0]] == islands[pairs[:, 1]]]
    return label_pieces(same, len(islands))


def chart_directions(island: int) -> Float64[np.ndarray, "2 3"]:
    """Return the rest directions along which a chart's U and V roughly run."""
    part = island // HALVES
    x, y, z = np.eye(3)
    if part in HEADS or part in FEET:
        return np.stack([z, y])
    if part in HANDS:
        return np.stack([z, x])
    return np.stack([y, x]) if part >= 15 else np.stack([x, y])
