"""One run on the videos of a data set: which are left, what came out. Without Prefect."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from flows.runs import Run, add_up, begin_run, record_run
from flows.summary import RunSummary
from tasks.dataset.states import DatasetStatus
from tasks.video.plan import read_video_plan
from tasks.video.states import VIDEO_ROOT, video_status
from tasks.video.video_shard import PairJob, PairOutcome


class PairSummary(RunSummary):
    """The videos of a data set after a run, and what the run did to them; samples are pairs."""

    videos: int = Field(description="planned")
    frames: int = Field(description="written by this run")

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        return self._say(f"{self.worked_on} videos, {self.frames} frames", "pairs", "videos")


def begin_video_run(
    command: str, uri: str, *, data: Path, workers: int | None, accept_rejects: str = "0"
) -> Run:
    """Start the clock of a run on videos."""
    return begin_run(
        command, uri, roots={VIDEO_ROOT: data}, workers=workers, accept_rejects=accept_rejects
    )


def look_at_videos(run: Run, *, deep: bool = False) -> DatasetStatus:
    """Decide the state of every video from the files."""
    return video_status(run.folder, data_root=run.roots[VIDEO_ROOT], deep=deep)


def make_video_jobs(run: Run, status: DatasetStatus, shard_ids: Sequence[str]) -> list[PairJob]:
    """Describe the work on these videos for the processes that do it."""
    settings = run.folder.read_description().pairing
    attempts = {one.shard_id: one.attempt for one in status.shards}
    return [
        PairJob(
            uri=str(run.folder.root.absolute()),
            data_root=run.roots[VIDEO_ROOT].absolute(),
            shard=planned,
            settings=settings,
            attempt=attempts.get(planned.shard_id, 0) + 1,
        )
        for planned in read_video_plan(run.folder)
        if settings is not None and planned.shard_id in set(shard_ids)
    ]


def close_video_run(run: Run, outcomes: Sequence[PairOutcome]) -> PairSummary:
    """Put a run that did something on record, renew card and totals, and sum up."""
    record_run(run, {f"video {one.shard_id}": one for one in outcomes})
    return sum_up_videos(run, look_at_videos(run), outcomes)


def sum_up_videos(run: Run, status: DatasetStatus, outcomes: Sequence[PairOutcome]) -> PairSummary:
    """Add up what a run did (outcomes) and what the videos are now (status)."""
    return PairSummary(
        videos=len(status.shards),
        frames=sum(one.frames for one in outcomes),
        **add_up(run, status, outcomes, name=lambda one: one.scans[0]),
    )
