"""What must hold of the matches of one pair, as the published reader takes them.

Rows and columns count from 0 here. Source: docs/hdnet-dataset.md, "TikTok set".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, UInt8

from schemas.frames import NO_ROW, PART_COUNT
from schemas.pairing import FRAME_SIDE_PX, MAX_ROWS
from tasks.checks.findings import Breach
from tasks.video.choosing import MIN_MATCHES

SHIFTED_SHARE = 0.25
"""When another base of counting leaves less than this share of the wrong parts, it is the base."""


@dataclass(frozen=True, slots=True)
class StoredMatches:
    """The matches of one pair as a file holds them. limits: first and last row by part."""

    part: Int[np.ndarray, " N"]
    pixels: Int[np.ndarray, "N 4"]
    limits: Int[np.ndarray, "24 2"]

    @staticmethod
    def from_row(row: Mapping[str, object]) -> "StoredMatches":
        """Take the matches of a row of `pairs`."""
        return StoredMatches(
            part=np.asarray(row["part"], np.int64),
            pixels=np.asarray(row["pixels"], np.int64).reshape(-1, 4),
            limits=np.asarray(row["limits"], np.int64).reshape(PART_COUNT, 2),
        )


def check_matches(
    matches: StoredMatches,
    iuv_i: UInt8[np.ndarray, "H W 3"],
    iuv_j: UInt8[np.ndarray, "H W 3"],
    *,
    max_distance: float,
) -> Iterator[Breach]:
    """Check the matches of one pair against themselves and against both IUV images."""
    rows = len(matches.part)
    if not MIN_MATCHES <= rows <= MAX_ROWS:
        yield Breach("matches", f"{rows} rows", f"{MIN_MATCHES} to {MAX_ROWS} rows")
    yield from _check_parts(matches.part)
    yield from check_limits(matches.part, matches.limits)
    outside = (matches.pixels < 0) | (matches.pixels >= FRAME_SIDE_PX)
    if outside.any():
        worst = matches.pixels[outside]
        found = f"{int(outside.any(axis=1).sum())} rows from {worst.min()} to {worst.max()}"
        yield Breach("pixels", found, f"0 to {FRAME_SIDE_PX - 1}, counted from 0")
    elif rows:
        yield from _check_ends(matches, iuv_i, iuv_j, max_distance)


def check_limits(part: Int[np.ndarray, " N"], limits: Int[np.ndarray, "24 2"]) -> Iterator[Breach]:
    """Check that the ranges of all parts tile the rows, each holding its own part alone."""
    absent = (limits == NO_ROW).all(axis=1)
    ranges = [(int(a), int(b), p) for p, (a, b) in enumerate(limits, start=1) if not absent[p - 1]]
    begins = 0
    for first, last, number in sorted(ranges):
        if first != begins or last < first:
            found = f"part {number} in rows {first} to {last}"
            yield Breach("limits", found, f"ranges that tile the rows; the next begins at {begins}")
            return
        begins = last + 1
    if begins != len(part):
        yield Breach("limits", f"ranges of {begins} rows", f"of all {len(part)}")
        return
    for first, last, number in ranges:
        foreign = int((part[first : last + 1] != number).sum())
        if foreign:
            yield Breach("limits", f"{foreign} rows of other parts in the range of {number}",
                         "rows of that part alone")  # fmt: skip


def distances(
    pixels: Int[np.ndarray, "N 4"],
    iuv_i: UInt8[np.ndarray, "H W 3"],
    iuv_j: UInt8[np.ndarray, "H W 3"],
) -> Float[np.ndarray, " N"]:
    """Return how far apart the UV at both ends of each match are, in 0..255 units."""
    ends = (iuv_i[pixels[:, 0], pixels[:, 1], 1:], iuv_j[pixels[:, 2], pixels[:, 3], 1:])
    apart: Float[np.ndarray, " N"] = np.linalg.norm(
        ends[0].astype(np.float64) - ends[1].astype(np.float64), axis=1
    )
    return apart


def _check_parts(part: Int[np.ndarray, " N"]) -> Iterator[Breach]:
    wrong = part[(part < 1) | (part > PART_COUNT)]
    if wrong.size:
        yield Breach("part", f"{wrong[0]} in {wrong.size} rows", f"1 to {PART_COUNT}")
    falls = np.flatnonzero(np.diff(part.astype(np.int64)) < 0)
    if falls.size:
        row = int(falls[0]) + 1
        found = f"part {part[row]} after part {part[row - 1]} in row {row}"
        yield Breach("part", found, "the rows of a part together, parts ascending")


def _check_ends(
    matches: StoredMatches,
    iuv_i: UInt8[np.ndarray, "H W 3"],
    iuv_j: UInt8[np.ndarray, "H W 3"],
    max_distance: float,
) -> Iterator[Breach]:
    wrong = _count_wrong_parts(matches.part, matches.pixels, iuv_i, iuv_j)
    if wrong:
        base = _find_base(matches, iuv_i, iuv_j, wrong)
        yield Breach("part", f"{wrong} of {len(matches.part)} matches lie on other parts{base}",
                     "the part of the row at both ends")  # fmt: skip
    far = distances(matches.pixels, iuv_i, iuv_j)
    count = int((far >= max_distance).sum())
    if count:
        yield Breach("distance", f"{far.max():.2f}, {count} matches too far",
                     f"less than {max_distance:g} in UV units of 0..255")  # fmt: skip


def _count_wrong_parts(
    part: Int[np.ndarray, " N"],
    pixels: Int[np.ndarray, "N 4"],
    iuv_i: UInt8[np.ndarray, "H W 3"],
    iuv_j: UInt8[np.ndarray, "H W 3"],
) -> int:
    at_i = iuv_i[pixels[:, 0], pixels[:, 1], 0] != part
    at_j = iuv_j[pixels[:, 2], pixels[:, 3], 0] != part
    return int((at_i | at_j).sum())


def _find_base(
    matches: StoredMatches,
    iuv_i: UInt8[np.ndarray, "H W 3"],
    iuv_j: UInt8[np.ndarray, "H W 3"],
    wrong: int,
) -> str:
    """Say when the rows and columns would be right if they were counted from elsewhere."""
    for shift, hint in ((1, "one too small"), (-1, "one too large")):
        moved = np.clip(matches.pixels + shift, 0, FRAME_SIDE_PX - 1)
        if _count_wrong_parts(matches.part, moved, iuv_i, iuv_j) < SHIFTED_SHARE * wrong:
            return f"; rows and columns seem {hint}, counted from another base"
    return ""
