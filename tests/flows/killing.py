"""Workers killed by their pid while they are at work, as the system does when memory runs out."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def killing_workers(marks: Path, out: Path, shard_id: str, *, times: int) -> Iterator[list[int]]:
    """Kill each worker that is at work on a shard, so many times; yields the pids killed.

    marks: folder below which rounds keep their marks. A worker is killed as soon as the shard's
    file stands half-written in the data set.
    """
    killed: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set() and len(killed) < times:
            half_written = any((out / "samples").glob(f".tmp-{shard_id}*"))
            for mark in marks.glob(f"scanmill-round-*/{shard_id}"):
                text = mark.read_text() if half_written else ""
                if text and int(text) not in killed:
                    os.kill(int(text), signal.SIGKILL)
                    killed.append(int(text))
            over.wait(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield killed
    finally:
        over.set()
        watcher.join()
