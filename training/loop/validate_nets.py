"""Validation: the mean loss and the measures over samples that were not trained on."""

import json
from collections.abc import Sequence
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
from training.loop.stage_types import ExamplesT, PredictionT, Stage
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
        held_out = index.of_splits(data.val_splits)
        splits = data.val_splits if held_out else data.splits
        samples = held_out or index.of_splits(data.splits)
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
    model.eval()
    sums: dict[str, list[float]] = {}
    try:
        for batch in loader.batches(0, turn.count(len(chosen.samples))):
            examples = stage.prepare(batch.to(ranks.device), settings)
            for name, pair in _measure(model, stage, examples, settings, ranks.device).items():
                have = sums.setdefault(name, [0.0, 0.0])
                sums[name] = [have[0] + pair[0], have[1] + pair[1]]
    finally:
        loader.close()
        model.train()
    return _merge([json.loads(text) for text in ranks.gather(json.dumps(sums))])


@torch.no_grad()
def _measure(
    model: nn.Module,
    stage: Stage[SampleT, BatchT, ExamplesT, PredictionT],
    examples: ExamplesT,
    settings: ModelSettings,
    device: torch.device,
) -> dict[str, list[float]]:
    """Return (sum, count) of the loss and of every measure."""
    with autocast(settings, device):
        prediction = stage.predict(model, examples)
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
