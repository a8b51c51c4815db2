"""The nets of both phases put together: image and part transforms in, predictions out.

Dimension letters: B images, P parts of a group, R the resolution, h and w of a crop.
Source: docs/networks.md, "2K2K networks".
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from schemas.body_parts import GROUPS, PartGroup, crop_size, group_members
from schemas.train_forms import DepthGradient, FrozenNorm, Heads, Nets, Occupancy, Refinement
from training.twok2k.alignment import PartTransforms, cut_parts
from training.twok2k.blending import blend_normals
from training.twok2k.blocks import centre_head, initialise
from training.twok2k.sizes import coarse_depth_net, normal_net, refinement_net
from training.twok2k.surface_nets import (
    MASK_THRESHOLD,
    CoarseDepthNet,
    DepthPrediction,
    NormalNet,
    RefinementNet,
)

COARSE_FACTOR = 8

MEAN_DEPTHS = (1.92, 2.21)
"""Of front and back over people's pixels. Source: docs/losses.md, "Which forms learn"."""

MIDDLES: dict[Heads, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "centred": ((0.5,) * 6, (3.0, 3.0, 0.0)),
    "means": ((0.5, 0.5, 0.65) * 2, (*MEAN_DEPTHS, 0.0)),
}
"""Where heads begin: six normals; front depth, back depth, an undecided mask.

centred: the middle of 0..1 and of 0..6. means: of people's pixels; the same for all data, because
every scan is placed in the same way. Source: docs/losses.md, "Which forms learn".
"""


@dataclass(frozen=True, slots=True)
class NormalPrediction:
    """What phase 1 predicts: normals in 0..1, coarse depth in network units.

    whole: front, back normals at 1/8. parts: for each group (B, P, 6, h, w); empty for "coarse".
    """

    whole: Float[Tensor, "B 6 r r"]
    parts: dict[PartGroup, Tensor]
    coarse: DepthPrediction


class PersonNormalNets(nn.Module):
    """Phase 1: the whole-image net, the five part nets, the coarse depth net."""

    def __init__(
        self,
        whole: NormalNet,
        parts: Mapping[PartGroup, NormalNet],
        coarse: CoarseDepthNet,
        *,
        depth_gradient: DepthGradient = "published",
    ) -> None:
        """Take the nets; parts: a net for each group, or none at all."""
        super().__init__()
        self.depth_gradient = depth_gradient
        self.whole, self.coarse = whole, coarse
        self.parts = nn.ModuleDict({str(group): net for group, net in parts.items()})

    def forward(
        self, image: Float[Tensor, "B 3 R R"], transforms: PartTransforms
    ) -> NormalPrediction:
        """Predict from RGB in -1..1.

        The coarse depth loss trains the whole-image net too, unless its gradient is detached.
        """
        small = functional.interpolate(
            image, scale_factor=1 / COARSE_FACTOR, mode="bilinear", align_corners=False
        )
        whole = self.whole(small)
        seen = whole.detach() if self.depth_gradient == "detached" else whole
        coarse = self.coarse(small, seen)
        return NormalPrediction(whole, self._predict_parts(image, whole, transforms), coarse)

    def _predict_parts(
        self, image: Tensor, whole: Tensor, transforms: PartTransforms
    ) -> dict[PartGroup, Tensor]:
        """Cut every part out of image and enlarged front normal (no gradient), run its net."""
        if not self.parts:
            return {}
        front = functional.interpolate(
            whole[:, :3].detach(), size=image.shape[-2:], mode="bilinear", align_corners=False
        )
        seen = torch.cat([image, front.to(image)], dim=1)
        predicted: dict[PartGroup, Tensor] = {}
        for group in GROUPS:
            chosen = transforms.select(group_members(group))
            crops = cut_parts(seen, chosen.inverse, crop_size(group, image.shape[-1]))
            rows = _run_on_valid(self.parts[group], crops.flatten(0, 1), chosen.valid.flatten())
            predicted[group] = rows.reshape(*crops.shape[:2], *rows.shape[1:])
        return predicted


class PersonDepthNets(nn.Module):
    """Phase 2: the nets of phase 1, frozen, and the refinement net that trains."""

    def __init__(
        self,
        normals: PersonNormalNets,
        refinement: RefinementNet,
        *,
        frozen_norm: FrozenNorm,
        occupancy: Occupancy,
        form: Refinement,
    ) -> None:
        """Freeze phase 1; form: see schemas.train_request.

        frozen_norm "batch" (published): while training, the frozen nets use batch statistics and
        their running averages move; "running": they stay as phase 1 left them. occupancy: see
        blend_normals.
        """
        super().__init__()
        self.normals, self.refinement = normals.requires_grad_(requires_grad=False), refinement
        self.frozen_norm, self.occupancy, self.form = frozen_norm, occupancy, form

    def train(self, mode: bool = True) -> "PersonDepthNets":
        """Switch to training; the frozen nets follow only where frozen_norm says so."""
        super().train(mode)
        self.normals.train(mode and self.frozen_norm == "batch")
        return self

    def forward(
        self, image: Float[Tensor, "B 3 R R"], transforms: PartTransforms
    ) -> DepthPrediction:
        """Predict depth and mask at full resolution."""
        with torch.no_grad():
            first = self.normals(image, transforms)
            depth, blended, start = self.join_parts(first, transforms, image.shape[-1])
        refined: DepthPrediction = self.refinement(depth, blended, start)
        return refined

    def join_parts(
        self, first: NormalPrediction, transforms: PartTransforms, resolution: int
    ) -> tuple[Float[Tensor, "B 2 r r"], Float[Tensor, "B 6 R R"], Float[Tensor, "B 3 R R"] | None]:
        """Return what the refinement net sees, coarse depth and blended normals, and its start."""
        blended = blend_normals(first.parts, transforms, resolution, form=self.occupancy)
        depth, start = self._begin(first.coarse, resolution)
        return depth, blended, start

    def _begin(
        self, coarse: DepthPrediction, resolution: int
    ) -> tuple[Float[Tensor, "B 2 r r"], Float[Tensor, "B 3 R R"] | None]:
        """Return the refinement's input and what it adds to.

        Published: with 6 and 0 outside; to nothing. residual: with people's means outside, because
        beside 6 and 0 a person's relief is lost in batch norm; to all that is coarse, enlarged.
        """
        if self.form == "published":
            return masked_coarse_depth(coarse), None
        raw = torch.cat([coarse.front, coarse.back], dim=1)
        means = raw.new_tensor(MEAN_DEPTHS).view(1, -1, 1, 1)
        seen = torch.where(coarse.mask > MASK_THRESHOLD, raw, means)
        size = (resolution, resolution)
        whole = torch.cat([raw, coarse.mask_logit], dim=1)
        return seen, functional.interpolate(whole, size=size, mode="bilinear", align_corners=False)


def masked_coarse_depth(coarse: DepthPrediction) -> Float[Tensor, "B 2 h w"]:
    """Return front and back where the mask is over one half; else front 6, back 0."""
    composed = coarse.composed
    return torch.cat([composed.front, composed.back], dim=1)


def build_normal_nets(
    *,
    nets: Nets = "all",
    width: float = 1.0,
    heads: Heads = "published",
    depth_gradient: DepthGradient = "published",
) -> PersonNormalNets:
    """Build and initialise phase 1; nets "coarse": without the part nets.

    heads "published": drawn like all convolutions, so that most outputs begin where ReLU and ReLU6
    pass no gradient, and short trainings end there. Others: see MIDDLES.
    """
    groups = GROUPS if nets == "all" else ()
    model = PersonNormalNets(
        normal_net(channels_in=3, width=width),
        {group: normal_net(channels_in=6, width=width) for group in groups},
        coarse_depth_net(width=width),
        depth_gradient=depth_gradient,
    )
    initialise(model)
    if heads in MIDDLES:
        normals, depths_and_mask = MIDDLES[heads]
        for net in model.modules():
            if isinstance(net, NormalNet):
                centre_head(net.head, normals)
        centre_head(model.coarse.head, depths_and_mask)
    return model


def build_depth_nets(
    *,
    width: float = 1.0,
    frozen_norm: FrozenNorm = "batch",
    heads: Heads = "published",
    occupancy: Occupancy = "published",
    form: Refinement = "published",
) -> PersonDepthNets:
    """Build and initialise phase 2, phase 1's nets frozen inside; heads: see build_normal_nets."""
    refinement = refinement_net(width=width)
    initialise(refinement)
    if heads in MIDDLES:
        middle = MIDDLES[heads][1] if form == "published" else (0.0, 0.0, 0.0)
        centre_head(refinement.head, middle)
    normals = build_normal_nets(width=width, heads=heads)
    return PersonDepthNets(
        normals, refinement, frozen_norm=frozen_norm, occupancy=occupancy, form=form
    )


def _run_on_valid(
    net: nn.Module, crops: Float[Tensor, "N 6 h w"], valid: Bool[Tensor, " N"]
) -> Float[Tensor, "N 6 h w"]:
    """Run the net on the crops that exist; the others give 0.

    Where none exists the net still runs on one, so that all ranks take part in all reductions;
    its loss counts nothing.
    """
    if bool(valid.all()):
        everything: Tensor = net(crops)
        return everything
    chosen = torch.nonzero(valid).flatten() if bool(valid.any()) else valid.new_zeros(1).long()
    some: Tensor = net(crops[chosen])
    rows = some.new_zeros(crops.shape[0], *some.shape[1:])
    return rows.index_copy(0, chosen, some)
