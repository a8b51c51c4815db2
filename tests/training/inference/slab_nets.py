"""Checkpoints whose answer is known: whatever they see, front and back are two planes."""

from pathlib import Path

import torch

from training.loop.model_files import write_model
from training.run_settings import ModelSettings
from training.twok2k.person_nets import PersonDepthNets, build_depth_nets

FRONT, BACK = 1.8, 2.2
"""Network units."""

WIDTH = 0.05


def slab_nets() -> PersonDepthNets:
    """Build the nets of phase 2 with a last layer that gives constants alone."""
    torch.manual_seed(0)
    nets = build_depth_nets(width=WIDTH)
    with torch.no_grad():
        nets.refinement.head.weight.zero_()
        nets.refinement.head.bias.copy_(torch.tensor([FRONT, BACK, 0.0]))  # type: ignore[union-attr]
    return nets


def write_slab(out: Path, resolution: int = 256) -> Path:
    """Write these nets as a training leaves them."""
    out.mkdir(parents=True, exist_ok=True)
    settings = ModelSettings(stage="2k2k-depth", resolution=resolution, width=WIDTH)
    write_model(out, slab_nets(), settings, step=1, conventions={})
    return out
