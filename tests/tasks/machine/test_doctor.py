"""The doctor tells what works, what does not and how to fix it."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from renderers.egl import GLInfo
from schemas.errors import MachineError, RequestError
from tasks.machine import doctor
from tasks.machine.device_probe import refuse_resolution, start_probe

ROOT = Path(__file__).resolve().parents[3]
SMALL_DEVICE = GLInfo(
    device=0, vendor="v", renderer="tiny", version="3.3", is_software=True,
    max_texture=4096, max_renderbuffer=2048, max_viewport=8192, max_texture_buffer=65536,
)  # fmt: skip


def _one(version: str | None, bounds: str) -> doctor.Finding:
    return doctor.examine_libraries({"lib": bounds}, installed=lambda _: version)[0]


def test_library_within_bounds_works() -> None:
    assert _one("0.150.3", "<0.151").state == "works"


def test_library_out_of_bounds_is_broken_and_says_how_to_fix() -> None:
    finding = _one("0.152", "<0.151")
    assert finding.hurts
    assert "0.152" in finding.detail
    assert finding.fix == "pip install 'lib<0.151'"


def test_absent_library_hurts() -> None:
    finding = _one(None, "<0.151")
    assert finding.state == "absent"
    assert finding.hurts


def test_local_build_of_the_wanted_version_works() -> None:
    assert _one("2.13.0+cu130", "==2.13.0").state == "works"


def test_absent_extra_does_not_hurt() -> None:
    finding = doctor.examine_extras({"duckdb": "SQL"}, installed=lambda _: None)[0]
    assert finding.state == "absent"
    assert not finding.hurts


@pytest.mark.parametrize("name", sorted(doctor.LIBRARIES))
def test_bounds_are_those_of_the_project(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {
        requirement.name.lower(): requirement.specifier
        for requirement in map(Requirement, project["dependencies"])
    }
    assert SpecifierSet(doctor.LIBRARIES[name]) == declared[name]


def test_devices_of_this_machine_draw() -> None:
    summary = doctor.examine_devices()[0]
    assert summary.state == "works"


def test_probe_of_a_device_that_is_not_there_names_it() -> None:
    with pytest.raises(MachineError, match="EGL device 63"):
        start_probe(63).finish()


def test_probe_that_dies_is_a_finding_and_not_the_end() -> None:
    probe = start_probe()
    probe.process.kill()
    with pytest.raises(MachineError, match="exit code -9"):
        probe.finish()


def test_resolution_beyond_the_device_is_refused_with_its_limit() -> None:
    with pytest.raises(RequestError, match="at most 2048 pixels"):
        refuse_resolution(2056, SMALL_DEVICE)


def test_resolution_at_the_limit_is_accepted() -> None:
    refuse_resolution(2048, SMALL_DEVICE)


def test_full_disk_hurts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "MIN_FREE_DISK_GIB", 10**9)
    assert doctor.examine_disk(tmp_path / "not" / "yet" / "there")[0].hurts


def test_server_that_does_not_answer_hurts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    finding = doctor.examine_server()[0]
    assert finding.hurts
    assert "http://127.0.0.1:9/api" in finding.detail


def test_no_gpu_is_absent_and_does_not_hurt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    gpu = doctor.examine_gpu()[0]
    assert gpu.state == "absent"
    assert not gpu.hurts


def test_report_with_one_hurting_finding_is_not_healthy() -> None:
    broken = doctor.Finding(topic="t", name="n", state="broken", needed=True, detail="d")
    assert not doctor.DoctorReport(findings=(broken,)).healthy


def test_doctor_imports_neither_prefect_nor_torch() -> None:
    code = "import sys, json, tasks.machine.doctor; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"prefect", "torch"} & set(json.loads(answer.stdout))
