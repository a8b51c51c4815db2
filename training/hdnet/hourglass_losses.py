"""HDNet's losses, pure: arrays in, one number out.

Dimension letters: B images, H rows, W columns. Normals: camera axes (x right, y down, z away from
the camera), towards the viewer, so n_z < 0. Depth: z in metres. Source: docs/networks.md, "HDNet".
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from schemas.camera import HDNET_CENTRE_PX, HDNET_FOCAL_PX
from schemas.train_forms import DepthNormals

MIN_COMPONENT = 1e-5
"""What the published code puts for components under it, and adds to the squared length."""

MAX_COSINE = 1 - 1e-6
"""The arc cosine's slope is infinite at 1; here it is 707."""

FLAT = 1e-12
"""Metres squared: a cross product shorter than this has no direction."""

IN_PLACE: frozenset[DepthNormals] = frozenset({"in_place", "from_depth"})
"""Forms whose normals are those of the relief where the person stood, not at 4 m."""

VARIANCE_SHARE = 0.5
"""Of the squared mean that the scale-normalised error leaves out."""


def angle_loss(
    prediction: Float[Tensor, "B 3 H W"],
    target: Float[Tensor, "B 3 H W"],
    where: Bool[Tensor, "B 1 H W"],
) -> Float[Tensor, ""]:
    """Return the mean angle over the pixels where `where` is True, radians; 0 without any."""
    unit = _unit(prediction)
    length = unit.square().sum(dim=1, keepdim=True)
    cosine = (unit * target).sum(dim=1, keepdim=True) / (length + MIN_COMPONENT)
    angle = torch.acos(cosine.clamp(-MAX_COSINE, MAX_COSINE))
    return torch.where(where, angle, 0).sum() / where.sum().clamp_min(1)


def squared_depth_error(
    prediction: Float[Tensor, "B 1 H W"],
    target: Float[Tensor, "B 1 H W"],
    mask: Bool[Tensor, "B 1 H W"],
) -> Float[Tensor, ""]:
    """Return the mean squared error inside the mask, of each image, then the mean; metres^2."""
    return _mean_inside((prediction - target).square(), mask).mean()


def scale_normalised_error(
    prediction: Float[Tensor, "B 1 H W"],
    target: Float[Tensor, "B 1 H W"],
    mask: Bool[Tensor, "B 1 H W"],
) -> Float[Tensor, ""]:
    """Return the error after the prediction is stretched to the target's range; metres^2.

    The prediction is 0 outside the mask, and these zeros count for its smallest and largest value.
    """
    inside = torch.where(mask, prediction, 0)
    low = inside.amin(dim=(1, 2, 3), keepdim=True)
    high = inside.amax(dim=(1, 2, 3), keepdim=True)
    stretched = (inside - low) / (high - low).clamp_min(MIN_COMPONENT)
    error = stretched * target.amax(dim=(1, 2, 3), keepdim=True) - target
    mean = _mean_inside(error, mask)
    return (_mean_inside(error.square(), mask) - VARIANCE_SHARE * mean.square()).mean()


def depth_normal_loss(
    depth_m: Float[Tensor, "B 1 H W"],
    target: Float[Tensor, "B 3 H W"],
    mask: Bool[Tensor, "B 1 H W"],
    shift_m: Float[Tensor, "B 1 1 1"],
    *,
    form: DepthNormals,
) -> Float[Tensor, ""]:
    """Return the mean angle between the normals of a depth map and the true ones, radians.

    masked: pixels whose right and upper neighbours are inside too. published: all of the mask,
    its border included, where a neighbour is the camera's centre or the image's other side.
    in_place: as masked, the depth first moved back by shift_m to where the person stood. The
    other two lift it at 4 m, where the same relief has other normals than the true ones.
    from_depth: as in_place; the target has to be made of the true depth in the same way, so that
    the true depth has no angle.
    """
    if form == "published":
        return angle_loss(_published_normals(depth_m, mask), target, mask)
    placed = depth_m - shift_m if form in IN_PLACE else depth_m
    return angle_loss(normals_from_depth(placed), target, has_neighbours(mask))


def normals_from_depth(depth_m: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B 3 H W"]:
    """Return unit normals: (right neighbour - point) x (upper neighbour - point).

    Meaningless in the last column, in the first row and beside the mask's border.
    """
    points = lift(depth_m)
    cross = _cross(torch.roll(points, -1, dims=3) - points, torch.roll(points, 1, dims=2) - points)
    return cross / (cross.square().sum(dim=1, keepdim=True) + FLAT**2).sqrt()


def has_neighbours(mask: Bool[Tensor, "B 1 H W"]) -> Bool[Tensor, "B 1 H W"]:
    """Return which pixels are inside together with their right and upper neighbours."""
    whole = mask.clone()
    whole[..., :-1] &= mask[..., 1:]
    whole[..., 1:, :] &= mask[..., :-1, :]
    whole[..., -1] = False
    whole[..., 0, :] = False
    return whole


def lift(depth_m: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B 3 H W"]:
    """Return the points of HDNet's fixed camera at these depths, metres."""
    height, width = depth_m.shape[-2:]
    rows, columns = (
        torch.arange(count, device=depth_m.device, dtype=depth_m.dtype) + 1 / 2
        for count in (height, width)
    )
    x = ((columns - HDNET_CENTRE_PX[0]) / HDNET_FOCAL_PX).expand(height, width)
    y = ((rows - HDNET_CENTRE_PX[1]) / HDNET_FOCAL_PX)[:, None].expand(height, width)
    return torch.stack([x, y, torch.ones_like(x)]) * depth_m


def _published_normals(
    depth_m: Float[Tensor, "B 1 H W"], mask: Bool[Tensor, "B 1 H W"]
) -> Float[Tensor, "B 3 H W"]:
    """Return the cross product as it is; `angle_loss` then lifts its small components."""
    points = lift(torch.where(mask, depth_m, 0))
    return _cross(torch.roll(points, -1, dims=3) - points, torch.roll(points, 1, dims=2) - points)


def _cross(one: Tensor, other: Tensor) -> Float[Tensor, "B 3 H W"]:
    product: Tensor = torch.linalg.cross(one, other, dim=1)
    return product


def _unit(vectors: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
    """Normalise; components nearer to 0 than MIN_COMPONENT become MIN_COMPONENT."""
    lifted = torch.where(vectors.abs() < MIN_COMPONENT, MIN_COMPONENT, vectors)
    return lifted / lifted.square().sum(dim=1, keepdim=True).sqrt()


def _mean_inside(values: Tensor, mask: Bool[Tensor, "B 1 H W"]) -> Float[Tensor, " B"]:
    total = torch.where(mask, values, 0).sum(dim=(1, 2, 3))
    return total / mask.sum(dim=(1, 2, 3)).clamp_min(1)
