"""Workers of one pool take turns on the GPUs; a place is free again when its holder died."""

import subprocess
import sys
from pathlib import Path

from renderers.egl_devices import EglDevice
from renderers.gpu_places import share_out, take_place

GPUS = tuple(EglDevice(n, "NVIDIA", "NVIDIA", False, n, None, n) for n in (3, 5))
HOLDER = """
import sys, time
from pathlib import Path
from renderers.gpu_places import take_place
print(take_place(Path(sys.argv[1]), 3), flush=True)
time.sleep(600)
"""


def test_places_are_shared_with_other_processes_until_these_die(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "0\n"
        assert share_out(GPUS, tmp_path, 3) == 5
        holder.kill()
    assert share_out(GPUS, tmp_path, 3) == 3
    assert take_place(tmp_path, 3) == 2


def test_one_gpu_needs_no_places(tmp_path: Path) -> None:
    assert share_out(GPUS[:1], tmp_path, 2) is None
    assert list(tmp_path.iterdir()) == []
