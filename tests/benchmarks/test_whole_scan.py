"""Stages of a scan: every span is counted once, and what none counted is a row of its own."""

import pytest

from benchmarks.whole_scan import REST, by_stage
from schemas.profiling import ProfileTable, Spent

SPANS = {
    "read mesh": Spent(count=1, wall=1.0, cpu=0.5),
    "read texture": Spent(count=1, wall=0.5, cpu=0.25),
    "encode depth": Spent(count=7, wall=4.0, cpu=2.0, behind=4.0),
    "of no stage": Spent(count=1, wall=0.25, cpu=0.125),
}


def test_all_processor_and_wall_seconds_are_in_one_stage_each() -> None:
    stages = by_stage(ProfileTable(wall=2.0, cpu=3.0, spent=SPANS))
    assert stages["read"] == Spent(count=2, wall=1.5, cpu=0.75)
    assert stages["of no stage"] == SPANS["of no stage"]
    assert stages[REST] == Spent(wall=0.25, cpu=0.125)
    assert sum(one.cpu for one in stages.values()) == pytest.approx(3.0)
    assert sum(one.wall - one.behind for one in stages.values()) == pytest.approx(2.0)
