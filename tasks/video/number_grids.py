"""The published text files: grids of numbers and lists of whole numbers.

Nothing in a file can make the reader allocate more than the file is long, or build anything but
numbers.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64, Int64

from schemas.errors import InputError
from schemas.regular_files import read_whole
from schemas.size_limits import MAX_TEXT_BYTES

Separator = Literal[",", " "]
_NAMES = {",": "commas", " ": "spaces"}
_NUMBER_BYTES = frozenset(b"0123456789+-.eE \t\r\n")
_LONGEST_SHOWN = 60


def read_grid(path: Path, separator: Separator, *, side: int) -> Float64[np.ndarray, "S S"]:
    """Read side rows of side finite numbers.

    Raises InputError naming the line when a row is too short or long, or holds no numbers.
    """
    lines = _read_lines(path, separator)
    if len(lines) != side:
        raise _refuse(path, f"{len(lines)} rows", f"{side} rows of {side} numbers")
    rows = [_numbers(path, number, line, separator) for number, line in enumerate(lines, start=1)]
    widths = {len(row) for row in rows} - {side}
    if widths:
        number = next(k for k, row in enumerate(rows, start=1) if len(row) != side)
        found = f"{len(rows[number - 1])} numbers separated by {_NAMES[separator]} in row {number}"
        raise _refuse(path, found, f"{side} rows of {side} numbers")
    grid = np.array(rows)
    if not np.isfinite(grid).all():
        raise _refuse(path, "numbers that are not finite", "finite numbers")
    return grid


def read_integers(path: Path, *, columns: int | None = None) -> Int64[np.ndarray, "N C"]:
    """Read rows of whole numbers separated by commas; an empty file gives no rows.

    Raises InputError naming the line when rows differ in length or hold something else.
    """
    rows: list[list[float]] = []
    for number, line in enumerate(_read_lines(path, ","), start=1):
        rows.append(_numbers(path, number, line, ","))
        expected = columns or len(rows[0])
        is_whole = all(value.is_integer() and abs(value) < 1 << 53 for value in rows[-1])
        if len(rows[-1]) != expected or not is_whole:
            raise _refuse(path, f"{_shown(line)} in line {number}", f"{expected} whole numbers")
    if not rows:
        return np.empty((0, columns or 0), np.int64)
    return np.array(rows).astype(np.int64)


def format_grid(grid: Float[np.ndarray, "H W"], separator: Separator) -> str:
    """Write rows of numbers with six decimals; zero as 0."""
    rows = np.asarray(grid, np.float64).tolist()
    return "".join(
        separator.join(f"{value:.6f}" if value else "0" for value in row) + "\n" for row in rows
    )


def format_integers(rows: Iterable[Iterable[int]]) -> str:
    """Write rows of whole numbers separated by commas."""
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def _read_lines(path: Path, separator: Separator) -> list[bytes]:
    if path.is_file() and path.stat().st_size == 0:
        return []
    data = read_whole(path, MAX_TEXT_BYTES)
    allowed = _NUMBER_BYTES | set(separator.encode())
    strange = set(data) - allowed
    if strange:
        found = f"the byte {min(strange):#04x}, which is in no number"
        raise _refuse(path, found, f"numbers separated by {_NAMES[separator]}")
    return data.splitlines()


def _numbers(path: Path, number: int, line: bytes, separator: Separator) -> list[float]:
    words = line.split(b",") if separator == "," else line.split()
    try:
        return [float(word) for word in words]
    except ValueError as error:
        found = f"{_shown(line)} in line {number}"
        raise _refuse(path, found, f"numbers separated by {_NAMES[separator]}") from error


def _shown(line: bytes) -> str:
    text = repr(line.decode("ascii", "replace"))
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "...'"


def _refuse(path: Path, found: str, expected: str) -> InputError:
    return InputError(
        str(path), found=found, expected=expected, hint="Fetch or export the file again."
    )
