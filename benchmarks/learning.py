r"""Find out whether training learns anything about people it has not seen.

    scanmill synth --out people --subjects 24
    scanmill render --data people --dataset RP --out sets/people --resolution 256 \
        --backgrounds people/IndoorCVPR09
    python -m benchmarks.learning URI --method 2k2k [--size cpu|gpu] [--seeds 3] [--steps N]

Trains phase 1 on the train split, once a seed, and measures the held-out subjects (splits val and
test) beside three predictors that look at no picture:

  constant    one depth for each surface and one normal: the means over all trained pixels
  mean        the same for every pixel by itself; its mask is where most trained people are
  untrained   the same nets before their first step

A gain is told only where the worst seed beats the best of the three by more than the seeds differ
among each other. Source of the measures: training.measures.
"""

import argparse
import json
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch
from torch import Tensor, nn

from training.alignment import PartTransforms
from training.distributed import Ranks, join_ranks
from training.loader import Drawing, Loader
from training.networks.coarse_net import DepthPrediction
from training.networks.person_nets import Nets, NormalPrediction
from training.order import InTurn
from training.preparation import Prepared, prepare
from training.run import main as train
from training.samples import SampleReader
from training.settings import ModelSettings
from training.shards import ShardIndex, open_index
from training.stages import STAGES
from training.validation import ValidationSet, validate

STAGE = "2k2k-normal"
HELD_OUT = ("val", "test")
SURE = 60.0
HALF = 0.5
MORE_IS_BETTER = ("mask_overlap",)
SKIPPED = ("loss",)


@dataclass(frozen=True, slots=True)
class Size:
    """The budget of one seed."""

    nets: Nets
    width: float
    steps: int
    batch: int


SIZES = {"cpu": Size("coarse", 0.25, 3000, 2), "gpu": Size("all", 1.0, 20_000, 1)}


class FixedPrediction(nn.Module):
    """Predict the same for every picture: maps of (1, C, h, w), or (1, C, 1, 1) for one value."""

    def __init__(self, normals: Tensor, front: Tensor, back: Tensor, inside: Tensor) -> None:
        """Take what is predicted; inside: where the mask says person."""
        super().__init__()
        self._normals, self._front, self._back, self._inside = normals, front, back, inside

    def forward(self, picture: Tensor, transforms: PartTransforms) -> NormalPrediction:
        """Ignore the picture but for its size."""
        del transforms
        size = (picture.shape[0], -1, picture.shape[2] // 8, picture.shape[3] // 8)
        logit = torch.where(self._inside, SURE, -SURE)
        depth = DepthPrediction(
            self._front.expand(size), self._back.expand(size), logit.expand(size)
        )
        return NormalPrediction(self._normals.expand(size), {}, depth)


def look_at(index: ShardIndex, settings: ModelSettings) -> list[Prepared]:
    """Prepare every trained sample, unaugmented."""
    samples = index.of_splits(["train"])
    reader = SampleReader(settings.resolution, with_stored=True)
    loader = Loader(reader, samples, InTurn(0, 1), Drawing(None, None), workers=2)
    prepared = [prepare(batch, settings) for batch in loader.batches(0, len(samples))]
    loader.close()
    return prepared


def blind_predictors(seen: list[Prepared]) -> dict[str, nn.Module]:
    """Return the constant and the mean predictor of the trained samples."""
    coarse = [prepared.coarse for prepared in seen]
    inside = torch.cat([truth.inside for truth in coarse])
    surfaces = [torch.cat([getattr(truth, side) for truth in coarse]) for side in ("front", "back")]
    normals = torch.cat([truth.normals for truth in coarse])

    def mean(values: Tensor, dims: tuple[int, ...]) -> Tensor:
        total = (values * inside).sum(dims, keepdim=True)
        return total / inside.sum(dims, keepdim=True).clamp_min(1)

    nowhere = torch.zeros(1, 1, 1, 1, dtype=torch.bool)
    flat, each = (0, 2, 3), (0,)
    front, back = (mean(values, flat) for values in surfaces)
    constant = FixedPrediction(mean(normals, flat), front, back, nowhere)
    often = inside.float().mean(dim=0, keepdim=True) > HALF
    # Where no trained person ever was, the mean predictor says what the constant one says.
    ever = inside.any(dim=0, keepdim=True)
    by_pixel = [torch.where(ever, mean(v, each), mean(v, flat)) for v in (normals, *surfaces)]
    return {"constant": constant, "mean": FixedPrediction(*by_pixel, often)}


def measure(model: nn.Module, index: ShardIndex, settings: ModelSettings, ranks: Ranks) -> dict:
    """Measure the held-out samples."""
    chosen = ValidationSet(index.of_splits(HELD_OUT), HELD_OUT)
    return validate(
        model, STAGES[STAGE], chosen, settings=settings, workers=2, with_stored=True, ranks=ranks
    )


def train_seed(uri: str, seed: int, size: Size, out: Path) -> dict[str, float]:
    """Train one seed and return its measures of the held-out samples."""
    arguments = [
        STAGE, "--data", uri, "--out", str(out), "--seed", str(seed), "--nets", size.nets,
        "--width", str(size.width), "--steps", str(size.steps), "--batch", str(size.batch),
        "--learning-rate", "0.001", "--steps-per-epoch", str(max(1, size.steps // 5)),
        "--val-split", *HELD_OUT, "--save-every", str(size.steps), "--max-val-samples", "100000",
        "--validate-every", str(size.steps), "--keep", "1",
    ]  # fmt: skip
    if train(arguments) != 0:
        raise SystemExit(f"seed {seed} did not train")
    return dict(json.loads((out / "validation.json").read_text())["measures"])


def verdict(name: str, baselines: list[float], trained: list[float]) -> str:
    """Say whether training gains: by how much, against the spread over seeds."""
    sign = 1 if name in MORE_IS_BETTER else -1
    best = max(sign * value for value in baselines)
    spread = max(trained) - min(trained)
    gain = min(sign * value for value in trained) - best
    return f"gain {gain:.4g} over the best baseline" if gain > spread else "no gain"


def main() -> None:
    """Train, measure, print the table."""
    parser = argparse.ArgumentParser(description="Held-out measures against blind baselines.")
    parser.add_argument("uri")
    parser.add_argument("--method", choices=["2k2k"], default="2k2k")
    parser.add_argument("--size", choices=sorted(SIZES), default="cpu")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int)
    given = parser.parse_args()
    size = SIZES[given.size]
    size = Size(size.nets, size.width, given.steps or size.steps, size.batch)
    index = open_index([given.uri])
    settings = ModelSettings(stage=STAGE, resolution=index.width, width=size.width, nets=size.nets)
    counts = {split: len(index.of_splits([split])) for split in ("train", *HELD_OUT)}
    print(f"{counts} samples of {index.width} pixels; {size}; {given.seeds} seeds")
    with join_ranks(torch.device("cpu")) as ranks:
        predictors = blind_predictors(look_at(index, settings))
        predictors["untrained"] = STAGES[STAGE].build(settings)
        measured = {
            name: measure(model, index, settings, ranks) for name, model in predictors.items()
        }
    began = perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            train_seed(given.uri, seed, size, Path(folder) / str(seed))
            for seed in range(given.seeds)
        ]
    print(f"{(perf_counter() - began) / given.seeds:.0f} s a seed")
    for name in (name for name in runs[0] if name not in SKIPPED):
        trained = [run[name] for run in runs]
        known = [answer[name] for answer in measured.values() if name in answer]
        told = "  ".join(f"{who} {answer.get(name, float('nan')):.4g}" for who, answer in
                         measured.items())  # fmt: skip
        spread = f"{min(trained):.4g}..{max(trained):.4g}"
        print(f"{name:26} {told}  trained {statistics.mean(trained):.4g} ({spread})"
              f"  {verdict(name, known, trained)}")  # fmt: skip


if __name__ == "__main__":
    main()
