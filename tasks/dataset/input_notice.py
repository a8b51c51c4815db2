"""Which inputs of a data set are new, changed or removed since it was made."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

NAMED = 3
"""Names that a sentence gives; the others are counted."""


class InputNotice(BaseModel):
    """Scans or videos by name, as <dataset>/<item>."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    new: tuple[str, ...] = Field(default=(), description="in the data root, in no shard yet")
    changed: tuple[str, ...] = Field(default=(), description="in shards whose inputs changed")
    removed: tuple[str, ...] = Field(
        default=(), description="in shards, no longer in the data root"
    )

    @property
    def sentence(self) -> str:
        """Count each kind and name the first; empty: nothing happened."""
        kinds = (("new", self.new), ("changed", self.changed), ("removed", self.removed))
        said = "; ".join(_count(kind, names) for kind, names in kinds if names)
        return f"inputs: {said}" if said else ""


def _count(kind: str, names: Sequence[str]) -> str:
    more = ", ..." if len(names) > NAMED else ""
    return f"{len(names)} {kind} ({', '.join(names[:NAMED])}{more})"
