import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np
import pytest

from schemas.errors import RequestError, kind_of
from schemas.size_limits import GIB
from tasks.machine import memory_limit
from tasks.machine.memory_limit import (
    LIMIT_VARIABLE,
    explain_memory,
    limit_memory,
    memory_budget,
)


def _take_numpy(limit: int) -> str:
    """Take more than a limit, then little, in a process of its own."""
    limit_memory(limit)
    try:
        np.ones(2 * limit, np.uint8)
    except MemoryError as error:
        return f"{kind_of(error)}, then {np.ones(1 << 20, np.uint8).sum()}"
    return "no error"


def _take_opencv(limit: int) -> str:
    limit_memory(limit)
    try:
        cv2.resize(np.zeros((8, 8, 3), np.uint8), (20_000, 20_000))
    except cv2.error as error:
        return kind_of(error)
    return "no error"


@pytest.mark.parametrize(
    ("take", "met"), [(_take_numpy, "environment, then 1048576"), (_take_opencv, "environment")]
)
def test_what_is_beyond_the_limit_fails_cleanly_and_the_process_goes_on(
    take: object, met: str
) -> None:
    assert callable(take)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        assert pool.submit(take, GIB).result() == met


@pytest.mark.parametrize(("text", "budget"), [("8", 8 * GIB), ("0.5", GIB // 2), ("0", 0)])
def test_the_setting_decides(monkeypatch: pytest.MonkeyPatch, text: str, budget: int) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, text)
    assert memory_budget(4) == budget


@pytest.mark.parametrize("text", ["lots", "-1", "nan", "1e300"])
def test_a_setting_that_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, text)
    with pytest.raises(RequestError, match="GiB for one worker"):
        memory_budget(4)


@pytest.mark.parametrize(("total", "workers", "share"), [(64, 8, 8), (16, 8, 4), (2, 1, 2)])
def test_without_it_each_worker_has_its_share(
    monkeypatch: pytest.MonkeyPatch, total: int, workers: int, share: int
) -> None:
    monkeypatch.delenv(LIMIT_VARIABLE, raising=False)
    monkeypatch.setattr(memory_limit, "usable_memory", lambda: total * GIB)
    assert memory_budget(workers) == share * GIB


def test_memory_error_says_the_limit_and_the_way_on() -> None:
    said = str(explain_memory(MemoryError()))
    assert "--worker-memory-gib" in said
    assert said.startswith("the memory of a worker: no room")


def test_other_errors_are_not_explained_away() -> None:
    error = ValueError("x")
    assert explain_memory(error) is error


@pytest.mark.parametrize(("asked", "budget"), [(2.0, 2 * GIB), (0.0, 0)])
def test_the_option_wins_over_the_variable(
    monkeypatch: pytest.MonkeyPatch, asked: float, budget: int
) -> None:
    monkeypatch.setenv(LIMIT_VARIABLE, "8")
    assert memory_budget(4, asked) == budget
