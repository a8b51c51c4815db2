"""What a Prefect server's page shows of a training: progress, curve, measures, sample images.

Made only when there is a server to look at: a temporary one ends with the run. A thread of its own
talks to the server, so that a slow or lost one never holds the training up, nor its end.
"""

from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from time import monotonic
from types import TracebackType
from uuid import UUID

from httpx import HTTPError
from prefect.artifacts import (
    create_image_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.exceptions import PrefectException

from flows.artifacts import has_server
from flows.progress import say
from schemas.train_request import TrainRequest
from tasks.launching.training_results import CURVE, last_image, read_validation

PERCENT = 100
SECONDS_BETWEEN_LOOKS = 60.0
"""Images are stored on the server each time: not more often than people look."""


class TrainBoard:
    """The artifacts of one training. Owns: the thread, the id of its progress, the last look."""

    def __init__(self, request: TrainRequest) -> None:
        """Show nothing yet."""
        self._request = request
        self._what = f"{request.stage} in {request.out}"
        self._progress: UUID | None = None
        self._percent = -1
        self._looked_s = float("-inf")
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="train-board")

    def __enter__(self) -> "TrainBoard":
        """Show nothing yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait until all is shown; after an error leave out what is not shown yet."""
        self._thread.shutdown(wait=kind is None, cancel_futures=kind is not None)

    def step(self, done: int, expected: int) -> None:
        """Show how much is done; the server is told once a percent."""
        percent = PERCENT * done // max(1, expected)
        if not has_server() or percent <= self._percent:
            return
        self._percent = percent
        self._later(lambda: self._show_progress(percent, expected))

    def look(self) -> None:
        """Show the results so far, if the last look is a while ago."""
        if monotonic() - self._looked_s >= SECONDS_BETWEEN_LOOKS:
            self.show_results()

    def show_results(self) -> None:
        """Show curve, measures and sample images as they stand in the run's folder."""
        self._looked_s = monotonic()
        if has_server():
            self._later(self._show_results)

    def _later(self, show: Callable[[], None]) -> None:
        """Let the thread show something, as a part of this flow run."""
        self._thread.submit(copy_context().run, _try, show)

    def _show_progress(self, percent: int, expected: int) -> None:
        if self._progress is None:
            made = create_progress_artifact(
                progress=float(percent), key=self._key("progress"),
                description=f"{self._what}: {expected} steps",
            )  # fmt: skip
            self._progress = made if isinstance(made, UUID) else None
        else:
            update_progress_artifact(artifact_id=self._progress, progress=float(percent))

    def _show_results(self) -> None:
        out = Path(self._request.out)
        measures = read_validation(out)
        if measures:
            create_table_artifact(
                key=self._key("validation"),
                table=[{"measure": name, "value": value} for name, value in measures.items()],
                description=f"{self._what}: the last validation",
            )
        self._show_image("curve", out / CURVE)
        self._show_image("samples", last_image(out))

    def _show_image(self, name: str, path: Path | None) -> None:
        if path is None or not path.is_file():
            return
        address = "data:image/png;base64," + b64encode(path.read_bytes()).decode()
        create_image_artifact(
            key=self._key(name), image_url=address, description=f"{self._what}: {path.name}"
        )

    def _key(self, name: str) -> str:
        return f"train-{self._request.stage}-{name}"


def _try(show: Callable[[], None]) -> None:
    """Show something; a server that does not answer is said and costs nothing more."""
    try:
        show()
    except (HTTPError, PrefectException, OSError) as error:
        say(f"train: the server could not be told: {type(error).__name__}: {error}")
