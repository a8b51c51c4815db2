"""HDNet's hourglass: images to normals or to depth, as TensorFlow 1.14 computes it.

Dimension letters: B images, C channels, H rows, W columns (multiples of 16).
Every 3x3 convolution has a bias, though the norm behind it takes it away again: the published
checkpoints hold them. Source: docs/networks.md, "HDNet".
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from training.loop.compute_modes import Recomputable, full_precision

KERNEL = 3
NORM_EPSILON = 0.001
INIT_VARIANCE = 2.6
"""Of the weights, times the fan in. Source: docs/networks.md, "HDNet"."""

CUT_AT = 2
"""Standard deviations at which the normal distribution of the weights ends."""

ENCODER_CHANNELS: tuple[tuple[int, ...], ...] = (
    (64, 64, 64), (128,), (256,), (512,), (1024, 1024, 512),
)  # fmt: skip
"""Of the convolutions of every level, finest first; a 2x2 max-pool lies between two levels."""

DECODER_CHANNELS: tuple[tuple[int, int], ...] = ((512, 256), (256, 128), (128, 64), (64, 64))
"""Of the two convolutions of every level, coarsest first."""


class Shift(nn.Module):
    """Batch norm without scale that always takes the batch's own statistics, in use too."""

    def __init__(self, channels: int) -> None:
        """Start at shift 0."""
        super().__init__()
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Normalise each channel over the batch and the image, and shift it."""
        return functional.batch_norm(
            features, None, None, bias=self.beta, training=True, eps=NORM_EPSILON
        )


class ConvShiftRelu(Recomputable):
    """3x3 convolutions with SAME padding, each with batch norm and ReLU."""

    def __init__(self, channels: Sequence[int]) -> None:
        """Take the channels of the input and of every convolution."""
        layers: list[nn.Module] = []
        for inner, outer in pairwise(channels):
            # SAME padding of an odd kernel at stride 1 is the same on both sides.
            conv = nn.Conv2d(inner, outer, KERNEL, padding=KERNEL // 2)
            layers += [conv, Shift(outer), nn.ReLU(inplace=True)]
        super().__init__(*layers)


class Hourglass(nn.Module):
    """Down four times and up again, joined with the features of the same size."""

    def __init__(
        self, encoder: Sequence[nn.Module], decoder: Sequence[nn.Module], head: nn.Conv2d
    ) -> None:
        """Take the blocks, encoder finest first, decoder coarsest first; head: 1x1."""
        super().__init__()
        self.encoder, self.decoder = nn.ModuleList(encoder), nn.ModuleList(decoder)
        self.head = head

    def forward(self, image: Float[Tensor, "B C H W"]) -> Float[Tensor, "B _ H W"]:
        """Return the head's channels, without activation."""
        levels: list[Tensor] = []
        for level, block in enumerate(self.encoder):
            below = image if level == 0 else functional.max_pool2d(levels[-1], 2)
            levels.append(block(below))
        features = levels[-1]
        for block, skip in zip(self.decoder, reversed(levels[:-1]), strict=True):
            features = block(torch.cat([enlarge_twofold(features), skip], dim=1))
        answer: Tensor = self.head(features)
        return full_precision(answer)


def build_hourglass(channels_in: int, channels_out: int, *, width: float) -> Hourglass:
    """Build an hourglass and draw its weights; width: factor on all inner channels."""
    down = [[max(1, round(width * n)) for n in level] for level in ENCODER_CHANNELS]
    up = [[max(1, round(width * n)) for n in level] for level in DECODER_CHANNELS]
    above = [channels_in, *(level[-1] for level in down[:-1])]
    encoder = [ConvShiftRelu([n, *level]) for n, level in zip(above, down, strict=True)]
    coarse = [down[-1][-1], *(level[-1] for level in up[:-1])]
    skips = [level[-1] for level in reversed(down[:-1])]
    decoder = [
        ConvShiftRelu([n + skip, *level]) for n, skip, level in zip(coarse, skips, up, strict=True)
    ]
    hourglass = Hourglass(encoder, decoder, nn.Conv2d(up[-1][-1], channels_out, 1))
    _initialise(hourglass)
    return hourglass


def enlarge_twofold(features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C 2*H 2*W"]:
    """Enlarge bilinearly without half-pixel shift: place 2 i shows i, 2 i + 1 the mean with i + 1.

    The last row and column are repeated. Source: TensorFlow 1.14, resize_bilinear.
    """
    height, width = features.shape[-2:]
    padded = functional.pad(features, (0, 1, 0, 1), mode="replicate")
    size = (2 * height + 1, 2 * width + 1)
    large = functional.interpolate(padded, size=size, mode="bilinear", align_corners=True)
    return large[..., :-1, :-1]


def _initialise(hourglass: nn.Module) -> None:
    """Draw weights from a cut normal distribution, in place; biases start at 0."""
    for part in hourglass.modules():
        if isinstance(part, nn.Conv2d):
            fan_in = part.weight[0].numel()
            deviation = (INIT_VARIANCE / fan_in) ** 0.5
            edge = CUT_AT * deviation
            nn.init.trunc_normal_(part.weight, std=deviation, a=-edge, b=edge)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
