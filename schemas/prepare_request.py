"""What `prepare-and-train` is asked to do: options of render and, as train_..., of train."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from schemas.errors import RequestError
from schemas.evaluate_request import EvaluateRequest
from schemas.options import Part, Shown
from schemas.path_checks import check_writable
from schemas.request_base import Request
from schemas.requests import PairRequest, RenderRequest, ReportRequest, ValidateRequest
from schemas.train_forms import DEPTH, HDNET_DEPTH, HDNET_NORMAL, NORMAL, PREDICT, VIDEO, StageName
from schemas.train_request import TrainOptions, TrainRequest, options_of_stage

ALL_REJECTS = "100%"
"""Rendering never ends the flow for lost scans: that is decided afterwards, by their share."""

STAGES_OF: dict[str, Mapping[StageName, StageName | None]] = {
    "2k2k": {NORMAL: None, DEPTH: NORMAL},
    "hdnet": {HDNET_NORMAL: None, PREDICT: HDNET_NORMAL, HDNET_DEPTH: None, VIDEO: HDNET_DEPTH},
}
"""What is trained on the views of a camera, in this order, each from which stage's weights."""

RENDER_OPTIONS = Part(
    renamed={"out": "shards"}, without=frozenset({"accept_rejects"}), unset={"out": "OUT/dataset"}
)


class PrepareRequest(Request):
    """All of `scanmill prepare-and-train`. Its --config is one of `scanmill render`."""

    config_names: ClassVar[Mapping[str, str]] = {"out": "shards", "accept_rejects": ""}

    out: Annotated[str, Shown("DIR")] = Field(min_length=1)
    """For the trainings, a folder each: of 2K2K, or with --camera hdnet of HDNet."""
    videos: Annotated[str | None, Shown("DIR", unset="--data")] = None
    """Of HDNet: folder above the videos, or a video's own folder."""
    max_reject_share: float = Field(default=0.02, ge=0, le=1)
    """Lost scans of all, from 0 to 1, with which it still trains."""
    no_evaluation: bool = False
    """End after the training: no reconstruction and no figures of the test split."""
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
    def pairing(self) -> PairRequest | None:
        """Return what is asked of the flow `pair`; None where no stage takes videos."""
        if VIDEO not in self._stages:
            return None
        data = self.videos or self.render.data
        return PairRequest(data=data, out=self.render.out, workers=self.render.workers)

    @property
    def trainings(self) -> tuple[TrainRequest, ...]:
        """Return what is asked of the stages, each with the weights of the one that it needs."""
        places = {"backgrounds": self.train.backgrounds or self.render.backgrounds}
        train = self.train.model_copy(update=places)
        return tuple(
            TrainRequest(
                stage=stage, data=(self.render.out,), out=str(Path(self.out) / stage),
                init=str(Path(self.out) / before) if before else None,
                **options_of_stage(stage, train),
            )
            for stage, before in self._stages.items()
        )  # fmt: skip

    @property
    def evaluation(self) -> EvaluateRequest:
        """Return what is asked of the flow `evaluate`; the split is chosen when there is data."""
        normal = str(Path(self.out) / HDNET_NORMAL) if HDNET_NORMAL in self._stages else None
        return EvaluateRequest(
            data=(self.render.out,), checkpoint=(self.trainings[-1].out,),
            normal_checkpoint=normal, out=str(Path(self.out) / "evaluation"),
            device=self.train.device,
        )  # fmt: skip

    @property
    def report(self) -> ReportRequest:
        """Return what is asked of the flow `report`: the evaluation first."""
        trained = (one.out for one in self.trainings if one.trains)
        return ReportRequest(
            uris=(self.evaluation.out, self.render.out, *trained),
            out=str(Path(self.out) / "report.html"),
        )

    @property
    def _stages(self) -> Mapping[StageName, StageName | None]:
        return STAGES_OF[self.render.settings.camera]

    def check(self) -> None:
        """Refuse what can't be done; raises RequestError naming the option at fault."""
        if self.render.settings.camera not in STAGES_OF:
            raise RequestError(
                "--camera", found=self.render.settings.camera, expected=" or ".join(STAGES_OF),
                hint="No network trains on other views; scanmill render makes them.",
            )  # fmt: skip
        self.render.check()
        check_writable("--out", Path(self.out))
        self.train.check()
        if self.pairing is not None:
            self.pairing.check()
        elif self.videos is not None:
            raise RequestError(
                "--videos", found=self.videos, expected="none: 2K2K takes no videos",
                hint="Leave it out, or give --camera hdnet.",
            )  # fmt: skip
        self._check_train_options()

    def _check_train_options(self) -> None:
        if self.train.nets == "coarse":
            raise RequestError(
                "--train-nets", found="coarse", expected="all: phase 2 needs the part nets",
                hint="Leave it out, or train one phase with scanmill train.",
            )  # fmt: skip
        taken = [options_of_stage(stage, self.train) for stage in self._stages]
        for name, field in TrainOptions.model_fields.items():
            value = getattr(self.train, name)
            if value != field.default and all(one.get(name) != value for one in taken):
                raise RequestError(
                    f"--train-{name.replace('_', '-')}", found=str(value),
                    expected=f"no such option with --camera {self.render.settings.camera}",
                    hint="Leave it out: no stage has anything that it would change.",
                )  # fmt: skip
