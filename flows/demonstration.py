"""What the demo does at each size, and how it knows that it is done; without Prefect."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flows.summary import RunSummary
from people.stamp import kinds_of_people
from schemas.dataset_folder import DatasetFolder
from schemas.evaluate_request import EvaluateRequest, ProtocolOptions
from schemas.requests import (
    BACKGROUNDS_FOLDER,
    DemoRequest,
    DemoSize,
    ExportRequest,
    PairRequest,
    RenderRequest,
    ReportRequest,
    SynthRequest,
    ValidateRequest,
)
from schemas.settings import RenderSettings
from schemas.train_forms import DEPTH, HDNET_DEPTH, HDNET_NORMAL, NORMAL, PREDICT, VIDEO
from schemas.train_request import TrainOptions, TrainRequest
from tasks.dataset.states import dataset_status
from tasks.evaluation.evaluation_summary import EvaluationSummary
from tasks.formats.hdnet.hdnet_layout import TIKTOK
from tasks.launching.training_results import AnySummary, TrainSummary, read_losses
from tasks.samples.sample_shards import SAMPLES
from tasks.video.video_shards import VIDEOS

RECORD = "demo.json"
RANKS = 2
LEARNING_RATE = 1e-3
VALIDATED = 4
POINTS, MEASURED, SHOWN = 20_000, 3, 1
"""Of the evaluation: points of a surface, samples, and samples of which meshes are kept."""

HDNET_STAGES = (HDNET_NORMAL, PREDICT, HDNET_DEPTH, VIDEO)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of everything. texture: texels a side; resolution, trained_at: pixels a side.

    width: factor on the nets' channels. steps: of each stage. frames: of each video; from 15 on
    every frame has four neighbours.
    """

    subjects: int
    backgrounds: int
    texture: int
    resolution: int
    yaws: tuple[float, ...]
    trained_at: int
    width: float
    steps: int
    videos: int
    frames: int


EXTENTS: dict[DemoSize, Extent] = {
    "tiny": Extent(1, 1, 256, 256, (0.0,), 256, 0.05, 2, 1, 15),
    "small": Extent(4, 4, 1024, 512, (-30.0, 0.0, 30.0), 256, 0.125, 12, 1, 24),
    "full": Extent(12, 12, 2048, 2048, RenderSettings().yaws, 512, 1.0, 200, 4, 120),
}


@dataclass(frozen=True, slots=True)
class Stages:
    """The requests of all stages."""

    synth: SynthRequest
    render: RenderRequest
    pair: PairRequest
    validate: ValidateRequest
    export: ExportRequest
    normal: TrainRequest
    depth: TrainRequest
    labelled: RenderRequest
    hdnet: tuple[TrainRequest, ...]
    evaluate: EvaluateRequest
    report: ReportRequest


class DemoSummary(BaseModel):
    """What the demo made and where to look."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: DemoRequest
    data: str
    dataset: str
    samples: int
    frames: int
    pairs: int
    hdnet: str
    trainings: tuple[AnySummary, ...] = Field(description="stages, in their order")
    evaluation: EvaluationSummary | None = Field(default=None, description="of 2K2K's phase 2")
    report: str
    seconds: float

    @staticmethod
    def of(
        request: DemoRequest,
        rendered: RunSummary,
        paired: RunSummary,
        trained: tuple[AnySummary, ...],
        evaluation: EvaluationSummary,
        *,
        report: str,
        seconds: float,
    ) -> "DemoSummary":
        """Gather it from what the stages returned."""
        return DemoSummary(
            request=request,
            data=stages_of(request).synth.out,
            dataset=rendered.uri,
            samples=rendered.samples,
            frames=DatasetFolder.at(paired.uri).read_description().totals.get("frames", 0),
            pairs=paired.samples,
            hdnet=stages_of(request).export.to,
            trainings=trained,
            evaluation=evaluation,
            report=report,
            seconds=seconds,
        )


def stages_of(request: DemoRequest) -> Stages:
    """Say what each stage is asked for."""
    out, extent = Path(request.out), EXTENTS[request.size]
    people, dataset, labelled = (str(out / name) for name in ("people", "dataset", "labelled"))
    normal, depth = (str(out / "training" / stage) for stage in (NORMAL, DEPTH))
    figures = str(out / "evaluation")
    how, hdnet = _train_options(extent), _hdnet_stages(out / "training", labelled, dataset, extent)
    trained = (one.out for one in hdnet if one.trains)
    return Stages(
        synth=SynthRequest(
            out=people, subjects=extent.subjects, backgrounds=extent.backgrounds,
            texture=extent.texture, videos=extent.videos, frames=extent.frames,
            workers=request.workers,
            # A demo that was begun with the older kind of people goes on with them.
            figures="sculpted" if "sculpted" in kinds_of_people(Path(people)) else "lifelike",
        ),
        render=RenderRequest(
            data=people, dataset="RP", out=dataset,
            settings=RenderSettings(resolution=extent.resolution, yaws=extent.yaws),
            backgrounds=str(Path(people) / BACKGROUNDS_FOLDER), workers=request.workers,
        ),
        pair=PairRequest(data=people, out=dataset, workers=request.workers),
        export=ExportRequest(
            layout="hdnet", uris=(dataset, labelled), to=str(out / "hdnet"),
            workers=request.workers,
        ),
        validate=ValidateRequest(uri=dataset, workers=request.workers),
        normal=TrainRequest(stage=NORMAL, data=(dataset,), out=normal, **how),
        depth=TrainRequest(stage=DEPTH, data=(dataset,), out=depth, init=normal, **how),
        labelled=RenderRequest(
            data=people, dataset="RP", out=labelled, workers=request.workers,
            settings=RenderSettings(camera="hdnet", resolution=256, yaws=extent.yaws),
        ),
        hdnet=hdnet,
        evaluate=EvaluateRequest(
            data=(dataset,), checkpoint=(depth,), out=figures, shown=SHOWN,
            protocol=ProtocolOptions(points=POINTS), max_items=MEASURED,
        ),
        report=ReportRequest(
            uris=(figures, dataset, normal, depth, labelled, *trained), out=str(out / "report.html")
        ),
    )  # fmt: skip


def _hdnet_stages(
    out: Path, labelled: str, videos: str, extent: Extent
) -> tuple[TrainRequest, ...]:
    """Say how HDNet is trained: as its authors did, but with PyTorch's Adam, for so few steps."""
    normal, predicted, depth, video = (str(out / stage) for stage in HDNET_STAGES)
    how: dict[str, Any] = {
        "width": extent.width, "steps": extent.steps, "nproc": RANKS, "batch": 1,
        "schedule": "constant", "learning_rate": LEARNING_RATE, "picture_every": extent.steps,
        "max_val_samples": VALIDATED,
    }  # fmt: skip
    adam: dict[str, Any] = {"adam": "pytorch", "epsilon": 1e-8}
    return (
        TrainRequest(stage=HDNET_NORMAL, data=(labelled,), out=normal, **how),
        TrainRequest(
            stage=PREDICT, data=(videos,), out=predicted, init=normal, width=extent.width,
            nproc=RANKS,
        ),
        TrainRequest(stage=HDNET_DEPTH, data=(labelled,), out=depth, **how),
        TrainRequest(stage=VIDEO, data=(labelled, videos), out=video, init=depth, **how, **adam),
    )  # fmt: skip


def _train_options(extent: Extent) -> dict[str, Any]:
    """Say how both phases are trained; a steady learning rate, because they are so short."""
    return TrainOptions(
        nproc=RANKS, resolution=extent.trained_at, width=extent.width, steps=extent.steps,
        schedule="constant", learning_rate=LEARNING_RATE, picture_every=extent.steps,
    ).model_dump()  # fmt: skip


def find_finished_demo(request: DemoRequest) -> DemoSummary | None:
    """Return the summary of an equal demo that is done already and still whole, else None."""
    try:
        summary = DemoSummary.model_validate(json.loads((Path(request.out) / RECORD).read_bytes()))
    except (OSError, ValueError, ValidationError):
        return None
    if summary.request.model_copy(update={"workers": request.workers}) != request:
        return None
    trainings = [one for one in summary.trainings if isinstance(one, TrainSummary)]
    files = (summary.report, *(training.curve for training in trainings))
    steps = EXTENTS[request.size].steps
    trained = all(len(read_losses(Path(one.out))) >= steps for one in trainings)
    if not trained or not all(Path(path).is_file() for path in files):
        return None
    folder = DatasetFolder.at(summary.dataset)
    is_exported = (Path(summary.hdnet) / TIKTOK.folder).is_dir()
    if summary.evaluation is None or not all(map(_is_file, summary.evaluation.pages)):
        return None
    is_done = all(dataset_status(folder, kind).is_done for kind in (SAMPLES, VIDEOS))
    return summary if is_exported and is_done else None


def _is_file(path: str) -> bool:
    return Path(path).is_file()
