"""Who a person is: shape, face, colouring, drawn from (seed, index) and nothing else.

Lengths are the person's own centimetres. `figure.py` draws the clothes of the older kind.
"""

from dataclasses import dataclass

import numpy as np

from people.figure import rng_for
from people.phenotype import Phenotype, Shares

TRAITS_PURPOSE = 11
CHILD_SHARE, ELDER_SHARE = 0.12, 0.16
YOUNGEST, GROWN, ELDER, OLDEST = 4.0, 18.0, 58.0, 86.0
"""Years. Nobody is younger than those whom scans show."""

FACE_PAIRS: tuple[tuple[str, str, str, float], ...] = (
    ("head/head-", "scale-depth-decr", "scale-depth-incr", 0.25),
    ("head/head-", "scale-horiz-decr", "scale-horiz-incr", 0.25),
    ("head/head-", "scale-vert-decr", "scale-vert-incr", 0.2),
    ("head/head-", "fat-decr", "fat-incr", 0.25),
    ("forehead/forehead-", "nubian-decr", "nubian-incr", 0.3),
    ("forehead/forehead-", "temple-decr", "temple-incr", 0.4),
    ("forehead/forehead-", "trans-backward", "trans-forward", 0.3),
    ("eyebrows/eyebrows-", "trans-down", "trans-up", 0.35),
    ("eyebrows/eyebrows-", "trans-backward", "trans-forward", 0.35),
    ("nose/nose-", "hump-decr", "hump-incr", 0.4),
    ("nose/nose-", "point-down", "point-up", 0.35),
    ("nose/nose-", "scale-depth-decr", "scale-depth-incr", 0.35),
    ("nose/nose-", "scale-horiz-decr", "scale-horiz-incr", 0.35),
    ("nose/nose-", "scale-vert-decr", "scale-vert-incr", 0.3),
    ("nose/nose-", "flaring-decr", "flaring-incr", 0.35),
    ("nose/nose-", "width1-decr", "width1-incr", 0.35),
    ("nose/nose-", "curve-concave", "curve-convex", 0.35),
    ("nose/nose-", "greek-decr", "greek-incr", 0.3),
    ("mouth/mouth-", "scale-horiz-decr", "scale-horiz-incr", 0.35),
    ("mouth/mouth-", "upperlip-volume-decr", "upperlip-volume-incr", 0.4),
    ("mouth/mouth-", "lowerlip-volume-decr", "lowerlip-volume-incr", 0.4),
    ("mouth/mouth-", "trans-down", "trans-up", 0.25),
    ("mouth/mouth-", "cupidsbow-decr", "cupidsbow-incr", 0.4),
    ("mouth/mouth-", "angles-down", "angles-up", 0.25),
    ("mouth/mouth-", "laugh-lines-in", "laugh-lines-out", 0.3),
    ("chin/chin-", "width-decr", "width-incr", 0.4),
    ("chin/chin-", "height-decr", "height-incr", 0.3),
    ("chin/chin-", "prominent-decr", "prominent-incr", 0.35),
    ("chin/chin-", "bones-decr", "bones-incr", 0.35),
    ("neck/neck-", "scale-horiz-decr", "scale-horiz-incr", 0.25),
    ("torso/torso-", "vshape-decr", "vshape-incr", 0.3),
    ("torso/torso-", "scale-depth-decr", "scale-depth-incr", 0.2),
    ("hip/hip-", "scale-horiz-decr", "scale-horiz-incr", 0.25),
    ("stomach/stomach-", "tone-decr", "tone-incr", 0.4),
    ("torso/measure-", "shoulder-dist-decr", "shoulder-dist-incr", 0.3),
    ("torso/measure-", "napetowaist-dist-decr", "napetowaist-dist-incr", 0.25),
)
"""Folder, the target against and with, and the standard deviation of the step."""
SIDED_PAIRS: tuple[tuple[str, str, str, float], ...] = (
    ("eyes/", "eye-scale-decr", "eye-scale-incr", 0.3),
    ("eyes/", "eye-height2-decr", "eye-height2-incr", 0.35),
    ("eyes/", "eye-corner1-down", "eye-corner1-up", 0.3),
    ("eyes/", "eye-corner2-down", "eye-corner2-up", 0.3),
    ("eyes/", "eye-trans-in", "eye-trans-out", 0.25),
    ("eyes/", "eye-bag-decr", "eye-bag-incr", 0.4),
    ("eyes/", "eye-eyefold-down", "eye-eyefold-up", 0.3),
    ("cheek/", "cheek-bones-decr", "cheek-bones-incr", 0.4),
    ("cheek/", "cheek-volume-decr", "cheek-volume-incr", 0.3),
    ("ears/", "ear-wing-decr", "ear-wing-incr", 0.4),
    ("ears/", "ear-scale-decr", "ear-scale-incr", 0.3),
    ("ears/", "ear-lobe-decr", "ear-lobe-incr", 0.4),
    ("hands/", "hand-scale-decr", "hand-scale-incr", 0.15),
    ("hands/", "hand-fingers-length-decr", "hand-fingers-length-incr", 0.2),
    ("legs/", "leg-valgus-decr", "leg-valgus-incr", 0.25),
)
"""The same for targets of which each side has its own; both sides move nearly alike."""
ASYMMETRY = 0.12
"""Of a side's own step, in units of the shared one's deviation."""
STEP_SHARE, STEP_LIMIT = 0.7, 0.55
"""All deviations are scaled by the first; no step is longer than the second."""

RESTING: Shares = {"mouthSmileLeft": 0.14, "mouthSmileRight": 0.14}
"""Added to every expression: the files' own mouth droops."""
EXPRESSIONS: dict[str, Shares] = {
    "neutral": {},
    "calm": {"mouthPressLeft": 0.15, "mouthPressRight": 0.15, "eyeSquintLeft": 0.1,
             "eyeSquintRight": 0.1},
    "smile": {"mouthSmileLeft": 0.45, "mouthSmileRight": 0.45, "cheekSquintLeft": 0.3,
              "cheekSquintRight": 0.3, "eyeSquintLeft": 0.2, "eyeSquintRight": 0.2},
    "half_smile": {"mouthSmileLeft": 0.35, "mouthSmileRight": 0.12, "browOuterUpLeft": 0.12},
    "serious": {"browDownLeft": 0.35, "browDownRight": 0.35, "mouthPressLeft": 0.2,
                "mouthPressRight": 0.2},
    "surprised": {"browInnerUp": 0.5, "browOuterUpLeft": 0.4, "browOuterUpRight": 0.4,
                  "eyeWideLeft": 0.35, "eyeWideRight": 0.35, "jawOpen": 0.08},
    "talking": {"jawOpen": 0.14, "mouthFunnel": 0.15},
}  # fmt: skip
"""Facial actions (ARKit's names) and how far each goes."""


@dataclass(frozen=True, slots=True)
class Traits:
    """One person's traits.

    details: steps of single shape targets. actions: facial actions of the expression.
    melanin: 0 palest to 1 darkest skin. ruddy: -1 sallow to 1 red. freckles, stubble, grey: 0 to 1.
    noise: the seed of this person's textures.
    """

    seed: int
    index: int
    phenotype: Phenotype
    details: Shares
    expression: str
    melanin: float
    ruddy: float
    freckles: float
    stubble: float
    grey: float
    hair_tone: float
    hair_red: float
    eye_tone: float
    noise: int

    @property
    def female(self) -> bool:
        """Return whether clothes and hair are chosen as for a woman or girl."""
        return self.phenotype.gender < 0.5

    @property
    def age_years(self) -> float:
        """Return the age."""
        return self.phenotype.age_years

    @property
    def shares(self) -> Shares:
        """Return the step of every detail and facial action."""
        own = EXPRESSIONS[self.expression]
        actions = {name: own.get(name, 0) + RESTING.get(name, 0) for name in {**RESTING, **own}}
        return self.details | {f"faceunits/{name}": step for name, step in actions.items()}


def draw_traits(seed: int, index: int) -> Traits:
    """Draw all traits of the person `index` of the run `seed`."""
    rng = rng_for(seed, index, TRAITS_PURPOSE)
    female = bool((index + rng.integers(2)) % 2)
    age = _draw_age(rng)
    descent = _draw_descent(rng)
    phenotype = Phenotype(
        gender=float(np.clip(abs(rng.normal(0, 0.1)), 0, 0.3)) if female
        else float(1 - np.clip(abs(rng.normal(0, 0.1)), 0, 0.3)),
        age_years=age,
        muscle=float(np.clip(rng.normal(0.52 if female else 0.58, 0.16), 0.05, 0.95)),
        weight=float(np.clip(rng.normal(0.52, 0.17), 0.12, 0.95)),
        height=_draw_height(rng, female=female, age=age),
        proportions=float(np.clip(rng.normal(0.62, 0.15), 0.2, 1)),
        cup=float(np.clip(rng.normal(0.5, 0.18), 0.05, 0.95)),
        firmness=float(np.clip(rng.normal(0.62 - 0.004 * max(0.0, age - 30), 0.1), 0.1, 0.9)),
        descent=descent,
    )  # fmt: skip
    melanin = _draw_melanin(rng, descent)
    light = max(0.0, 1 - 2.2 * melanin)
    return Traits(
        seed=seed,
        index=index,
        phenotype=phenotype,
        details=_draw_details(rng),
        expression=_draw_expression(rng),
        melanin=melanin,
        ruddy=float(np.clip(rng.normal(0, 0.45), -1, 1)),
        freckles=float(light * np.clip(rng.normal(0.05, 0.35), 0, 1)),
        stubble=0.0 if female or age < GROWN else float(np.clip(rng.normal(0.35, 0.35), 0, 1)),
        grey=float(np.clip((age - 42) / 30 + rng.normal(0, 0.25), 0, 1)) if age > 30 else 0.0,
        hair_tone=float(np.clip(light * rng.beta(1.3, 1.8), 0, 1)),
        hair_red=float(light * (rng.random() < 0.14) * rng.uniform(0.3, 1)),
        eye_tone=float(np.clip(light * 1.4 * rng.random(), 0, 1)),
        noise=int(rng.integers(2**31)),
    )


def _draw_age(rng: np.random.Generator) -> float:
    kind = rng.random()
    child, elder, adult = (
        float(rng.uniform(*limits))
        for limits in ((YOUNGEST, GROWN), (ELDER, OLDEST), (GROWN, ELDER))
    )
    return child if kind < CHILD_SHARE else elder if kind < CHILD_SHARE + ELDER_SHARE else adult


def _draw_descent(rng: np.random.Generator) -> tuple[float, float, float]:
    shares = rng.dirichlet((0.35, 0.35, 0.45))
    return float(shares[0]), float(shares[1]), float(shares[2])


def _draw_height(rng: np.random.Generator, *, female: bool, age: float) -> float:
    """Return MakeHuman's height; its average adults are 173 and 159 cm, its steps are wide."""
    middle = 0.53 if age >= GROWN else 0.5
    return float(np.clip(rng.normal(middle + 0.01 * female, 0.035), 0.4, 0.64))


def _draw_melanin(rng: np.random.Generator, descent: tuple[float, float, float]) -> float:
    african, asian, caucasian = descent
    mean = 0.78 * african + 0.3 * asian + 0.14 * caucasian
    return float(np.clip(rng.normal(mean, 0.07), 0.02, 0.97))


def _draw_details(rng: np.random.Generator) -> Shares:
    steps: Shares = {}
    for prefix, minus, plus, spread in FACE_PAIRS:
        _add_step(steps, (prefix + minus, prefix + plus), spread * float(rng.normal()))
    for folder, minus, plus, spread in SIDED_PAIRS:
        shared = float(rng.normal())
        for side in ("l-", "r-"):
            own = spread * (shared + ASYMMETRY * float(rng.normal()))
            _add_step(steps, (folder + side + minus, folder + side + plus), own)
    return steps


def _add_step(steps: Shares, pair: tuple[str, str], step: float) -> None:
    steps[pair[step > 0]] = float(np.clip(STEP_SHARE * abs(step), 0, STEP_LIMIT))


def _draw_expression(rng: np.random.Generator) -> str:
    names = ("neutral", "neutral", "neutral", *EXPRESSIONS)
    return names[int(rng.integers(len(names)))]
