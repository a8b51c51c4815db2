"""Programs that the flows start: their lines, their refusals, their end."""

import json
import sys
from pathlib import Path

import pytest

from flows.launching import read_losses, run_program, sum_up_training
from schemas.errors import MachineError, RequestError


def _python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def _write_losses(out: Path, losses: list[float]) -> None:
    out.mkdir(exist_ok=True)
    lines = [json.dumps({"step": step, "loss": loss}) for step, loss in enumerate(losses, start=1)]
    (out / "metrics.jsonl").write_text("\n".join([*lines, json.dumps({"validation": 1})]) + "\n")


def test_lines_of_a_program_are_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    run_program(_python("print('step 1/2'); print('step 2/2')"))
    assert capsys.readouterr().err.splitlines() == ["step 1/2", "step 2/2"]


def test_refusal_of_a_program_is_a_wrong_request() -> None:
    code = "import sys; print('error: no stage x'); sys.exit(2)"
    with pytest.raises(RequestError, match="no stage x"):
        run_program(_python(code), quiet=True)


def test_failure_of_a_program_tells_its_last_lines() -> None:
    with pytest.raises(MachineError, match=r"exit code 1 .*it broke"):
        run_program(_python("raise SystemExit('it broke')"), quiet=True)


def test_cores_are_shared_among_the_ranks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    run_program(_python("import os; print(os.environ['OMP_NUM_THREADS'])"), threads=2)
    assert capsys.readouterr().err.strip() == "4"


def test_summary_compares_the_first_tenth_with_the_last(tmp_path: Path) -> None:
    _write_losses(tmp_path, [10.0, 8.0, *[5.0] * 16, 2.0, 1.0])
    summary = sum_up_training(tmp_path, seconds=1.0)
    assert (summary.steps, summary.first_loss, summary.last_loss) == (20, 9.0, 1.5)


def test_training_without_a_step_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="no step"):
        sum_up_training(tmp_path, seconds=1.0)


def test_no_run_has_no_losses(tmp_path: Path) -> None:
    assert read_losses(tmp_path / "none") == []
