"""Where this user's caches are: losing them costs time only."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return scanmill's folder below the user's cache folder (XDG_CACHE_HOME)."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "scanmill"
