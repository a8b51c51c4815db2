"""The net of phase 2: coarse depth and blended normals to depth at full resolution.

Dimension letters: B images, H and W rows and columns of the full image.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from training.twok2k.blocks import full_precision
from training.twok2k.coarse_net import DepthPrediction, depth_prediction

NORMAL_SAMPLING = ((1, 4), (0, 2), (0, 1))
"""(first, every) pixel of the blended normals at each step.

Source: docs/networks.md, "Refinement net".
"""


class RefinementNet(nn.Module):
    """Three steps, each twofold: depth branch, normal branch, merged."""

    def __init__(
        self,
        depth_branches: Sequence[nn.Module],
        normal_branches: Sequence[nn.Module],
        merges: Sequence[nn.Module],
    ) -> None:
        """Take the parts of the three steps; the last merge ends in three plain channels."""
        super().__init__()
        self.depth_branches = nn.ModuleList(depth_branches)
        self.normal_branches = nn.ModuleList(normal_branches)
        self.merges = nn.ModuleList(merges)

    @property
    def head(self) -> nn.Conv2d:
        """Return the last convolution, to three channels."""
        return [part for part in self.merges[-1].modules() if isinstance(part, nn.Conv2d)][-1]

    def forward(
        self, depth: Float[Tensor, "B 2 h w"], normals: Float[Tensor, "B 6 H W"]
    ) -> DepthPrediction:
        """Predict at full size (H = 8 h) from coarse front and back depth and blended normals.

        Concatenation: depth first, then normals.
        """
        state = depth
        steps = zip(
            self.depth_branches, self.normal_branches, self.merges, NORMAL_SAMPLING, strict=True
        )
        for deepen, see, merge, (first, every) in steps:
            sampled = normals[:, :, first::every, first::every]
            state = merge(torch.cat([deepen(state), see(sampled)], dim=1))
        return depth_prediction(full_precision(state))
