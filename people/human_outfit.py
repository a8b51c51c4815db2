"""What a person wears: the one place where bodies are given clothes and hair."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from people.cloth_grid import Look
from people.figure import TOP_COLORS, rng_for
from people.garment_kinds import GARMENTS
from people.garments import hidden_skin, wear
from people.human_body import HumanBody, PosedBody
from people.person import Detail
from people.pieces import Piece

OUTFIT_PURPOSE = 21
TOPS, BOTTOMS = ("tshirt", "shirt", "sweater", "hoodie"), ("jeans", "trousers", "shorts")


@dataclass(frozen=True, slots=True)
class Dressing:
    """What lies on a body, and which skin vertices of the base mesh it hides for good."""

    pieces: tuple[Piece, ...]
    hidden: Bool[np.ndarray, " 13380"]


def dress_human(body: HumanBody, posed: PosedBody, detail: Detail) -> Dressing:
    """Dress a posed body and give it hair; a pure function of its traits and the pose."""
    del detail
    rng = rng_for(body.traits.seed, body.traits.index, OUTFIT_PURPOSE)
    names = [TOPS[int(rng.integers(len(TOPS)))], BOTTOMS[int(rng.integers(len(BOTTOMS)))]]
    kinds = [(name, _look(name, rng)) for name in reversed(names)]
    return Dressing(tuple(wear(body, posed, kinds)), hidden_skin(names))


def _look(name: str, rng: np.random.Generator) -> Look:
    row = GARMENTS[name]
    colors = [TOP_COLORS[int(pick)] for pick in rng.permutation(len(TOP_COLORS))[:3]]
    fabric = row.fabrics[int(rng.integers(len(row.fabrics)))]
    pattern = row.patterns[int(rng.integers(len(row.patterns)))]
    seed = int(rng.integers(2**31))
    return Look(fabric, pattern, colors[0], colors[1], colors[2], seed, row.marks)
