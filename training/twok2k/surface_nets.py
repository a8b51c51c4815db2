"""The three nets of 2K2K: normals, coarse depth, refined depth.

Dimension letters: B images or crops, C channels, H rows, W columns (multiples of 8; of 16 for the
coarse depth), h = H / 8, w = W / 8. Parts are passed in: `sizes` knows how large they are.
Source: docs/networks.md, "2K2K networks".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from training.loop.compute_modes import full_precision
from training.twok2k.blocks import Decoder, Encoder
from training.twok2k.targets import FRONT_BACKGROUND

MASK_THRESHOLD = 0.5
NORMAL_SAMPLING = ((1, 4), (0, 2), (0, 1))
"""(first, every) pixel of the blended normals at each step.

Source: docs/networks.md, "Refinement net".
"""


@dataclass(frozen=True, slots=True)
class DepthPrediction:
    """Depth of both surfaces in network units (0..6) and the mask.

    mask_logit: before the sigmoid, for the loss. mask: probability in 0..1.
    """

    front: Float[Tensor, "B 1 H W"]
    back: Float[Tensor, "B 1 H W"]
    mask_logit: Float[Tensor, "B 1 H W"]

    @property
    def mask(self) -> Float[Tensor, "B 1 H W"]:
        """Return the probability that a pixel shows the person."""
        return torch.sigmoid(self.mask_logit)

    @property
    def composed(self) -> "DepthPrediction":
        """Return the depths where the mask is over one half; else front 6, back 0.

        Trained on the person's pixels alone, the nets say nothing of the others.
        """
        inside = self.mask > MASK_THRESHOLD
        front = torch.where(inside, self.front, FRONT_BACKGROUND)
        return DepthPrediction(front, torch.where(inside, self.back, 0), self.mask_logit)


class NormalNet(nn.Module):
    """Image (and, for a part, the coarse front normal) to front and back normals."""

    def __init__(self, encoder: Encoder, decoder: Decoder, head: nn.Conv2d) -> None:
        """Take the parts; head: a 1x1 convolution to six channels."""
        super().__init__()
        self.encoder, self.decoder, self.head = encoder, decoder, head

    def forward(self, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 6 H W"]:
        """Return front normal, back normal, mapped to 0..1 as training.twok2k.targets does.

        image: RGB in -1..1; for a part three more channels: the whole-image net's front
        normal as predicted. ReLU leaves the upper end open.
        """
        normals: Tensor = torch.relu(self.head(self.decoder(self.encoder(image))))
        return full_precision(normals)


class CoarseDepthNet(nn.Module):
    """Two encoders (image, whole-image normals), joined at the bottom and in the skips."""

    def __init__(
        self,
        picture_encoder: Encoder,
        normal_encoder: Encoder,
        decoder: Decoder,
        head: nn.Conv2d,
    ) -> None:
        """Take the parts; head: a 1x1 convolution to three channels."""
        super().__init__()
        self.picture_encoder, self.normal_encoder = picture_encoder, normal_encoder
        self.decoder, self.head = decoder, head

    def forward(
        self, image: Float[Tensor, "B 3 H W"], normals: Float[Tensor, "B 6 H W"]
    ) -> DepthPrediction:
        """Predict from RGB in -1..1 and the whole-image normals (gradient flows into both)."""
        levels = zip(self.picture_encoder(image), self.normal_encoder(normals), strict=True)
        joined = [torch.cat(pair, dim=1) for pair in levels]
        return depth_prediction(full_precision(self.head(self.decoder(joined))))


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
        self,
        depth: Float[Tensor, "B 2 h w"],
        normals: Float[Tensor, "B 6 H W"],
        start: Float[Tensor, "B 3 H W"] | None = None,
    ) -> DepthPrediction:
        """Predict at full size (H = 8 h) from coarse front and back depth and blended normals.

        Concatenation: depth first, then normals. start: depths and mask logit that the last layer
        adds to.
        """
        state = depth
        steps = zip(
            self.depth_branches, self.normal_branches, self.merges, NORMAL_SAMPLING, strict=True
        )
        for deepen, see, merge, (first, every) in steps:
            sampled = normals[:, :, first::every, first::every]
            state = merge(torch.cat([deepen(state), see(sampled)], dim=1))
        channels = full_precision(state)
        if start is not None:
            channels = channels + start
        return depth_prediction(channels)


def depth_prediction(channels: Float[Tensor, "B 3 H W"]) -> DepthPrediction:
    """Read a head's channels: front depth (ReLU6), back depth (ReLU6), mask (sigmoid)."""
    depths = functional.relu6(channels[:, :2])
    return DepthPrediction(depths[:, :1], depths[:, 1:], channels[:, 2:])
