"""The loop: batches to steps, and everything that must survive a kill.

The state of a run is (weights, optimiser, random states, number of batches seen); the order of
samples and every augmentation are functions of the seed and that number, so a resumed run takes
the same steps as an uninterrupted one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Generic

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from schemas.errors import ScanmillError
from training.data.loader import Loader
from training.data.tensor_batch import BatchT, SampleT
from training.loop.checkpoints import (
    BEST,
    CheckpointMeta,
    find_resumable,
    load_state,
    point,
    prune,
    read_meta,
    save_checkpoint,
)
from training.loop.compute_modes import autocast, recompute_activations
from training.loop.distributed import Ranks
from training.loop.measures import is_better
from training.loop.model_files import write_model
from training.loop.optimiser import Optimiser, learning_rate
from training.loop.sheets import draw_sheet
from training.loop.stage_types import ExamplesT, PredictionT, Stage
from training.loop.training_log import TrainingLog
from training.loop.validate_nets import LOSS, ValidationSet, validate
from training.run_settings import DataSettings, ModelSettings, RunSettings

MODEL_PREFIX = "model."
"""Of the weights among the tensors of a checkpoint."""


class DivergenceError(ScanmillError):
    """A loss or a gradient is not finite; the weights have not been touched by it."""

    kind = "input"  # the same steps would end so again


@dataclass(frozen=True, slots=True)
class StepResult(Generic[ExamplesT, PredictionT]):
    """What a step leaves: its last batch and prediction, and the losses, the mean over ranks."""

    examples: ExamplesT
    prediction: PredictionT
    losses: dict[str, float]


class Trainer(Generic[SampleT, BatchT, ExamplesT, PredictionT]):
    """One run on one rank. Owns: the model, its optimiser, the position in the data."""

    def __init__(
        self,
        stage: Stage[SampleT, BatchT, ExamplesT, PredictionT],
        model: nn.Module,
        *,
        settings: ModelSettings,
        data: DataSettings,
        run: RunSettings,
        ranks: Ranks,
    ) -> None:
        """Take the nets, already initialised the same on every rank."""
        self._stage, self._settings, self._data, self._run = stage, settings, data, run
        self._ranks = ranks
        self._model = model.to(ranks.device).train()
        if run.recompute:
            recompute_activations(self._model)
        self._optimiser = Optimiser(self._model, settings)
        # The compiled form shares its weights and buffers with the model.
        forward = torch.compile(self._model) if run.compile else self._model
        on_gpu = [ranks.device.index] if ranks.device.type == "cuda" else None
        self._parallel = DistributedDataParallel(forward, device_ids=on_gpu)
        self._step, self._batches, self._bad = 0, 0, 0
        self._best: float | None = None

    def resume(self) -> int:
        """Go on from the newest whole checkpoint; returns how many steps are done.

        A line names each newer one that is broken. Raises InputError when there are some and none
        is whole.
        """
        found = self._ranks.by_first(partial(find_resumable, self._run.out))
        if self._ranks.is_first:
            for line in found.broken:
                print(line, flush=True)  # noqa: T201 - what this program says
        if found.folder is None:
            return 0
        meta = read_meta(found.folder)
        state = self._state()
        load_state(found.folder, state, self._ranks.control)
        self._adopt(state)
        self._step, self._batches, self._best = meta.step, meta.batches, meta.best_loss
        self._bad = meta.bad_samples
        return self._step

    def train(
        self,
        loader: Loader[SampleT, BatchT],
        chosen: ValidationSet,
        log: TrainingLog | None,
        *,
        steps_per_epoch: int,
    ) -> None:
        """Take steps up to RunSettings.steps; write checkpoints, validations and images.

        log: None on all ranks but the first.
        """
        end = self._run.steps * self._settings.accumulate
        batches = loader.batches(self._batches, end)
        while self._step < self._run.steps:
            rate = learning_rate(self._step, steps_per_epoch, self._settings)
            result = self._take_step(batches, rate)
            self._step += 1
            self._batches += self._settings.accumulate
            if log is not None:
                seen = self._settings.accumulate * self._data.batch * self._ranks.world
                epoch = self._step / steps_per_epoch
                log.step_done(self._step, result.losses, rate, epoch, seen)
                if self._is_due(self._run.picture_every):
                    panels = self._stage.panels(result.prediction, result.examples, self._settings)
                    log.sheet(self._step, draw_sheet(panels))
            self._keep_and_validate(loader, chosen, log)
        self._finish(log)

    def _take_step(
        self, batches: Iterator[BatchT], rate: float
    ) -> StepResult[ExamplesT, PredictionT]:
        """Accumulate gradients over the step's batches, check them, and step."""
        self._optimiser.clear_gradients()
        totals: dict[str, Tensor] = {}
        for _ in range(self._settings.accumulate - 1):
            with self._parallel.no_sync():
                self._add_gradients(next(batches), totals)
        examples, prediction = self._add_gradients(next(batches), totals)
        self._check_finite(totals, examples.sample_ids)
        self._optimiser.step(rate)
        return StepResult(examples, prediction, self._mean_over_ranks(totals))

    def _add_gradients(
        self, batch: BatchT, totals: dict[str, Tensor]
    ) -> tuple[ExamplesT, PredictionT]:
        """Run one batch forward and backward; its share of the terms is added to totals."""
        examples = self._stage.prepare(batch.to(self._ranks.device), self._settings)
        with autocast(self._settings, self._ranks.device):
            prediction = self._stage.predict(self._parallel, examples)
        terms = self._stage.objective(prediction, examples, self._settings)
        loss = torch.stack(list(terms.values())).sum() / self._settings.accumulate
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it so
        for name, term in terms.items():
            share = term.detach() / self._settings.accumulate
            totals[name] = totals.get(name, torch.zeros_like(share)) + share
        return examples, prediction

    def _check_finite(self, totals: dict[str, Tensor], sample_ids: tuple[str, ...]) -> None:
        """Stop all ranks before the step when a loss term or a gradient is not finite."""
        values = torch.stack(list(totals.values()))
        gradients = [p.grad for p in self._optimiser.trained.values() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        fine = torch.isfinite(values).all() & torch.isfinite(norm)
        if int(self._ranks.total(fine)) == self._ranks.world:
            return
        named = self._ranks.gather(self._name_culprit(totals, sample_ids))
        raise DivergenceError(
            f"step {self._step + 1}", found="; ".join(filter(None, named)),
            expected="finite losses and gradients",
            hint="Lower --learning-rate, or look at these samples with `scanmill validate`.",
        )  # fmt: skip

    def _name_culprit(self, totals: dict[str, Tensor], sample_ids: tuple[str, ...]) -> str:
        """Name what is not finite on this rank; empty where all is."""
        terms = [name for name, value in totals.items() if not torch.isfinite(value)]
        gradients = [
            name
            for name, parameter in self._optimiser.trained.items()
            if parameter.grad is not None and not torch.isfinite(parameter.grad).all()
        ]
        if not terms and not gradients:
            return ""
        what = f"loss {', '.join(terms)}" if terms else f"gradient of {gradients[0]}"
        return f"{what} not finite on rank {self._ranks.rank} at {', '.join(sample_ids)}"

    def _mean_over_ranks(self, totals: dict[str, Tensor]) -> dict[str, float]:
        summed = self._ranks.total(torch.stack(list(totals.values()))) / self._ranks.world
        return {LOSS: float(summed.sum())} | dict(zip(totals, summed.tolist(), strict=True))

    def _keep_and_validate(
        self, loader: Loader[SampleT, BatchT], chosen: ValidationSet, log: TrainingLog | None
    ) -> None:
        """Validate and write a checkpoint where one is due, or where this is the best so far."""
        best = False
        if self._is_due(self._run.validate_every):
            measures = self._validate(chosen)
            best = is_better(measures[LOSS], self._best)
            self._best = measures[LOSS] if best else self._best
            if log is not None:
                log.validated(self._step, measures, self._report(chosen, measures, best))
        if best or self._is_due(self._run.save_every):
            folder = save_checkpoint(self._run.out, self._state(), self._meta(loader), self._ranks)
            if self._ranks.is_first:
                if best:
                    point(self._run.out, BEST, folder.name)
                prune(self._run.out, self._run.keep)

    def _validate(self, chosen: ValidationSet) -> dict[str, float]:
        self._share_buffers()
        return validate(
            self._model,
            self._stage,
            chosen,
            settings=self._settings,
            workers=self._run.workers,
            with_stored=self._data.background != "black",
            ranks=self._ranks,
        )

    def _report(
        self, chosen: ValidationSet, measures: dict[str, float], best: bool
    ) -> dict[str, object]:
        """Return validation.json: the last validation, and whether it is the best so far."""
        held_out = set(chosen.splits).isdisjoint(self._data.splits)
        return {
            "step": self._step, "splits": list(chosen.splits), "held_out": held_out,
            "samples": len(chosen.samples), "best": best, "best_loss": self._best,
            "measures": measures,
        }  # fmt: skip

    def _finish(self, log: TrainingLog | None) -> None:
        """Write the weights for use and the curve."""
        self._share_buffers()
        if log is not None:
            write_model(
                self._run.out, self._model, self._settings,
                step=self._step, conventions=self._stage.conventions,
            )  # fmt: skip
            log.curve()

    def _is_due(self, every: int) -> bool:
        return self._step % every == 0 or self._step == self._run.steps

    def _meta(self, loader: Loader[SampleT, BatchT]) -> CheckpointMeta:
        return CheckpointMeta(
            step=self._step, batches=self._batches, best_loss=self._best,
            world=self._ranks.world, bad_samples=self._bad + len(loader.bad_samples),
        )  # fmt: skip

    def _share_buffers(self) -> None:
        """Give every rank the first one's running averages, as each forward pass does anyway."""
        for buffer in self._model.buffers():
            torch.distributed.broadcast(buffer, src=0)

    def _state(self) -> dict[str, Tensor]:
        """Return all tensors of the run by name.

        The weights share memory with the model; what the optimiser remembers is copied.
        """
        self._share_buffers()
        state = {MODEL_PREFIX + name: value for name, value in self._model.state_dict().items()}
        state |= self._optimiser.state()
        state[f"random.{self._ranks.rank}.cpu"] = torch.get_rng_state()
        if self._ranks.device.type == "cuda":
            state[f"random.{self._ranks.rank}.cuda"] = torch.cuda.get_rng_state()
        return state

    def _adopt(self, state: dict[str, Tensor]) -> None:
        """Take over what does not share memory: the optimiser and the random states."""
        self._optimiser.adopt(state)
        torch.set_rng_state(state[f"random.{self._ranks.rank}.cpu"])
        if self._ranks.device.type == "cuda":
            torch.cuda.set_rng_state(state[f"random.{self._ranks.rank}.cuda"])
