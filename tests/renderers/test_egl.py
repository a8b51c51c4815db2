"""Which device is chosen, how contexts are opened and closed, and what is refused.

Contexts are opened in processes of their own: this one's is shared with other tests.
"""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from renderers.egl import GLContext, list_devices
from renderers.egl_devices import EglDevice, candidates
from schemas.errors import MachineError

SOFTWARE = EglDevice(0, "Mesa software", "Mesa", True, None, None, 1)
UUID = "GPU-01234567-89ab-cdef-0123-456789abcdef"
FIRST = EglDevice(1, "NVIDIA A", "NVIDIA", False, 1, UUID, 2)
SECOND = replace(FIRST, index=2, name="NVIDIA B", cuda_index=0, uuid=UUID.replace("0", "f"))
CARD = EglDevice(3, "/dev/dri/card0", "Mesa", False, None, None, 4)
OFFERED = (SOFTWARE, FIRST, SECOND)


def run(program: str, **variables: str) -> subprocess.CompletedProcess[str]:
    prelude = "import os\nfrom renderers.egl import GLContext\n"
    return subprocess.run(
        [sys.executable, "-c", prelude + program],
        env=os.environ | {"PYTHONPATH": str(Path.cwd())} | variables,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "visible", "expected"),
    [
        (None, None, (FIRST, SECOND, SOFTWARE)),
        (0, None, (SOFTWARE,)),
        (2, "1", (SECOND,)),
        (None, "0", (SECOND,)),
        (None, "1,0", (FIRST,)),
        (None, "", (SOFTWARE, FIRST, SECOND)),
        (None, "-1", (SOFTWARE, FIRST, SECOND)),
        (None, UUID, (FIRST,)),
        (None, "GPU-0123", (FIRST,)),
    ],
)
def test_the_device_follows_the_index_or_the_visible_gpu(
    asked: int | None, visible: str | None, expected: tuple[EglDevice, ...]
) -> None:
    assert candidates(OFFERED, asked, visible) == expected


def test_without_cuda_numbers_the_visible_gpu_says_nothing() -> None:
    assert candidates((SOFTWARE, CARD), None, "0") == (CARD, SOFTWARE)


def test_a_visible_gpu_that_egl_does_not_offer_is_refused_with_the_offer() -> None:
    with pytest.raises(
        MachineError, match=r"CUDA_VISIBLE_DEVICES=7.*1: NVIDIA A \(hardware, CUDA 1"
    ):
        candidates(OFFERED, None, "7")


def test_an_index_that_egl_does_not_offer_is_refused_with_the_offer() -> None:
    with pytest.raises(MachineError, match=r"EGL device 9.*0: Mesa software \(software\)"):
        candidates(OFFERED, 9, None)


def test_no_device_at_all_is_refused() -> None:
    with pytest.raises(MachineError, match=r"no device at all.*libegl-mesa0"):
        candidates((), None, None)


def test_listing_devices_names_at_least_one() -> None:
    devices = list_devices()
    assert [device.index for device in devices] == list(range(len(devices)))
    assert all(device.name for device in devices)


def test_the_context_tells_what_the_device_holds(context: GLContext) -> None:
    assert context.info.max_texture >= 4096
    assert context.info.max_texture_buffer >= 65536  # the least that OpenGL 3.3 allows
    assert context.info.renderer


def test_a_second_context_in_one_process_is_refused(context: GLContext) -> None:
    context.check()
    with pytest.raises(MachineError, match="already open in this process"):
        GLContext.open()


def test_contexts_open_one_after_the_other() -> None:
    result = run("for _ in range(3):\n  with GLContext.open() as c: print(c.info.renderer)")
    assert len(result.stdout.splitlines()) == 3, result.stderr


def test_a_closed_context_is_refused_and_may_be_closed_again() -> None:
    result = run("c = GLContext.open()\nc.close()\nc.close()\nc.check()")
    assert "The GL context: is closed" in result.stderr


def test_another_thread_is_refused() -> None:
    program = (
        "import threading\nc = GLContext.open()\n"
        "t = threading.Thread(target=c.check)\nt.start()\nt.join()\nc.close()"
    )
    assert "belongs to another thread" in run(program).stderr


@pytest.mark.parametrize("use", ["c.check()", "GLContext.open()"])
def test_a_forked_process_is_refused(use: str) -> None:
    program = (
        f"c = GLContext.open()\nif os.fork() == 0:\n  {use}\nelse:\n  os.wait()\n  c.close()\n"
    )
    assert "before this process forked; expected one open context" in run(program).stderr


def test_a_forked_process_may_open_one_when_its_parent_drew_nothing() -> None:
    program = (
        "if os.fork() == 0:\n  GLContext.open().close()\n  print('drew', flush=True)\n"
        "else:\n  os.wait()"
    )
    assert run(program).stdout == "drew\n"


def test_an_index_out_of_range_is_refused_naming_the_offer() -> None:
    result = run("GLContext.open(99)")
    assert "EGL device 99: EGL offers 0:" in result.stderr


def test_things_kept_are_freed_in_the_opposite_order() -> None:
    program = (
        "class Thing:\n  def __init__(self, name): self.name = name\n"
        "  def close(self): print(self.name)\n"
        "c = GLContext.open()\n"
        "c.cached('a', lambda: Thing('a'))\nc.cached('b', lambda: Thing('b'))\n"
        "c.cached('a', lambda: Thing('again'))\nc.close()"
    )
    assert run(program).stdout.split() == ["b", "a"]


def test_importing_the_renderer_opens_nothing() -> None:
    program = "import renderers.rasterizer, renderers.lighting\nprint(GLContext._open)"
    assert run(program).stdout == "None\n"


def test_pyopengl_bound_to_another_platform_is_refused() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import OpenGL.GL\nimport renderers.gl"],
        env=os.environ | {"PYTHONPATH": str(Path.cwd()), "PYOPENGL_PLATFORM": "glx"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "PyOpenGL: it was imported earlier and bound to GLXPlatform" in result.stderr


def test_a_missing_libegl_is_refused_naming_the_packages(tmp_path: Path) -> None:
    (tmp_path / "libEGL.so.1").write_text("no library")
    result = run("GLContext.open()", LD_LIBRARY_PATH=str(tmp_path))
    assert "DependencyError: libEGL.so.1: it cannot be loaded" in result.stderr
    assert "apt-get install libegl1" in result.stderr


def test_a_missing_libgl_is_refused_naming_the_package(tmp_path: Path) -> None:
    for name in ("libOpenGL.so.0", "libGL.so.1"):
        (tmp_path / name).write_text("no library")
    result = run("GLContext.open()", LD_LIBRARY_PATH=str(tmp_path))
    assert "DependencyError: libGL.so.1" in result.stderr
    assert "apt-get install libgl1" in result.stderr


def test_a_driver_that_cannot_start_is_explained() -> None:
    result = run(
        "GLContext.open()", MESA_GL_VERSION_OVERRIDE="2.1", MESA_GLSL_VERSION_OVERRIDE="120"
    )
    assert "no context could be opened: device 0" in result.stderr
    assert "it makes no OpenGL 3.3 core context" in result.stderr
