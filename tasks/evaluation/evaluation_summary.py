"""An evaluation in a few lines: where it is, its first figures, the people to look at."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from schemas.evaluate_request import EvaluateRequest
from schemas.evaluation import DataResult, EvaluateAnswer, Interval
from tasks.evaluation.data_evaluation import find_finished_evaluation
from tasks.evaluation.data_items import choose_split
from tasks.evaluation.evaluated_methods import METHODS, method_of
from tasks.evaluation.measure_names import describe_measure, format_figure
from tasks.evaluation.shown_items import PAGE
from tasks.reconstruction.checkpoint_card import read_card

HEADLINE = ("p2s_cm", "chamfer_cm", "depth_front_cm", "depth_front_aligned_cm",
            "normal_front_angle_degrees")  # fmt: skip


class EvaluationSummary(BaseModel):
    """The last step of a longer flow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: str
    split: tuple[str, ...] = Field(description="the first of test, val and train with samples")
    samples: int
    failed: int
    figures: dict[str, Interval] = Field(description="the first ones; all are in evaluation.json")
    pages: tuple[str, ...] = Field(description="people that can be turned round")

    @property
    def lines(self) -> tuple[str, ...]:
        """What people read."""
        figures = ", ".join(
            f"{describe_measure(name)} {format_figure(one)}" for name, one in self.figures.items()
        )
        failed = f", {self.failed} without figures" if self.failed else ""
        said = f"{self.samples} samples of split {', '.join(self.split)}{failed}: {figures}"
        return (said, *(f"turn round: {page}" for page in self.pages[:1]))


def with_split(request: EvaluateRequest) -> EvaluateRequest:
    """Ask for the first of test, val and train that has samples for the checkpoints.

    Small data sets have no test people. Raises RequestError when there is no sample at all.
    """
    method = method_of(read_card(Path(request.checkpoint[0])).stage)
    split = choose_split(request.data, METHODS[method].camera)
    return request.model_copy(update={"split": split})


def find_finished_summary(request: EvaluateRequest) -> EvaluationSummary | None:
    """Sum up an evaluation that is finished already; None where anything is left."""
    asked = with_split(request)
    found = find_finished_evaluation(asked)
    return None if found is None else sum_up_answer(asked, found)


def sum_up_answer(request: EvaluateRequest, answer: EvaluateAnswer) -> EvaluationSummary:
    """Gather what the flow evaluate returned."""
    if not isinstance(answer.data, DataResult):
        raise TypeError("an evaluation of a data set")
    measures = answer.data.checkpoints[0].measures
    shown = (one.shown for one in answer.data.results if one.shown)
    return EvaluationSummary(
        out=request.out, split=request.split, samples=len(answer.data.items),
        failed=answer.failed, figures={k: measures[k] for k in HEADLINE if k in measures},
        pages=tuple(str(Path(request.out) / one / PAGE) for one in shown),
    )  # fmt: skip
