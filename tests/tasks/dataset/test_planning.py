import subprocess
import sys
from pathlib import Path

import pytest

from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError, RequestError
from schemas.scan import ScanRef
from tasks.dataset.planning import plan_new, planned_scans, read_plan

PLANNER = """
import sys
from pathlib import Path
from schemas.dataset_folder import DatasetFolder
from tasks.dataset.planning import plan_new
from tests.tasks.dataset.test_planning import refs_of

sys.stdin.readline()
for step in range(1, 6):
    plan_new(DatasetFolder.at(Path(sys.argv[1])), refs_of(range(step * 4)), scans_per_shard=3)
"""


def refs_of(numbers: range) -> list[ScanRef]:
    return [
        ScanRef(dataset="THuman2", item=f"{number:04d}", subject=f"{number:04d}", split="train")
        for number in numbers
    ]


def shapes_of(folder: DatasetFolder) -> list[tuple[str, int]]:
    return [(shard.shard_id, len(shard.scans)) for shard in read_plan(folder)]


@pytest.fixture
def folder(tmp_path: Path) -> DatasetFolder:
    return DatasetFolder.at(tmp_path / "set")


def test_scans_go_to_shards_of_the_asked_size(folder: DatasetFolder) -> None:
    plan_new(folder, refs_of(range(5)), scans_per_shard=2)
    assert shapes_of(folder) == [("shard-00000", 2), ("shard-00001", 2), ("shard-00002", 1)]


def test_scans_are_planned_by_name_whatever_their_order(folder: DatasetFolder) -> None:
    plan_new(folder, refs_of(range(4))[::-1], scans_per_shard=4)
    assert [ref.item for ref in planned_scans(read_plan(folder))] == [
        "0000",
        "0001",
        "0002",
        "0003",
    ]


def test_new_scans_go_to_new_shards_in_a_new_segment(folder: DatasetFolder) -> None:
    plan_new(folder, refs_of(range(3)), scans_per_shard=2)
    before = (folder.root / "plan" / "00000.json").read_bytes()
    new = plan_new(folder, refs_of(range(4)), scans_per_shard=2)
    assert [(shard.shard_id, [ref.item for ref in shard.scans]) for shard in new] == [
        ("shard-00002", ["0003"])
    ]
    assert (folder.root / "plan" / "00000.json").read_bytes() == before
    assert (folder.root / "plan" / "00001.json").is_file()


def test_nothing_new_makes_no_segment(folder: DatasetFolder) -> None:
    plan_new(folder, refs_of(range(3)), scans_per_shard=1)
    assert plan_new(folder, refs_of(range(2)), scans_per_shard=1) == ()
    assert not (folder.root / "plan" / "00001.json").exists()


def test_a_scan_that_is_there_twice_is_refused(folder: DatasetFolder) -> None:
    with pytest.raises(RequestError, match="THuman2/0000: the scan twice"):
        plan_new(folder, refs_of(range(1)) * 2, scans_per_shard=1)


def test_a_subject_in_two_splits_is_refused(folder: DatasetFolder) -> None:
    plan_new(folder, refs_of(range(1)), scans_per_shard=1)
    moved = ScanRef(dataset="THuman2", item="0001", subject="0000", split="test")
    with pytest.raises(RequestError, match="subject 0000 in two splits"):
        plan_new(folder, [moved], scans_per_shard=1)


def test_a_missing_segment_is_refused(folder: DatasetFolder) -> None:
    plan_new(folder, refs_of(range(1)), scans_per_shard=1)
    plan_new(folder, refs_of(range(2)), scans_per_shard=1)
    (folder.root / "plan" / "00000.json").unlink()
    with pytest.raises(InputError, match="no segment 00000 before it"):
        read_plan(folder)


def test_a_segment_of_another_version_is_refused_with_both_versions(folder: DatasetFolder) -> None:
    plan_new(folder, refs_of(range(1)), scans_per_shard=1)
    path = folder.root / "plan" / "00000.json"
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 7'))
    with pytest.raises(InputError, match="format version 7; expected format version 1"):
        read_plan(folder)


def test_planners_at_once_plan_every_scan_once(folder: DatasetFolder) -> None:
    planners = [
        subprocess.Popen([sys.executable, "-c", PLANNER, str(folder.root)], stdin=subprocess.PIPE)
        for _ in range(3)
    ]
    for planner in planners:
        planner.communicate(b"go\n")
    assert [planner.returncode for planner in planners] == [0, 0, 0]
    plan = read_plan(folder)
    assert sorted(ref.item for ref in planned_scans(plan)) == [f"{n:04d}" for n in range(20)]
    assert [shard.shard_id for shard in plan] == [f"shard-{n:05d}" for n in range(len(plan))]
