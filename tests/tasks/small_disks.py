"""Small file systems to fill: mounted where root may mount, else the test is skipped."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PAGE_BYTES = 4096


@contextmanager
def small_disk(folder: Path, *, size: str = "3m", inodes: int = 1000) -> Iterator[Path]:
    """Mount a tmpfs of this size on a new folder for the length of the block."""
    folder.mkdir(parents=True)
    options = f"size={size},nr_inodes={inodes}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, *, leave_bytes: int = 0) -> Path:
    """Fill the file system of a folder up; returns the file that fills it."""
    ballast = folder / "ballast"
    status = os.statvfs(folder)
    size = status.f_bavail * status.f_frsize - leave_bytes
    ballast.write_bytes(bytes(max(0, size // PAGE_BYTES * PAGE_BYTES)))
    return ballast
