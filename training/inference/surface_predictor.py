"""HDNet in use: image, mask and DensePose to normals and depth of the surface that is seen.

The predicted normals, unit vectors and zero outside the mask, feed the depth net. Batch norm takes
the image's own statistics, as in training. Source: docs/networks.md, "HDNet".
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from schemas.camera import HDNET_RESOLUTION
from schemas.errors import InputError
from schemas.train_forms import HDNET_DEPTH, HDNET_NORMAL, VIDEO, StageName
from training.inference.model_cards import read_settings
from training.inference.person_predictor import Arrays, Stopwatch
from training.stages import STAGES
from training.weights import adopt_weights, read_weights

_SHAPES = {"image": (3,), "mask": (), "densepose": (3,)}


class SurfacePredictor:
    """Normal and depth estimator on a device."""

    def __init__(self, depth: Path, normal: Path, device: torch.device) -> None:
        """Build both nets and load their weights."""
        self._normal = _load(normal, HDNET_NORMAL).to(device)
        self._depth = _load(depth, HDNET_DEPTH, VIDEO).to(device)
        self._device = device

    @torch.inference_mode()
    def predict(self, arrays: Mapping[str, np.ndarray], stage: Stopwatch) -> Arrays:
        """Predict from image, mask and densepose; see schemas.prediction.PredictionJob."""
        _check(arrays)
        image, densepose = (self._channels(arrays[name]) for name in ("image", "densepose"))
        inside = torch.from_numpy(arrays["mask"].astype(bool)).to(self._device)
        normals = unit_inside(self._normal(image), inside)
        stage("normals")
        depth = self._depth(torch.cat([image, normals, densepose], dim=1))
        stage("depth")
        seen = torch.where(inside, depth[0, 0], 0)
        return {"normals": normals[0].cpu().numpy(), "depth": seen.cpu().numpy()}

    def _channels(self, image: np.ndarray) -> Float[Tensor, "1 3 H W"]:
        return torch.from_numpy(image).permute(2, 0, 1)[None].float().to(self._device)


def unit_inside(normals: Float[Tensor, "1 3 H W"], inside: Tensor) -> Float[Tensor, "1 3 H W"]:
    """Return unit vectors where the person is, 0 elsewhere."""
    return torch.where(inside, functional.normalize(normals, dim=1), 0)


def _load(checkpoint: Path, *stages: StageName) -> nn.Module:
    settings = read_settings(checkpoint, *stages)
    nets = STAGES[settings.stage].build(settings)
    adopt_weights(nets, read_weights(checkpoint), source=str(checkpoint))
    return nets.eval()


def _check(arrays: Mapping[str, np.ndarray]) -> None:
    for name, channels in _SHAPES.items():
        expected = (HDNET_RESOLUTION, HDNET_RESOLUTION, *channels)
        found = arrays[name].shape if name in arrays else None
        if found != expected:
            raise InputError(
                name, found=f"shape {found}", expected=f"shape {expected}",
                hint="Prepare the photograph again.",
            )  # fmt: skip
