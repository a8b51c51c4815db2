"""Checks that shards of all kinds share: file against record and schema, and the folders."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from schemas.dataset_folder import DatasetFolder, Part
from schemas.dataset_reader import shard_name
from schemas.manifest import Manifest
from tasks.checks.findings import Breach, Finding
from tasks.dataset.shards import ShardFormat, digest_shard, read_shard_schema


def check_shard_file(
    folder: DatasetFolder, part: Part, manifest: Manifest, layout: ShardFormat
) -> Iterator[Finding]:
    """Check size, hash and columns of a shard's file against its commit record.

    Raises InputError when it is no Parquet file, OSError when it is missing.
    """
    with folder.local_shard(manifest.shard_id, part) as path:
        size, digest, found = path.stat().st_size, digest_shard(path), read_shard_schema(path)
    breaches: list[Breach] = []
    if size != manifest.bytes:
        breaches.append(Breach("size", f"{size} bytes", f"{manifest.bytes} bytes"))
    if digest != manifest.sha256:
        breaches.append(Breach("sha256", digest, manifest.sha256))
    breaches.extend(_compare(found, layout.schema_like(found)))
    yield from (breach.at(shard_name(manifest.shard_id, part)) for breach in breaches)


def check_folders(
    folder: DatasetFolder, parts: Iterable[Part], planned: frozenset[str], others: Iterable[str]
) -> Iterator[Finding]:
    """Check that nothing is in the folders but planned shards, their records, and whole files.

    others: folders besides those of the parts that may hold what a killed writer left.
    """
    looked_at = [*others]
    for part in parts:
        looked_at += [part, f"manifests/{part}"]
        for name in folder.list_shards(part):
            if not name.endswith(".parquet") or name.removesuffix(".parquet") not in planned:
                expected = "planned shards and nothing else"
                yield Breach("file", "not one of ours", expected).at(f"{part}/{name}")
        for shard_id in sorted(set(folder.committed_shards(part)) - planned):
            unplanned = Breach("record", "unplanned", "a plan for it")
            yield unplanned.at(f"manifests/{part}/{shard_id}.json")
    for name in looked_at:
        for left in folder.store.list_leftovers(name):
            yield Breach("file", "left by a killed writer", "nothing").at(f"{name}/{left}")


def _compare(found: pa.Schema, expected: pa.Schema) -> Iterator[Breach]:
    if found.equals(expected, check_metadata=True):
        return
    for name in dict.fromkeys((*expected.names, *found.names)):
        ours, theirs = _field(expected, name), _field(found, name)
        if ours is None or theirs is None or not ours.equals(theirs, check_metadata=True):
            yield Breach(f"column {name}", _describe(theirs), _describe(ours))
    if found.names != expected.names or found.metadata != expected.metadata:
        yield Breach("schema", "other order or metadata", "that of the format version")


def _field(schema: pa.Schema, name: str) -> pa.Field | None:
    return schema.field(name) if name in schema.names else None


def _describe(field: pa.Field | None) -> str:
    return "no such column" if field is None else f"{field.type}, {field.metadata}"
