"""The attention U-Net that predicts front and back normals of the whole image or of a part.

Dimension letters: B images or crops, C channels, H rows, W columns (multiples of 8).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from training.twok2k.blocks import Decoder, Encoder, full_precision


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
