"""The learning rate by step. Source: docs/losses.md."""

import math

from training.run_settings import ModelSettings

HALVE_EVERY_EPOCHS = 5
WARM_UP_EPOCHS = 0.01


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


def learning_rate(step: int, steps_per_epoch: int, settings: ModelSettings) -> float:
    """Return the rate of optimiser step `step`, counted from 0.

    A step stands at the middle of its share of the epoch: where epochs are short, the first one
    of a cycle would otherwise learn nothing.
    """
    if settings.schedule == "constant":
        return settings.learning_rate
    epoch = (step + 0.5) / (settings.steps_per_epoch or steps_per_epoch)
    return settings.learning_rate * published_factor(epoch)
