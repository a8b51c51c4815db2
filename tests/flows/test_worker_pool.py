"""The pool's policy: suspicion, one more try alone, giving up. No process dies here."""

from typing import NoReturn

import pytest

from flows.worker_pool import ResilientPool
from schemas.errors import InputError, MachineError, RequestError, ScanmillError
from tasks.worker_process import WorkInterrupted
from tests.flows.breaking_workers import BreakingWorkers, Letter, Word

DIED_TWICE = "its worker process died twice"
JOBS = [Letter(letter=one) for one in "abcd"]


def work(job: Letter) -> str:
    return f"{job.letter}{job.attempt}"


def give_up(job: Letter, error: ScanmillError) -> str:
    return f"{job.letter}{job.attempt} lost: {error.found}"


def run(workers: BreakingWorkers) -> list[str]:
    return ResilientPool(workers, give_up).run(JOBS, work, lambda _: None)


def test_jobs_come_out_in_their_order() -> None:
    assert run(BreakingWorkers()) == ["a1", "b1", "c1", "d1"]


def test_job_whose_worker_died_is_tried_once_more_and_alone() -> None:
    workers = BreakingWorkers(kills={"b": 1})
    assert run(workers) == ["a1", "b2", "c1", "d1"]
    assert workers.rounds == ["abcd", "b", "cd"]


def test_job_that_kills_two_workers_is_given_up_and_the_others_go_on() -> None:
    workers = BreakingWorkers(kills={"b": 9})
    assert run(workers) == ["a1", f"b2 lost: {DIED_TWICE}", "c1", "d1"]
    assert workers.rounds == ["abcd", "b", "cd"]


def test_innocent_suspect_lives() -> None:
    workers = BreakingWorkers(kills={"b": 2}, together=2)
    assert run(workers) == ["a2", f"b2 lost: {DIED_TWICE}", "c1", "d1"]
    assert workers.rounds == ["abcd", "a", "b", "cd"]


def test_every_killer_is_given_up_and_nothing_else() -> None:
    workers = BreakingWorkers(kills={"a": 9, "c": 9}, together=3)
    assert [one[2:] for one in run(workers)] == [
        f" lost: {DIED_TWICE}",
        "",
        f" lost: {DIED_TWICE}",
        "",
    ]


def test_no_job_is_tried_more_than_twice() -> None:
    workers = BreakingWorkers(kills=dict.fromkeys("abcd", 9), together=4)
    run(workers)
    assert workers.rounds == ["abcd", "a", "b", "c", "d"]


def test_workers_that_never_start_end_the_run() -> None:
    with pytest.raises(MachineError, match="died before they began any of 4 jobs"):
        run(BreakingWorkers(never_starts=True))


def test_each_end_is_told_once_as_it_comes() -> None:
    told: list[str] = []
    ResilientPool(BreakingWorkers(kills={"b": 9}), give_up).run(JOBS, work, told.append)
    assert [one[:2] for one in told] == ["a1", "b2", "c1", "d1"]


def test_job_that_raises_is_given_up_with_the_reason() -> None:
    def fail(job: Letter) -> str:
        return str(1 // (job.letter != "c")) if job.letter == "c" else work(job)

    outcomes = ResilientPool(BreakingWorkers(), give_up).run(JOBS, fail, lambda _: None)
    assert outcomes[2].startswith("c1 lost: ZeroDivisionError: ")


def test_error_of_a_job_is_given_up_as_it_is() -> None:
    error = InputError("scan.obj", found="no face", expected="faces", hint="Leave it out.")

    def fail(_job: Letter) -> NoReturn:
        raise error

    kept: list[ScanmillError] = []

    def keep(_job: Letter, why: ScanmillError) -> str:
        kept.append(why)
        return ""

    ResilientPool(BreakingWorkers(), keep).run(JOBS[:1], fail, lambda _: None)
    assert kept == [error]


def raise_request_error(_job: Letter) -> NoReturn:
    raise RequestError("--data", found="none", expected="one", hint="Give one.")


def raise_interrupted(_job: Letter) -> NoReturn:
    raise WorkInterrupted


@pytest.mark.parametrize(
    ("task", "error"),
    [(raise_request_error, RequestError), (raise_interrupted, KeyboardInterrupt)],
)
def test_wrong_request_or_interrupt_ends_the_run_and_closes_the_workers(
    task: object, error: type[BaseException]
) -> None:
    workers = BreakingWorkers()
    with pytest.raises(error):
        ResilientPool(workers, give_up).run(JOBS, task, lambda _: None)  # type: ignore[arg-type]
    assert workers.closed == 1


def test_failing_callback_closes_the_workers() -> None:
    workers = BreakingWorkers()
    with pytest.raises(ZeroDivisionError):
        ResilientPool(workers, give_up).run(JOBS, work, lambda _: 1 // 0)  # type: ignore[arg-type]
    assert workers.closed == 1


def test_job_that_took_too_long_is_given_up_at_once_and_says_why() -> None:
    workers = BreakingWorkers(kills={"b": 9}, at="b", hangs="b")
    found = "took more than 8 s (the last stage was read)"
    assert run(workers) == ["a1", f"b1 lost: it {found}", "c1", "d1"]
    assert workers.rounds == ["abcd", "cd"]


@pytest.mark.parametrize(("hangs", "rounds"), [("n", 2), ("", 3)])
def test_only_the_unit_at_fault_is_left_out(hangs: str, rounds: int) -> None:
    """One that hangs is not tried again, one that kills its worker once more."""
    workers = BreakingWorkers(kills={"anb": rounds - 1}, at="n", hangs=hangs)
    pool: ResilientPool[Word, str] = ResilientPool(workers, give_up)
    assert pool.run([Word(letter="anb")], lambda job: job.left_out, lambda _: None) == ["n"]
    assert workers.rounds == ["anb"] * rounds


def test_job_of_which_nothing_is_left_is_given_up() -> None:
    workers = BreakingWorkers(kills={"x": 9}, at="x")
    pool = ResilientPool(workers, give_up)
    assert pool.run([Word(letter="x")], work, lambda _: None) == [f"x2 lost: {DIED_TWICE}"]
