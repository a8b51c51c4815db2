"""One run on the videos of a data set, from its beginning to its record: without Prefect."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from pydantic import Field

from flows.progress import format_seconds
from flows.summary import SAID, RunSummary
from schemas.dataset_folder import DatasetFolder, remove_leftovers
from schemas.manifest import RunRecord
from tasks.dataset.card import write_card
from tasks.dataset.run_records import last_roots, write_run
from tasks.dataset.states import DatasetStatus
from tasks.video.plan import read_video_plan
from tasks.video.states import VIDEO_ROOT, video_status
from tasks.video.video_shard import VIDEO_PARTS, PairJob, PairOutcome


class PairSummary(RunSummary):
    """The videos of a data set after a run, and what the run did to them; samples are pairs."""

    videos: int = Field(description="planned")
    frames: int = Field(description="written by this run")

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        named = ((SAID.get(name, name), count) for name, count in self.states.items())
        states = ", ".join(f"{count} {name}" for name, count in named) or "none"
        did = f"{self.worked_on} videos, {self.frames} frames in {format_seconds(self.seconds)}"
        what = did if self.worked_on else "nothing was left to do"
        return f"{self.command}: {what}; {self.samples} pairs, videos: {states}."


@dataclass(frozen=True, slots=True)
class VideoRun:
    """One run on videos: where it works, with what, since when."""

    command: str
    folder: DatasetFolder
    data_root: Path
    workers: int
    accept_rejects: str
    started: str
    began_s: float


def begin_video_run(
    command: str, uri: str, *, data: Path, workers: int | None, accept_rejects: str
) -> VideoRun:
    """Start the clock of a run, and clear away what killed runs left half-written."""
    folder = DatasetFolder.at(uri)
    for part in VIDEO_PARTS:
        remove_leftovers(folder.root / part)
        remove_leftovers(folder.root / "manifests" / part)
    return VideoRun(
        command=command, folder=folder, data_root=data, workers=workers or os.cpu_count() or 1,
        accept_rejects=accept_rejects, started=_now(), began_s=monotonic(),
    )  # fmt: skip


def look_at_videos(run: VideoRun, *, deep: bool = False) -> DatasetStatus:
    """Decide the state of every video from the files."""
    return video_status(run.folder, data_root=run.data_root, deep=deep)


def make_video_jobs(
    run: VideoRun, status: DatasetStatus, shard_ids: Sequence[str]
) -> list[PairJob]:
    """Describe the work on these videos for the processes that do it."""
    settings = run.folder.read_description().pairing
    attempts = {one.shard_id: one.attempt for one in status.shards}
    return [
        PairJob(
            uri=str(run.folder.root.absolute()),
            data_root=run.data_root.absolute(),
            shard=planned,
            settings=settings,
            attempt=attempts.get(planned.shard_id, 0) + 1,
        )
        for planned in read_video_plan(run.folder)
        if settings is not None and planned.shard_id in set(shard_ids)
    ]


def note_video_root(run: VideoRun) -> None:
    """Put a new root on record before the work: a run that is killed can be redone without it."""
    if last_roots(run.folder).get(VIDEO_ROOT) != run.data_root.absolute():
        write_run(run.folder, _describe(run, ()))


def close_video_run(run: VideoRun, outcomes: Sequence[PairOutcome]) -> PairSummary:
    """Put a run that did something on record, renew card and totals, and sum up."""
    if outcomes:
        write_run(run.folder, _describe(run, outcomes))
    write_card(run.folder)
    return sum_up_videos(run, look_at_videos(run), outcomes)


def sum_up_videos(
    run: VideoRun, status: DatasetStatus, outcomes: Sequence[PairOutcome]
) -> PairSummary:
    """Add up what a run did (outcomes) and what the videos are now (status)."""
    lost = [failure for one in outcomes if not one.committed for failure in one.failures]
    failures = (*status.failures, *lost)
    left = [one for one in status.shards if one.state not in {"done", "rejects", "orphaned"}]
    stages = sorted({stage for one in outcomes for stage in one.seconds})
    return PairSummary(
        command=run.command,
        uri=status.uri,
        worked_on=len(outcomes),
        videos=len(status.shards),
        frames=sum(one.frames for one in outcomes),
        states=status.counts,
        samples=status.samples,
        rejected=sum(failure.kind == "input" for failure in failures),
        accept_rejects=run.accept_rejects,
        failures=failures,
        warnings=tuple(warning for one in outcomes for warning in one.warnings),
        unfinished=tuple(
            f"{one.scans[0]} is {one.state}: {'; '.join(one.reasons[:1])}" for one in left
        ),
        bytes=sum(one.bytes for one in outcomes),
        seconds=monotonic() - run.began_s,
        stages={s: round(sum(one.seconds.get(s, 0) for one in outcomes), 3) for s in stages},
    )


def _describe(run: VideoRun, outcomes: Sequence[PairOutcome]) -> RunRecord:
    recorded = {name: str(path) for name, path in last_roots(run.folder).items()}
    return RunRecord(
        command=run.command,
        started=run.started,
        ended=_now(),
        seconds=round(monotonic() - run.began_s, 3),
        workers=run.workers,
        host=socket.gethostname(),
        roots=recorded | {VIDEO_ROOT: str(run.data_root.absolute())},
        shards={f"video {one.shard_id}": one.state for one in outcomes},
        samples=sum(one.rows for one in outcomes),
        failures=sum(len(one.failures) for one in outcomes),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
