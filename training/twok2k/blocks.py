"""The building blocks of all 2K2K networks.

Dimension letters: B images (or crops), C channels, H rows, W columns.
Every convolution has a bias. Source: docs/networks.md, "2K2K networks".
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from training.loop.compute_modes import Recomputable

KERNEL = 3
"""Side of every spatial convolution. Source: docs/networks.md, "2K2K networks"."""

CENTRED_SCALE = 0.1
"""Of centre_head: small beside the ranges of normals (0..1) and depths (0..6)."""


class ConvBlock(Recomputable):
    """Two times: 3x3 convolution, batch norm, ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        """Keep the size of the image; change its channels."""
        super().__init__(
            _conv(channels_in, channels_out),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
            _conv(channels_out, channels_out),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )


class UpConv(Recomputable):
    """Enlarge twofold (nearest), then 3x3 convolution, batch norm, ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        """Double height and width; change the channels."""
        super().__init__(
            nn.Upsample(scale_factor=2, mode="nearest"),
            _conv(channels_in, channels_out),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )


class ConvNormRelu(Recomputable):
    """3x3 convolution, batch norm, ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        """Keep the size of the image; change its channels."""
        super().__init__(
            _conv(channels_in, channels_out),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )


class AttentionGate(nn.Module):
    """Weigh the skip features by what the coarser features (gating) find there."""

    def __init__(self, gating: int, skip: int, between: int) -> None:
        """Take the channels of both inputs and of the space in which they are added."""
        super().__init__()
        self.gating = nn.Sequential(nn.Conv2d(gating, between, 1), nn.BatchNorm2d(between))
        self.skip = nn.Sequential(nn.Conv2d(skip, between, 1), nn.BatchNorm2d(between))
        self.score = nn.Sequential(nn.Conv2d(between, 1, 1), nn.BatchNorm2d(1))

    def forward(
        self, gating: Float[Tensor, "B Cg H W"], skip: Float[Tensor, "B Cs H W"]
    ) -> Float[Tensor, "B Cs H W"]:
        """Return the skip features times a weight in 0..1 for each pixel."""
        together = torch.relu(self.gating(gating) + self.skip(skip))
        weight: Tensor = torch.sigmoid(self.score(together))
        return skip * weight


class Encoder(nn.Module):
    """Conv blocks with a 2x2 max-pool between each two."""

    def __init__(self, blocks: Sequence[nn.Module]) -> None:
        """Take the blocks, finest first."""
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, image: Float[Tensor, "B C H W"]) -> list[Float[Tensor, "B _ _ _"]]:
        """Return the features of every level, finest first; each level halves H and W."""
        features: list[Tensor] = []
        for level, block in enumerate(self.blocks):
            below = image if level == 0 else nn.functional.max_pool2d(features[-1], 2)
            features.append(block(below))
        return features


class Decoder(nn.Module):
    """Back up through the levels: enlarge, gate the skip, concatenate, conv block."""

    def __init__(
        self,
        enlarge: Sequence[nn.Module],
        gates: Sequence[nn.Module],
        blocks: Sequence[nn.Module],
    ) -> None:
        """Take the parts of every level, coarsest first."""
        super().__init__()
        self.enlarge = nn.ModuleList(enlarge)
        self.gates = nn.ModuleList(gates)
        self.blocks = nn.ModuleList(blocks)

    def forward(self, features: list[Float[Tensor, "B _ _ _"]]) -> Float[Tensor, "B _ _ _"]:
        """Return the features at full size; features: finest first, the bottom last.

        Concatenation: the attended skip first, then the enlarged.
        """
        up = features[-1]
        skips = reversed(features[:-1])
        levels = zip(self.enlarge, self.gates, self.blocks, skips, strict=True)
        for enlarge, gate, block, skip in levels:
            enlarged = enlarge(up)
            up = block(torch.cat([gate(enlarged, skip), enlarged], dim=1))
        return up


def initialise(module: nn.Module) -> None:
    """Draw all convolution weights with variance 2 / (k * k * out channels), in place.

    Biases keep PyTorch's default; batch norm starts at weight 1, bias 0.
    Source: docs/networks.md, "Initialisation".
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            fan_out = part.kernel_size[0] * part.kernel_size[1] * part.out_channels
            nn.init.normal_(part.weight, 0.0, (2 / fan_out) ** 0.5)


def centre_head(head: nn.Conv2d, middle: Sequence[float]) -> None:
    """Let a last convolution begin near the middle of each channel's range, in place.

    middle: for each output channel. Weights shrink to CENTRED_SCALE of what was drawn.
    """
    with torch.no_grad():
        head.weight.mul_(CENTRED_SCALE)
        head.bias.copy_(head.weight.new_tensor(middle))  # type: ignore[union-attr]  # has a bias


def _conv(channels_in: int, channels_out: int) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, KERNEL, padding=KERNEL // 2)
