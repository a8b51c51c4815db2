"""What a run on videos is asked to do, and whether that can be; without Prefect."""

from pydantic import BaseModel, ConfigDict, Field

from flows.run_requests import check_folder, check_writable
from flows.tolerance import Tolerance
from schemas.dataset_folder import DatasetFolder
from schemas.pairing import PairSettings


class PairRequest(BaseModel):
    """All of `scanmill pair`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str = Field(description="folder above the videos, or a video's own folder")
    out: str = Field(description="folder of the data set to make or to add to")
    settings: PairSettings = Field(default_factory=PairSettings)
    workers: int | None = Field(default=None, ge=1, description="processes; none: one a core")
    accept_rejects: str = Field(default="0", description="rejected frames: a number or a share %")


def check_pair(request: PairRequest) -> None:
    """Refuse what can't be done; raises RequestError naming the option at fault."""
    check_folder("--data", request.data)
    Tolerance.parse(request.accept_rejects)
    check_writable("--out", DatasetFolder.at(request.out).root)
