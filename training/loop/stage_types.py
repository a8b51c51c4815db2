"""What a stage is to the loop: how samples become a loss. `training.stages` is the table.

A stage is typed from the decoded sample to the loss: its reader makes the batches that its
`prepare` takes, `predict` runs the nets on the examples that `prepare` makes, and objective,
measures and panels compare the prediction with the targets among those examples.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from jaxtyping import Float
from torch import Tensor, nn

from training.data.loader import Reader
from training.data.shard_index import Selection, ShardIndex, open_index
from training.data.tensor_batch import BatchT, SampleT
from training.run_settings import ModelSettings

Terms = dict[str, Float[Tensor, ""]]
"""Named loss terms; their sum is the loss."""

Sums = dict[str, Float[Tensor, " 2"]]
"""For each measure (sum, count), so that batches and ranks add up exactly."""

Panels = dict[str, Float[Tensor, "B 3 _ _"]]
"""Images of a batch for people, by name: RGB in 0..1."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Inputs and targets of one batch, on the training device. Subclasses add the tensors."""

    sample_ids: tuple[str, ...]


ExamplesT = TypeVar("ExamplesT", bound=Examples)
PredictionT = TypeVar("PredictionT")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class AnyStage(ABC):
    """A stage of any types: what the table of stages holds.

    selection: the samples that can serve. build: the nets, initialised. conventions: units and
    ranges that whoever uses the weights has to know, for model.json. open_index: finds the samples.
    """

    selection: Selection
    build: Callable[[ModelSettings], nn.Module]
    conventions: Mapping[str, str]
    open_index: Callable[[Sequence[str], Selection], ShardIndex]

    @abstractmethod
    def apply(self, action: "StageAction[R]") -> R:
        """Let an action work with this stage's own types."""


@dataclass(frozen=True, slots=True)
class Stage(AnyStage, Generic[SampleT, BatchT, ExamplesT, PredictionT]):
    """What is particular to a stage. Nobody but its own functions looks into a prediction.

    reader: with or without the stored backgrounds. prepare: a batch on its device to inputs and
    targets. predict: calls the nets. measures: sums for a validation. panels: images for people.
    """

    selection: Selection
    build: Callable[[ModelSettings], nn.Module]
    conventions: Mapping[str, str]
    reader: Callable[[ModelSettings, bool], Reader[SampleT, BatchT]]
    prepare: Callable[[BatchT, ModelSettings], ExamplesT]
    predict: Callable[[nn.Module, ExamplesT], PredictionT]
    objective: Callable[[PredictionT, ExamplesT, ModelSettings], Terms]
    measures: Callable[[PredictionT, ExamplesT, ModelSettings], Sums]
    panels: Callable[[PredictionT, ExamplesT, ModelSettings], Panels]
    open_index: Callable[[Sequence[str], Selection], ShardIndex] = open_index

    def apply(self, action: "StageAction[R]") -> R:
        """Let an action work with this stage's own types."""
        return action(self)


class StageAction(Protocol[R_co]):
    """What can be done with a stage whatever its types."""

    def __call__(self, stage: Stage[SampleT, BatchT, ExamplesT, PredictionT], /) -> R_co:
        """Do it."""
