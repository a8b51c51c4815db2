"""What a person wears: the one place where bodies are given clothes and hair."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int32

from people.garments import hidden_skin, wear
from people.hair_mold import Molds
from people.hairs import grow_beard, grow_hair
from people.held_things import phone
from people.human_body import HumanBody, PosedBody
from people.human_mesh import piece_mesh
from people.human_pose import Held
from people.outfits import Outfit, draw_outfit
from people.person import Detail
from people.pieces import Piece

NOTHING_HELD = Held()


@dataclass(frozen=True, slots=True)
class Dressing:
    """What lies on a body, and which skin vertices of the base mesh it hides for good."""

    pieces: tuple[Piece, ...]
    hidden: Bool[np.ndarray, " 13380"]


def dress_human(
    body: HumanBody,
    posed: PosedBody,
    detail: Detail,
    held: Held = NOTHING_HELD,
    molds: Molds | None = None,
) -> Dressing:
    """Dress a posed body and give it hair; a pure function of traits, pose and what is held.

    molds: for the same mesh in several poses.
    """
    outfit = draw_outfit(body.traits, bag=held.bag)
    pieces = wear(body, posed, list(outfit.garments), fine=detail == "full")
    pieces += _grow(posed, outfit, _collider(posed, pieces), detail, molds)
    pieces += [phone(body, posed, side) for side in held.phones]
    return Dressing(tuple(pieces), hidden_skin([name for name, _ in outfit.garments]))


def _collider(
    posed: PosedBody, pieces: list[Piece]
) -> tuple[Float64[np.ndarray, "V 3"], Int32[np.ndarray, "F 3"]]:
    """Return skin and clothes as one surface for hair to lie on."""
    skin = piece_mesh("skin", 0)
    places = [skin.place(posed.vertices).astype(np.float64)]
    faces = [skin.faces]
    for piece in pieces:
        faces.append(piece.faces + sum(len(place) for place in places))
        places.append(piece.vertices)
    return np.concatenate(places), np.concatenate(faces).astype(np.int32)


def _grow(
    posed: PosedBody,
    outfit: Outfit,
    collider: tuple[Float64[np.ndarray, "V 3"], Int32[np.ndarray, "F 3"]],
    detail: Detail,
    molds: Molds | None,
) -> list[Piece]:
    share = LOCK_SHARES[detail]
    grown = []
    if outfit.hair:
        grown.append(
            grow_hair(
                posed,
                outfit.hair,
                outfit.hair_look,
                collider,
                recede=outfit.recede,
                share=share,
                hat=outfit.hat,
                mold=None if molds is None else molds.hair,
            )
        )
    if outfit.beard:
        mold = None if molds is None else molds.beard
        look = outfit.hair_look
        grown.append(grow_beard(posed, outfit.beard, look, collider, share=share, mold=mold))
    return grown


LOCK_SHARES: dict[Detail, float] = {"full": 1.0, "fast": 0.35, "sketch": 0.2}
"""How many of a haircut's locks grow; fewer are wider."""
