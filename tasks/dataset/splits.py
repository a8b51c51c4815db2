"""Which split a person belongs to: a hash of the split seed and the subject, or a file's word.

A subject's scans are always in one split, so that no person is learnt from and tested on. New
scans move no old one: what the plan holds stays as it is.
"""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict

from schemas.errors import InputError, MachineError, RequestError
from schemas.regular_files import open_regular_file
from schemas.scan import DatasetName, ScanRef
from schemas.seeds import SEED_BITS, derive_seed
from schemas.wording import shorten, shorten_text

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

TRAIN_SHARE, VAL_SHARE = 0.90, 0.05
"""The rest is test. Source: docs/dataset-folder.md, "Splits"."""

MAX_BYTES = 16 << 20
"""A line a scan: some hundred thousand of them."""

_COLUMNS = {"item", "subject", "split"}


class ScanName(NamedTuple):
    """A scan that is there, before it has a split."""

    dataset: DatasetName
    item: str
    subject: str


class SplitRow(BaseModel):
    """One row of a splits file; item names a scan as `item` or `dataset/item`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line: int
    item: str = ""
    subject: str = ""
    split: Split | None = None


def split_of(split_seed: int, subject: str) -> Split:
    """Return the split of a subject: 90 / 5 / 5 by hash."""
    share = derive_seed(split_seed, "split", subject) / (1 << SEED_BITS)
    if share < TRAIN_SHARE:
        return "train"
    return "val" if share < TRAIN_SHARE + VAL_SHARE else "test"


def read_splits(path: Path) -> tuple[SplitRow, ...]:
    """Read a CSV with the columns item, subject, split.

    A row with an item gives that scan its subject, its split, or both; a row without one gives
    a subject its split. Raises RequestError naming file and line.
    """
    try:
        with open_regular_file(path) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise _refuse(path, f"more than {MAX_BYTES} bytes")
        lines = list(csv.DictReader(StringIO(data.decode("utf-8-sig"), newline="")))
    except (InputError, MachineError, UnicodeDecodeError, csv.Error) as error:
        raise _refuse(path, f"unreadable ({shorten_text(str(error))})") from error
    columns = set(lines[0]) if lines else set()
    if not columns or not columns <= _COLUMNS or not columns & {"item", "subject"}:
        raise _refuse(path, f"columns {shorten(sorted(map(str, columns)))}")
    return tuple(_read_row(path, number, line) for number, line in enumerate(lines, start=2))


def assign_splits(
    names: Iterable[ScanName],
    *,
    split_seed: int,
    overrides: Sequence[SplitRow] = (),
    planned: Sequence[ScanRef] = (),
) -> tuple[ScanRef, ...]:
    """Give every scan its subject and its split.

    planned: scans that the data set holds; their subjects keep their splits.
    Raises RequestError when a subject would be in two splits, or a planned scan would move.
    """
    resolved = {ref.scan_id: ref for ref in planned}
    named = {row.item: row for row in overrides if row.item}
    refs = []
    for name in names:
        scan_id = f"{name.dataset}/{name.item}"
        row = named.get(scan_id) or named.get(name.item)
        known = resolved.get(scan_id)
        subject = (row and row.subject) or (known.subject if known else name.subject)
        refs.append((name, subject, row.split if row else None))
    expected = _expected_splits(refs, overrides)
    held = {ref.subject: ref.split for ref in planned}
    _refuse_moves(expected, refs, held, resolved)
    return tuple(
        ScanRef(
            dataset=name.dataset, item=name.item, subject=subject,
            split=held.get(subject) or expected.get(subject) or split_of(split_seed, subject),
        )
        for name, subject, _ in refs
    )  # fmt: skip


def unmatched_rows(overrides: Sequence[SplitRow], refs: Iterable[ScanRef]) -> tuple[SplitRow, ...]:
    """List the rows of a splits file that name no scan of these, so that a typo is seen."""
    refs = tuple(refs)
    items = {ref.item for ref in refs} | {ref.scan_id for ref in refs}
    subjects = {ref.subject for ref in refs}
    return tuple(
        row
        for row in overrides
        if (row.item not in items if row.item else row.subject not in subjects)
    )


def _expected_splits(
    refs: Sequence[tuple[ScanName, str, Split | None]], overrides: Sequence[SplitRow]
) -> dict[str, Split]:
    expected: dict[str, Split] = {}
    by_item = [(subject, split) for _, subject, split in refs if split]
    by_subject = [(row.subject, row.split) for row in overrides if not row.item and row.split]
    for subject, split in (*by_subject, *by_item):
        if expected.setdefault(subject, split) != split:
            raise RequestError(
                f"subject {subject}",
                found=f"both {expected[subject]} and {split} in --splits",
                expected="one split for all scans of one person",
                hint="Give the subject one split, or its scans different subjects.",
            )
    return expected


def _refuse_moves(
    expected: dict[str, Split],
    refs: Sequence[tuple[ScanName, str, Split | None]],
    held: dict[str, Split],
    resolved: dict[str, ScanRef],
) -> None:
    for name, subject, _ in refs:
        known = resolved.get(f"{name.dataset}/{name.item}")
        moved = known is not None and known.subject != subject
        if moved or expected.get(subject, held.get(subject)) != held.get(
            subject, expected.get(subject)
        ):
            before = (known.subject, known.split) if known else (subject, held[subject])
            raise RequestError(
                f"{name.dataset}/{name.item}",
                found=f"subject {subject}, split {expected.get(subject)} asked by --splits",
                expected=f"subject {before[0]}, split {before[1]}, as the data set holds it",
                hint="Leave what is planned as it is, or render into a new data set.",
            )


def _read_row(path: Path, number: int, line: dict[str, str | None]) -> SplitRow:
    cells = {key: (value or "").strip() for key, value in line.items() if key in _COLUMNS}
    split = next((name for name in SPLITS if name == cells.get("split")), None)
    row = SplitRow(
        line=number, item=cells.get("item", ""), subject=cells.get("subject", ""), split=split
    )
    says_something = row.split or (row.item and row.subject)
    if cells.get("split") and not split:
        raise _refuse(path, f"line {number}: split {shorten(cells['split'])}")
    if not (row.item or row.subject) or not says_something or None in line:
        raise _refuse(path, f"line {number}: {shorten(','.join(cells.values()))}")
    return row


def _refuse(path: Path, found: str) -> RequestError:
    return RequestError(
        str(path), found=found,
        expected="CSV with a header of item, subject, split; split is train, val or test",
        hint="For example: item,split and below it rp_aaron_posed_013,test.",
    )  # fmt: skip
