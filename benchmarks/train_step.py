"""Time a training step, and its memory, against the plainest correct implementation.

    python -m benchmarks.train_step [--stage STAGE ...] [--resolution 512] [--width 1] [--steps 3]
        [--device cpu]

Both ways train the same nets on the same batch with the same losses; the plain one makes every
grid at full size and cuts afterwards, pads every part to the full image before warping it back,
and takes medians by sorting nine. Each way and phase runs in a process of its own, so that peak
memory is its own. One optimisation after the other is switched on, so that each shows its gain.
HDNet's stages are timed at their 256 pixels and published batch. Where the time of a whole step
goes, reading and decoding included, says `benchmarks.step_parts`.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks import train_step_hdnet
from benchmarks.as_training import run_as_training
from schemas.body_parts import PartGroup, group_members
from schemas.train_forms import PUBLISHED, Occupancy, StageName
from training.data.tensor_batch import BatchT, SampleT, TensorBatch
from training.hdnet import video_stage
from training.loop.compute_modes import autocast, recompute_activations
from training.loop.stage_types import ExamplesT, PredictionT, Stage
from training.run_settings import ModelSettings
from training.stages import STAGES
from training.twok2k import augment, person_examples, person_nets
from training.twok2k.alignment import PartTransforms
from training.twok2k.blending import occupancy, part_weights
from training.twok2k.person_samples import PersonBatch

WAYS = ("plain", "crop grids", "crop warps", "medians", "recompute")
"""Each way has all optimisations up to its own; the last trades time for memory."""

WAYS_OF: dict[str, tuple[str, ...]] = {
    "2k2k-normal": WAYS,
    "2k2k-depth": WAYS,
    "hdnet-normal": ("plain", "recompute"),
    "hdnet-depth": ("plain", "recompute"),
    "hdnet-video": ("plain", "parts at once", "recompute"),
}

MIB = 1 << 10
FIGURE_HALF_HEIGHT = 0.31


def plain_cut(images: Tensor, inverse: Tensor, crop: tuple[int, int]) -> Tensor:
    """Cut parts by a grid made at full size, one part at a time."""
    (height, width), side = crop, images.shape[-1]
    top, left = (side - height) // 2, (side - width) // 2
    parts = []
    for part in range(inverse.shape[1]):
        grid = functional.affine_grid(inverse[:, part], list(images.shape), align_corners=False)
        whole = functional.grid_sample(images, grid, align_corners=False)
        parts.append(whole[..., top : top + height, left : left + width])
    return torch.stack(parts, dim=1)


def plain_blend(
    parts: dict[PartGroup, Tensor], transforms: PartTransforms, resolution: int, *, form: Occupancy
) -> Tensor:
    """Pad every part's normals and weights to the full image, warp, and average."""
    weighted, weights = torch.zeros(()), torch.zeros(())
    for group, crops in parts.items():
        height, width = crops.shape[-2:]
        pad = ((resolution - width) // 2,) * 2 + ((resolution - height) // 2,) * 2
        for place, part in enumerate(group_members(group)):
            if form == "crop":
                inside = occupancy(height, width, resolution).expand(len(crops), 1, -1, -1)
            else:
                one = transforms.select((part,))
                inside = part_weights((height, width), one, resolution)[:, 0]
            weight = functional.pad(inside, pad).to(crops)
            normals = functional.pad(crops[:, place], pad)
            full = list(normals.shape)
            grid = functional.affine_grid(transforms.fitted[:, part], full, align_corners=False)
            laid = functional.grid_sample(normals, grid, align_corners=False)
            counted = weight * transforms.valid[:, part, None, None, None]
            share = functional.grid_sample(counted, grid, align_corners=False)
            weighted, weights = weighted.to(laid) + laid * share, weights.to(laid) + share
    return weighted / torch.where(weights > 0, weights, 1)


def plain_median(values: Tensor) -> Tensor:
    """Sort the nine neighbours of every pixel."""
    padded = functional.pad(values, (1, 1, 1, 1), mode="replicate")
    nine = padded.unfold(2, 3, 1).unfold(3, 3, 1).flatten(4)
    return nine.median(dim=-1).values


PLAIN: dict[str, list[tuple[Any, str, Callable[..., Tensor]]]] = {
    "crop grids": [
        (person_nets, "cut_parts", plain_cut),
        (person_examples, "cut_parts", plain_cut),
    ],
    "crop warps": [(person_nets, "blend_normals", plain_blend)],
    "medians": [(augment, "_median3", plain_median)],
    "parts at once": [(video_stage, "warping_loss", train_step_hdnet.plain_warping)],
}
"""What stands in for an optimisation that a way does not have yet."""


def make_batch(resolution: int, device: torch.device) -> PersonBatch:
    """Make one sample: an upright body of noise with joints all over it."""
    generator = torch.Generator().manual_seed(0)
    side = torch.linspace(-1, 1, resolution)
    inside = ((side / 0.3) ** 2 + (side[:, None] / 0.7) ** 2 < 1)[None, None]
    front = torch.where(inside, 0.95 + 0.02 * torch.cos(9 * side), 0)
    joints = torch.rand(1, 31, 3, generator=generator) * resolution * FIGURE_HALF_HEIGHT
    joints += resolution * (1 - FIGURE_HALF_HEIGHT) / 2
    pixels = torch.randint(0, 256, (1, resolution, resolution, 3), generator=generator)
    batch = PersonBatch(
        ("made/0",), pixels.to(torch.uint8), pixels.to(torch.uint8), front, front + 0.1 * inside,
        joints, torch.tensor([1.07 * resolution]), torch.tensor([2.5]),
        torch.full((1, 3), 0.9), augment.measure_grey(list(pixels.byte().numpy())),
    )  # fmt: skip
    return batch.to(device)


def measure(stage: str, way: str, given: argparse.Namespace) -> dict[str, float]:
    """Return seconds a step, of wall and of processor, and the peak memory in MiB.

    The fastest step after a warm-up; processor seconds bear a shared machine better.
    """
    for name in WAYS_OF[stage][WAYS_OF[stage].index(way) + 1 :]:
        for module, function, plain in PLAIN.get(name, []):
            setattr(module, function, plain)
    device = torch.device(given.device)
    torch.manual_seed(0)
    if stage in train_step_hdnet.MAKERS:
        row, make = train_step_hdnet.MAKERS[stage]
        batch: TensorBatch = make(PUBLISHED[row_name(stage)].batch, device)
        settings = train_step_hdnet.settings_of(stage, given.width)
        return row.apply(TimedSteps(batch, settings, way, given))
    settings = ModelSettings(stage=row_name(stage), resolution=given.resolution, width=given.width)
    action = TimedSteps(make_batch(given.resolution, device), settings, way, given)
    return STAGES[row_name(stage)].apply(action)


def row_name(stage: str) -> StageName:
    """Return the name that the table of stages has; raises KeyError for another."""
    return next(name for name in STAGES if name == stage)


@dataclass(frozen=True, slots=True)
class TimedSteps:
    """Steps of one stage on one batch; see `measure`."""

    batch: TensorBatch
    settings: ModelSettings
    way: str
    given: argparse.Namespace

    def __call__(
        self, stage: Stage[SampleT, BatchT, ExamplesT, PredictionT], /
    ) -> dict[str, float]:
        """Take the steps, and return what they cost."""
        settings, batch = self.settings, cast("BatchT", self.batch)
        device = torch.device(self.given.device)
        model = stage.build(settings).to(device).train()
        if self.way == "recompute":
            recompute_activations(model)
        optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-4)
        seconds, busy = [], []
        loss = torch.zeros(())
        for _ in range(self.given.steps + 1):
            began, began_busy = perf_counter(), process_time()
            optimiser.zero_grad(set_to_none=True)
            prepared = stage.prepare(batch, settings)
            with autocast(settings, device):
                prediction = stage.predict(model, prepared)
            loss = torch.stack(list(stage.objective(prediction, prepared, settings).values())).sum()
            loss.backward()  # type: ignore[no-untyped-call] # torch has no types here
            optimiser.step()
            if device.type == "cuda":
                torch.cuda.synchronize()
            seconds.append(perf_counter() - began)
            busy.append(process_time() - began_busy)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
        if device.type == "cuda":
            peak = torch.cuda.max_memory_allocated() / MIB**2
        least = {"seconds": min(seconds[1:]), "busy": min(busy[1:])}
        return least | {"peak": peak, "loss": float(loss.detach())}


def main() -> None:
    """Print the table, or, in a process of its own, measure one line of it."""
    run_as_training("benchmarks.train_step")
    parser = argparse.ArgumentParser(description="Time and memory of a training step.")
    parser.add_argument("--resolution", type=int, default=512)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--stage", nargs="+", choices=list(WAYS_OF), default=list(WAYS_OF))
    parser.add_argument("--only", nargs=2, metavar=("STAGE", "WAY"), help="measure one line")
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measure(given.only[0], given.only[1], given)))
        return
    print(f"2K2K at {given.resolution} pixels, width {given.width}, {given.device}")
    for stage in given.stage:
        for way in WAYS_OF[stage]:
            line = [sys.executable, "-m", "benchmarks.train_step", *sys.argv[1:]]
            answer = subprocess.check_output([*line, "--only", stage, way], text=True)
            told = json.loads(answer.splitlines()[-1])
            print(
                f"{stage:12} {way:15} {told['seconds']:7.2f} s a step"
                f" {told['busy']:7.2f} s cpu {told['peak']:7.0f} MiB  loss {told['loss']:.5f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
