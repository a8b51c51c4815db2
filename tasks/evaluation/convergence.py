"""How many drawn points a figure needs."""

import math

import numpy as np
from jaxtyping import Float64

from schemas.evaluation import Convergence

SUBSETS = 20
RELATIVE_ERROR = 0.01
"""Standard error by mean at which a figure counts as sure: its second digit holds."""


def check_convergence(
    measure: str, values: Float64[np.ndarray, " N"], *, asked: float = RELATIVE_ERROR
) -> Convergence:
    """Estimate the standard error of a mean from the means of disjoint subsets.

    values: of points drawn independently. asked: relative error of the mean that is enough. The
    error falls with the root of the number of points, which gives the number that is needed.
    """
    count = len(values)
    subsets = min(SUBSETS, count)
    means = [float(part.mean()) for part in np.array_split(values, subsets)]
    mean = float(values.mean())
    error = float(np.std(means, ddof=1)) / math.sqrt(subsets) if subsets > 1 else math.inf
    relative = error / mean if mean > 0 else 0.0
    needed = math.ceil(count * (relative / asked) ** 2) if math.isfinite(relative) else count
    return Convergence(
        measure=measure, mean=mean, points=count, subsets=subsets, standard_error=error,
        relative_error=relative, points_needed=max(1, needed), is_enough=relative <= asked,
    )  # fmt: skip
