"""Facets: the triangles of a pixel's point with those to its right and above.

Depth normals by HDNet's form are those of facets, which span three pixels; stored and predicted
normals are those of single pixels. Here the one is made of the other, and video people are placed.
Dimension letters: B images, H rows, W columns. Source: docs/losses.md, "Depth normals (HDNet)".
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from schemas.camera import HDNET_FOCAL_PX
from training.hdnet.hourglass_losses import has_neighbours, lift
from training.hdnet.labelled_samples import MEDIAN_M

HEIGHT_M = 1.70
"""Of a person in a video, of whom no other size is known. As the setting assumed_height_m."""

MIN_FACING = 0.1
"""Cosine between a mean normal and the ray: flatter surfaces are seen too steeply to step along."""


def facets_of_normals(
    normals: Float[Tensor, "B 3 H W"], mask: Bool[Tensor, "B 1 H W"]
) -> tuple[Float[Tensor, "B 3 H W"], Bool[Tensor, "B 1 H W"]]:
    """Return the facets' unit normals that pixels' unit normals lead to, and where they hold.

    Each edge of a facet is, to second order, perpendicular to the mean of the normals at its ends.
    """
    rays = functional.normalize(lift(torch.ones_like(normals[:1, :1])), dim=1)
    right, facing_right = _step(normals, rays, shift=-1, axis=3)
    up, facing_up = _step(normals, rays, shift=1, axis=2)
    facets = functional.normalize(torch.linalg.cross(right, up, dim=1), dim=1)
    return facets, has_neighbours(mask) & facing_right & facing_up


def place_people(mask: Bool[Tensor, "B 1 H W"]) -> Float[Tensor, "B 1 1 1"]:
    """Return how much farther than people of the usual height the reader's 4 m are, metres.

    Their distance follows from the rows that the mask spans. An empty mask counts as whole.
    """
    rows = mask.any(dim=3, keepdim=True).float()
    spanned = rows.cummax(dim=2).values * rows.flip(2).cummax(dim=2).values.flip(2)
    height = spanned.sum(dim=2, keepdim=True)
    height = torch.where(height > 0, height, mask.shape[2])
    return MEDIAN_M - HDNET_FOCAL_PX * HEIGHT_M / height


def _step(
    normals: Tensor, rays: Tensor, *, shift: int, axis: int
) -> tuple[Float[Tensor, "B 3 H W"], Bool[Tensor, "B 1 H W"]]:
    """Return the step from a ray's point at length 1 to its neighbour's, and where it is sound."""
    mean = functional.normalize(normals + torch.roll(normals, shift, dims=axis), dim=1)
    others = torch.roll(rays, shift, dims=axis)
    here, there = (-(mean * one).sum(dim=1, keepdim=True) for one in (rays, others))
    sound = (here > MIN_FACING) & (there > MIN_FACING)
    return others * torch.where(sound, here / torch.where(sound, there, 1), 1) - rays, sound
