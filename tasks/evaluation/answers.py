"""What an evaluation answers to whoever asked for it."""

from pydantic import BaseModel, ConfigDict, Field

from schemas.evaluation import DataResult, MeshResult


class EvaluateAnswer(BaseModel):
    """The figures, and where they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[str, ...] = Field(description="figures and tables")
    mesh: MeshResult | None = Field(default=None, description="of a mesh against a scan")
    data: DataResult | None = Field(default=None, description="of checkpoints on a data set")

    @property
    def failed(self) -> int:
        """How many items have no figures."""
        return 0 if self.data is None else sum(one.failed for one in self.data.checkpoints)
