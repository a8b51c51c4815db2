"""Addresses of stores, and which paths on this machine mirror them: see `schemas.input_mirror`."""

import os
from pathlib import Path

from schemas.cache_folder import cache_folder


def is_address(text: str | Path) -> bool:
    """Return whether this is the address of a store, and no path or file:// address."""
    scheme, separator, _ = str(text).partition("://")
    return bool(separator) and scheme != "file"


def inputs_folder() -> Path:
    """Return the folder of the names of inputs in stores."""
    return cache_folder() / "inputs"


def is_mirrored(path: Path) -> bool:
    """Return whether a path is below that folder; opens nothing."""
    return os.fspath(path).startswith(f"{inputs_folder()}{os.sep}")


def path_of_root(text: str) -> Path:
    """Return where the inputs of an address, or a path, are on this machine; asks nobody."""
    if not is_address(text):
        return Path(text.removeprefix("file://"))
    scheme, _, place = text.partition("://")
    return inputs_folder() / scheme / place.strip("/")


def address_of(path: Path) -> str:
    """Return the address that a folder mirrors; of others the path."""
    if not is_mirrored(path):
        return str(path)
    scheme, *places = path.relative_to(inputs_folder()).parts
    return f"{scheme}://{'/'.join(places)}"
