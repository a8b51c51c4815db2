"""The loop: batches to steps, and everything that must survive a kill.

The state of a run is (weights, optimiser, random states, number of batches seen); the order of
samples and every augmentation are functions of the seed and that number, so a resumed run takes
the same steps as an uninterrupted one.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from schemas.errors import ScanmillError
from training.data.loader import Loader
from training.loop.checkpoints import (
    BEST,
    LATEST,
    CheckpointMeta,
    load_state,
    named_by,
    point,
    prune,
    read_meta,
    save_checkpoint,
)
from training.loop.distributed import Ranks
from training.loop.schedule import learning_rate
from training.loop.training_log import Progress
from training.loop.validate_nets import LOSS, ValidationSet, validate
from training.run_settings import DataSettings, ModelSettings, RunSettings
from training.stages import Examples, Stage
from training.twok2k.blocks import recompute_activations
from training.twok2k.measures import is_better
from training.twok2k.panels import draw_sheet
from training.twok2k.prepare_batch import autocast
from training.weights import MODEL_PREFIX, write_model

ADAM_EPSILON = 1e-8
_MOMENTS = ("exp_avg", "exp_avg_sq")


class DivergenceError(ScanmillError):
    """A loss or a gradient is not finite; the weights have not been touched by it."""

    kind = "input"  # the same steps would end so again


class Trainer:
    """One run on one rank. Owns: the model, its optimiser, the position in the data."""

    def __init__(
        self,
        stage: Stage,
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
        trained = {name: p for name, p in self._model.named_parameters() if p.requires_grad}
        self._trained = trained
        self._optimiser = torch.optim.Adam(
            trained.values(), lr=settings.learning_rate, eps=ADAM_EPSILON
        )
        # The compiled form shares its weights and buffers with the model.
        forward = torch.compile(self._model) if run.compile else self._model
        on_gpu = [ranks.device.index] if ranks.device.type == "cuda" else None
        self._parallel = DistributedDataParallel(forward, device_ids=on_gpu)
        self._step, self._batches, self._bad = 0, 0, 0
        self._best: float | None = None

    def resume(self) -> int:
        """Go on from OUT/latest if it is there; returns how many steps are done."""
        folder = named_by(self._run.out, LATEST)
        if folder is None:
            return 0
        meta = read_meta(folder)
        state = self._state()
        load_state(folder, state, self._ranks.control)
        self._adopt(state)
        self._step, self._batches, self._best = meta.step, meta.batches, meta.best_loss
        self._bad = meta.bad_samples
        return self._step

    def train(
        self,
        loader: Loader[Any, Any],
        chosen: ValidationSet,
        progress: Progress | None,
        *,
        steps_per_epoch: int,
    ) -> None:
        """Take steps up to the wanted number; write checkpoints, validations and images.

        progress: None on all ranks but the first.
        """
        end = self._run.steps * self._settings.accumulate
        batches = loader.batches(self._batches, end)
        while self._step < self._run.steps:
            rate = learning_rate(self._step, steps_per_epoch, self._settings)
            prepared, prediction, losses = self._take_step(batches, rate)
            self._step += 1
            self._batches += self._settings.accumulate
            if progress is not None:
                seen = self._settings.accumulate * self._data.batch * self._ranks.world
                epoch = self._step / steps_per_epoch
                progress.step_done(self._step, losses, rate, epoch, seen)
                if self._is_due(self._run.picture_every):
                    panels = self._stage.panels(prediction, prepared, self._settings)
                    progress.sheet(self._step, draw_sheet(panels))
            self._keep_and_validate(loader, chosen, progress)
        self._finish(progress)

    def _take_step(
        self, batches: Iterator[Any], rate: float
    ) -> tuple[Examples, object, dict[str, float]]:
        """Accumulate gradients over the step's batches, check them, and step."""
        self._optimiser.zero_grad(set_to_none=True)
        totals: dict[str, Tensor] = {}
        prepared, prediction = None, None
        for part in range(self._settings.accumulate):
            batch = next(batches).to(self._ranks.device)
            prepared = self._stage.feed.prepare(batch, self._settings)
            is_last = part == self._settings.accumulate - 1
            with nullcontext() if is_last else self._parallel.no_sync():
                with autocast(self._settings, self._ranks.device):
                    prediction = self._parallel(*self._stage.feed.inputs(prepared))
                terms = self._stage.objective(prediction, prepared, self._settings)
                loss = torch.stack(list(terms.values())).sum() / self._settings.accumulate
                loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it so
            for name, term in terms.items():
                share = term.detach() / self._settings.accumulate
                totals[name] = totals.get(name, torch.zeros_like(share)) + share
        if prepared is None:
            raise ValueError("accumulate is at least 1")
        self._check_finite(totals, prepared.sample_ids)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.step()
        return prepared, prediction, self._mean_over_ranks(totals)

    def _check_finite(self, totals: dict[str, Tensor], sample_ids: tuple[str, ...]) -> None:
        """Stop all ranks before the step when a loss term or a gradient is not finite."""
        values = torch.stack(list(totals.values()))
        gradients = [p.grad for p in self._trained.values() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        fine = torch.isfinite(values).all() & torch.isfinite(norm)
        if int(self._ranks.total(fine)) == self._ranks.world:
            return
        told = [text for text in self._ranks.gather(self._name_culprit(totals, sample_ids)) if text]
        raise DivergenceError(
            f"step {self._step + 1}", found="; ".join(told), expected="finite losses and gradients",
            hint="Lower --learning-rate, or look at these samples with `scanmill validate`.",
        )  # fmt: skip

    def _name_culprit(self, totals: dict[str, Tensor], sample_ids: tuple[str, ...]) -> str:
        """Name what is not finite on this rank; empty where all is."""
        terms = [name for name, value in totals.items() if not torch.isfinite(value)]
        gradients = [
            name
            for name, parameter in self._trained.items()
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
        self, loader: Loader[Any, Any], chosen: ValidationSet, progress: Progress | None
    ) -> None:
        """Validate and write a checkpoint where one is due, or where this is the best so far."""
        best = False
        if self._is_due(self._run.validate_every):
            measures = self._validate(chosen)
            best = is_better(measures[LOSS], self._best)
            self._best = measures[LOSS] if best else self._best
            if progress is not None:
                progress.validated(self._step, measures, self._report(chosen, measures, best))
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

    def _finish(self, progress: Progress | None) -> None:
        """Write the weights for use and the curve."""
        self._share_buffers()
        if progress is not None:
            write_model(self._run.out, self._model, self._settings, self._step)
            progress.curve()

    def _is_due(self, every: int) -> bool:
        return self._step % every == 0 or self._step == self._run.steps

    def _meta(self, loader: Loader[Any, Any]) -> CheckpointMeta:
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

        The weights share memory with the model. The optimiser's moments are copies, one long
        vector each: thousands of small tensors would cost a checkpoint seconds.
        """
        self._share_buffers()
        state = {MODEL_PREFIX + name: value for name, value in self._model.state_dict().items()}
        for moment in _MOMENTS:
            parts = [self._moments(parameter)[moment].flatten() for parameter in self._parameters]
            state[f"optimiser.{moment}"] = torch.cat(parts)
        state["optimiser.step"] = self._moments(self._parameters[0])["step"].clone()
        state[f"random.{self._ranks.rank}.cpu"] = torch.get_rng_state()
        if self._ranks.device.type == "cuda":
            state[f"random.{self._ranks.rank}.cuda"] = torch.cuda.get_rng_state()
        return state

    def _adopt(self, state: dict[str, Tensor]) -> None:
        """Take over what does not share memory: the optimiser and the random states."""
        sizes = [parameter.numel() for parameter in self._parameters]
        for moment in _MOMENTS:
            parts = torch.split(state[f"optimiser.{moment}"], sizes)
            for parameter, part in zip(self._parameters, parts, strict=True):
                self._moments(parameter)[moment].copy_(part.view_as(parameter))
        for parameter in self._parameters:
            self._moments(parameter)["step"].copy_(state["optimiser.step"])
        torch.set_rng_state(state[f"random.{self._ranks.rank}.cpu"])
        if self._ranks.device.type == "cuda":
            torch.cuda.set_rng_state(state[f"random.{self._ranks.rank}.cuda"])

    @property
    def _parameters(self) -> list[nn.Parameter]:
        return list(self._trained.values())

    def _moments(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """Return what Adam remembers of a parameter; zeros before its first step."""
        moments: dict[str, Tensor] = self._optimiser.state[parameter]
        if not moments:
            moments["step"] = torch.tensor(0.0)
            moments |= {moment: torch.zeros_like(parameter) for moment in _MOMENTS}
        return moments
