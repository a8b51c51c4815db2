import pytest
from pydantic import BaseModel, ValidationError

from schemas.errors import InputError
from schemas.manifest import (
    BackgroundList,
    Failure,
    Manifest,
    PlannedShard,
    PlanSegment,
    parse_record,
    state_by_failures,
)
from schemas.scan import InputFile, ScanRef

MANIFEST = Manifest(
    shard_id="shard-00000", rows=1, bytes=10, sha256="ab", settings_digest="cd",
    code_digest="ef", renderer="llvmpipe", versions={"numpy": "2.4"},
    inputs=(InputFile(path="obj/a.obj", size=3, sha256="12"), InputFile(path="obj/b.obj")),
    sample_ids=("RP/a/0",), started="2026-01-01T00:00:00+00:00",
    ended="2026-01-01T00:00:01+00:00", seconds={"draw": 0.5}, host="here",
)  # fmt: skip
REF = ScanRef(dataset="RP", item="a", subject="a", split="train")
RECORDS: list[BaseModel] = [
    MANIFEST,
    PlanSegment(segment=0, shards=(PlannedShard(shard_id="shard-00000", scans=(REF,)),)),
    BackgroundList(images=()),
]


def failure(kind: str) -> Failure:
    return Failure.model_validate(
        {"sample_id": "RP/a/0", "stage": "draw", "kind": kind, "error": "E", "message": "m"}
    )


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_comes_back_as_it_was_written(record: BaseModel) -> None:
    assert parse_record(type(record), record.model_dump_json(), source="x.json") == record


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_another_version_is_refused_with_both_versions(record: BaseModel) -> None:
    text = record.model_copy(update={"format_version": 9}).model_dump_json()
    with pytest.raises(InputError, match=r"x\.json: format version 9; expected format version 1"):
        parse_record(type(record), text, source="x.json")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format_version": 1, "more": 2}', "\x00"])
def test_what_is_no_record_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match=r"x\.json: no readable Manifest"):
        parse_record(Manifest, text, source="x.json")


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra"):
        Manifest.model_validate(MANIFEST.model_dump() | {"extra": 1})


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        MANIFEST.rows = 2


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ([], "done"),
        (["input"], "rejects"),
        (["environment"], "failed"),
        (["input", "environment", "input"], "failed"),
    ],
)
def test_failures_decide_the_state(kinds: list[str], state: str) -> None:
    assert state_by_failures(tuple(map(failure, kinds))) == state


def test_a_shard_without_scans_cannot_be_planned() -> None:
    with pytest.raises(ValidationError, match="at least 1"):
        PlannedShard(shard_id="shard-00000", scans=())
