"""Programs that are started: their lines, their refusals, their end, their second try."""

import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import MachineError, RequestError
from schemas.train_request import TrainRequest
from tasks.launching import training_launch
from tasks.launching.programs import run_program
from tasks.launching.training_launch import (
    TrainingError,
    ask_status,
    launch_command,
    launch_environment,
    run_training,
)

DIES_ONCE = """
import os, pathlib, signal, sys
mark = pathlib.Path(sys.argv[1])
if not mark.exists():
    mark.write_text('')
    os.kill(os.getpid(), signal.SIGKILL)
print('step 1/1 loss 0.5')
"""


def _python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def request(**given: object) -> TrainRequest:
    return TrainRequest.model_validate(
        {"stage": "2k2k-normal", "data": ("set",), "out": "runs/n"} | given
    )


@pytest.fixture
def lines() -> list[str]:
    return []


def program_is(patch: pytest.MonkeyPatch, code: str, *arguments: object) -> None:
    """Let a small program stand where torchrun would."""
    patch.setattr(training_launch, "launch_command", lambda _: _python(code, *arguments))


def test_lines_of_a_program_are_passed_on(lines: list[str]) -> None:
    run_program(_python("print('step 1/2'); print('step 2/2')"), on_line=lines.append)
    assert lines == ["step 1/2", "step 2/2"]


def test_program_knows_with_whom_it_ends() -> None:
    code = "import os; raise SystemExit(int(os.environ['SCANMILL_PARENT']) != os.getppid())"
    assert run_program(_python(code)).code == 0


def test_last_lines_of_a_program_are_kept() -> None:
    ended = run_program(_python("raise SystemExit('it broke')"))
    assert (ended.code, ended.message) == (1, "it broke")


def test_cause_of_an_end_is_the_first_exception() -> None:
    code = "raise SystemExit('[rank1]: MemoryError: 9 GB\\n[rank0]: RuntimeError: closed\\nbye')"
    assert run_program(_python(code)).message == "[rank1]: MemoryError: 9 GB; bye"


def test_a_program_that_says_its_final_word_is_stopped_at_once() -> None:
    code = "import time; print('error: no way', flush=True); time.sleep(300)"
    assert run_program(_python(code), stop_at_final=True).final == "no way"


def test_a_program_is_stopped_when_its_log_can_not_be_told() -> None:
    def refuse(_line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_program(_python("import time; print(1, flush=True); time.sleep(300)"), on_line=refuse)


def test_refusal_of_the_training_program_is_a_wrong_request(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="nothing: no such folder"):
        ask_status(request(data=(str(tmp_path / "nothing"),), out=str(tmp_path / "out")))


def test_a_training_whose_process_died_is_started_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lines: list[str]
) -> None:
    program_is(monkeypatch, DIES_ONCE, tmp_path / "mark")
    assert run_training(request(), lines.append) == 1
    assert "killed by signal 9" in lines[0]
    assert lines[1] == "step 1/1 loss 0.5"


def test_no_restart_means_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lines: list[str]
) -> None:
    program_is(monkeypatch, DIES_ONCE, tmp_path / "mark")
    with pytest.raises(MachineError, match="runs/n: killed by signal 9"):
        run_training(request(max_restarts=0), lines.append)


def test_a_training_that_would_fail_again_is_not_started_again(
    monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    program_is(monkeypatch, "import sys; print('error: step 3: loss nan'); sys.exit(1)")
    with pytest.raises(TrainingError, match="loss nan"):
        run_training(request(), lines.append)
    assert lines == ["error: step 3: loss nan"]


def test_one_node_restarts_here_and_not_in_torchrun() -> None:
    command = launch_command(request(nproc=2))
    assert "--standalone" in command
    assert not any("max-restarts" in word for word in command)


def test_nodes_meet_at_the_place_given_and_restart_together() -> None:
    command = launch_command(request(nnodes=2, node_rank=1, rdzv="node0:29400", max_restarts=4))
    assert {
        "--nnodes=2", "--node-rank=1", "--rdzv-backend=c10d", "--rdzv-endpoint=node0:29400",
        "--rdzv-id=2k2k-normal-n", "--max-restarts=4", "--nproc-per-node=1",
    } <= set(command)  # fmt: skip


def test_each_attempt_across_nodes_has_a_store_of_its_own() -> None:
    across = launch_environment(request(nnodes=2, rdzv="a:1"))
    assert across["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] == "1"


def test_cores_are_shared_among_the_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)))
    assert launch_environment(request(nproc=2))["OMP_NUM_THREADS"] == "4"


def test_threads_that_wait_leave_the_cores_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    assert launch_environment(request())["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert launch_environment(request())["OMP_WAIT_POLICY"] == "ACTIVE"


def test_fresh_memory_comes_in_huge_pages() -> None:
    offered = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not offered.exists() or "[madvise]" not in offered.read_text():
        pytest.skip("this machine gives no huge pages to those that ask")
    code = """
import resource, torch
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.ones(1 << 24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    environment = launch_environment(request())
    faults = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert int(faults) < (64 << 20) / 4096 / 4
