"""Spans: what is theirs, what is an inner span's, and other threads."""

import sys
import threading
from pathlib import Path
from time import perf_counter, sleep, thread_time

import pytest

from schemas.profiling import DRIVER, is_profiled, profiling, span


def compute(seconds: float) -> None:
    end = thread_time() + seconds
    while thread_time() < end:
        pass


def test_a_span_waits_and_computes() -> None:
    with profiling() as profile:
        with span("wait"):
            sleep(0.05)
        with span("compute"):
            compute(0.05)
    assert profile.spent["wait"].wall >= 0.05
    assert profile.spent["wait"].cpu < 0.02
    assert profile.spent["compute"].cpu == pytest.approx(0.05, abs=0.01)
    assert profile.wall >= profile.spent["wait"].wall + profile.spent["compute"].wall
    assert profile.cpu >= 0.05


def test_an_inner_span_is_taken_off_the_outer_one() -> None:
    with profiling() as profile, span("outer"):
        compute(0.02)
        for _ in range(2):
            with span("inner"):
                compute(0.03)
    assert profile.spent["inner"].count == 2
    assert profile.spent["inner"].cpu == pytest.approx(0.06, abs=0.01)
    assert profile.spent["outer"].cpu == pytest.approx(0.02, abs=0.01)


def test_a_thread_has_spans_of_its_own() -> None:
    def work() -> None:
        with span("behind"):
            compute(0.03)

    with profiling() as profile, span("in front"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert profile.spent["behind"].cpu == pytest.approx(0.03, abs=0.01)
    assert profile.spent["in front"].cpu < 0.02
    assert profile.spent["in front"].behind == 0
    assert profile.spent["behind"].behind == profile.spent["behind"].wall > 0


@pytest.mark.skipif(sys.platform != "linux", reason="by the kernel's account of threads")
def test_the_driver_s_threads_count_for_what_waits_for_them() -> None:
    asked, drawn = threading.Semaphore(0), threading.Semaphore(0)

    def draw() -> None:
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text("llvmpipe-0")
        for seconds in (0.03, 0.06):
            asked.acquire()
            compute(seconds)
            drawn.release()
        asked.acquire()  # the kernel forgets a thread that has ended

    thread = threading.Thread(target=draw)
    thread.start()
    with profiling() as profile:
        with span("draw", drives=True):
            asked.release()
            drawn.acquire()
        with span("compute"):
            asked.release()
            drawn.acquire()
    asked.release()
    thread.join()
    assert profile.spent["draw"].cpu == pytest.approx(0.03, abs=0.015)
    assert profile.spent["compute"].cpu < 0.02
    assert profile.spent[DRIVER].cpu == pytest.approx(0.06, abs=0.015)


def test_a_span_that_fails_is_counted_and_closed() -> None:
    with profiling() as profile, span("outer"):
        with pytest.raises(ValueError, match="no"), span("inner"):
            raise ValueError("no")
        compute(0.02)
    assert profile.spent["inner"].count == 1
    assert profile.spent["outer"].cpu == pytest.approx(0.02, abs=0.01)


def test_nothing_is_counted_while_nobody_profiles() -> None:
    with span("before"):
        assert not is_profiled()
    with profiling() as profile:
        assert is_profiled()
    with span("after"):
        pass
    assert profile.spent == {}


def test_a_span_costs_little_while_nobody_profiles() -> None:
    began = perf_counter()
    for _ in range(1000):
        with span("nothing"):
            pass
    assert perf_counter() - began < 0.1  # 100 us each: a hundred times what it takes
