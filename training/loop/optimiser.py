"""Adam and its learning rate by step, and Adam's memory as few long vectors.

Source: docs/losses.md.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from training.data.sample_order import Epochs
from training.run_settings import ModelSettings

HALVE_EVERY_EPOCHS = 5
WARM_UP_EPOCHS = 0.01
_MOMENTS = ("exp_avg", "exp_avg_sq")
_PREFIX = "optimiser."


def published_factor(epoch: float) -> float:
    """Return 0.5^floor(e / 5) * g(e mod 5) for a fractional epoch e.

    g rises from 0 to 1 in a hundredth of an epoch, then falls to 0 by a cosine; every fifth epoch
    starts again at half the height.
    """
    cycle, within = divmod(epoch, HALVE_EVERY_EPOCHS)
    if within < WARM_UP_EPOCHS:
        shape = within / WARM_UP_EPOCHS
    else:
        falling = (within - WARM_UP_EPOCHS) / (HALVE_EVERY_EPOCHS - WARM_UP_EPOCHS)
        shape = (1 + math.cos(math.pi * falling)) / 2
    return float(0.5**cycle) * shape


def learning_rate(step: int, epochs: Epochs, settings: ModelSettings) -> float:
    """Return the rate of optimiser step `step`, counted from 0.

    A step counts as the middle of its share of the epoch: where epochs are short, the first one
    of a cycle would otherwise learn nothing.
    """
    if settings.schedule == "constant":
        return settings.learning_rate
    given = settings.steps_per_epoch
    epoch = (Epochs(given) if given else epochs).at(step + 0.5)
    return settings.learning_rate * published_factor(epoch)


class Optimiser:
    """Adam over the parameters that train. Owns: Adam and its moments."""

    def __init__(self, model: nn.Module, settings: ModelSettings) -> None:
        """Take the parameters that require a gradient, by name."""
        self.trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self._epsilon, self._rule = settings.epsilon, settings.adam
        self._adam = torch.optim.Adam(
            self.trained.values(), lr=settings.learning_rate, eps=self._epsilon
        )

    def clear_gradients(self) -> None:
        """Forget the gradients of the last step."""
        self._adam.zero_grad(set_to_none=True)

    def step(self, rate: float) -> None:
        """Move every parameter by its gradient."""
        for group in self._adam.param_groups:
            group["lr"], group["eps"] = rate, self._epsilon_of_step(group["betas"][1])
        self._adam.step()

    def _epsilon_of_step(self, decay: float) -> float:
        """Return the epsilon that gives the rule's step by PyTorch's formula.

        TensorFlow 1 divides by sqrt(v) + epsilon, PyTorch by sqrt(v / c) + epsilon with the
        correction c = 1 - decay^t, and both multiply by sqrt(c) in the end.
        """
        if self._rule == "pytorch":
            return self._epsilon
        step = float(self._remembered(next(iter(self.trained.values())))["step"]) + 1
        return self._epsilon / math.sqrt(1 - decay**step)

    def state(self) -> dict[str, Tensor]:
        """Return copies of what Adam remembers: one long vector for each moment.

        Thousands of small tensors would cost a checkpoint seconds.
        """
        moments = [self._remembered(parameter) for parameter in self.trained.values()]
        state = {
            _PREFIX + name: torch.cat([one[name].flatten() for one in moments]) for name in _MOMENTS
        }
        return state | {_PREFIX + "step": moments[0]["step"].clone()}

    def adopt(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` returned."""
        parameters = list(self.trained.values())
        sizes = [parameter.numel() for parameter in parameters]
        for name in _MOMENTS:
            parts = torch.split(state[_PREFIX + name], sizes)
            for parameter, part in zip(parameters, parts, strict=True):
                self._remembered(parameter)[name].copy_(part.view_as(parameter))
        for parameter in parameters:
            self._remembered(parameter)["step"].copy_(state[_PREFIX + "step"])

    def _remembered(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """Return what Adam remembers of a parameter; zeros before its first step."""
        moments: dict[str, Tensor] = self._adam.state[parameter]
        if not moments:
            moments["step"] = torch.tensor(0.0)
            moments |= {name: torch.zeros_like(parameter) for name in _MOMENTS}
        return moments
