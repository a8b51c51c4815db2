r"""Find out whether training learns anything about people it has not seen.

    scanmill synth --out people --subjects 60 --detail fast --texture 512
    scanmill render --data people --dataset RP --out sets/people --resolution 256 \
        --backgrounds people/IndoorCVPR09 --splits splits.csv
    python -m benchmarks.learning URI --method 2k2k [--stage normal|depth] [--size cpu|gpu]

splits.csv (item, split) keeps more people out of training than the usual tenth: every third, say.
Trains on the train split, once a seed, and measures the people of splits val and test beside three
predictors that look at no image:

  constant    one depth for each surface and one normal: the means over all trained pixels
  mean        the same for every pixel by itself; its mask is where most trained people are
  untrained   the same nets before their first step

`--stage normal` measures phase 1 (coarse depth, normals), `--stage depth` trains all nets of phase
1, then phase 2 on them, and measures that (full depth, and the normals of the depth).

"(interior)" leaves out the person's pixels beside the silhouette. There the nets have to say first
whether they see a person at all (background is 6 in front, 0 behind: metres away), a question that
the blind predictors are never asked, and at small sizes most pixels lie there. Both are told.

A gain is told only where the worst seed beats the best of the three by more than the seeds differ
among each other. Seconds of processor time count all threads. Source of the measures:
training.twok2k.person_measures.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from time import perf_counter, process_time
from typing import Generic

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from schemas.train_request import BackgroundMode, Heads, Nets, StageName, TrainRequest
from training.data.augmentation_sampler import AugmentationSampler
from training.data.loader import Loader
from training.data.sample_order import InTurn
from training.data.shard_index import SampleAddress, ShardIndex, open_index
from training.loop.distributed import Ranks, choose_device, join_ranks
from training.loop.stage_types import ExamplesT, PredictionT, Stage, Sums
from training.loop.validate_nets import ValidationSet, validate
from training.run import main as train
from training.run_settings import ModelSettings
from training.stages import STAGES
from training.twok2k.alignment import PartTransforms
from training.twok2k.person_examples import DepthExamples, NormalExamples
from training.twok2k.person_nets import NormalPrediction
from training.twok2k.person_samples import PEOPLE_2K2K, PersonBatch, PersonReader, PersonSample
from training.twok2k.person_stages import DEPTH_STAGE, NORMAL_STAGE
from training.twok2k.sizes import NORMALS
from training.twok2k.surface_nets import DepthPrediction
from training.twok2k.targets import DepthTargets
from training.weights import adopt_weights, read_weights

STAGE_NAMES: dict[str, StageName] = {"normal": "2k2k-normal", "depth": "2k2k-depth"}
HELD_OUT = ("val", "test")
SEEN_SAMPLES = 60
SURE = 60.0
HALF = 0.5
INTERIOR = " (interior)"
MORE_IS_BETTER = ("mask_overlap",)
SKIPPED = ("loss",)
CYCLE_EPOCHS = 5
"""The published learning rate falls to 0 in five epochs: each phase is one such cycle."""

Measures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Size:
    """The budget of one seed. refine_steps: of phase 2, behind `steps` of phase 1."""

    nets: Nets
    width: float
    steps: int
    batch: int
    rate: float
    heads: Heads
    background: BackgroundMode
    refine_steps: int = 0


SIZES = {
    ("cpu", "normal"): Size("coarse", 0.25, 3600, 4, 0.01, "centred", "black"),
    ("cpu", "depth"): Size("all", 0.125, 300, 2, 0.01, "centred", "black", 150),
    ("gpu", "normal"): Size("all", 1.0, 20_000, 1, 0.001, "centred", "stored"),
    ("gpu", "depth"): Size("all", 1.0, 20_000, 1, 0.001, "centred", "stored", 20_000),
}
"""The heads are centred: started as published, short trainings end with the heads' ReLU shut."""


class FixedPrediction(nn.Module):
    """Predict the same for every image: maps of (1, C, h, w), or (1, C, 1, 1) for one value."""

    def __init__(
        self, normals: Tensor, front: Tensor, back: Tensor, inside: Tensor, *, shrink: int
    ) -> None:
        """Take what is predicted; inside: where the mask says person; shrink: 8, or 1 for full."""
        super().__init__()
        self._shrink = shrink
        for name, value in (("normals", normals), ("front", front), ("back", back)):
            self.register_buffer(name, value)
        self.register_buffer("logit", torch.where(inside, SURE, -SURE))

    def forward(
        self, image: Tensor, transforms: PartTransforms
    ) -> NormalPrediction | DepthPrediction:
        """Ignore the image but for its size."""
        del transforms
        height, width = (side // self._shrink for side in image.shape[2:])
        size = (image.shape[0], -1, height, width)
        depth = DepthPrediction(*(self._grow(name, size) for name in ("front", "back", "logit")))
        if self._shrink == 1:
            return depth
        return NormalPrediction(self._grow("normals", size), {}, depth)

    def _grow(self, name: str, size: tuple[int, ...]) -> Tensor:
        return self.get_buffer(name).expand(size)


@dataclass(frozen=True, slots=True)
class Phase(Generic[ExamplesT, PredictionT]):
    """A stage with the depth that it is measured by. put: the same examples, other targets."""

    stage: Stage[PersonSample, PersonBatch, ExamplesT, PredictionT]
    get: Callable[[ExamplesT], DepthTargets]
    put: Callable[[ExamplesT, DepthTargets], ExamplesT]


def put_coarse(examples: NormalExamples, targets: DepthTargets) -> NormalExamples:
    """Replace the targets of phase 1."""
    return replace(examples, coarse=targets)


def put_full(examples: DepthExamples, targets: DepthTargets) -> DepthExamples:
    """Replace the targets of phase 2."""
    return replace(examples, full=targets)


NORMAL_PHASE = Phase(NORMAL_STAGE, attrgetter("coarse"), put_coarse)
DEPTH_PHASE = Phase(DEPTH_STAGE, attrgetter("full"), put_full)


def look_at(
    samples: tuple[SampleAddress, ...],
    settings: ModelSettings,
    phase: Phase[ExamplesT, PredictionT],
) -> Iterator[DepthTargets]:
    """Yield the targets of one sample after the other."""
    reader = PersonReader(settings.resolution, with_stored=False)
    loader = Loader(reader, samples, InTurn(0, 1), AugmentationSampler(), workers=1)
    try:
        for batch in loader.batches(0, len(samples)):
            yield phase.get(phase.stage.prepare(batch, settings))
    finally:
        loader.close()


def blind_predictors(seen: Iterable[DepthTargets], shrink: int) -> dict[str, nn.Module]:
    """Return the constant and the mean predictor of the trained samples."""
    total, often, number = torch.zeros(1), torch.zeros(1), 0
    for truth in seen:
        maps = torch.cat([truth.normals, truth.front, truth.back], dim=1)
        total, often, number = total + maps * truth.inside, often + truth.inside, number + 1
    flat = total.sum(dim=(2, 3), keepdim=True) / often.sum()
    # Where no trained person ever was, the mean predictor says what the constant one says.
    by_pixel = torch.where(often > 0, total / often.clamp_min(1), flat)
    nowhere = torch.zeros(1, 1, 1, 1, dtype=torch.bool)
    answers = {"constant": (flat, nowhere), "mean": (by_pixel, often / number > HALF)}
    return {
        name: FixedPrediction(
            values[:, :NORMALS], values[:, NORMALS:-1], values[:, -1:], inside, shrink=shrink
        )
        for name, (values, inside) in answers.items()
    }


def interior(truth: DepthTargets) -> DepthTargets:
    """Leave out the person's pixels that touch the background, by side or by corner."""
    inner = -max_pool2d(-truth.inside.float(), 3, stride=1, padding=1) > 0
    return replace(truth, front=truth.front * inner, back=truth.back * inner)


def with_interior(
    phase: Phase[ExamplesT, PredictionT],
) -> Stage[PersonSample, PersonBatch, ExamplesT, PredictionT]:
    """Return the stage, its depth and normals measured inside the silhouette once more."""
    stage = phase.stage

    def measures(prediction: PredictionT, examples: ExamplesT, settings: ModelSettings) -> Sums:
        inner = phase.put(examples, interior(phase.get(examples)))
        again = stage.measures(prediction, inner, settings)
        kept = ("depth_front_millimetres", "depth_back_millimetres", "normal_angle_degrees")
        return stage.measures(prediction, examples, settings) | {
            name + INTERIOR: again[name] for name in kept
        }

    return replace(stage, measures=measures)


def measurer(
    settings: ModelSettings, size: Size, ranks: Ranks, phase: Phase[ExamplesT, PredictionT]
) -> Callable[[nn.Module, tuple[SampleAddress, ...]], Measures]:
    """Return what measures a model on samples: the same for nets and blind predictors."""
    stage = with_interior(phase)

    def measure(model: nn.Module, samples: tuple[SampleAddress, ...]) -> Measures:
        return validate(
            model.to(ranks.device), stage, ValidationSet(samples, ()), settings=settings, workers=1,
            with_stored=size.background != "black", ranks=ranks,
        )  # fmt: skip

    return measure


def train_seed(uri: str, seed: int, size: Size, out: Path) -> Path:
    """Train one seed; return the folder of its last phase."""
    first, second = out / "normal", out / "depth"
    common = TrainRequest(
        stage="2k2k-normal", data=(uri,), out=str(first), seed=seed, nets=size.nets,
        width=size.width, batch=size.batch, learning_rate=size.rate, heads=size.heads,
        background=size.background, keep=1, max_val_samples=1,
    )  # fmt: skip
    _train_phase(common, size.steps)
    if not size.refine_steps:
        return first
    update = {
        "stage": "2k2k-depth", "out": str(second), "init": str(first), "frozen_norm": "running",
    }  # fmt: skip
    _train_phase(common.model_copy(update=update), size.refine_steps)
    return second


def _train_phase(request: TrainRequest, steps: int) -> None:
    rare = dict.fromkeys(("steps", "save_every", "validate_every", "picture_every"), steps)
    cycle = {"steps_per_epoch": -(-steps // CYCLE_EPOCHS)}
    whole = request.model_copy(update={**rare, **cycle})
    if train(["--request", whole.model_dump_json()]) != 0:
        raise SystemExit(f"{request.stage} did not train: {whole.model_dump_json()}")


def verdict(name: str, baselines: list[float], trained: list[float]) -> str:
    """Say whether training gains: by how much, against the spread over seeds."""
    sign = 1 if name in MORE_IS_BETTER else -1
    best = max(sign * value for value in baselines)
    spread = max(trained) - min(trained)
    gain = min(sign * value for value in trained) - best
    return f"gain {gain:.4g} over the best baseline" if gain > spread else "no gain"


def main() -> None:
    """Train, measure, print the table."""
    given = _read_line()
    size = SIZES[given.size, given.stage]
    steps, refine_steps = given.steps or size.steps, given.refine_steps or size.refine_steps
    size = replace(size, steps=steps, refine_steps=refine_steps if given.stage == "depth" else 0)
    index = open_index([given.uri], PEOPLE_2K2K)
    settings = ModelSettings(
        stage=STAGE_NAMES[given.stage], resolution=index.width, width=size.width, nets=size.nets,
        heads=size.heads, frozen_norm="running",
    )  # fmt: skip
    counts = {split: len(index.of_splits([split])) for split in ("train", *HELD_OUT)}
    print(f"{counts} samples of {index.width} pixels; {size}; {given.seeds} seeds")
    began, busy = perf_counter(), process_time()
    with tempfile.TemporaryDirectory() as folder:
        kept = given.out or Path(folder)
        runs = [train_seed(given.uri, seed, size, kept / str(seed)) for seed in range(given.seeds)]
        wall, cpu = (now / given.seeds for now in (perf_counter() - began, process_time() - busy))
        threads = torch.get_num_threads()
        print(f"{wall:.0f} s a seed, {cpu:.0f} s of processor time; {threads} threads")
        _compare(index, settings, size, runs)


def _compare(index: ShardIndex, settings: ModelSettings, size: Size, runs: list[Path]) -> None:
    """Measure the blind and the trained on the same samples; print a line for each measure."""
    trained, held_out = index.of_splits(["train"]), index.of_splits(HELD_OUT)
    some = trained[:: max(1, len(trained) // SEEN_SAMPLES)]
    shrink = 8 if settings.stage == "2k2k-normal" else 1
    with join_ranks(choose_device("auto")) as ranks:
        if settings.stage == "2k2k-normal":
            measure = measurer(settings, size, ranks, NORMAL_PHASE)
            targets = look_at(trained, settings, NORMAL_PHASE)
        else:
            measure = measurer(settings, size, ranks, DEPTH_PHASE)
            targets = look_at(trained, settings, DEPTH_PHASE)
        predictors = blind_predictors(targets, shrink)
        torch.manual_seed(0)
        predictors["untrained"] = STAGES[settings.stage].build(settings)
        blind = {name: measure(model, held_out) for name, model in predictors.items()}
        nets = [_load(folder, settings) for folder in runs]
        told = [measure(model, held_out) for model in nets]
        seen = [measure(model, some) for model in nets]
    for name in (name for name in told[0] if name not in SKIPPED):
        _print_line(name, blind, [run[name] for run in told], [run[name] for run in seen])


def _load(folder: Path, settings: ModelSettings) -> nn.Module:
    model = STAGES[settings.stage].build(settings)
    adopt_weights(model, read_weights(folder), source=str(folder))
    return model


def _print_line(
    name: str, blind: dict[str, Measures], told: list[float], seen: list[float]
) -> None:
    known = [answer[name] for answer in blind.values() if name in answer]
    baselines = "  ".join(
        f"{who} {answer[name]:.4g}" for who, answer in blind.items() if name in answer
    )
    spread = f"{min(told):.4g}..{max(told):.4g}"
    print(
        f"{name:36} {baselines}  trained {statistics.mean(told):.4g} ({spread})"
        f"  on trained people {statistics.mean(seen):.4g}  {verdict(name, known, told)}"
    )


def _read_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Held-out measures against blind baselines.")
    parser.add_argument("uri")
    parser.add_argument("--method", choices=["2k2k"], default="2k2k")
    parser.add_argument("--stage", choices=sorted(STAGE_NAMES), default="normal")
    parser.add_argument("--size", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="keep the trained nets here, or go on with them")
    parser.add_argument("--steps", type=int, help="of phase 1")
    parser.add_argument("--refine-steps", type=int, help="of phase 2, with --stage depth")
    return parser.parse_args()


if __name__ == "__main__":
    main()
