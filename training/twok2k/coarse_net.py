"""The net that predicts coarse depth of both surfaces and the mask, at 1/8 of the resolution.

Dimension letters: B images, H rows, W columns (multiples of 16).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from training.twok2k.blocks import Decoder, Encoder, full_precision


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


def depth_prediction(channels: Float[Tensor, "B 3 H W"]) -> DepthPrediction:
    """Read a head's channels: front depth (ReLU6), back depth (ReLU6), mask (sigmoid)."""
    depths = nn.functional.relu6(channels[:, :2])
    return DepthPrediction(depths[:, :1], depths[:, 1:], channels[:, 2:])
