"""The dressed figure: body, clothes and hair as one solid."""

from dataclasses import dataclass

from people.body import Body, body_distance, build_body
from people.clothes import Clothes, clothes_distance, cut_clothes
from people.figure import Figure
from people.hair import Hair, grow_hair, hair_distance
from people.shapes import Distances, Points, mirror, smooth_union
from people.wardrobe import choose_wardrobe

HAIR_FILLET_CM, CLOTH_FILLET_CM = 0.4, 0.3


@dataclass(frozen=True, slots=True)
class Dressed:
    """A figure's three layers."""

    body: Body
    clothes: Clothes
    hair: Hair


def dress(figure: Figure) -> Dressed:
    """Build all layers of a figure."""
    body = build_body(figure)
    clothes = cut_clothes(figure, body, choose_wardrobe(figure))
    return Dressed(body, clothes, grow_hair(figure, body.head))


def dressed_distance(dressed: Dressed, points: Points) -> Distances:
    """Return the signed distance to the outermost surface."""
    half = mirror(points)
    distance = body_distance(dressed.body, half)
    clothes = clothes_distance(dressed.clothes, dressed.body, half)
    distance = smooth_union(distance, clothes, CLOTH_FILLET_CM)
    return smooth_union(distance, hair_distance(dressed.hair, half), HAIR_FILLET_CM)
