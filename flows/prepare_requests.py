"""What `prepare-and-train` is asked to do, and what came out; without Prefect."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from flows.run_requests import RenderRequest, ValidateRequest, check_render, check_writable
from schemas.errors import RequestError
from schemas.train_request import DEPTH, NORMAL, TrainOptions, TrainRequest
from tasks.launching.training_results import TrainSummary

ALL_REJECTS = "100%"
"""Rendering never ends the flow for lost scans: that is decided afterwards, by their share."""


class PrepareRequest(BaseModel):
    """All of `scanmill prepare-and-train`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    render: RenderRequest = Field(description="scans in, data set out; accept_rejects is not used")
    out: str = Field(description="folder of both trainings")
    train: TrainOptions = Field(default_factory=TrainOptions, description="of both phases")
    max_reject_share: float = Field(
        default=0.02, ge=0, le=1, description="lost scans of all, with which it still trains"
    )

    @property
    def rendering(self) -> RenderRequest:
        """Return what is asked of the flow `render`."""
        return self.render.model_copy(update={"accept_rejects": ALL_REJECTS})

    @property
    def validation(self) -> ValidateRequest:
        """Return what is asked of the flow `validate`."""
        return ValidateRequest(uri=self.render.out, workers=self.render.workers)

    @property
    def normal(self) -> TrainRequest:
        """Return what is asked of phase 1."""
        return TrainRequest(
            stage=NORMAL, data=(self.render.out,), out=str(Path(self.out) / NORMAL),
            **self.train.model_dump(),
        )  # fmt: skip

    @property
    def depth(self) -> TrainRequest:
        """Return what is asked of phase 2, which begins with the weights of phase 1."""
        return TrainRequest(
            stage=DEPTH, data=(self.render.out,), out=str(Path(self.out) / DEPTH),
            init=self.normal.out, **self.train.model_dump(),
        )  # fmt: skip


class LostScan(BaseModel):
    """A scan of which samples could not be made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scan_id: str
    reason: str


class PrepareSummary(BaseModel):
    """What was prepared and trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    samples: int
    scans: int = Field(description="planned in the data set")
    lost: tuple[LostScan, ...]
    trainings: tuple[TrainSummary, ...] = Field(description="phase 1, then phase 2")
    seconds: float


def check_prepare(request: PrepareRequest) -> None:
    """Refuse what can't be done; raises RequestError naming the option at fault."""
    check_render(request.render)
    check_writable("--out", Path(request.out))
    request.train.check()
    if request.train.nets == "coarse":
        raise RequestError(
            "--train-nets", found="coarse", expected="all: phase 2 needs the part nets",
            hint="Leave it out, or train one phase with scanmill train.",
        )  # fmt: skip
