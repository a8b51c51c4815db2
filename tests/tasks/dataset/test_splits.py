from collections import Counter
from pathlib import Path

import pytest

from schemas.errors import RequestError
from schemas.scan import ScanRef
from tasks.dataset.splits import (
    ScanName,
    SplitRow,
    assign_splits,
    read_splits,
    split_of,
    unmatched_rows,
)

AARON = ScanName("RP", "rp_aaron_posed_013", "rp_aaron")
AARON_AGAIN = ScanName("RP", "rp_aaron_posed_014", "rp_aaron")
MEI = ScanName("RP", "rp_mei_posed_007", "rp_mei")


def splits_of(refs: tuple[ScanRef, ...]) -> dict[str, tuple[str, str]]:
    return {ref.item: (ref.subject, ref.split) for ref in refs}


def test_subjects_are_split_90_5_5() -> None:
    counts = Counter(split_of(0, f"subject {number}") for number in range(20_000))
    assert counts["train"] / 20_000 == pytest.approx(0.90, abs=0.01)
    assert counts["val"] / 20_000 == pytest.approx(0.05, abs=0.01)
    assert counts["test"] / 20_000 == pytest.approx(0.05, abs=0.01)


def test_the_split_seed_decides() -> None:
    subjects = [f"subject {number}" for number in range(200)]
    assert [split_of(0, one) for one in subjects] != [split_of(1, one) for one in subjects]


def test_more_scans_move_no_split() -> None:
    few = splits_of(assign_splits([AARON], split_seed=3))
    many = splits_of(assign_splits([MEI, AARON], split_seed=3))
    assert few["rp_aaron_posed_013"] == many["rp_aaron_posed_013"]


@pytest.mark.parametrize("item", ["rp_aaron_posed_013", "RP/rp_aaron_posed_013"])
def test_a_scan_gets_its_split_from_a_row(item: str) -> None:
    row = SplitRow(line=2, item=item, split="test")
    refs = splits_of(assign_splits([AARON, AARON_AGAIN], split_seed=0, overrides=[row]))
    assert refs["rp_aaron_posed_013"] == ("rp_aaron", "test")
    assert refs["rp_aaron_posed_014"] == ("rp_aaron", "test")


def test_a_subject_gets_its_split_from_a_row() -> None:
    row = SplitRow(line=2, subject="rp_mei", split="val")
    refs = splits_of(assign_splits([MEI], split_seed=0, overrides=[row]))
    assert refs == {"rp_mei_posed_007": ("rp_mei", "val")}


def test_a_scan_gets_another_subject_from_a_row() -> None:
    row = SplitRow(line=2, item="rp_mei_posed_007", subject="rp_aaron")
    refs = splits_of(assign_splits([MEI, AARON], split_seed=0, overrides=[row]))
    assert refs["rp_mei_posed_007"] == refs["rp_aaron_posed_013"]


def test_one_person_in_two_splits_is_refused() -> None:
    rows = [
        SplitRow(line=2, item="rp_aaron_posed_013", split="test"),
        SplitRow(line=3, item="rp_aaron_posed_014", split="train"),
    ]
    with pytest.raises(RequestError, match="subject rp_aaron: both test and train"):
        assign_splits([AARON, AARON_AGAIN], split_seed=0, overrides=rows)


def test_what_is_planned_keeps_its_split_without_the_file() -> None:
    planned = [ScanRef(dataset="RP", item=AARON.item, subject="rp_aaron", split="test")]
    refs = splits_of(assign_splits([AARON, AARON_AGAIN], split_seed=0, planned=planned))
    assert refs == {AARON.item: ("rp_aaron", "test"), AARON_AGAIN.item: ("rp_aaron", "test")}


def test_moving_what_is_planned_is_refused() -> None:
    planned = [ScanRef(dataset="RP", item=AARON.item, subject="rp_aaron", split="test")]
    row = SplitRow(line=2, subject="rp_aaron", split="train")
    with pytest.raises(
        RequestError, match=r"split train asked by --splits; expected .* split test"
    ):
        assign_splits([AARON], split_seed=0, overrides=[row], planned=planned)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "splits.csv"
    path.write_text("\ufeffitem,subject,split\r\nrp_mei_posed_007,,val\r\n,rp_aaron,test\r\n")
    assert read_splits(path) == (
        SplitRow(line=2, item="rp_mei_posed_007", split="val"),
        SplitRow(line=3, subject="rp_aaron", split="test"),
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", r"columns \[\]"),
        ("scan,split\na,train\n", r"columns \['scan', 'split'\]"),
        ("item,split\na,dev\n", "line 2: split 'dev'"),
        ("item,split\na,\n", "line 2: 'a,'"),
        ("item,split\na,train,more\n", "columns|line 2"),
    ],
)
def test_what_is_no_splits_file_is_refused(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "splits.csv"
    path.write_text(text)
    with pytest.raises(RequestError, match=found):
        read_splits(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"splits\.csv: unreadable"):
        read_splits(tmp_path / "splits.csv")


def test_rows_that_name_nothing_are_told() -> None:
    rows = [
        SplitRow(line=2, item="rp_aron_posed_013", split="test"),
        SplitRow(line=3, subject="rp_mei", split="test"),
    ]
    assert unmatched_rows(rows, assign_splits([MEI], split_seed=0)) == (rows[0],)


def test_a_giant_is_refused_by_its_size(tmp_path: Path) -> None:
    with (tmp_path / "splits.csv").open("wb") as file:
        file.truncate(3 << 30)
    with pytest.raises(RequestError, match=r"splits\.csv: more than 16777216 bytes"):
        read_splits(tmp_path / "splits.csv")
