"""What the measures of all stages are made of: sums and counts over pixels, and their means.

Dimension letters: B images, H rows, W columns.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from training.loop.stage_types import Sums

MILLIMETRES = 1000
"""In a metre."""


def sum_inside(values: Tensor, inside: Tensor) -> Float[Tensor, " 2"]:
    """Return (sum of the values where inside is True, how many); both (B, 1, H, W)."""
    kept = torch.where(inside, values, 0).double()
    return torch.stack([kept.sum(), inside.sum().double()])


def angles_degrees(
    one: Float[Tensor, "B 3 H W"], other: Float[Tensor, "B 3 H W"]
) -> Float[Tensor, "B 1 H W"]:
    """Return the angle between vectors of any length: atan2(|a x b|, a . b)."""
    cross = torch.linalg.vector_norm(torch.linalg.cross(one, other, dim=1), dim=1, keepdim=True)
    return torch.rad2deg(torch.atan2(cross, (one * other).sum(dim=1, keepdim=True)))


def means(sums: Sums) -> dict[str, float]:
    """Divide sums by counts; a measure without any pixel is left out."""
    return {name: float(pair[0] / pair[1]) for name, pair in sums.items() if pair[1] > 0}


def is_better(loss: float, best: float | None) -> bool:
    """Say whether a validation loss is the lowest so far; NaN never is."""
    return not math.isnan(loss) and (best is None or loss < best)
