"""Which of our files decide pixels, and one digest of them all.

A test holds these lists against the import graph: whatever the drawing, the reading of scans,
the encoding and the shard writing import is either listed here, or left out with a reason.
"""

import hashlib
from functools import cache
from pathlib import Path

PIXEL_FILES: tuple[str, ...] = ()

NOT_PIXELS: dict[str, str] = {
    "schemas/__init__.py": "docstring only",
    "renderers/__init__.py": "docstring only",
    "tasks/__init__.py": "docstring only",
}
"""Imported by what decides pixels, without deciding any; and why."""

_PROJECT = Path(__file__).resolve().parents[1]


@cache
def code_digest() -> str:
    """Return the sha256 over names and contents of the files that decide pixels, hex."""
    digest = hashlib.sha256()
    for name in sorted(PIXEL_FILES):
        content = (_PROJECT / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
