"""Ordered thread map: order, memory, exceptions."""

import threading
from collections.abc import Iterator

import pytest

from schemas.work import map_in_threads, map_units


def test_results_come_in_the_order_of_the_items() -> None:
    last_first = threading.Event()

    def wait_for_the_last(item: int) -> int:
        if item == 2:
            last_first.set()
        assert last_first.wait(5)
        return item * 10

    assert list(map_in_threads(wait_for_the_last, range(3), threads=3)) == [0, 10, 20]


@pytest.mark.parametrize(("ahead", "most"), [(None, 3), (4, 5), (0, 1)])
def test_no_more_items_are_drawn_than_may_wait(ahead: int | None, most: int) -> None:
    drawn: list[int] = []

    def draw() -> Iterator[int]:
        for item in range(20):
            drawn.append(item)
            yield item

    results = map_in_threads(str, draw(), threads=2, ahead=ahead)
    assert next(results) == "0"
    assert len(drawn) == most


def test_exception_is_raised_in_the_place_of_its_result() -> None:
    results = map_in_threads(lambda item: 6 // item, [1, 2, 0, 3], threads=2)
    assert [next(results), next(results)] == [6, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_what_has_not_begun_is_dropped_when_nobody_takes_results() -> None:
    done: list[int] = []
    results = map_in_threads(done.append, range(100), threads=1, ahead=50)
    next(results)
    results.close()
    assert len(done) <= 51


def test_units_are_mapped_in_order() -> None:
    assert map_units(str, [3, 1, 2], ["c", "a", "b"]) == ["3", "1", "2"]
