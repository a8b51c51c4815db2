"""Programs that measure training: with the memory that `scanmill train` gives it."""

import os
import sys

from tasks.launching.training_launch import HUGE_PAGES


def use_huge_pages(module: str) -> None:
    """Start this program anew with huge pages, if it has none: torch asks once, as it begins."""
    if not HUGE_PAGES.items() <= os.environ.items():
        command = [sys.executable, "-m", module, *sys.argv[1:]]
        # Without a shell: the same program in the same process.
        os.execve(sys.executable, command, {**os.environ, **HUGE_PAGES})  # noqa: S606
