"""What a Prefect server's page shows of a training: progress, curve, measures, sample images.

Made only when there is a server to look at: a temporary one ends with the run. A thread of its own
talks to the server, so that a slow or lost one never holds the training up, nor its end.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from pathlib import Path
from time import monotonic
from types import TracebackType

from httpx import HTTPError
from prefect.artifacts import create_table_artifact
from prefect.exceptions import PrefectException

from flows.artifacts import ProgressBoard, has_server, show_image
from flows.progress import say
from schemas.errors import ScanmillError
from schemas.train_request import TrainRequest
from tasks.launching.training_results import CURVE, last_image, read_validation

SECONDS_BETWEEN_LOOKS = 60.0
"""Images are stored on the server each time: not more often than people look."""


class TrainBoard:
    """The artifacts of one training. Owns: the thread, its progress, the last look."""

    def __init__(self, request: TrainRequest) -> None:
        """Show nothing yet."""
        self._request = request
        self._what = f"{request.stage} in {request.out}"
        self._progress: ProgressBoard | None = None
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
        """Show how much is done."""
        if self._progress is None:
            what = f"{self._what}: {expected} steps"
            self._progress = ProgressBoard(self._key("progress"), what, expected)
        self._later(partial(self._progress.show, done))

    def look(self) -> None:
        """Show the results so far, if the last look is a while ago."""
        if monotonic() - self._looked_s >= SECONDS_BETWEEN_LOOKS:
            self.show_results()

    def show_results(self) -> None:
        """Show curve, measures and sample images as the run's folder holds them."""
        self._looked_s = monotonic()
        self._later(self._show_results)

    def _later(self, show: Callable[[], None]) -> None:
        """Let the thread show something, as a part of this flow run."""
        if has_server():
            self._thread.submit(copy_context().run, _try, show)

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
        if path is not None and path.is_file():
            show_image(self._key(name), path.read_bytes(), f"{self._what}: {path.name}")

    def _key(self, name: str) -> str:
        return f"train-{self._request.stage}-{name}"


def _try(show: Callable[[], None]) -> None:
    """Show something; a server that does not answer is said and costs nothing more."""
    try:
        show()
    except (HTTPError, PrefectException, ScanmillError, OSError) as error:
        say(f"train: the server could not be told: {type(error).__name__}: {error}")
