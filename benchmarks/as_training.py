"""Programs that measure training: with the environment that `scanmill train` gives it."""

import os
import sys

from tasks.launching.training_launch import TORCH_ON_CPU


def run_as_training(module: str) -> None:
    """Start this program anew in that environment, if it is not: torch asks once, as it begins."""
    if not TORCH_ON_CPU.items() <= os.environ.items():
        command = [sys.executable, "-m", module, *sys.argv[1:]]
        # Without a shell: the same program in the same process.
        os.execve(sys.executable, command, {**os.environ, **TORCH_ON_CPU})  # noqa: S606
