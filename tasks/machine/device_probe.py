"""Open one EGL device in a process of its own and print what it can hold, as JSON.

A driver that crashes takes only this process with it. Used by `scanmill doctor` and before a run.
Run as `python -m tasks.machine.device_probe [INDEX]`.
"""

import dataclasses
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from renderers.egl import GLContext, GLInfo
from schemas.errors import MachineError, RequestError, ScanmillError

PROBE_TIMEOUT_S = 60.0
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Probe:
    """A running probe. Owns: its process, until `finish`."""

    device: int | None
    process: subprocess.Popen[str]

    def finish(self) -> GLInfo:
        """Wait for the answer; raises MachineError with what the driver said."""
        try:
            out, err = self.process.communicate(timeout=PROBE_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            self.process.communicate()
            raise self._failed(f"no answer in {PROBE_TIMEOUT_S:.0f} s") from error
        if self.process.returncode != 0:
            lines = err.strip().splitlines()
            raise self._failed(lines[-1] if lines else f"exit code {self.process.returncode}")
        return GLInfo(**json.loads(out))

    def _failed(self, found: str) -> MachineError:
        return MachineError(
            "EGL" if self.device is None else f"EGL device {self.device}",
            found=found,
            expected="a device that draws without a display",
            hint="See `scanmill doctor`; for software drawing install libegl1, libgl1, "
            "libegl-mesa0 and libgl1-mesa-dri.",
        )


def start_probe(device: int | None = None) -> Probe:
    """Start opening a device; None is the one that a run would choose."""
    command = [sys.executable, "-m", "tasks.machine.device_probe"]
    command += [] if device is None else [str(device)]
    process = subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return Probe(device, process)


def check_device(device: int | None, resolution: int) -> None:
    """Open the device in a process of its own; raises RequestError for images it can't draw."""
    refuse_resolution(resolution, start_probe(device).finish())


def refuse_resolution(resolution: int, info: GLInfo) -> None:
    """Refuse images that are larger than the device can draw; raises RequestError."""
    limit = min(info.max_texture, info.max_renderbuffer, info.max_viewport)
    if resolution > limit:
        raise RequestError(
            f"--resolution {resolution}",
            found=f"{info.renderer} draws at most {limit} pixels a side",
            expected=f"a resolution up to {limit}",
            hint="Ask for less, or draw on another device.",
        )


def _main() -> int:
    device = int(sys.argv[1]) if len(sys.argv) > 1 else None
    try:
        with GLContext.open(device) as context:
            answer = dataclasses.asdict(context.info)
    except ScanmillError as error:
        sys.stderr.write(f"{error.found}\n")
        return 1
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
