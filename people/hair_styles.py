"""The table of haircuts and beards: where hair grows, how it lies, how long it is.

Canonical coordinates (`garment_surfaces`): centimetres on the unshaped base mesh, feet on y = 0.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from people.garment_surfaces import Points

Flow = Literal["crown", "chin", "back", "part", "tie", "out", "hang"]

HEAD_CENTRE = np.array([0.0, 156.0, 5.5])
CROWN = np.array([0.0, 166.0, 0.5])
TIES = {"ponytail": np.array([0.0, 160.5, -5.4]), "bun": np.array([0.0, 165.2, -2.8])}
HAIRLINE_DEG = (0.0, 25.0, 42.0, 55.0, 66.0, 74.0, 82.0, 104.0, 114.0, 130.0, 150.0, 180.0)
HAIRLINE_CM = (162.3, 162.2, 161.6, 159.2, 156.4, 152.6, 159.0, 159.6, 152.5, 148.8, 147.4, 147.0)
"""The lower edge of the hair at each bearing from straight ahead: forehead, temple, sideburn, over
and behind the ear, nape."""
EDGE_CM = 0.9


@dataclass(frozen=True, slots=True)
class Cut:
    """One haircut; lengths in centimetres.

    locks: how many. top, side: length of a lock there. width: of a lock. lift: how far the
    outermost lie off the skull. stiff: 0 hangs from the root to 1 keeps its direction. curl, turns:
    radius of its coils, and coils for each centimetre. cap: thickness of the layer below the locks.
    rise: how much locks start straight off the skin, not as they are combed. rough: how unlike
    neighbours are. fringe: they may hang before the face. knot: where they are tied, of TIES.
    curly: grooves wind. clumps, tight: how many strands locks gather in, and how much at the tip.
    groove: how deep grooves are. wisps: share of locks that stand off. cap_only: no more than
    the cap. ramp: how far from its edge the cap is as thick as it gets.
    frayed: how uneven that edge is.
    """

    flow: Flow
    locks: int
    top: float
    side: float
    width: float = 0.5
    lift: float = 1.0
    stiff: float = 0.5
    curl: float = 0.0
    turns: float = 0.0
    cap: float = 0.5
    rough: float = 0.25
    segments: int = 7
    fringe: bool = False
    rise: float = 0.6
    knot: str = ""
    curly: bool = False
    clumps: int = 120
    tight: float = 0.5
    groove: float = 0.12
    wisps: float = 0.08
    cap_only: bool = False
    ramp: float = 2.5
    frayed: float = 0.12


CUTS: dict[str, Cut] = {
    "buzz": Cut(
        "crown", 400, 0.9, 0.7, width=0.35, lift=0.3, stiff=0.6, cap=0.25, segments=2, rise=0.3,
        rough=0.15, groove=0.15, curly=True, cap_only=True,
    ),
    "short": Cut(
        "crown", 2300, 4.6, 2.2, width=0.6, lift=1.2, stiff=0.55, cap=0.5, segments=5, rise=0.45,
        rough=0.16, clumps=170, groove=0.14,
    ),
    "swept": Cut(
        "back", 2000, 7.0, 2.4, width=0.65, lift=1.8, stiff=0.55, cap=0.6, segments=6, rough=0.15,
        clumps=130, groove=0.15,
    ),
    "bob": Cut(
        "part", 1700, 20, 17, width=0.75, lift=1.1, stiff=0.4, cap=0.6, segments=8, rise=0.15,
        rough=0.13, clumps=90, tight=0.4,
    ),
    "long": Cut(
        "part", 1700, 44, 40, width=0.75, lift=0.9, stiff=0.35, cap=0.5, segments=9, rise=0.15,
        rough=0.12, clumps=80, tight=0.6,
    ),
    "wavy": Cut(
        "part", 1500, 36, 33, width=0.8, lift=1.3, stiff=0.38, curl=0.5, turns=0.1, cap=0.6,
        segments=11, rise=0.2, rough=0.16, clumps=60, tight=0.75, groove=0.15,
    ),
    "curly": Cut(
        "crown", 1500, 12, 11, width=0.75, lift=3.2, stiff=0.6, curl=0.6, turns=0.3, cap=1.0,
        segments=11, rough=0.4, curly=True, clumps=200, tight=0.55, groove=0.22, wisps=0.0,
    ),
    "afro": Cut(
        "out", 2400, 7.0, 6.0, width=0.7, lift=6.0, stiff=1.0, curl=0.5, turns=0.6, cap=2.0,
        segments=7, rough=0.3, curly=True, clumps=0, groove=0.3, wisps=0.0,
    ),
    "ponytail": Cut(
        "tie", 1700, 14, 14, width=0.75, lift=0.6, stiff=0.2, cap=0.5, segments=8, rise=0.05,
        rough=0.07, knot="ponytail", clumps=0, groove=0.08, wisps=0.04,
    ),
    "bun": Cut(
        "tie", 1700, 12, 12, width=0.75, lift=0.6, stiff=0.2, cap=0.5, segments=8, rise=0.05,
        rough=0.07, knot="bun", clumps=0, groove=0.08, wisps=0.04,
    ),
    "pixie": Cut(
        "crown", 2000, 6.5, 5.0, width=0.65, lift=1.4, stiff=0.5, cap=0.5, segments=6, fringe=True,
        rise=0.4, clumps=140, groove=0.14,
    ),
}  # fmt: skip
"""Bald is no row: it has no hair."""


def above_hairline(place: Points, recede: float = 0.0) -> Float64[np.ndarray, " N"]:
    """Return how far above the hairline canonical points of the head lie, centimetres.

    recede: how far temples have gone back, 0 to 1.
    """
    away = place - HEAD_CENTRE
    bearing = np.degrees(np.arctan2(np.abs(away[:, 0]), away[:, 2]))
    line = np.interp(bearing, HAIRLINE_DEG, HAIRLINE_CM)
    line += recede * 3.2 * np.exp(-(((bearing - 38) / 16) ** 2)) + recede * 1.2 * (bearing < 38)
    above: Float64[np.ndarray, " N"] = place[:, 1] - line
    return above


def inside_beard(place: Points, full: bool) -> Float64[np.ndarray, " N"]:
    """Return how far inside a beard's outline points of the head lie; full: with cheeks."""
    x, y, z = np.abs(place[:, 0]), place[:, 1], place[:, 2]
    mouth = np.hypot(x / 2.6, (y - 149.0) / 1.0) - 1.0
    nose = 150.7 - y + 0.06 * x
    cheek = 149.6 + 0.42 * np.maximum(x - 2.8, 0) - y
    chin = 3.4 - x if not full else 8.0 - x
    upper = np.where(x < 3.2, nose, cheek) if full else np.where(x < 3.4, nose, -1.0)
    under = y - 140.5 - 0.5 * np.maximum(0, 9 - z)
    front = z - (5.0 if full else 9.0)
    inside: Float64[np.ndarray, " N"] = np.minimum.reduce(
        [upper, mouth * 1.5, under, front, chin + 0.0 * y]
    )
    return inside
