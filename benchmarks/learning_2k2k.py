"""2K2K's part of `benchmarks.learning`: how both phases are trained, measured and guessed blindly.

Predictors that look at no image:

  constant      one depth for each surface and one normal: the means over all trained pixels
  mean          the same for every pixel by itself; its mask is where most trained people are
  untrained     the same nets before their first step
  mean normals  in place of normals of a depth: the mean of the true ones for every pixel

"(interior)" are the person's pixels that touch no background, "(silhouette)" all others. Beside the
silhouette a net has to say first whether it sees a person at all, a question that the blind
predictors are never asked. Depth is the nets' own, for all pixels of the true person; what the
composed depth (front 6, back 0 where the mask says background) adds to it is counted as the share
of the person's pixels that are off by more than half a metre.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Generic

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from benchmarks.learning_frame import Measures
from schemas.train_forms import MEANINGLESS, BackgroundMode, StageName
from schemas.train_request import TrainRequest
from training.data.augmentation_sampler import AugmentationSampler
from training.data.loader import Loader
from training.data.sample_order import InTurn
from training.data.shard_index import SampleAddress, open_index
from training.loop.distributed import Ranks, choose_device, join_ranks
from training.loop.measures import angles_degrees, means, sum_inside
from training.loop.run_folder import RUN_FILE, RunRecord
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
from training.twok2k.targets import DepthTargets, split_surfaces
from training.weights import adopt_weights, read_weights

NORMAL, DEPTH = "2k2k-normal", "2k2k-depth"
WITH_PARTS = "2k2k-normal-with-parts"
DEPTH_NORMALS = {NORMAL: "depth_normal_angle_degrees", DEPTH: "normal_angle_degrees"}
"""The measure of each phase that compares normals of the predicted depth."""

SURE = 60.0
HALF = 0.5
INTERIOR, SILHOUETTE = " (interior)", " (silhouette)"
APART = ("depth_front_millimetres", "depth_back_millimetres")
CYCLE_EPOCHS = 5
"""The published learning rate falls to 0 in five epochs: each phase is one such cycle."""

VARIANTS: dict[str, dict[str, object]] = {
    "default": {},
    "published": {"published": True},
    "published losses": {"published": True, "heads": "means"},
}
"""Options of the training request. Started as published, the heads' ReLU may end shut."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one seed may spend. Steps of each phase are of `batch` samples.

    part_steps: of the nets of phase 1 with all part nets that phase 2 needs; they are trained once,
    by the default forms, and all variants and seeds of phase 2 begin with them. Phase 1 itself is
    measured without the part nets: nothing that is measured depends on them. rate, depth_rate: of
    the phases, at the start.
    """

    width: float
    normal_steps: int
    part_steps: int
    depth_steps: int
    batch: int
    rate: float
    depth_rate: float
    background: BackgroundMode = "stored"

    def times(self, factor: float) -> "Budget":
        """Return a budget of so many times the steps."""
        normal, depth = (round(factor * one) for one in (self.normal_steps, self.depth_steps))
        return replace(
            self, normal_steps=normal, depth_steps=depth, part_steps=round(factor * self.part_steps)
        )


BUDGETS = {
    "cpu": Budget(0.25, 1400, 400, 40, 4, 0.01, 0.003),
    "gpu": Budget(1.0, 20_000, 20_000, 20_000, 1, 0.001, 0.001),
}


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


class TwoK2K:
    """Both phases of 2K2K on one data set, measured on people of held-out splits."""

    stages: tuple[str, ...] = (NORMAL, DEPTH)
    variants = tuple(VARIANTS)

    def __init__(self, uri: str, held_out: tuple[str, ...], budget: Budget) -> None:
        """Open the data set; held_out: splits."""
        index = open_index([uri], PEOPLE_2K2K)
        self._uri, self._budget, self._side = uri, budget, index.width
        self._trained, self._told = index.of_splits(["train"]), index.of_splits(held_out)
        self._digest = index.digest

    def describe(self, variant: str, stage: str) -> dict[str, object]:
        """Return data, budget and options."""
        told, budget = [address.sample_id for address in self._told], asdict(self._budget)
        for unused in (
            ("part_steps", "depth_steps", "depth_rate") if stage == NORMAL else ("normal_steps",)
        ):
            del budget[unused]
        return {
            "data": self._digest, "stage": stage, "options": VARIANTS[variant],
            "budget": budget, "trained": len(self._trained), "measured": len(told),
            "first": told[0], "last": told[-1],
        }  # fmt: skip

    def train(self, variant: str, stage: str, seed: int, folder: Path) -> None:
        """Train one phase, or go on with it."""
        budget, out = self._budget, folder / stage
        if stage == NORMAL:
            options = {**VARIANTS[variant], "nets": "coarse", "seed": seed}
            self._train(NORMAL, out, budget.normal_steps, options)
            return
        first = folder.parents[1] / WITH_PARTS
        self._train(NORMAL, first, budget.part_steps, {})
        of_phase_1 = MEANINGLESS[STAGE_NAMES[DEPTH]]
        options = {name: one for name, one in VARIANTS[variant].items() if name not in of_phase_1}
        start = {"init": str(first), "frozen_norm": "running", "seed": seed}
        self._train(DEPTH, out, budget.depth_steps, options | start)

    def _train(self, stage: str, out: Path, steps: int, options: Mapping[str, object]) -> None:
        """Train or go on with a folder; the rate falls to 0 in its steps."""
        budget = self._budget
        rare = dict.fromkeys(("steps", "save_every", "validate_every", "picture_every"), steps)
        request = TrainRequest.model_validate(
            {
                **rare, **options, "stage": stage, "data": (self._uri,), "out": str(out),
                "width": budget.width, "batch": budget.batch,
                "learning_rate": budget.rate if stage == NORMAL else budget.depth_rate,
                "background": budget.background, "workers": 1, "keep": 1, "max_val_samples": 8,
                "steps_per_epoch": -(-steps // CYCLE_EPOCHS),
            }
        )  # fmt: skip
        if train(["--request", request.model_dump_json()]) != 0:
            raise SystemExit(f"{stage} did not train: {request.model_dump_json()}")

    def measure(self, variant: str, stage: str, folder: Path) -> Measures:
        """Measure what the folder holds."""
        del variant
        record = RunRecord.model_validate_json((folder / stage / RUN_FILE).read_bytes())
        model = STAGES[record.model.stage].build(record.model)
        adopt_weights(model, read_weights(folder / stage), source=str(folder))
        return self._measure_all({"trained": model}, record.model)["trained"]

    def measure_blind(self, stage: str) -> Mapping[str, Measures]:
        """Measure all blind predictors."""
        settings = ModelSettings(
            stage=STAGE_NAMES[stage], resolution=self._side, width=self._budget.width,
            nets="coarse" if stage == NORMAL else "all", frozen_norm="running", heads="means",
            depth_loss="masked",
        )  # fmt: skip
        phase_targets = self._targets(settings, self._trained)
        predictors = blind_predictors(phase_targets, shrink=8 if stage == NORMAL else 1)
        mean = predictors["mean"].get_buffer("normals")
        torch.manual_seed(0)
        untrained = {"untrained": STAGES[settings.stage].build(settings)}
        angles = measure_normals(mean, self._targets(settings, self._told), DEPTH_NORMALS[stage])
        return self._measure_all(predictors | untrained, settings) | {"mean normals": angles}

    def conclude(self, trained: Mapping[str, Mapping[str, Sequence[Measures]]]) -> str:
        """Say nothing: phases are not compared with each other."""
        del trained
        return ""

    def _targets(
        self, settings: ModelSettings, samples: tuple[SampleAddress, ...]
    ) -> Iterator[DepthTargets]:
        if settings.stage == NORMAL:
            return look_at(samples, settings, NORMAL_PHASE)
        return look_at(samples, settings, DEPTH_PHASE)

    def _measure_all(
        self, models: Mapping[str, nn.Module], settings: ModelSettings
    ) -> dict[str, Measures]:
        with join_ranks(choose_device("auto")) as ranks:
            if settings.stage == NORMAL:
                measure = self._measurer(settings, ranks, NORMAL_PHASE)
            else:
                measure = self._measurer(settings, ranks, DEPTH_PHASE)
            return {name: measure(model) for name, model in models.items()}

    def _measurer(
        self, settings: ModelSettings, ranks: Ranks, phase: Phase[ExamplesT, PredictionT]
    ) -> Callable[[nn.Module], Measures]:
        """Return what measures a model: the same for nets and blind predictors."""
        stage, samples = measured_apart(phase), ValidationSet(self._told, ())

        def measure(model: nn.Module) -> Measures:
            return validate(
                model.to(ranks.device), stage, samples, settings=settings, workers=1,
                with_stored=self._budget.background != "black", ranks=ranks,
            )  # fmt: skip

        return measure


STAGE_NAMES: dict[str, StageName] = {NORMAL: "2k2k-normal", DEPTH: "2k2k-depth"}


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


def measure_normals(mean: Tensor, held_out: Iterable[DepthTargets], name: str) -> Measures:
    """Measure mean normals (1, 6, h, w) where normals of a depth are measured."""
    sums: Sums = {}
    for truth in held_out:
        halves = zip(split_surfaces(mean), split_surfaces(truth.normals), strict=True)
        angles = sum(angles_degrees(2 * one - 1, 2 * other - 1) for one, other in halves) / 2
        for place, where in (("", truth.inside), (INTERIOR, interior(truth.inside))):
            one = sum_inside(torch.as_tensor(angles), where)
            sums[name + place] = sums.get(name + place, torch.zeros_like(one)) + one
    return means(sums)


def interior(inside: Tensor) -> Tensor:
    """Return the person's pixels (B, 1, H, W) that touch no background, by side or by corner."""
    inner: Tensor = -max_pool2d(-inside.float(), 3, stride=1, padding=1) > 0
    return inner


def measured_apart(
    phase: Phase[ExamplesT, PredictionT],
) -> Stage[PersonSample, PersonBatch, ExamplesT, PredictionT]:
    """Return the stage, its depth and normals measured inside and at the silhouette once more."""
    stage = phase.stage

    def measures(prediction: PredictionT, examples: ExamplesT, settings: ModelSettings) -> Sums:
        truth, sums = phase.get(examples), stage.measures(prediction, examples, settings)
        inner = interior(truth.inside)
        for place, where in ((INTERIOR, inner), (SILHOUETTE, truth.inside & ~inner)):
            part = replace(truth, front=truth.front * where, back=truth.back * where)
            again = stage.measures(prediction, phase.put(examples, part), settings)
            angles = [name for name in again if name in DEPTH_NORMALS.values()]
            kept = (*APART, *angles) if place == INTERIOR else APART
            sums |= {name + place: again[name] for name in kept}
        return sums

    return replace(stage, measures=measures)
