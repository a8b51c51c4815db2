"""How nets compute: in which precision, and with activations kept or computed again."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from training.run_settings import ModelSettings


class Recomputable(nn.Sequential):
    """Layers whose activations may be computed again for the backward pass instead of kept.

    recompute: switch it on (memory for time). Batch norm's running averages move only once.
    """

    recompute: bool = False

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B _ _ _"]:
        """Apply the layers in order."""
        if not (self.recompute and torch.is_grad_enabled()):
            return self._apply_layers(features)
        kept: Tensor = checkpoint(
            self._apply_layers,
            features,
            use_reentrant=False,
            context_fn=lambda: (nullcontext(), _running_averages_held(self)),
        )
        return kept

    def _apply_layers(self, features: Tensor) -> Tensor:
        for layer in self:
            features = layer(features)
        return features


def recompute_activations(module: nn.Module) -> None:
    """Switch recomputation on in all blocks, in place."""
    for part in module.modules():
        if isinstance(part, Recomputable):
            part.recompute = True


def autocast(settings: ModelSettings, device: torch.device) -> torch.autocast:
    """Return the context in which nets run: bfloat16 where the settings say so."""
    return torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bf16")


def full_precision(values: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Return at least float32: what autocast computed in bfloat16 is judged in float32."""
    return values.float() if values.dtype == torch.bfloat16 else values


@contextmanager
def _running_averages_held(module: nn.Module) -> Iterator[None]:
    """Keep batch norm's running averages still: the second pass must not move them again."""
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked.sub_(1)
