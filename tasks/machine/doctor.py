"""Look at the machine: what works, what does not, and how to fix it.

Imports neither Prefect nor torch: versions are read from the installed metadata, devices are
opened in processes of their own.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Literal

import psutil
from packaging.specifiers import SpecifierSet
from pydantic import BaseModel, ConfigDict

from renderers.egl_devices import EglDevice, list_devices
from renderers.egl_library import EglLibrary
from schemas.errors import ScanmillError
from tasks.machine.device_probe import Probe, start_probe

State = Literal["works", "absent", "broken"]
GIB = 1 << 30

MIN_FREE_DISK_GIB = 5
"""A scan of seven views at 2048 pixels takes about 0.15 GiB."""

MIN_MEMORY_GIB = 2
"""What one worker may need: a large mesh, its 8k texture with mipmaps, and its images."""

MIN_PYTHON = ">=3.11"
ANSWER_TIMEOUT_S = 5.0

LIBRARIES: dict[str, str] = {
    "prefect": "~=3.8.8",
    "fastapi": "<0.151",
    "sqlalchemy": "<2.1",
    "torch": "==2.13.0",
    "numpy": ">=2.3,<3",
    "pyarrow": ">=26,<27",
    "openexr": ">=3.5.3,<3.6",
    "opencv-python": ">=5,<6",
    "pyopengl": "==3.1.10",
    "pyrender2": "==0.2.2",
    "pydantic": ">=2.14,<3",
    "typer": ">=0.29,<0.30",
}
"""The libraries that decide whether work runs; bounds as in pyproject.toml, which says why."""

EXTRAS: dict[str, str] = {
    "datasets": "reading a data set with Hugging Face load_dataset",
    "pandas": "reading a data set with pandas.read_parquet",
    "duckdb": "asking a data set questions in SQL",
    "embreex": "checking the renderer against ray casting",
    "prefect-dask": "--runner dask: work on a Dask cluster",
    "prefect-ray": "--runner ray: work on a Ray cluster",
    "s3fs": "training from data sets at s3:// addresses",
}


class Finding(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: str
    name: str
    state: State
    needed: bool
    detail: str
    fix: str = ""

    @property
    def hurts(self) -> bool:
        """Return whether something that is needed does not work."""
        return self.needed and self.state != "works"


class DoctorReport(BaseModel):
    """Everything that was looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Return whether all that is needed works."""
        return not any(finding.hurts for finding in self.findings)


def examine_machine(folder: Path) -> DoctorReport:
    """Look at everything; folder: where the disk matters, usually that of the data sets."""
    checks: tuple[Callable[[], Iterable[Finding]], ...] = (
        examine_python,
        examine_libraries,
        examine_devices,
        examine_gpu,
        lambda: examine_disk(folder),
        examine_memory,
        examine_server,
        examine_extras,
    )
    return DoctorReport(findings=tuple(finding for check in checks for finding in check()))


def examine_python() -> tuple[Finding, ...]:
    """Compare the interpreter with what the code was written for."""
    version = ".".join(map(str, sys.version_info[:3]))
    fits = version in SpecifierSet(MIN_PYTHON)
    fix = "" if fits else f"Install Python {MIN_PYTHON} and run `make setup` again."
    return (_needed("python", "Python", fits=fits, detail=version, fix=fix),)


def examine_libraries(
    expected: dict[str, str] = LIBRARIES, installed: Callable[[str], str | None] | None = None
) -> tuple[Finding, ...]:
    """Compare installed versions with the bounds; installed: version of a name, None if absent."""
    version_of = installed or _installed_version
    return tuple(_library(name, bounds, version_of(name)) for name, bounds in expected.items())


def examine_devices() -> tuple[Finding, ...]:
    """Open every EGL device, each in a process of its own; one that works is needed."""
    try:
        devices = list_devices(EglLibrary.load())
    except ScanmillError as error:
        return (_needed("EGL", "devices", fits=False, detail=error.found, fix=error.hint),)
    probes = [(device, start_probe(device.index)) for device in devices]
    found = tuple(_device(device, probe) for device, probe in probes)
    working = [finding for finding in found if finding.state == "works"]
    summary = _needed(
        "EGL", "devices", fits=bool(working), detail=f"{len(working)} of {len(found)} work",
        fix="" if working else "Install libegl1 libgl1 libegl-mesa0 libgl1-mesa-dri "
        "(software), or the GPU's driver with its graphics part.",
    )  # fmt: skip
    return (summary, *found)


def examine_gpu() -> tuple[Finding, ...]:
    """Ask nvidia-smi for GPUs and look whether the installed torch was built for CUDA."""
    fields = "name,memory.total,driver_version"
    try:
        answer = subprocess.run(
            ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"],
            capture_output=True, text=True, timeout=ANSWER_TIMEOUT_S, check=True,
        )  # fmt: skip
    except FileNotFoundError:
        gpu = _optional("GPU", "NVIDIA", "absent", "no nvidia-smi: drawing and training on the CPU")
    except (subprocess.SubprocessError, OSError) as error:
        gpu = _optional("GPU", "NVIDIA", "broken", str(error), "Reinstall the NVIDIA driver.")
    else:
        gpu = _optional("GPU", "NVIDIA", "works", "; ".join(answer.stdout.strip().splitlines()))
    return gpu, _cuda(gpu.state)


def examine_disk(folder: Path) -> tuple[Finding, ...]:
    """Measure free space where data will be written, and whether temporary files can be written."""
    stands = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(stands).free / GIB
    space = _needed(
        "disk", str(stands), fits=free >= MIN_FREE_DISK_GIB, detail=f"{free:.1f} GiB free",
        fix=f"Free at least {MIN_FREE_DISK_GIB} GiB, or write to another disk.",
    )  # fmt: skip
    try:
        with tempfile.NamedTemporaryFile() as file:
            temporary = _needed("disk", "temporary files", fits=True, detail=file.name, fix="")
    except OSError as error:
        temporary = _needed(
            "disk", "temporary files", fits=False, detail=str(error),
            fix="Set TMPDIR to a folder that can be written.",
        )  # fmt: skip
    return space, temporary


def examine_memory() -> tuple[Finding, ...]:
    """Measure the memory that is free now, and say how many workers fit in it."""
    memory, cores = psutil.virtual_memory(), os.cpu_count() or 1
    free = memory.available / GIB
    workers = max(1, min(cores, int(free / MIN_MEMORY_GIB)))
    detail = f"{free:.1f} of {memory.total / GIB:.1f} GiB free, {cores} cores: {workers} workers"
    fix = f"Free memory: a worker may need {MIN_MEMORY_GIB} GiB."
    fits = free >= MIN_MEMORY_GIB
    return (_needed("memory", "memory", fits=fits, detail=detail, fix=fix),)


def examine_server() -> tuple[Finding, ...]:
    """Ask the Prefect server of PREFECT_API_URL, when one is set, whether it is well."""
    url = os.environ.get("PREFECT_API_URL", "")
    if not url:
        detail = "PREFECT_API_URL is not set: each run starts a server of its own"
        return (_optional("Prefect", "server", "absent", detail),)
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=ANSWER_TIMEOUT_S) as answer:  # noqa: S310 - the user's own address
            answer.read()
    except (OSError, ValueError, urllib.error.URLError) as error:
        fix = "Start it with `prefect server start`, or unset PREFECT_API_URL."
        return (_needed("Prefect", "server", fits=False, detail=f"{url}: {error}", fix=fix),)
    return (_optional("Prefect", "server", "works", url),)


def examine_extras(
    extras: dict[str, str] = EXTRAS, installed: Callable[[str], str | None] | None = None
) -> tuple[Finding, ...]:
    """Look for what is useful and not needed; installed: version of a name, None if absent."""
    version_of = installed or _installed_version
    return tuple(_extra(name, purpose, version_of(name)) for name, purpose in extras.items())


def _library(name: str, bounds: str, version: str | None) -> Finding:
    if version is None:
        return Finding(
            topic="library", name=name, state="absent", needed=True,
            detail=f"not installed; expected {bounds}", fix=f"pip install '{name}{bounds}'",
        )  # fmt: skip
    fits = SpecifierSet(bounds).contains(version, prereleases=True)
    detail = version if fits else f"{version}; expected {bounds}"
    fix = "" if fits else f"pip install '{name}{bounds}'"
    return _needed("library", name, fits=fits, detail=detail, fix=fix)


def _extra(name: str, purpose: str, version: str | None) -> Finding:
    if version is None:
        return _optional("extra", name, "absent", f"for {purpose}", f"pip install {name}")
    return _optional("extra", name, "works", f"{version}, for {purpose}")


def _device(device: EglDevice, probe: Probe) -> Finding:
    name = f"{device.index}: {device.name}"
    try:
        info = probe.finish()
    except ScanmillError as error:
        fix = "Give this process access to the device, or leave it: another one works."
        return _optional("EGL", name, "broken", error.found, fix)
    limit = min(info.max_texture, info.max_renderbuffer, info.max_viewport)
    kind = "software" if info.is_software else "hardware"
    detail = f"{info.renderer} ({kind}), up to {limit} pixels a side"
    return _optional("EGL", name, "works", detail)


def _cuda(gpu: State) -> Finding:
    version = _installed_version("torch")
    if version is None:
        return _optional("GPU", "CUDA in torch", "absent", "torch is not installed")
    built = "+cpu" not in version
    if built == (gpu == "works"):
        return _optional("GPU", "CUDA in torch", "works" if built else "absent", f"torch {version}")
    found = "no GPU for it" if built else "this build of torch cannot use the GPU"
    fix = "" if built else "Install the CUDA build of the same torch version."
    return _optional("GPU", "CUDA in torch", "absent", f"torch {version}: {found}", fix)


def _needed(topic: str, name: str, *, fits: bool, detail: str, fix: str) -> Finding:
    state: State = "works" if fits else "broken"
    kept = "" if fits else fix
    return Finding(topic=topic, name=name, state=state, needed=True, detail=detail, fix=kept)


def _optional(topic: str, name: str, state: State, detail: str, fix: str = "") -> Finding:
    return Finding(topic=topic, name=name, state=state, needed=False, detail=detail, fix=fix)


def _installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
