"""Data sets of videos, paired in this process."""

from pathlib import Path

from schemas.dataset_folder import DatasetFolder
from schemas.pairing import PairSettings
from tasks.dataset.commit import ShardOutcome
from tasks.dataset.planning import plan_new_videos
from tasks.dataset.preparation import prepare_pairing
from tasks.video.pair_shard import pair_video
from tasks.video.video_shards import PairJob, list_videos

FEW = PairSettings(min_neighbours=2)


def plan_pairs(root: Path, data_root: Path, settings: PairSettings = FEW) -> list[PairJob]:
    """Begin or extend a data set of all videos of a data root; one job a new shard."""
    folder = DatasetFolder.at(root)
    prepare_pairing(folder, settings)
    refs = list_videos(data_root, split_seed=settings.split_seed)
    return [
        PairJob(uri=str(root), data_root=data_root, shard=shard, settings=settings)
        for shard in plan_new_videos(folder, refs)
    ]


def pair_all(root: Path, data_root: Path, settings: PairSettings = FEW) -> list[ShardOutcome]:
    """Pair all videos of a data root."""
    return [pair_video(job) for job in plan_pairs(root, data_root, settings)]
