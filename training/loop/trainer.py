"""The loop: batches to steps, and everything that must survive a kill.

The state of a run is (weights, optimiser, random states, number of steps); the order of samples and
every augmentation are functions of the seed and that number, so a resumed run takes the same steps
as an uninterrupted one, on whatever number of ranks: see `replicas`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, cast

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from schemas.errors import ScanmillError
from training.data.loader import Loader
from training.data.sample_order import Epochs
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
from training.loop.replicas import (
    GradientMean,
    ReplicaReport,
    buffers_held,
    gather_reports,
    mean_terms,
    replicas_of_rank,
)
from training.loop.sheets import draw_sheet
from training.loop.stage_types import ExamplesT, PredictionT, Stage
from training.loop.step_profile import StepProfile
from training.loop.training_log import VALIDATED, TrainingLog
from training.loop.validate_nets import LOSS, ValidationSet, draw_held_out, validate
from training.run_settings import DataSettings, ModelSettings, RunSettings

MODEL_PREFIX = "model."
"""Of the weights among the tensors of a checkpoint."""


class DivergenceError(ScanmillError):
    """A loss or a gradient is not finite; the weights have not been touched by it."""

    kind = "input"  # the same steps would end so again


@dataclass(frozen=True, slots=True)
class _Shown(Generic[ExamplesT, PredictionT]):
    """A batch and what was predicted from it."""

    examples: ExamplesT
    prediction: PredictionT


@dataclass(frozen=True, slots=True)
class StepResult(Generic[ExamplesT, PredictionT]):
    """What a step leaves: losses, the mean over replicas, and the last batch of the first of them.

    shown: of this rank's first replica; None on a rank that has none.
    """

    shown: _Shown[ExamplesT, PredictionT] | None
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
        self.parts = StepProfile(ranks.device)
        self._model = model.to(ranks.device).train()
        if run.recompute:
            recompute_activations(self._model)
        self._optimiser = Optimiser(self._model, settings)
        # The compiled form shares its weights and buffers with the model.
        self._nets = self._model
        if run.compile:
            self._nets = cast("nn.Module", torch.compile(self._model))
        self.replicas = replicas_of_rank(data.replicas, ranks)
        trained = list(self._optimiser.trained.values())
        self._gradients = GradientMean(trained, data.replicas, ranks)
        self._step, self._bad = 0, 0
        self._best: float | None = None

    def resume(self, epochs: Epochs) -> int:
        """Go on from the newest whole checkpoint; returns how many steps are done.

        What was best before new data were taken in is forgotten: it was measured on others.
        A line names each newer one that is broken. Raises InputError when there are some and none
        is whole.
        """
        found = self._ranks.by_first(partial(find_resumable, self._run.folder))
        if self._ranks.is_first:
            for line in found.broken:
                print(line, flush=True)  # noqa: T201 - what this program says
        if found.folder is None:
            return 0
        meta = read_meta(found.folder)
        state = self._state()
        if self._ranks.rank >= meta.world:  # fewer ranks wrote it: it holds no such random state
            state = {name: value for name, value in state.items() if name not in self._random()}
        load_state(found.folder, state, self._ranks.control)
        self._adopt(state)
        self._step, self._bad = meta.step, meta.bad_samples
        self._best = meta.best_loss if self._step > epochs.first_step else None
        return self._step

    def train(
        self,
        loader: Loader[SampleT, BatchT],
        chosen: ValidationSet,
        log: TrainingLog | None,
        *,
        epochs: Epochs,
    ) -> None:
        """Take steps up to RunSettings.steps; write checkpoints, validations and images.

        log: None on all ranks but the first.
        """
        each = len(self.replicas) * self._settings.accumulate
        batches = loader.batches(self._step * each, self._run.steps * each)
        while self._step < self._run.steps:
            rate = learning_rate(self._step, epochs, self._settings)
            result = self._take_step(batches, rate)
            self._step += 1
            if log is not None:
                with self.parts.part("log, images"):
                    self._log_step(log, result, rate, epochs)
            self._keep_and_validate(loader, chosen, log)
        with self.parts.part("write the weights"):
            self._finish(log)

    def _log_step(
        self,
        log: TrainingLog,
        result: StepResult[ExamplesT, PredictionT],
        rate: float,
        epochs: Epochs,
    ) -> None:
        seen = self._settings.accumulate * self._data.batch * self._data.replicas
        log.step_done(self._step, result.losses, rate, epochs.at(self._step), seen)
        if result.shown is not None and self._is_due(self._run.picture_every):
            log.sheet(self._step, self._draw(result.shown))

    def _draw(self, shown: _Shown[ExamplesT, PredictionT]) -> UInt8[np.ndarray, "H W 3"]:
        return draw_sheet(self._stage.panels(shown.prediction, shown.examples, self._settings))

    def _take_step(
        self, batches: Iterator[BatchT], rate: float
    ) -> StepResult[ExamplesT, PredictionT]:
        """Add up the gradients of this rank's replicas, check and share them, and step.

        Replica 0 alone moves the running averages.
        """
        self._optimiser.clear_gradients()
        shown: _Shown[ExamplesT, PredictionT] | None = None
        mine: dict[int, ReplicaReport] = {}
        for replica in self.replicas[:1]:
            mine[replica], shown = self._run_replica(batches)
        with buffers_held(list(self._model.buffers()) if self.replicas[1:] else ()):
            for replica in self.replicas[1:]:
                mine[replica], _ = self._run_replica(batches)
        reports = gather_reports(mine, self._ranks)
        self._check_finite(reports)
        with self.parts.part("optimise"):
            self._gradients.share()
            self._optimiser.step(rate)
        loss, terms = mean_terms(reports)
        return StepResult(shown, {LOSS: loss} | terms)

    def _run_replica(
        self, batches: Iterator[BatchT]
    ) -> tuple[ReplicaReport, "_Shown[ExamplesT, PredictionT]"]:
        """Run the passes of one replica; its gradients are added to the step's."""
        totals: dict[str, Tensor] = {}
        for _ in range(self._settings.accumulate - 1):
            self._add_gradients(self._take(batches), totals)
        shown = self._add_gradients(self._take(batches), totals)
        terms = {name: float(value) for name, value in totals.items()}
        report = ReplicaReport(terms, self._name_culprit(totals, shown.examples.sample_ids))
        self._gradients.add()
        return report, shown

    def _take(self, batches: Iterator[BatchT]) -> BatchT:
        with self.parts.part("take a batch"):
            return next(batches).to(self._ranks.device)

    def _add_gradients(
        self, batch: BatchT, totals: dict[str, Tensor]
    ) -> "_Shown[ExamplesT, PredictionT]":
        """Run one batch forward and backward; its share of the terms is added to totals."""
        with self.parts.part("augment, targets"):
            examples = self._stage.prepare(batch, self._settings)
        with self.parts.part("forward"):
            with autocast(self._settings, self._ranks.device):
                prediction = self._stage.predict(self._nets, examples)
            terms = self._stage.objective(prediction, examples, self._settings)
            loss = torch.stack(list(terms.values())).sum() / self._settings.accumulate
        with self.parts.part("backward"):
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it so
        for name, term in terms.items():
            share = term.detach() / self._settings.accumulate
            totals[name] = totals.get(name, torch.zeros_like(share)) + share
        return _Shown(examples, prediction)

    def _check_finite(self, reports: Sequence[ReplicaReport]) -> None:
        """Stop all ranks before the step when a loss term or a gradient is not finite."""
        named = [report.culprit for report in reports if report.culprit]
        if named:
            raise DivergenceError(
                f"step {self._step + 1}", found="; ".join(named),
                expected="finite losses and gradients",
                hint="Lower --learning-rate, or look at these samples with `scanmill validate`.",
            )  # fmt: skip

    def _name_culprit(self, totals: Mapping[str, Tensor], sample_ids: tuple[str, ...]) -> str:
        """Name what is not finite in one replica's losses and gradients; empty where all is."""
        gradients = {
            name: parameter.grad
            for name, parameter in self._optimiser.trained.items()
            if parameter.grad is not None
        }
        norm = torch.nn.utils.get_total_norm(list(gradients.values()))
        values = torch.stack(list(totals.values()))
        if bool(torch.isfinite(values).all() & torch.isfinite(norm)):
            return ""
        terms = [name for name, value in totals.items() if not torch.isfinite(value)]
        worst = [name for name, value in gradients.items() if not torch.isfinite(value).all()]
        what = f"loss {', '.join(terms)}" if terms else f"gradient of {(*worst, 'all together')[0]}"
        return f"{what} not finite on rank {self._ranks.rank} at {', '.join(sample_ids)}"

    def _keep_and_validate(
        self, loader: Loader[SampleT, BatchT], chosen: ValidationSet, log: TrainingLog | None
    ) -> None:
        """Validate and write a checkpoint where one is due, or where this is the best so far."""
        best = False
        if self._is_due(self._run.validate_every):
            with self.parts.part("validate"):
                measures = self._validate(chosen)
            best = is_better(measures[LOSS], self._best)
            self._best = measures[LOSS] if best else self._best
            if log is not None:
                log.validated(self._step, measures, self._report(chosen, measures, best))
                log.sheet(self._step, self._draw_held_out(chosen), kind=VALIDATED)
        if best or self._is_due(self._run.save_every):
            with self.parts.part("write a checkpoint"):
                folder = save_checkpoint(
                    self._run.folder, self._state(), self._meta(loader), self._ranks
                )
            if self._ranks.is_first:
                if best:
                    point(self._run.folder, BEST, folder.name)
                prune(self._run.folder, self._run.keep)

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

    def _draw_held_out(self, chosen: ValidationSet) -> UInt8[np.ndarray, "H W 3"]:
        panels = draw_held_out(
            self._model, self._stage, chosen, settings=self._settings,
            with_stored=self._data.background != "black", device=self._ranks.device,
        )  # fmt: skip
        return draw_sheet(panels)

    def _report(
        self, chosen: ValidationSet, measures: dict[str, float], best: bool
    ) -> dict[str, object]:
        """Return validation.json: the last validation, and whether it is the best so far."""
        held_out = set(chosen.splits).isdisjoint(self._data.split)
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
                self._run.folder, self._model, self._settings,
                step=self._step, conventions=self._stage.conventions,
            )  # fmt: skip
            log.curve()

    def _is_due(self, every: int) -> bool:
        return self._step % every == 0 or self._step == self._run.steps

    def _meta(self, loader: Loader[SampleT, BatchT]) -> CheckpointMeta:
        return CheckpointMeta(
            step=self._step, batches=self._step * self._settings.accumulate, best_loss=self._best,
            world=self._ranks.world, bad_samples=self._bad + len(loader.bad_samples),
        )  # fmt: skip

    def _share_buffers(self) -> None:
        """Give every rank the first one's running averages: those of replica 0."""
        for buffer in self._model.buffers():
            torch.distributed.broadcast(buffer, src=0)

    def _state(self) -> dict[str, Tensor]:
        """Return all tensors of the run by name.

        The weights share memory with the model; what the optimiser remembers is copied.
        """
        self._share_buffers()
        state = {MODEL_PREFIX + name: value for name, value in self._model.state_dict().items()}
        return state | self._optimiser.state() | self._random()

    def _random(self) -> dict[str, Tensor]:
        """Return the random states of this rank by name; no stage draws from them so far."""
        state = {f"random.{self._ranks.rank}.cpu": torch.get_rng_state()}
        if self._ranks.device.type == "cuda":
            state[f"random.{self._ranks.rank}.cuda"] = torch.cuda.get_rng_state()
        return state

    def _adopt(self, state: dict[str, Tensor]) -> None:
        """Take over what does not share memory: the optimiser and the random states."""
        self._optimiser.adopt(state)
        for name in self._random():
            if name in state:
                adopt = torch.cuda.set_rng_state if name.endswith("cuda") else torch.set_rng_state
                adopt(state[name])
