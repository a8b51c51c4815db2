"""What a Prefect server's page shows of a training: progress, curve, measures, sample pictures.

Made only when there is a server to look at: a temporary one ends with the run.
"""

from base64 import b64encode
from pathlib import Path
from time import monotonic
from uuid import UUID

from prefect.artifacts import (
    create_image_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from flows.artifacts import has_server
from flows.train_folder import CURVE, last_picture, read_validation
from flows.train_requests import TrainRequest

PERCENT = 100
SECONDS_BETWEEN_LOOKS = 60.0
"""Pictures are stored on the server each time: not more often than people look."""


class TrainBoard:
    """The artifacts of one training. Owns: the id of its progress, the time of the last look."""

    def __init__(self, request: TrainRequest) -> None:
        """Show nothing yet."""
        self._request = request
        self._what = f"{request.stage} in {request.out}"
        self._progress: UUID | None = None
        self._percent = -1
        self._looked_s = float("-inf")

    def step(self, done: int, wanted: int) -> None:
        """Show how much is done; the server is told once a percent."""
        percent = PERCENT * done // max(1, wanted)
        if not has_server() or percent <= self._percent:
            return
        self._percent = percent
        if self._progress is None:
            made = create_progress_artifact(
                progress=float(percent), key=self._key("progress"),
                description=f"{self._what}: {wanted} steps",
            )  # fmt: skip
            self._progress = made if isinstance(made, UUID) else None
        else:
            update_progress_artifact(artifact_id=self._progress, progress=float(percent))

    def look(self) -> None:
        """Show the results so far, if the last look is a while ago."""
        if monotonic() - self._looked_s >= SECONDS_BETWEEN_LOOKS:
            self.show_results()

    def show_results(self) -> None:
        """Show curve, measures and sample pictures as they stand in the run's folder."""
        if not has_server():
            return
        self._looked_s = monotonic()
        out = Path(self._request.out)
        measures = read_validation(out)
        if measures:
            create_table_artifact(
                key=self._key("validation"),
                table=[{"measure": name, "value": value} for name, value in measures.items()],
                description=f"{self._what}: the last validation",
            )
        self._show_picture("curve", out / CURVE)
        self._show_picture("samples", last_picture(out))

    def _show_picture(self, name: str, path: Path | None) -> None:
        if path is None or not path.is_file():
            return
        address = "data:image/png;base64," + b64encode(path.read_bytes()).decode()
        create_image_artifact(
            key=self._key(name), image_url=address, description=f"{self._what}: {path.name}"
        )

    def _key(self, name: str) -> str:
        return f"train-{self._request.stage}-{name}"
