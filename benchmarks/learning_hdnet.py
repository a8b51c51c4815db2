"""HDNet's part of `benchmarks.learning`: all its stages, and what the videos add.

    scanmill synth --out people --subjects 36 --detail fast --texture 512 --videos 10 --frames 24
    scanmill render --data people --dataset RP --out learn --camera hdnet --yaws=-30,0,30,150 \
        --splits splits.csv
    scanmill pair --data people --out learn --split-seed 30
    python -m benchmarks.learning learn --method hdnet --people people --out learnt

Stages of a seed: hdnet-normal on the labelled people of split train; predicted normals of all
frames; hdnet-depth; then from the same depth weights, with the published optimiser and as many
steps, hdnet-video, and for comparison the same training without videos (`labelled alone`).
Measured on labelled people and on videos of other splits than train, the latter ("video ...") by
the ground truth that synthetic videos come with and no training ever sees.

Predictors that look at no image: constant (means over all trained pixels), mean (the same for
every pixel by itself), untrained (the nets before their first step); for normals of depth also the
mean of the true normals for every pixel.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.learning_frame import Measures
from schemas.camera import camera_hdnet, ray_directions
from schemas.train_forms import StageName
from schemas.train_request import TrainRequest
from tasks.video.predicted_shards import commit_predicted, list_predicted
from training.data.augmentation_sampler import AugmentationSampler
from training.data.frame_index import open_frame_shards
from training.data.shard_index import SampleAddress, open_index
from training.hdnet.hourglass_examples import LabelledExamples
from training.hdnet.hourglass_losses import has_neighbours
from training.hdnet.hourglass_stages import (
    build_depth_net,
    build_normal_net,
    hdnet_depth_measures,
    hdnet_normal_measures,
    prepare_depth,
    stack_inputs,
)
from training.hdnet.labelled_samples import LABELLED_WITH_IUV, MEDIAN_M, LabelledReader
from training.hdnet.video_frames import FrameReader, ImageReader, stack_frames
from training.loop.measures import angles_degrees, means, sum_inside
from training.run import main as train
from training.run_settings import ModelSettings
from training.weights import adopt_weights, read_weights

if TYPE_CHECKING:
    from training.loop.stage_types import Sums

NORMAL: Final = "hdnet-normal"
DEPTH: Final = "hdnet-depth"
VIDEO: Final = "hdnet-video"
ALONE = "labelled alone"
ANGLE = "normal_angle_degrees"
ON_VIDEO = "video "
CYCLE_EPOCHS = 5
"""The learning rate of the first two stages falls to 0 in one cycle of the published schedule."""

Net = Callable[[LabelledExamples], Tensor]


@dataclass(frozen=True, slots=True)
class Budget:
    """What one seed may spend. Steps of the first two stages are of `batch` samples."""

    width: float
    normal_steps: int
    depth_steps: int
    video_steps: int
    batch: int
    rate: float
    video_rate: float

    def times(self, factor: float) -> "Budget":
        """Return a budget of so many times the steps."""
        steps = (self.normal_steps, self.depth_steps, self.video_steps)
        normal, depth, video = (round(factor * one) for one in steps)
        return replace(self, normal_steps=normal, depth_steps=depth, video_steps=video)


BUDGETS = {
    "cpu": Budget(0.125, 500, 800, 500, 2, 0.005, 0.001),
    "gpu": Budget(1.0, 20_000, 20_000, 20_000, 8, 0.001, 0.001),
}
VARIANTS: dict[str, dict[str, object]] = {"default": {}, "published": {"published": True}}


@dataclass(frozen=True)
class HDNet:
    """The method on one data set with labelled samples and videos. people: holds truth/."""

    uri: str
    people: Path
    held_out: tuple[str, ...]
    budget: Budget
    stages: tuple[str, ...] = (NORMAL, DEPTH, VIDEO, ALONE)
    variants: tuple[str, ...] = ("default",)

    def describe(self, variant: str, stage: str) -> dict[str, object]:
        """Return what decides the result."""
        return {"stage": stage, "variant": variant, **asdict(self.budget)}

    def train(self, variant: str, stage: str, seed: int, folder: Path) -> None:
        """Train a stage; before those that see videos or are measured on them, predict normals."""
        out, budget = folder / stage.replace(" ", "-"), self.budget
        own: dict[str, object] = {
            "width": budget.width,
            "seed": seed,
            "keep": 1,
            "max_val_samples": 1,
        }
        if stage in (NORMAL, DEPTH):
            steps = budget.normal_steps if stage == NORMAL else budget.depth_steps
            own |= {"batch": budget.batch, "learning_rate": budget.rate, "schedule": "published",
                    "steps_per_epoch": -(-steps // CYCLE_EPOCHS)}  # fmt: skip
        else:
            steps = budget.video_steps
            own |= {"init": str(folder / DEPTH), "learning_rate": budget.video_rate,
                    "epsilon": 0.1, "adam": "tensorflow", "batch": 1}  # fmt: skip
        rare = dict.fromkeys(("steps", "save_every", "validate_every", "picture_every"), steps)
        if stage in (DEPTH, VIDEO):
            self._predict_normals(folder)
        _start(VIDEO if stage == VIDEO else NORMAL if stage == NORMAL else DEPTH,
               data=(self.uri,), out=str(out), **VARIANTS[variant], **own, **rare)  # fmt: skip

    def measure(self, variant: str, stage: str, folder: Path) -> Measures:
        """Measure a trained stage on held-out labelled people and videos."""
        del variant
        net = self._build(stage)
        weights = read_weights(folder / stage.replace(" ", "-"))
        adopt_weights(net, weights, source=str(folder))
        return self._measure(stage, lambda examples: _run(net, examples))

    def measure_blind(self, stage: str) -> Mapping[str, Measures]:
        """Measure predictors that look at no image."""
        constant, mean = self._means
        torch.manual_seed(0)
        net = self._build(stage)
        kind = slice(0, 3) if stage == NORMAL else slice(3, 4)
        answers: dict[str, Net] = {
            "constant": lambda _: constant[:, kind].expand(-1, -1, *mean.shape[2:]),
            "mean": lambda _: mean[:, kind],
            "untrained": lambda examples: _run(net, examples),
        }
        found = {name: self._measure(stage, answer) for name, answer in answers.items()}
        if stage != NORMAL:
            found["mean normals"] = self._measure_mean_normals(mean[:, :3])
        return found

    def conclude(self, trained: Mapping[str, Mapping[str, Sequence[Measures]]]) -> str:
        """Compare hdnet-video with the same training without videos, seed by seed."""
        head = "| held-out | labelled alone | with videos | gain of each seed | |"
        lines = ["### What the videos add", "", head, "| --- | --- | --- | --- | --- |"]
        for variant, with_videos in trained[VIDEO].items():
            alone = trained[ALONE][variant]
            for name in with_videos[0]:
                before, after = ([one[name] for one in seeds] for seeds in (alone, with_videos))
                lines.append(_difference(f"{variant}: {name}", before, after))
        return "\n".join(lines) + "\n"

    def _measure(self, stage: str, net: Net) -> Measures:
        """Measure a net, or what stands for one, on labelled samples and frames."""
        settings = _settings(stage, self.budget)
        measures = hdnet_normal_measures if stage == NORMAL else hdnet_depth_measures
        sums: Sums = {}
        for examples, prefix in self._held_out(stage):
            found = measures(net(examples), examples, settings)
            for name, one in found.items():
                sums[prefix + name] = sums.get(prefix + name, torch.zeros_like(one)) + one
        return means(sums)

    def _measure_mean_normals(self, normals: Tensor) -> Measures:
        sums: Sums = {}
        for examples, prefix in self._held_out(DEPTH):
            where = has_neighbours(examples.mask)
            one = sum_inside(angles_degrees(normals, examples.normals), where)
            sums[prefix + ANGLE] = sums.get(prefix + ANGLE, torch.zeros_like(one)) + one
        return means(sums)

    def _held_out(self, stage: str) -> Iterator[tuple[LabelledExamples, str]]:
        for examples in self._labelled:
            inputs = examples.inputs[:, :3] if stage == NORMAL else examples.inputs
            yield replace(examples, inputs=inputs), ""
        for shard in open_frame_shards([self.uri]):
            for frame in shard.frames[::3]:
                if frame.split in (*self.held_out, "val"):
                    yield _read_frame(frame, self.people, stage), ON_VIDEO

    @cached_property
    def _labelled(self) -> list[LabelledExamples]:
        samples = open_index([self.uri], LABELLED_WITH_IUV).of_splits(self.held_out)
        reader = LabelledReader(with_densepose=True)
        return [_read_labelled(one, reader) for one in samples[::2]]

    @cached_property
    def _means(self) -> tuple[Tensor, Tensor]:
        """Return means of (normals, depth) over all trained pixels, and for each pixel."""
        total, often = torch.zeros(1), torch.zeros(1)
        reader = LabelledReader(with_densepose=True)
        for one in open_index([self.uri], LABELLED_WITH_IUV).of_splits(["train"])[::2]:
            examples = _read_labelled(one, reader)
            maps = torch.cat([examples.normals, examples.depth_m], dim=1)
            total, often = total + maps * examples.mask, often + examples.mask
        flat = total.sum(dim=(2, 3), keepdim=True) / often.sum()
        return flat, torch.where(often > 0, total / often.clamp_min(1), flat)

    def _build(self, stage: str) -> nn.Module:
        settings = _settings(stage, self.budget)
        return build_normal_net(settings) if stage == NORMAL else build_depth_net(settings)

    def _predict_normals(self, folder: Path) -> None:
        out = folder / "predicted"
        shutil.rmtree(out, ignore_errors=True)
        _start("hdnet-predict-normals", data=(self.uri,), out=str(out), init=str(folder / NORMAL),
               width=self.budget.width)  # fmt: skip
        for job in list_predicted(out):
            commit_predicted(job)
        shutil.rmtree(out)


def _difference(name: str, before: Sequence[float], after: Sequence[float]) -> str:
    """Write a line: a gain only where every seed gains, and the least more than seeds differ."""
    gains = [one - other for one, other in zip(before, after, strict=True)]
    told = "gain" if min(gains) > max(gains) - min(gains) else "**no gain**"
    cells = (", ".join(f"{value:.4g}" for value in values) for values in (before, after, gains))
    return f"| {name} | {' | '.join(cells)} | {told} |"


def _read_labelled(address: SampleAddress, reader: LabelledReader) -> LabelledExamples:
    settings = ModelSettings(stage="hdnet-depth", resolution=256)
    return prepare_depth(reader.stack([reader.read(address)], AugmentationSampler(), 0), settings)


def _read_frame(address: SampleAddress, people: Path, stage: str) -> LabelledExamples:
    """Return a frame as if it were labelled: its input as in use, its target the ground truth."""
    color, inside = ImageReader().read(address)
    inputs = torch.from_numpy(color).permute(2, 0, 1)[None].float()
    if stage != NORMAL:  # before, the normals may not be predicted yet
        frame = stack_frames([FrameReader().read(address)])
        inputs = stack_inputs(frame.image, frame.normals, frame.densepose)
    video, number = address.sample_id.split("/")
    truth = np.load(people / "truth" / video / f"{number}.npz")
    z = truth["depth"] * ray_directions(camera_hdnet(np.eye(4)))[..., 2]
    mask = inside & (z > 0)
    shift_m = MEDIAN_M - float(np.median(z[mask]))
    depth_m = np.where(mask, z + shift_m, 0).astype(np.float32)
    normals = truth["normal"].astype(np.float32)
    return LabelledExamples(
        (address.sample_id,), inputs, torch.from_numpy(mask)[None, None],
        torch.from_numpy(depth_m)[None, None], torch.full((1, 1, 1, 1), shift_m),
        torch.from_numpy(normals).permute(2, 0, 1)[None],
    )  # fmt: skip


@torch.no_grad()
def _run(net: nn.Module, examples: LabelledExamples) -> Tensor:
    answer: Tensor = net(examples.inputs)
    return answer


def _settings(stage: str, budget: Budget) -> ModelSettings:
    name: StageName = "hdnet-normal" if stage == NORMAL else "hdnet-depth"
    return ModelSettings(stage=name, resolution=256, width=budget.width, heads="means")


def _start(stage: StageName, **options: object) -> None:
    request = TrainRequest.model_validate({"stage": stage, **options})
    if train(["--request", request.model_dump_json()]) != 0:
        raise SystemExit(f"{stage} did not end: {request.model_dump_json()}")
