"""The table of formats against the names that requests know."""

from pathlib import Path
from typing import get_args

import pytest

from schemas.camera import LayoutName
from tasks.formats.outcomes import ExportOutcome, ImportOutcome, SampleReason
from tasks.formats.registry import FORMATS
from tests.tasks.formats.folders import export_to
from tests.tasks.video.paired import pair_all
from tests.tasks.video.sequence_files import write_sequence


def test_every_published_layout_has_its_row() -> None:
    assert set(FORMATS) == set(get_args(LayoutName))


@pytest.mark.parametrize(
    ("outcome", "passed"),
    [
        (ExportOutcome(to="x", warnings=("one",)), True),
        (ExportOutcome(to="x", missing=("set: shard-00000",)), False),
        (ExportOutcome(to="x", failures=(SampleReason(sample_id="a", message="b"),)), False),
        (ImportOutcome(uri="x", unfinished=("shard-00000 is missing",)), False),
        (ImportOutcome(uri="x"), True),
    ],
)
def test_an_outcome_passes_when_all_that_was_asked_is_done(
    outcome: ExportOutcome | ImportOutcome, passed: bool
) -> None:
    assert outcome.passed is passed


def test_a_planned_video_that_is_missing_fails_an_export_to_hdnet(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_sequence(tmp_path / "data" / name, 3)
    pair_all(tmp_path / "set", tmp_path / "data")
    (tmp_path / "set/manifests/pairs/shard-00001.json").unlink()
    outcome = export_to(tmp_path / "to", "hdnet", tmp_path / "set")
    assert outcome.missing == (f"{tmp_path / 'set'}: video shard-00001",)
    assert not outcome.passed
