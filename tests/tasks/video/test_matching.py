import time
from collections.abc import Callable

import numpy as np
import pytest

from schemas.pairing import PairSettings
from tasks.video.matching import (
    Lattice,
    Matches,
    limits_of,
    list_body_pixels,
    match_frames,
    thin_evenly,
)
from tests.tasks.video.sequence_files import paint_iuv

EVERYTHING = PairSettings(min_part_matches=1)


def match(iuv_i: np.ndarray, iuv_j: np.ndarray, settings: PairSettings = EVERYTHING) -> Matches:
    lattice = Lattice(settings.max_distance)
    return match_frames(list_body_pixels(iuv_i), list_body_pixels(iuv_j), settings, lattice)


def random_iuv(seed: int, *, parts: int = 3, side: int = 40) -> np.ndarray:
    """Scatter few UV values over the whole range, so that ties and near misses are many."""
    rng = np.random.default_rng(seed)
    iuv = rng.integers(0, 256, (side, side, 3)).astype(np.uint8)
    iuv[..., 1:] = iuv[..., 1:] // 9 * 9 + rng.integers(0, 2, (side, side, 2))
    iuv[..., 0] %= parts + 1
    iuv[iuv[..., 0] == 0] = 0
    return iuv


def brute_force(iuv_i: np.ndarray, iuv_j: np.ndarray, limit: float) -> set[tuple[int, ...]]:
    """Compare every pixel with every pixel; of equally near ones the first in reading order."""
    rows = set()
    for part in range(1, 25):
        at_i, at_j = (np.argwhere(iuv[..., 0] == part) for iuv in (iuv_i, iuv_j))
        if not len(at_i) or not len(at_j):
            continue
        uv_i = iuv_i[at_i[:, 0], at_i[:, 1], 1:].astype(float)
        uv_j = iuv_j[at_j[:, 0], at_j[:, 1], 1:].astype(float)
        apart = np.sqrt(((uv_i[:, None] - uv_j[None]) ** 2).sum(axis=-1))
        nearest = apart.argmin(axis=1)
        near = apart.min(axis=1) < limit
        rows |= {
            (part, *map(int, start), *map(int, end))
            for start, end in zip(at_i[near], at_j[nearest[near]], strict=True)
        }
    return rows


def as_rows(matches: Matches) -> set[tuple[int, ...]]:
    columns = np.column_stack([matches.part, matches.pixels])
    return {tuple(map(int, row)) for row in columns}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("limit", [7.0, 3.5, 12.0])
def test_matches_are_those_of_comparing_everything(seed: int, limit: float) -> None:
    iuv_i, iuv_j = random_iuv(seed), random_iuv(seed + 100)
    settings = PairSettings(min_part_matches=1, max_distance=limit)
    assert as_rows(match(iuv_i, iuv_j, settings)) == brute_force(iuv_i, iuv_j, limit)


def test_no_pixel_is_matched_twice() -> None:
    found = match(random_iuv(1), random_iuv(2))
    assert len(np.unique(found.pixels[:, :2], axis=0)) == len(found.pixels)


def one_pixel(part: int, u: int, v: int, place: tuple[int, int] = (5, 6)) -> np.ndarray:
    iuv = np.zeros((16, 16, 3), np.uint8)
    iuv[place] = (part, u, v)
    return iuv


@pytest.mark.parametrize(
    ("du", "dv", "count"), [(0, 0, 1), (4, 5, 1), (6, 3, 1), (0, 7, 0), (7, 0, 0), (5, 5, 0)]
)
def test_a_match_is_nearer_than_seven(du: int, dv: int, count: int) -> None:
    found = match(one_pixel(2, 100, 100), one_pixel(2, 100 + du, 100 + dv))
    assert len(found.part) == count


@pytest.mark.parametrize(
    "other",
    [(3, 100, 100), (2, 100, 110), (1, 255, 255)],
    ids=["other part", "too far", "next part's last cell"],
)
def test_pixels_of_other_parts_or_far_away_never_match(other: tuple[int, int, int]) -> None:
    assert len(match(one_pixel(2, 100, 100), one_pixel(*other)).part) == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [((2, 0, 0), (1, 255, 255)), ((2, 10, 0), (2, 9, 255)), ((24, 255, 255), (24, 0, 0))],
)
def test_the_borders_of_the_uv_range_do_not_touch(
    first: tuple[int, int, int], second: tuple[int, int, int]
) -> None:
    assert len(match(one_pixel(*first), one_pixel(*second)).part) == 0


def test_of_equal_uv_the_lowest_row_then_column_wins() -> None:
    iuv_j = one_pixel(2, 100, 100, (9, 1))
    iuv_j[4, 7] = iuv_j[4, 3] = (2, 100, 100)
    assert match(one_pixel(2, 100, 100), iuv_j).pixels.tolist() == [[5, 6, 4, 3]]


def test_of_equally_far_uv_the_lowest_row_then_column_wins() -> None:
    iuv_j = one_pixel(2, 104, 103, (2, 9))
    iuv_j[2, 4], iuv_j[1, 14] = (2, 97, 104), (2, 105, 100)
    assert match(one_pixel(2, 100, 100), iuv_j).pixels.tolist() == [[5, 6, 1, 14]]


def test_a_shifted_image_matches_by_its_shift() -> None:
    found = match(paint_iuv(100, 90), paint_iuv(103, 95))
    assert np.unique(found.pixels[:, 2:] - found.pixels[:, :2], axis=0).tolist() == [[3, 5]]
    assert len(found.part) == 6 * 20 * 12


def test_parts_stand_together_and_ascend() -> None:
    assert (np.diff(match(random_iuv(1), random_iuv(2)).part.astype(int)) >= 0).all()


def test_limits_are_first_and_last_row_of_each_part() -> None:
    limits = limits_of(np.array([2, 2, 2, 5, 24, 24], np.uint8))
    assert limits[[0, 1, 4, 23]].tolist() == [[-1, -1], [0, 2], [3, 3], [4, 5]]


def test_a_part_with_too_few_matches_is_dropped_as_a_whole() -> None:
    iuv = paint_iuv()
    iuv[iuv[..., 0] == 24] *= (np.arange(240) < 9)[:, None]
    found = match(iuv, paint_iuv(), PairSettings(min_part_matches=10))
    assert set(found.part.tolist()) == {1, 2, 3, 15, 16}
    assert found.found[23] == 9


def test_more_rows_than_wanted_are_thinned_to_that_count_in_every_part() -> None:
    found = match(paint_iuv(), paint_iuv(), PairSettings(max_rows=600))
    assert np.unique(found.part, return_counts=True)[1].tolist() == [100] * 6


def test_thinning_keeps_the_order_and_spreads_over_the_whole_part() -> None:
    kept = thin_evenly(np.repeat([3, 7], [100, 50]).astype(np.uint8), 30)
    assert kept.tolist() == [*range(0, 100, 5), *range(100, 150, 5)]


def test_thinning_leaves_even_the_smallest_part_a_row() -> None:
    part = np.repeat([1, 2], [5000, 1]).astype(np.uint8)
    kept = part[thin_evenly(part, 50)]
    assert np.bincount(kept).tolist() == [0, 49, 1]


def test_what_fits_is_not_thinned() -> None:
    assert thin_evenly(np.ones(30, np.uint8), 30).tolist() == list(range(30))


def test_the_mutual_check_drops_what_is_nearest_one_way_only() -> None:
    iuv_i = one_pixel(2, 100, 100, (5, 6))
    iuv_i[8, 8] = (2, 103, 100)
    iuv_j = one_pixel(2, 101, 100, (1, 2))
    settings = PairSettings(min_part_matches=1, mutual=True)
    assert match(iuv_i, iuv_j, settings).pixels.tolist() == [[5, 6, 1, 2]]


@pytest.mark.parametrize(("tolerance", "count"), [(3.0, 1), (3.7, 2)])
def test_the_left_right_check_wants_the_way_back_to_end_near_the_start(
    tolerance: float, count: int
) -> None:
    iuv_i = one_pixel(2, 100, 100, (5, 6))
    iuv_i[8, 8] = (2, 103, 100)  # comes home 3 rows and 2 columns away: 3.61 pixels
    settings = PairSettings(min_part_matches=1, left_right_px=tolerance)
    assert len(match(iuv_i, one_pixel(2, 101, 100, (1, 2)), settings).part) == count


def test_a_lattice_forgets_the_frame_before() -> None:
    lattice = Lattice(7.0)
    body = list_body_pixels(one_pixel(2, 100, 100))
    match_frames(body, body, EVERYTHING, lattice)
    empty = list_body_pixels(one_pixel(3, 100, 100))
    assert len(match_frames(body, empty, EVERYTHING, lattice).part) == 0


def test_frames_of_other_sizes_keep_their_own_rows_and_columns() -> None:
    found = match(paint_iuv(side=256), paint_iuv(30, 40, side=128))
    assert found.pixels[0].tolist() == [100, 90, 30, 40]


def test_a_frame_without_a_person_has_no_matches() -> None:
    nobody = np.zeros((32, 32, 3), np.uint8)
    assert len(match(nobody, paint_iuv()).part) == len(match(paint_iuv(), nobody).part) == 0


def time_best(work: Callable[[], object], runs: int) -> float:
    """Return the shortest of several runs, in milliseconds."""
    spent = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return 1000 * min(spent)


def paint_large(shift: int) -> np.ndarray:
    """Paint 12,000 body pixels: six parts of 100 rows by 20 columns, their UV off by a shift."""
    iuv = np.zeros((256, 256, 3), np.uint8)
    for place, part in enumerate((1, 2, 3, 15, 16, 24)):
        box = iuv[50:150, 40 + 20 * place : 60 + 20 * place]
        box[..., 0] = part
        box[..., 1] = shift + 12 * np.arange(20)[None, :]
        box[..., 2] = shift + 2 * np.arange(100)[:, None]
    return iuv


def test_a_pair_takes_a_twentieth_of_comparing_everything_and_at_most_20_ms() -> None:
    iuv_i, iuv_j = paint_large(10), paint_large(13)
    bodies, lattice = [list_body_pixels(iuv) for iuv in (iuv_i, iuv_j)], Lattice(7.0)
    ours = time_best(lambda: match_frames(bodies[0], bodies[1], EVERYTHING, lattice), 5)
    plain = time_best(lambda: brute_force(iuv_i, iuv_j, 7.0), 1)
    assert ours < 20
    assert plain > 20 * ours
