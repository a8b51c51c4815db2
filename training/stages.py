"""The stages as a table: which nets, which objective, which measures. The loop knows no more."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from training.measures import Sums, depth_measures, normal_measures
from training.networks.person_nets import build_depth_nets, build_normal_nets
from training.objectives import Terms, depth_objective, normal_objective
from training.pictures import Panels, depth_panels, normal_panels
from training.preparation import Prepared
from training.settings import ModelSettings, StageName


@dataclass(frozen=True, slots=True)
class Stage:
    """What is particular to a stage. Predictions are the stage's own; nobody else looks inside.

    build: the nets, initialised. objective: named terms whose sum is the loss. measures: sums for
    a validation. panels: pictures of one batch for people.
    """

    build: Callable[[ModelSettings], nn.Module]
    objective: Callable[[Any, Prepared, ModelSettings], Terms]
    measures: Callable[[Any, Prepared, ModelSettings], Sums]
    panels: Callable[[Any, Prepared, ModelSettings], Panels]


def _normal_nets(settings: ModelSettings) -> nn.Module:
    return build_normal_nets(nets=settings.nets, width=settings.width, heads=settings.heads)


def _depth_nets(settings: ModelSettings) -> nn.Module:
    return build_depth_nets(
        width=settings.width, frozen_norm=settings.frozen_norm, heads=settings.heads
    )


STAGES: dict[StageName, Stage] = {
    "2k2k-normal": Stage(_normal_nets, normal_objective, normal_measures, normal_panels),
    "2k2k-depth": Stage(_depth_nets, depth_objective, depth_measures, depth_panels),
}
