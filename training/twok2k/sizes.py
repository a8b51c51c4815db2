"""The one place that knows the sizes of the 2K2K networks.

Source: docs/networks.md, "2K2K networks". `width` multiplies every inner channel count, for small
machines; inputs and outputs keep theirs.
"""

from torch import nn

from training.twok2k.blocks import (
    AttentionGate,
    ConvBlock,
    ConvNormRelu,
    Decoder,
    Encoder,
    UpConv,
)
from training.twok2k.surface_nets import CoarseDepthNet, NormalNet, RefinementNet

NORMAL_CHANNELS = (64, 128, 256, 512)
COARSE_CHANNELS = (32, 64, 128, 256, 512)
REFINEMENT_BRANCH = 32
REFINEMENT_MERGED = 64
IMAGE = 3
NORMALS = 6
DEPTHS = 2
DEPTHS_AND_MASK = 3


def normal_net(*, channels_in: int, width: float = 1.0) -> NormalNet:
    """Build the attention U-Net: channels_in 3 for the whole image, 6 for a part."""
    sizes = _scaled(NORMAL_CHANNELS, width)
    return NormalNet(
        _encoder(channels_in, sizes),
        _decoder(bottom=sizes[-1], skips=sizes[:-1], outputs=sizes[:-1]),
        nn.Conv2d(sizes[0], NORMALS, 1),
    )


def coarse_depth_net(*, width: float = 1.0) -> CoarseDepthNet:
    """Build the two-encoder net; both encoders are joined, so all skips are doubled."""
    sizes = _scaled(COARSE_CHANNELS, width)
    doubled = tuple(2 * size for size in sizes)
    return CoarseDepthNet(
        _encoder(IMAGE, sizes),
        _encoder(NORMALS, sizes),
        _decoder(bottom=doubled[-1], skips=doubled[:-1], outputs=doubled[:-1]),
        nn.Conv2d(doubled[0], DEPTHS_AND_MASK, 1),
    )


def refinement_net(*, width: float = 1.0) -> RefinementNet:
    """Build the net of phase 2."""
    (branch, merged) = _scaled((REFINEMENT_BRANCH, REFINEMENT_MERGED), width)
    return RefinementNet(
        [UpConv(DEPTHS, branch), UpConv(merged, branch), UpConv(merged, branch)],
        [ConvNormRelu(NORMALS, branch) for _ in range(3)],
        [
            _merge(2 * branch, merged, nn.Conv2d(merged, merged, 1), nn.ReLU(inplace=True)),
            _merge(2 * branch, merged, nn.Conv2d(merged, merged, 1), nn.ReLU(inplace=True)),
            _merge(2 * branch, merged, nn.Conv2d(merged, DEPTHS_AND_MASK, 1)),
        ],
    )


def _scaled(channels: tuple[int, ...], width: float) -> tuple[int, ...]:
    return tuple(max(2, round(size * width)) for size in channels)


def _encoder(channels_in: int, sizes: tuple[int, ...]) -> Encoder:
    pairs = zip((channels_in, *sizes[:-1]), sizes, strict=True)
    return Encoder([ConvBlock(before, after) for before, after in pairs])


def _decoder(*, bottom: int, skips: tuple[int, ...], outputs: tuple[int, ...]) -> Decoder:
    rising = list(zip(reversed(skips), reversed(outputs), strict=True))
    below = [bottom, *(output for _, output in rising[:-1])]
    return Decoder(
        [UpConv(under, output) for under, (_, output) in zip(below, rising, strict=True)],
        [AttentionGate(output, skip, skip // 2) for skip, output in rising],
        [ConvBlock(skip + output, output) for skip, output in rising],
    )


def _merge(channels_in: int, merged: int, *tail: nn.Module) -> nn.Sequential:
    return nn.Sequential(ConvBlock(channels_in, merged), *tail)
