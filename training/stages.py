"""The stages as a table: what is read, which nets, which objective, which measures.

The loop knows no more. Source of the published numbers: docs/networks.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from torch import nn

from training.data.loader import Reader
from training.data.shard_index import PEOPLE_2K2K, Selection
from training.hdnet.hourglass import build_hourglass
from training.hdnet.hourglass_stages import (
    DEPTH_CHANNELS,
    NORMAL_CHANNELS,
    hand_over,
    hdnet_depth_measures,
    hdnet_depth_objective,
    hdnet_depth_panels,
    hdnet_normal_measures,
    hdnet_normal_objective,
    hdnet_normal_panels,
    prepare_depth,
    prepare_normal,
)
from training.hdnet.labelled_samples import LABELLED, LABELLED_WITH_IUV, LabelledReader
from training.run_settings import ModelSettings, Schedule, StageName
from training.twok2k.measures import Sums, depth_measures, normal_measures
from training.twok2k.objectives import Terms, depth_objective, normal_objective
from training.twok2k.panels import Panels, depth_panels, normal_panels
from training.twok2k.person_nets import build_depth_nets, build_normal_nets
from training.twok2k.person_samples import SampleReader
from training.twok2k.prepare_batch import Prepared, prepare


@runtime_checkable
class Examples(Protocol):
    """Inputs and truths of one batch on the training device; what else, the stage knows."""

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Return the names of the samples."""


@dataclass(frozen=True, slots=True)
class Feed:
    """How samples reach the nets of a stage.

    selection: the samples that can serve. reader: with or without the stored backgrounds. prepare:
    a batch on its device to inputs and truths. inputs: what the nets are called with.
    """

    selection: Selection
    reader: Callable[[ModelSettings, bool], Reader[Any, Any]]
    prepare: Callable[[Any, ModelSettings], Examples]
    inputs: Callable[[Any], tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Published:
    """How the stage was trained: used where the request says nothing. One of epochs and steps."""

    learning_rate: float
    schedule: Schedule
    batch: int
    epochs: int | None = None
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """What is particular to a stage. Predictions are the stage's own; nobody else looks inside.

    build: the nets, initialised. objective: named terms whose sum is the loss. measures: sums for
    a validation. panels: images of one batch for people. meaningless: options that would change
    nothing, so that nobody gives them in vain.
    """

    feed: Feed
    published: Published
    meaningless: frozenset[str]
    build: Callable[[ModelSettings], nn.Module]
    objective: Callable[[Any, Any, ModelSettings], Terms]
    measures: Callable[[Any, Any, ModelSettings], Sums]
    panels: Callable[[Any, Any, ModelSettings], Panels]


def _read_people(settings: ModelSettings, with_stored: bool) -> SampleReader:
    return SampleReader(settings.resolution, with_stored=with_stored)


def _read_labelled(settings: ModelSettings, with_stored: bool) -> LabelledReader:
    del with_stored  # HDNet's images stand on white
    return LabelledReader(with_densepose=settings.stage == "hdnet-depth")


def _image_and_parts(prepared: Prepared) -> tuple[object, ...]:
    return prepared.image, prepared.transforms


def _normal_nets(settings: ModelSettings) -> nn.Module:
    return build_normal_nets(nets=settings.nets, width=settings.width, heads=settings.heads)


def _depth_nets(settings: ModelSettings) -> nn.Module:
    return build_depth_nets(
        width=settings.width, frozen_norm=settings.frozen_norm, heads=settings.heads
    )


def _hdnet_normal_net(settings: ModelSettings) -> nn.Module:
    return build_hourglass(NORMAL_CHANNELS, NORMAL_CHANNELS, width=settings.width)


def _hdnet_depth_net(settings: ModelSettings) -> nn.Module:
    return build_hourglass(DEPTH_CHANNELS, 1, width=settings.width)


FOR_2K2K = frozenset(
    {"nets", "heads", "mask_loss", "frozen_norm", "background", "backgrounds", "no_augment"}
)
FOR_HDNET_DEPTH = frozenset({"depth_normals"})

PEOPLE = Feed(PEOPLE_2K2K, _read_people, prepare, _image_and_parts)
PUBLISHED_2K2K = Published(1e-4, "published", batch=1, epochs=499)

STAGES: dict[StageName, Stage] = {
    "2k2k-normal": Stage(
        PEOPLE, PUBLISHED_2K2K, FOR_HDNET_DEPTH,
        _normal_nets, normal_objective, normal_measures, normal_panels,
    ),
    "2k2k-depth": Stage(
        PEOPLE, PUBLISHED_2K2K, FOR_HDNET_DEPTH,
        _depth_nets, depth_objective, depth_measures, depth_panels,
    ),
    "hdnet-normal": Stage(
        Feed(LABELLED, _read_labelled, prepare_normal, hand_over),
        Published(1e-3, "constant", batch=8, steps=1_710_000), FOR_2K2K | FOR_HDNET_DEPTH,
        _hdnet_normal_net, hdnet_normal_objective, hdnet_normal_measures, hdnet_normal_panels,
    ),
    "hdnet-depth": Stage(
        Feed(LABELLED_WITH_IUV, _read_labelled, prepare_depth, hand_over),
        Published(1e-3, "constant", batch=8, steps=1_920_000), FOR_2K2K,
        _hdnet_depth_net, hdnet_depth_objective, hdnet_depth_measures, hdnet_depth_panels,
    ),
}  # fmt: skip
