"""What a training step of HDNet is timed on: batches of noise, and the plain warping loss.

See `benchmarks.train_step`.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from schemas.camera import HDNET_CENTRE_PX, HDNET_FOCAL_PX, HDNET_RESOLUTION
from training.hdnet.hourglass_stages import HDNET_DEPTH_STAGE, HDNET_NORMAL_STAGE
from training.hdnet.joint_samples import JointBatch, PairBatch
from training.hdnet.labelled_samples import MEDIAN_M, LabelledBatch
from training.hdnet.video_frames import FrameBatch
from training.hdnet.video_stage import HDNET_VIDEO_STAGE
from training.hdnet.warping_loss import PairMatches, lift_pixels
from training.loop.stage_types import AnyStage
from training.run_settings import ModelSettings

PARTS, MATCHES_A_PART = 24, 400
MIN_POINTS = 3
SIDE = HDNET_RESOLUTION


def make_labelled(batch: int, device: torch.device) -> LabelledBatch:
    """Make samples of noise with the person on a quarter of the image."""
    mask = _disc().expand(batch, 1, SIDE, SIDE)
    bumps = 0.1 * torch.rand(batch, 1, SIDE, SIDE)
    made = LabelledBatch(
        tuple(f"made/{n}" for n in range(batch)), _noise(batch), mask,
        torch.where(mask, MEDIAN_M + bumps, 0), torch.zeros(batch, 1, 1, 1),
        _normals(batch), _noise(batch),
    )  # fmt: skip
    return made.to(device)


def make_joint(batch: int, device: torch.device) -> JointBatch:
    """Make samples, and as many pairs whose parts are matched at random inside the person."""
    names = tuple(f"pair/{n}" for n in range(batch))
    inside = torch.nonzero(_disc()[0, 0])
    count = batch * PARTS * MATCHES_A_PART
    rows = [inside[torch.randint(len(inside), (count,))] for _ in range(2)]
    matches = PairMatches(
        names, torch.arange(batch).repeat_interleave(PARTS * MATCHES_A_PART),
        torch.arange(1, PARTS + 1).repeat_interleave(MATCHES_A_PART).repeat(batch),
        torch.cat(rows, dim=1),
    )  # fmt: skip
    frames = [_frames(batch, names) for _ in range(2)]
    return JointBatch(
        names, make_labelled(batch, device), PairBatch(names, frames[0], frames[1], matches)
    )


def plain_warping(
    depth_i_m: Tensor, depth_j_m: Tensor, K_i: Tensor, K_j: Tensor, matches: PairMatches
) -> Tensor:
    """Fit one part of one pair at a time."""
    source = lift_pixels(depth_i_m, K_i, matches.pair, matches.pixels[:, :2])
    target = lift_pixels(depth_j_m, K_j, matches.pair, matches.pixels[:, 2:])
    distances = []
    for pair in range(len(depth_i_m)):
        for part in range(1, PARTS + 1):
            chosen = (matches.pair == pair) & (matches.part == part)
            if int(chosen.sum()) < MIN_POINTS:
                continue
            p, q = source[chosen], target[chosen]
            here, there = p.mean(dim=0), q.mean(dim=0)
            U, _, Vh = torch.linalg.svd((p - here).T @ (q - there))
            turned = (torch.linalg.det(U) * torch.linalg.det(Vh)).sign()
            flip = torch.stack([turned.new_ones(()), turned.new_ones(()), turned])
            moved = (p - here) @ (U * flip) @ Vh + there
            distances.append((moved - q).square().sum(dim=1).add(1e-12).sqrt())
    return torch.cat(distances).mean()


MAKERS: dict[str, tuple[AnyStage, Callable[[int, torch.device], LabelledBatch | JointBatch]]] = {
    "hdnet-normal": (HDNET_NORMAL_STAGE, make_labelled),
    "hdnet-depth": (HDNET_DEPTH_STAGE, make_labelled),
    "hdnet-video": (HDNET_VIDEO_STAGE, make_joint),
}


def settings_of(stage: str, width: float) -> ModelSettings:
    """Return the settings of a new training of a stage."""
    return ModelSettings.model_validate({"stage": stage, "resolution": SIDE, "width": width})


def _frames(batch: int, names: tuple[str, ...]) -> FrameBatch:
    x, y = HDNET_CENTRE_PX
    K = torch.tensor([[HDNET_FOCAL_PX, 0, x], [0, HDNET_FOCAL_PX, y], [0, 0, 1]])
    mask = _disc().expand(batch, 1, SIDE, SIDE)
    return FrameBatch(
        names, _noise(batch), mask, _normals(batch), _noise(batch), K.expand(batch, 3, 3)
    )


def _disc() -> Tensor:
    side = torch.linspace(-1, 1, SIDE)
    return ((side / 0.4) ** 2 + (side[:, None] / 0.8) ** 2 < 1)[None, None]


def _noise(batch: int) -> Tensor:
    return torch.randint(0, 256, (batch, SIDE, SIDE, 3)).to(torch.uint8)


def _normals(batch: int) -> Tensor:
    facing = torch.randn(batch, SIDE, SIDE, 3) * 0.3 + torch.tensor([0.0, 0.0, -1.0])
    unit = torch.nn.functional.normalize(facing, dim=-1)
    return unit * _disc()[:, 0, ..., None]
