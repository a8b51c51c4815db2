"""What `prepare-and-train` is asked to do: options of render and, as train_..., of train."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from schemas.errors import RequestError
from schemas.options import Part, Shown
from schemas.path_checks import check_writable
from schemas.request_base import Request
from schemas.requests import RenderRequest, ValidateRequest
from schemas.train_request import DEPTH, NORMAL, TrainOptions, TrainRequest

ALL_REJECTS = "100%"
"""Rendering never ends the flow for lost scans: that is decided afterwards, by their share."""

RENDER_OPTIONS = Part(
    renamed={"out": "shards"}, without=frozenset({"accept_rejects"}), unset={"out": "OUT/dataset"}
)


class PrepareRequest(Request):
    """All of `scanmill prepare-and-train`. Its --config is one of `scanmill render`."""

    config_names: ClassVar[Mapping[str, str]] = {"out": "shards", "accept_rejects": ""}

    out: Annotated[str, Shown("DIR")] = Field(min_length=1)
    """For the trainings 2k2k-normal and 2k2k-depth."""
    max_reject_share: float = Field(default=0.02, ge=0, le=1)
    """Lost scans of all, from 0 to 1, with which it still trains."""
    render: Annotated[RenderRequest, RENDER_OPTIONS]
    train: Annotated[TrainOptions, Part(prefix="train_")] = Field(default_factory=TrainOptions)

    @model_validator(mode="before")
    @classmethod
    def _keep_data_set_with_trainings(cls, values: Any) -> Any:  # noqa: ANN401 - not read yet
        """Put the data set beside the trainings where it has no place of its own."""
        if isinstance(values, dict) and isinstance(render := values.get("render"), dict):
            place = str(Path(str(values.get("out", ""))) / "dataset")
            return {**values, "render": {"out": place, **render}}
        return values

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

    def check(self) -> None:
        """Refuse what can't be done; raises RequestError naming the option at fault."""
        self.render.check()
        check_writable("--out", Path(self.out))
        self.train.check()
        if self.train.nets == "coarse":
            raise RequestError(
                "--train-nets", found="coarse", expected="all: phase 2 needs the part nets",
                hint="Leave it out, or train one phase with scanmill train.",
            )  # fmt: skip
