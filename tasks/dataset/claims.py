"""Which run makes a shard: runs on one data set share its work, and none is done twice.

    claims/samples/shard-00000.json   a lease; gone when the shard is made, taken over from the dead

The claim is a run's, not a process's: a worker that dies leaves it to the next one of its run. It
saves work and decides nothing: what is kept is decided where shards are committed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from schemas.dataset_folder import DatasetFolder
from schemas.dataset_reader import claim_name
from schemas.errors import InputError
from tasks.dataset.lease import (
    Lease,
    LeaseRecord,
    Watch,
    beating,
    new_record,
    try_lease,
    wait_for_lease,
)
from tasks.dataset.shard_kinds import ShardJob

CLAIM_BEAT_S = 5.0
"""A shard takes from seconds to minutes; each beat is a request to an object store."""


@contextmanager
def claim_shard(folder: DatasetFolder, job: ShardJob) -> Iterator[str]:
    """Claim a shard for the length of a block; yields who else makes it or made it, or "".

    A job without a run claims nothing. A job that waits does so for as long as another run is
    making the shard, and takes it over from one that has ended or falls silent.
    """
    if not job.run:
        yield ""
        return
    taken = _take(folder, job)
    if isinstance(taken, LeaseRecord):
        yield str(taken)
        return
    with beating(taken):
        yield _find_maker(folder, job)


def _take(folder: DatasetFolder, job: ShardJob) -> Lease | LeaseRecord:
    name = claim_name(job.shard.shard_id, job.kind.parts[0])
    record = new_record(CLAIM_BEAT_S, owner=job.run)
    if job.waits:
        return wait_for_lease(folder.store, name, record, wait_s=None)
    return try_lease(folder.store, name, record, Watch(), now_s=monotonic())


def _find_maker(folder: DatasetFolder, job: ShardJob) -> str:
    """Return the host that committed this attempt before the claim was taken; "": none did."""
    try:
        held = [folder.read_manifest(job.shard.shard_id, part) for part in job.kind.parts]
    except (FileNotFoundError, InputError):
        return ""
    is_made = all(one.attempt >= job.attempt for one in held)
    return held[0].host if is_made else ""
