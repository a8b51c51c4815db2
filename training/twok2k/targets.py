"""What the nets are asked to predict, made from ray lengths on the training device.

Dimension letters: B images, H rows, W columns.
Network units: 1 is a quarter of the image's side in pixel-depths, so that the plane through the
origin of the scene is 2.0 and the far background 6 at every resolution.
Source: docs/2k2k-dataset.md, "Depth encoding"; docs/networks.md, "Other resolutions";
docs/losses.md.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

FRONT_BACKGROUND = 6.0
NORMAL_Z_AT_2048 = 1 / 255
"""The constant z of normals from depth, network units of one pixel at 2048."""

NORMAL_DEPTH_FLOOR = 0.2
"""Nearer than this there is no surface: normals are 0."""

COARSE_EVERY, COARSE_FIRST = 8, 3


@dataclass(frozen=True, slots=True)
class DepthTargets:
    """Depth of both surfaces in network units, 0 outside the person, and what follows from it.

    normals: front, back; mapped to 0..1, 0 outside; taken while the background is still 0.
    """

    front: Float[Tensor, "B 1 H W"]
    back: Float[Tensor, "B 1 H W"]
    normals: Float[Tensor, "B 6 H W"]

    @property
    def inside(self) -> Bool[Tensor, "B 1 H W"]:
        """Return where the person is."""
        return self.front > 0

    @property
    def front_filled(self) -> Float[Tensor, "B 1 H W"]:
        """Return the front with its background at 6: what the nets predict there."""
        return torch.where(self.inside, self.front, FRONT_BACKGROUND)


def network_depth(
    length: Float[Tensor, "B 1 H W"], focal_px: Float[Tensor, " B"], resolution: int
) -> Float[Tensor, "B 1 H W"]:
    """Convert ray length (scene units, 0 outside) to network units, 0 outside."""
    depth = length - 1  # what follows writes into it: fresh memory is slow
    depth.mul_(focal_px[:, None, None, None]).add_(resolution / 2)
    return depth.div_(pixel_depths_per_unit(resolution)).masked_fill_(~(length > 0), 0)


def pixel_depths_per_unit(resolution: int) -> float:
    """Return how many pixel-depths one network unit is."""
    return resolution / 4


def normal_z(resolution: int) -> float:
    """Return the constant z of normals from depth: 2.008 pixel-depths at every resolution."""
    return NORMAL_Z_AT_2048 * 2048 / resolution


def normals_from_depth(depth: Float[Tensor, "B 1 H W"], z: float) -> Float[Tensor, "B 3 H W"]:
    """Return normals of a depth map in network units, mapped to 0..1; 0 where depth < 0.2.

    n = (d[r, c] - d[r, c+1], d[r-1, c] - d[r, c], z) normalised; differences are 0 in the last
    column and in the first row.
    """
    across = functional.pad(depth[..., :-1] - depth[..., 1:], (0, 1))
    down = functional.pad(depth[..., :-1, :] - depth[..., 1:, :], (0, 0, 1, 0))
    raw = torch.cat([across, down, torch.full_like(depth, z)], dim=1)
    unit = raw / torch.linalg.vector_norm(raw, dim=1, keepdim=True)
    mapped: Tensor = (unit + 1) / 2 * (depth >= NORMAL_DEPTH_FLOOR)
    return mapped


def depth_targets(
    front: Float[Tensor, "B 1 H W"], back: Float[Tensor, "B 1 H W"], z: float
) -> DepthTargets:
    """Make the targets of one resolution from depth in network units, 0 outside."""
    normals = [normals_from_depth(depth, z) for depth in (front, back)]
    return DepthTargets(front, back, torch.cat(normals, dim=1))


def coarse(depth: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B 1 h w"]:
    """Return every 8th pixel from index 3: the coarse target."""
    return depth[..., COARSE_FIRST::COARSE_EVERY, COARSE_FIRST::COARSE_EVERY]


def split_surfaces(
    normals: Float[Tensor, "B 6 H W"],
) -> tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B 3 H W"]]:
    """Return front and back of six-channel normals."""
    return normals[:, :3], normals[:, 3:]
