"""Validation: the mean loss and the measures over samples that were not trained on."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from training.data.augmentation_sampler import AugmentationSampler
from training.data.loader import Loader
from training.data.sample_order import InTurn
from training.data.shard_index import SampleAddress, ShardIndex
from training.data.tensor_batch import BatchT, SampleT
from training.loop.compute_modes import autocast
from training.loop.distributed import Ranks
from training.loop.measures import means
from training.loop.sheets import MAX_IMAGES
from training.loop.stage_types import ExamplesT, Panels, PredictionT, Stage
from training.run_settings import DataSettings, ModelSettings, RunSettings

LOSS = "loss"


@dataclass(frozen=True, slots=True)
class ValidationSet:
    """Which samples are validated on, and of which splits they are."""

    samples: tuple[SampleAddress, ...]
    splits: tuple[str, ...]

    @staticmethod
    def choose(index: ShardIndex, data: DataSettings, run: RunSettings) -> "ValidationSet":
        """Take the validation splits, or, where they are empty, the trained ones (and say so)."""
        held_out = index.of_splits(data.val_split)
        splits = data.val_split if held_out else data.split
        samples = held_out or index.of_splits(data.split)
        return ValidationSet(samples[: run.max_val_samples], splits)


def validate(
    model: nn.Module,
    stage: Stage[SampleT, BatchT, ExamplesT, PredictionT],
    chosen: ValidationSet,
    *,
    settings: ModelSettings,
    workers: int,
    with_stored: bool,
    ranks: Ranks,
) -> dict[str, float]:
    """Return the mean loss and the measures, the same on every rank.

    Running averages of batch norm are used; no augmentation; one sample a batch.
    """
    turn = InTurn(ranks.rank, ranks.world)
    reader = stage.reader(settings, with_stored)
    loader = Loader(reader, chosen.samples, turn, AugmentationSampler(), workers=workers)
    count, sums = turn.count(len(chosen.samples)), dict[str, list[float]]()
    for examples, prediction in _predict(
        model, stage, loader, count, settings=settings, device=ranks.device
    ):
        for name, pair in _measure(stage, examples, prediction, settings).items():
            have = sums.setdefault(name, [0.0, 0.0])
            sums[name] = [have[0] + pair[0], have[1] + pair[1]]
    return _merge([json.loads(text) for text in ranks.gather(json.dumps(sums))])


def draw_held_out(
    model: nn.Module,
    stage: Stage[SampleT, BatchT, ExamplesT, PredictionT],
    chosen: ValidationSet,
    *,
    settings: ModelSettings,
    with_stored: bool,
    device: torch.device,
) -> Panels:
    """Return the panels of a few samples from all over a validation, predicted as in use."""
    few = chosen.samples[:: max(1, len(chosen.samples) // MAX_IMAGES)][:MAX_IMAGES]
    reader, turn = stage.reader(settings, with_stored), InTurn(0, 1)
    loader = Loader(reader, few, turn, AugmentationSampler(), workers=1)
    rows = [
        stage.panels(prediction, examples, settings)
        for examples, prediction in _predict(
            model, stage, loader, len(few), settings=settings, device=device
        )
    ]
    return {name: torch.cat([row[name] for row in rows]) for name in rows[0]}


@torch.no_grad()
def _predict(
    model: nn.Module,
    stage: Stage[SampleT, BatchT, ExamplesT, PredictionT],
    loader: Loader[SampleT, BatchT],
    count: int,
    *,
    settings: ModelSettings,
    device: torch.device,
) -> Iterator[tuple[ExamplesT, PredictionT]]:
    """Predict `count` batches in evaluation mode; closes the loader and goes back to training."""
    model.eval()
    try:
        for batch in loader.batches(0, count):
            examples = stage.prepare(batch.to(device), settings)
            with autocast(settings, device):
                prediction = stage.predict(model, examples)
            yield examples, prediction
    finally:
        loader.close()
        model.train()


@torch.no_grad()
def _measure(
    stage: Stage[SampleT, BatchT, ExamplesT, PredictionT],
    examples: ExamplesT,
    prediction: PredictionT,
    settings: ModelSettings,
) -> dict[str, list[float]]:
    """Return (sum, count) of the loss and of every measure."""
    terms = stage.objective(prediction, examples, settings)
    loss = float(torch.stack(list(terms.values())).sum())
    measured = stage.measures(prediction, examples, settings)
    return {LOSS: [loss, 1.0]} | {name: pair.tolist() for name, pair in measured.items()}


def _merge(parts: Sequence[dict[str, list[float]]]) -> dict[str, float]:
    names = dict.fromkeys(name for part in parts for name in part)
    totals = {
        name: torch.tensor([part[name] for part in parts if name in part], dtype=torch.float64).sum(
            dim=0
        )
        for name in names
    }
    return means(totals)
