"""Commit predicted normals: frames with them in place of those without; pairs stay as they are.

What made the frames (inputs, code, settings) stays on record: a shard with predictions is as done,
stale or of older code as it was before. Source: docs/hdnet-dataset.md, "Predicted normals".
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from schemas.dataset_folder import DatasetFolder, Part
from schemas.errors import InputError
from schemas.manifest import Manifest
from schemas.pairing import PairSettings
from schemas.predicted_normals import FOLDER, PredictedShard, PredictionPlan, read_plan
from tasks.dataset.commit import ShardOutcome, ShardWork, commit_shard
from tasks.dataset.planning import read_video_plan
from tasks.dataset.shards import ShardWriter, WrittenShard, read_rows
from tasks.dataset.stored_rows import read_stored_rows
from tasks.video.video_shards import PairJob


class PredictedJob(PairJob):
    """Everything that a worker must know to commit one video's predicted normals.

    out: folder of the run that predicted them. predicted: which frames.
    """

    out: Path
    weights: str
    predicted: PredictedShard

    @property
    def name(self) -> str:
        """Name its task run by the shard and its bytes: several data sets may be predicted."""
        return f"{self.shard.shard_id}-{self.predicted.sha256[:8]}"


def list_predicted(out: Path) -> tuple[PredictedJob, ...]:
    """Describe the shards whose predictions are complete; those committed since are left out.

    Raises InputError when the run left no plan.
    """
    plan = read_plan(out)
    return tuple(job for shard in plan.shards if (job := _make_job(out, plan, shard)) is not None)


def commit_predicted(job: PredictedJob) -> ShardOutcome:
    """Write the frames with their predictions and commit them."""
    return commit_shard(_PredictedWork(job=job))


def forget_predictions(out: Path) -> None:
    """Remove the files of a run whose predictions are all committed."""
    shutil.rmtree(out / FOLDER, ignore_errors=True)


def _make_job(out: Path, plan: PredictionPlan, shard: PredictedShard) -> PredictedJob | None:
    folder = DatasetFolder.at(shard.uri)
    planned = {one.shard_id: one for one in read_video_plan(folder)}
    held = folder.read_manifest(shard.shard_id, "frames")
    is_there = all(path.is_file() for path, _ in plan.files_of(out, shard))
    if held.sha256 != shard.sha256 or shard.shard_id not in planned or not is_there:
        return None
    return PredictedJob(
        uri=shard.uri, data_root=out, shard=planned[shard.shard_id], out=out,
        settings=folder.read_description().pairing or PairSettings(),
        attempt=held.attempt + 1, weights=plan.weights, predicted=shard,
    )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class _PredictedWork(ShardWork):
    job: PredictedJob
    keeps_normals: bool = True
    held: Manifest = field(init=False)

    def __post_init__(self) -> None:
        """Read the commit record that is renewed."""
        ShardWork.__post_init__(self)
        folder = DatasetFolder.at(self.job.uri)
        self.held = folder.read_manifest(self.job.shard.shard_id, "frames")

    @property
    def parts(self) -> tuple[Part, ...]:
        """The frames alone."""
        return ("frames",)

    def write_rows(self, writers: Mapping[Part, ShardWriter]) -> None:
        """Copy the frames, with their predictions."""
        began_s, folder = perf_counter(), DatasetFolder.at(self.job.uri)
        shard_id, predicted = self.job.shard.shard_id, self._read_predicted()
        for number, row in enumerate(read_stored_rows(folder, shard_id, "frames")):
            is_new = number in self.job.predicted.rows
            normals = _next_of(predicted, row["frame_id"]) if is_new else row["pred_normals"]
            writers["frames"].write(row | {"pred_normals": normals})
        self.seconds["write"] = round(perf_counter() - began_s, 4)

    def describe(self, part: Part, written: WrittenShard) -> Manifest:
        """Keep the record of what made the rows; renew what they are."""
        own = ShardWork.describe(self, part, written)
        renewed = {
            name: getattr(own, name)
            for name in ("rows", "bytes", "sha256", "attempt", "started", "ended", "host")
        }
        seconds = self.held.seconds | own.seconds
        return self.held.model_copy(
            update={**renewed, "predicted_by": self.job.weights, "seconds": seconds}
        )

    def _read_predicted(self) -> Iterator[dict[str, object]]:
        plan = PredictionPlan(weights=self.job.weights, shards=(self.job.predicted,))
        for path, _ in plan.files_of(self.job.out, self.job.predicted):
            yield from read_rows(path)


def _next_of(predicted: Iterator[dict[str, object]], frame_id: object) -> object:
    """Return the normals of the next prediction; raises InputError when it is another frame's."""
    found = next(predicted, {})
    if found.get("frame_id") != frame_id:
        raise InputError(
            f"{frame_id}", found=f"the prediction of {found.get('frame_id')}",
            expected="its own", hint="Remove the folder of the run, and predict again.",
        )  # fmt: skip
    return found["pred_normals"]
