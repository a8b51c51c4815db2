"""What `scanmill import hdnet` answers: loaded by the command line, so it knows no Prefect."""

from pydantic import BaseModel, ConfigDict, Field

from flows.video_runs import PairSummary
from tasks.dataset.imported import ImportSummary


class HdnetImport(BaseModel):
    """What an import of HDNet's sets made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: ImportSummary | None = Field(description="of the labelled set; null: there is none")
    videos: PairSummary | None = Field(description="of the TikTok set; null: there is none")

    @property
    def passed(self) -> bool:
        """Tell whether everything was imported."""
        labelled = self.samples is None or self.samples.passed
        return labelled and (self.videos is None or self.videos.is_done)
