"""Inputs and targets of HDNet's nets for one batch of labelled samples.

Dimension letters: B images, C channels, H rows, W columns.
"""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from training.loop.stage_types import Examples

RGB = 3


@dataclass(frozen=True, slots=True)
class LabelledExamples(Examples):
    """Inputs and targets of one batch. inputs: RGB 0..255, for depth also normals, V, U, I.

    shift_m: by how much depth_m is farther than where the person stood.
    """

    inputs: Float[Tensor, "B C H W"]
    mask: Bool[Tensor, "B 1 H W"]
    depth_m: Float[Tensor, "B 1 H W"]
    shift_m: Float[Tensor, "B 1 1 1"]
    normals: Float[Tensor, "B 3 H W"]

    @property
    def image(self) -> Float[Tensor, "B 3 H W"]:
        """RGB 0..255, on white."""
        return self.inputs[:, :RGB]
