"""What varies from epoch to epoch: colours and backgrounds, drawn again for every sample.

Every draw is a pure function of (seed, sample, epoch), so ranks and resumed runs agree on it.
Source: docs/networks.md, "Augmentation".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from schemas.seeds import generator
from training.data.background_pool import BackgroundPool

JITTER_LOW, JITTER_HIGH = 0.7, 1.0


@dataclass(frozen=True, slots=True)
class AugmentationSampler:
    """Draws the augmentation of a sample.

    seed: None where nothing varies (validation). backgrounds: None keeps the stored ones. jitter:
    whether colours vary.
    """

    seed: int | None = None
    backgrounds: BackgroundPool | None = None
    jitter: bool = True

    def draw_jitter(self, sample_ids: Sequence[str], epoch: int) -> Float[Tensor, "B 3"] | None:
        """Draw factors on brightness, contrast and saturation, uniform in 0.7..1.0.

        The reference applies the three in random order. No order is drawn here, because they
        commute: see `training.twok2k.augment.jitter_colors`.
        """
        if self.seed is None or not self.jitter:
            return None
        draws = [
            generator(self.seed, "jitter", sample_id, str(epoch)).uniform(
                JITTER_LOW, JITTER_HIGH, 3
            )
            for sample_id in sample_ids
        ]
        return torch.tensor(np.array(draws), dtype=torch.float32)

    def draw_background(
        self, sample_id: str, epoch: int
    ) -> UInt8[np.ndarray, "side side 3"] | None:
        """Draw a crop of half the resolution, RGB 0..255; None where the stored one stays."""
        if self.backgrounds is None or self.seed is None:
            return None
        return self.backgrounds.draw(generator(self.seed, "background", sample_id, str(epoch)))
