"""What malloc keeps: counted in pages that the kernel had to give."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import resource, sys
import numpy as np
from tasks.machine.kept_memory import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def use():
    held = [np.ones(30 << 20, np.uint8) for _ in range(4)]
use()
before = faults()
for _ in range(5):
    use()
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="malloc of glibc")
def test_arrays_that_come_again_are_not_given_by_the_kernel_again() -> None:
    counts = {
        kind: int(subprocess.check_output([sys.executable, "-c", PROGRAM, kind], cwd=ROOT))
        for kind in ("kept", "given back")
    }
    assert counts["kept"] < counts["given back"] / 10
