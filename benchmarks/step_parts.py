"""Take a training step apart: time and memory of each part, and what the loader hides.

    python -m benchmarks.step_parts URI [--backgrounds DIR] [--stage STAGE ...] [--resolution N]
        [--width 1] [--batch 1] [--steps 4] [--workers 2] [--device cpu]

First one part after the other, in wall and processor seconds and peak memory (resident; on a GPU
what torch has allocated there). read: Parquet. decode: to arrays, with the draw of a background;
augment: the image, targets: all else that a step is held against; forward: nets and losses.
Then the same steps on a batch in memory, and with the loader working beside them: what a step waits
for its batch is what could not be hidden. On a CPU both work on the same cores.

URI is a data set of the stage's camera; a fresh background needs DIR, its root of backgrounds.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Generic

import torch
from torch import nn

from benchmarks.as_training import run_as_training
from training.data.augmentation_sampler import AugmentationSampler
from training.data.background_pool import open_backgrounds
from training.data.loader import Loader
from training.data.row_reader import RowReader
from training.data.sample_order import Order
from training.data.tensor_batch import BatchT, SampleT
from training.loop.compute_modes import autocast
from training.loop.optimiser import Optimiser
from training.loop.stage_types import ExamplesT, PredictionT, Stage
from training.loop.step_profile import take_peak
from training.run_settings import ModelSettings
from training.stages import STAGES
from training.twok2k import person_examples

PARTS = ("read", "decode", "augment", "targets", "forward", "backward", "optimise")
LOADING = ("read", "decode")
ELSE = "else"
MIB = 1 << 20


@dataclass(slots=True)
class Cost:
    """Seconds of wall and of processor, and the peak memory in bytes."""

    wall: float = 0.0
    busy: float = 0.0
    peak: float = 0.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of a whole step: wall, its wait for a batch (medians), and processor (mean)."""

    wall: float
    waited: float
    busy: float


@dataclass(slots=True)
class Meter:
    """Where time goes: what lies inside a part counts for the inner one alone."""

    device: torch.device
    costs: dict[str, Cost] = field(default_factory=dict)
    is_on: bool = True
    _inside: list[str] = field(default_factory=lambda: [ELSE])
    _since: tuple[float, float] = (0.0, 0.0)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the block as a part."""
        if not self.is_on:
            yield
            return
        self._turn()
        self._inside.append(name)
        try:
            yield
        finally:
            self._turn()
            self._inside.pop()

    def watch(self, owner: Any, function: str, name: str) -> None:  # noqa: ANN401 - class, module
        """Count every call of a function as a part, from now on."""
        inner = getattr(owner, function)

        def counted(*arguments: Any) -> Any:  # noqa: ANN401 - as the function says
            with self.part(name):
                return inner(*arguments)

        setattr(owner, function, counted)

    def _turn(self) -> None:
        cost = self.costs.setdefault(self._inside[-1], Cost())
        peak = take_peak(self.device)
        now = perf_counter(), process_time()
        cost.wall += now[0] - self._since[0]
        cost.busy += now[1] - self._since[1]
        cost.peak = max(cost.peak, peak)
        self._since = perf_counter(), process_time()


@dataclass(frozen=True, slots=True)
class TakenApart:
    """The measurement of one stage: `costs` for its parts, `paces` for whole steps."""

    settings: ModelSettings
    given: argparse.Namespace

    def __call__(self, stage: Stage[SampleT, BatchT, ExamplesT, PredictionT], /) -> None:
        """Measure, and print both tables."""
        torch.manual_seed(0)
        device, meter = torch.device(self.given.device), Meter(torch.device(self.given.device))
        meter.watch(RowReader, "read", "read")
        meter.watch(person_examples, "make_image", "augment")
        index = stage.open_index([self.given.uri], stage.selection)
        pool = self.given.backgrounds and open_backgrounds(
            index.datasets, self.given.backgrounds, self.settings.resolution
        )
        reader, sampler = stage.reader(self.settings, pool is None), AugmentationSampler(0, pool)
        order = Order(len(index.samples), 0, 0, 1, self.given.batch)
        take = StepTaker(stage, stage.build(self.settings).to(device).train(), self.settings, meter)
        for number in range(self.given.steps + 1):
            if number == 1:  # the first one warms up
                meter.costs.clear()
            epoch, chosen = order.batch_of(number)
            with meter.part("decode"):
                samples = [reader.read(index.samples[place]) for place in chosen]
                batch = reader.stack(samples, sampler, epoch)
            take(batch)
        self._show_parts(meter.costs, index.width)
        meter.is_on = False
        in_memory = self._pace(repeat(batch), take)
        loader = Loader(reader, index.samples, order, sampler, workers=self.given.workers)
        loaded = self._pace(loader.batches(0, 2 * self.given.steps + 1), take)
        loader.close()
        beside = f"with the loader's {self.given.workers} workers"
        self._show_overlap(meter.costs, {"on a batch in memory": in_memory, beside: loaded})

    def _pace(self, batches: Iterator[BatchT], take: Callable[[BatchT], None]) -> Pace:
        take(next(batches))
        walls, waits, began, steps = [], [], process_time(), 2 * self.given.steps
        for _ in range(steps):
            start = perf_counter()
            batch = next(batches)
            waits.append(perf_counter() - start)
            take(batch)
            walls.append(perf_counter() - start)
        return Pace(median(walls), median(waits), (process_time() - began) / steps)

    def _show_parts(self, costs: dict[str, Cost], width: int) -> None:
        print(
            f"{self.settings.stage}: {self.given.batch} of {width} pixels a step, trained at "
            f"{self.settings.resolution}, width {self.settings.width}, {self.given.device}\n"
            "part       wall ms   cpu ms  share of cpu  peak MiB"
        )
        steps, busy = self.given.steps, sum(cost.busy for cost in costs.values())
        for name in (*PARTS, ELSE):
            cost = costs.get(name, Cost())
            print(
                f"{name:9} {1e3 * cost.wall / steps:8.1f} {1e3 * cost.busy / steps:8.1f}"
                f" {cost.busy / busy:12.1%} {cost.peak / MIB:9.0f}"
            )

    def _show_overlap(self, costs: dict[str, Cost], paces: dict[str, Pace]) -> None:
        for name, pace in paces.items():
            print(
                f"{name}: {1e3 * pace.wall:.1f} ms of wall, of which {1e3 * pace.waited:.1f} wait "
                f"for a batch, {1e3 * pace.busy:.1f} ms of cpu"
            )
        loading = sum(costs[name].wall for name in LOADING) / self.given.steps
        hidden = 1 - list(paces.values())[-1].waited / loading
        print(f"{hidden:.0%} of reading and decoding is hidden\n", flush=True)


@dataclass(slots=True)
class StepTaker(Generic[SampleT, BatchT, ExamplesT, PredictionT]):
    """Steps as the training loop takes them. Owns: the optimiser."""

    stage: Stage[SampleT, BatchT, ExamplesT, PredictionT]
    nets: nn.Module
    settings: ModelSettings
    meter: Meter
    _optimiser: Optimiser = field(init=False)

    def __post_init__(self) -> None:
        """Make the optimiser."""
        self._optimiser = Optimiser(self.nets, self.settings)

    def __call__(self, batch: BatchT) -> None:
        """Take a step on a batch."""
        device, part = self.meter.device, self.meter.part
        with part("targets"):
            examples = self.stage.prepare(batch.to(device), self.settings)
        with part("forward"):
            with autocast(self.settings, device):
                prediction = self.stage.predict(self.nets, examples)
            terms = self.stage.objective(prediction, examples, self.settings)
            loss = torch.stack(list(terms.values())).sum()
        with part("backward"):
            self._optimiser.clear_gradients()
            loss.backward()  # type: ignore[no-untyped-call] # torch has no types here
        with part("optimise"):
            self._optimiser.step(self.settings.learning_rate)


def main() -> None:
    """Print the tables."""
    run_as_training("benchmarks.step_parts")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("uri")
    parser.add_argument("--backgrounds", type=Path)
    parser.add_argument("--stage", nargs="+", choices=list(STAGES), default=["2k2k-normal"])
    parser.add_argument("--resolution", type=int, default=512)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    for stage in given.stage:
        settings = ModelSettings(stage=stage, resolution=given.resolution, width=given.width)
        STAGES[stage].apply(TakenApart(settings, given))


if __name__ == "__main__":
    main()
