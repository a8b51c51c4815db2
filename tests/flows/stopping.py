"""A worker stopped (SIGSTOP) while it is at a scan: it hangs, as on a disk that does not answer."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from tasks.worker_beats import FOLDER, Beat


@contextmanager
def stopping_workers(marks: Path, scan_id: str) -> Iterator[list[int]]:
    """Stop every worker that comes to a scan; yields the pids.

    marks: folder below which rounds keep their marks. What still hangs at the end goes on again.
    """
    stopped: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for path in marks.glob(f"scanmill-round-*/{FOLDER}/*.json"):
                with suppress(OSError, ValidationError):
                    beat = Beat.model_validate_json(path.read_bytes())
                    if beat.unit == scan_id and beat.pid not in stopped:
                        os.kill(beat.pid, signal.SIGSTOP)
                        stopped.append(beat.pid)
            over.wait(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield stopped
    finally:
        over.set()
        watcher.join()
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
