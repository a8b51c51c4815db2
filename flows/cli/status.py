"""`scanmill status`."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer

from flows.cli.answers import Json, Uri, print_json, print_table, say, style_of
from flows.progress import showing, tracking
from flows.summary import SAID
from schemas.dataset_folder import DatasetFolder
from tasks.dataset.run_beats import RunBeat, read_run_beats
from tasks.dataset.states import REDONE_ALWAYS, DatasetStatus, ShardStatus, dataset_status
from tasks.samples.sample_shards import SAMPLES
from tasks.video.video_shards import VIDEOS

EXAMPLES = {"status": ("scanmill status sets/rp", "scanmill status sets/rp --deep --json")}
SHOWN = 50


def status(
    uri: Uri,
    *,
    deep: Annotated[bool, typer.Option("--deep", help="Read every byte.")] = False,
    json: Json = False,
) -> None:
    """Show what each shard is: done, with rejects, failed, missing, corrupt, stale, orphaned.

    Ends with 1 when something is left to do or was rejected.
    """
    folder = DatasetFolder.at(uri)
    with showing(style_of(json=json)):
        found = _look(folder, deep=deep).model_copy(update={"runs": read_run_beats(folder)})
    if json:
        print_json(found)
    else:
        _show(found, redo=_redo(folder))
    raise typer.Exit(0 if found.is_done else 1)


def _look(folder: DatasetFolder, *, deep: bool) -> DatasetStatus:
    found = _look_at_scans(folder, deep=deep)
    videos = dataset_status(folder, VIDEOS, deep=deep)
    if not videos.shards:
        return found
    is_checked = videos.inputs_checked and (found.inputs_checked or not found.shards)
    return found.model_copy(update={"videos": videos.shards, "inputs_checked": is_checked})


def _look_at_scans(folder: DatasetFolder, *, deep: bool) -> DatasetStatus:
    if not deep:
        return dataset_status(folder, SAMPLES)
    total = len(folder.committed_shards())
    with tracking("status", total=total, unit="shards") as tracker:
        return dataset_status(
            folder, SAMPLES, deep=True, progress=lambda _done, _all: tracker.advance()
        )


def _redo(folder: DatasetFolder) -> str:
    """Return the command that redoes what is left."""
    if folder.read_description().settings.origin == "imported":
        return "scanmill import, of the same folder"
    return f"scanmill rerun {folder.address}"


def _show(found: DatasetStatus, *, redo: str) -> None:
    named = {one.shard_id: one for one in found.shards}
    named |= {f"video {VIDEOS.title(one.shard_id, one.scans)}": one for one in found.videos}
    notable = [(n, one) for n, one in named.items() if one.state != "done" or one.older_code]
    if notable:
        rows = [(name, _state(one), _why(one)) for name, one in notable[:SHOWN]]
        print_table(("shard", "state", "reason"), rows)
        say(f"and {len(notable) - SHOWN} more\n" if len(notable) > SHOWN else "")
    counted = ((SAID.get(name, name), count) for name, count in found.counts.items())
    states = ", ".join(f"{count} {name}" for name, count in counted) or "no shards"
    if found.shards or not found.videos:
        say(f"{found.uri}: {states}; {found.samples} of {found.samples_planned} samples.")
    if found.videos:
        pairs = sum(one.rows for one in found.videos)
        states = _count_states(found.videos)
        say(f"{found.uri}: {len(found.videos)} videos: {states}; {pairs} pairs.")
    for one in found.runs:
        say(_describe_run(one))
    if found.inputs.sentence:
        say(f"{found.inputs.sentence.capitalize()}.")
    if found.new:
        say("Add what is new with the command that made the data set: scanmill render.")
    if not found.inputs_checked:
        say("Where the inputs come from is not known, or missing: changes can't be told.")
    if any(one.state in REDONE_ALWAYS for one in (*found.shards, *found.videos)):
        say(f"Redo what is left with: {redo}")
    elif not found.is_done:
        say(f"Fix the scans that were rejected and run: {redo}")


def _describe_run(run: RunBeat) -> str:
    """Say that a run is going on, or that it died: the next run puts that on record."""
    since = f"{run.command} on {run.holder.host} since {run.started}"
    if run.holder.is_ended:
        return f"Crashed, its process is gone: {since}."
    return f"Running: {since}, last heartbeat {run.beat}."


def _count_states(shards: Sequence[ShardStatus]) -> str:
    counts = Counter(SAID.get(one.state, one.state) for one in shards)
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _state(shard: ShardStatus) -> str:
    named = SAID.get(shard.state, shard.state)
    return f"{named}, older code" if shard.older_code else named


def _why(shard: ShardStatus) -> str:
    more = f" (and {len(shard.reasons) - 1} more)" if len(shard.reasons) > 1 else ""
    return (shard.reasons[0] if shard.reasons else "") + more
