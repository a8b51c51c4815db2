"""What a Prefect server's page shows of a run: progress, a table of results, a contact sheet.

Made only when there is a server to look at: a temporary one ends with the run.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    create_image_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from flows.progress import Amount, format_seconds
from flows.runs import Run
from flows.summary import RunSummary
from flows.temporary_server import lasting_server
from schemas.dataset_folder import DatasetFolder
from tasks.dataset.commit import ShardOutcome
from tasks.dataset.shard_kinds import ShardKind
from tasks.report.contact_sheet import contact_sheet
from tasks.video.match_image import matches_sheet

SHEET_STRIPS = 6
SHEETS: dict[str, tuple[str, str, Callable[[DatasetFolder], bytes | None]]] = {
    "scan": ("contact-sheet", "Samples of", partial(contact_sheet, limit=SHEET_STRIPS)),
    "video": ("matches", "Matches in", matches_sheet),
}
"""Key, description and maker of the image of a data set, by what its shards hold."""

PERCENT = 100


def has_server() -> bool:
    """Return whether a server outlives the run."""
    return bool(lasting_server())


class ProgressBoard:
    """The progress of some work as an artifact. Owns: its id on the server."""

    def __init__(self, key: str, what: str, total: int) -> None:
        """Show nothing yet."""
        self._key, self._what, self._total = key, what, max(1, total)
        self._begun_s = monotonic()
        self._percent = -1
        self._artifact: UUID | None = None

    def show(self, done: int, amount: Amount | None = None) -> None:
        """Show how much is done; the server is told once a percent.

        amount: rows and bytes, shown beside it with the time left.
        """
        share = max(done / self._total, amount.share if amount else 0.0)
        percent = int(PERCENT * share)
        text = self._describe(share, amount)
        if not has_server() or percent <= self._percent:
            return
        self._percent = percent
        if self._artifact is None:
            made = create_progress_artifact(
                progress=float(percent), key=self._key, description=text
            )
            self._artifact = made if isinstance(made, UUID) else None
        else:
            update_progress_artifact(
                artifact_id=self._artifact, progress=float(percent), description=text
            )

    def _describe(self, share: float, amount: Amount | None) -> str:
        spent_s = monotonic() - self._begun_s
        left = f"{format_seconds(spent_s * (1 / share - 1))} left" if 0 < share < 1 else ""
        parts = (self._what, amount.describe() if amount else "", left)
        return ", ".join(filter(None, parts))


def show_image(key: str, image: bytes, description: str) -> None:
    """Show an image. image: a PNG file."""
    address = "data:image/png;base64," + b64encode(image).decode()
    create_image_artifact(key=key, image_url=address, description=description)


def show_results(run: Run, summary: RunSummary, outcomes: Sequence[ShardOutcome]) -> None:
    """Make the table of what this run made, and an image of what the data set holds."""
    if not has_server():
        return
    create_table_artifact(
        key=f"{summary.command}-results",
        table=[_row(run.kind, one) for one in outcomes],
        description=summary.sentence,
    )
    key, what, draw = SHEETS[run.kind.unit]
    sheet = draw(run.folder)
    if sheet is not None:
        show_image(key, sheet, f"{what} {run.folder.address}")


def _row(kind: ShardKind[Any], outcome: ShardOutcome) -> dict[str, str | int | float]:
    return {
        kind.label or "shard": kind.title(outcome.shard_id, outcome.names),
        "state": outcome.state,
        **{part: outcome.row_counts.get(part, 0) for part in kind.parts},
        "failed": len(outcome.failures),
        "MB": round(outcome.bytes / 1e6, 1),
        "seconds": round(sum(outcome.seconds.values()), 1),
        "reason": outcome.failures[0].message if outcome.failures else "",
    }
