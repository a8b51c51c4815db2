"""What the demo does at each size, and how it tells that it is done; without Prefect."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flows.launching import TrainRequest, TrainSummary, read_losses
from flows.run_requests import (
    BACKGROUNDS_FOLDER,
    ExportRequest,
    RenderRequest,
    ReportRequest,
    SynthRequest,
    ValidateRequest,
)
from flows.summary import RunSummary
from flows.video_requests import PairRequest
from flows.video_runs import PairSummary
from schemas.dataset_folder import DatasetFolder
from schemas.settings import RenderSettings
from tasks.dataset.states import dataset_status
from tasks.hdnet.layout import TIKTOK_FOLDER
from tasks.video.states import video_status

Size = Literal["tiny", "small", "full"]
RECORD = "demo.json"
RANKS = 2


class DemoRequest(BaseModel):
    """All of `scanmill demo`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: str = Field(description="folder for everything that the demo makes")
    size: Size = Field(default="small", description="how much of everything")
    workers: int | None = Field(default=None, ge=1, description="processes; none: one a core")


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of everything. texture: texels a side; resolution, trained_at: pixels a side.

    frames: of each video; from 15 on every frame has four neighbours.
    """

    subjects: int
    backgrounds: int
    texture: int
    resolution: int
    yaws: tuple[float, ...]
    trained_at: int
    steps: int
    videos: int
    frames: int


EXTENTS: dict[Size, Extent] = {
    "tiny": Extent(1, 1, 256, 256, (0.0,), 256, 2, 1, 15),
    "small": Extent(4, 4, 1024, 512, (-30.0, 0.0, 30.0), 256, 20, 1, 24),
    "full": Extent(12, 12, 2048, 2048, RenderSettings().yaws, 512, 200, 4, 120),
}


@dataclass(frozen=True, slots=True)
class Stages:
    """The requests of all stages."""

    synth: SynthRequest
    render: RenderRequest
    pair: PairRequest
    validate: ValidateRequest
    export: ExportRequest
    train: TrainRequest
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
    training: str
    steps: int
    first_loss: float
    last_loss: float
    curve: str
    report: str
    seconds: float

    @staticmethod
    def of(
        request: DemoRequest,
        rendered: RunSummary,
        paired: PairSummary,
        trained: TrainSummary,
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
            training=trained.out,
            steps=trained.steps,
            first_loss=trained.first_loss,
            last_loss=trained.last_loss,
            curve=trained.curve,
            report=report,
            seconds=seconds,
        )


def stages_of(request: DemoRequest) -> Stages:
    """Say what each stage is asked for."""
    out, extent = Path(request.out), EXTENTS[request.size]
    people, dataset, training = (str(out / name) for name in ("people", "dataset", "training"))
    return Stages(
        synth=SynthRequest(
            out=people, subjects=extent.subjects, backgrounds=extent.backgrounds,
            texture=extent.texture, videos=extent.videos, frames=extent.frames,
            workers=request.workers,
        ),
        render=RenderRequest(
            data=people, dataset="RP", out=dataset,
            settings=RenderSettings(resolution=extent.resolution, yaws=extent.yaws),
            backgrounds=str(Path(people) / BACKGROUNDS_FOLDER), workers=request.workers,
        ),
        pair=PairRequest(data=people, out=dataset, workers=request.workers),
        export=ExportRequest(
            layout="hdnet", uris=(dataset,), to=str(out / "hdnet"), workers=request.workers
        ),
        validate=ValidateRequest(uri=dataset, workers=request.workers),
        train=TrainRequest(
            stage="2k2k-normal", data=(dataset,), out=training, ranks=RANKS,
            options=_options(extent),
        ),
        report=ReportRequest(uris=(dataset, training), out=str(out / "report.html")),
    )  # fmt: skip


def _options(extent: Extent) -> tuple[str, ...]:
    resolution, steps = str(extent.trained_at), str(extent.steps)
    return (
        "--nets", "coarse", "--resolution", resolution, "--steps", steps, "--picture-every", steps,
    )  # fmt: skip


def find_finished_demo(request: DemoRequest) -> DemoSummary | None:
    """Return the summary of an equal demo that is done already and still whole, else None."""
    try:
        summary = DemoSummary.model_validate(json.loads((Path(request.out) / RECORD).read_bytes()))
    except (OSError, ValueError, ValidationError):
        return None
    if summary.request.model_copy(update={"workers": request.workers}) != request:
        return None
    files = (summary.report, summary.curve)
    trained = len(read_losses(Path(summary.training))) >= EXTENTS[request.size].steps
    if not trained or not all(Path(path).is_file() for path in files):
        return None
    folder = DatasetFolder.at(summary.dataset)
    is_exported = (Path(summary.hdnet) / TIKTOK_FOLDER).is_dir()
    is_done = dataset_status(folder).is_done and video_status(folder).is_done
    return summary if is_exported and is_done else None
