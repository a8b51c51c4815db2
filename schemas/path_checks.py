"""Refuse folders and files of a request that can't serve, before any work."""

import os
from pathlib import Path

from schemas.errors import RequestError

_FOLDER_ACCESS = os.R_OK | os.W_OK | os.X_OK


def check_folder(option: str, path: str) -> None:
    """Refuse a folder that is missing, is no folder, or is empty."""
    folder = Path(path)
    if not folder.is_dir():
        found = f"{path} is no folder" if folder.exists() else f"no folder {path}"
        raise RequestError(
            option, found=found, expected="a folder that can be read",
            hint="Check the spelling; relative paths count from where the command runs.",
        )  # fmt: skip
    if not os.access(folder, os.R_OK | os.X_OK):
        raise RequestError(
            option, found=f"{path} may not be read", expected="a folder that can be read",
            hint="Give this user the right to read it.",
        )  # fmt: skip
    if next(folder.iterdir(), None) is None:
        raise RequestError(
            option, found=f"{path} is empty", expected="a folder with files in it",
            hint="Give the folder that holds the files, or `scanmill synth` some.",
        )  # fmt: skip


def check_file(option: str, path: str) -> None:
    """Refuse a file that is missing or can't be read."""
    if not Path(path).is_file() or not os.access(path, os.R_OK):
        raise RequestError(
            option, found=f"no readable file {path}", expected="a file that can be read",
            hint="Check the spelling; relative paths count from where the command runs.",
        )  # fmt: skip


def check_writable(option: str, path: Path) -> None:
    """Refuse a folder that can't be made or written to."""
    absolute = path.absolute()
    existing = next(parent for parent in (absolute, *absolute.parents) if parent.exists())
    if not existing.is_dir():
        raise RequestError(
            option, found=f"{existing} is a file", expected="a folder, or a place for a new one",
            hint="Give another folder.",
        )  # fmt: skip
    if not os.access(existing, _FOLDER_ACCESS):
        raise RequestError(
            option, found=f"{existing} can't be written to",
            expected="a folder that can be written to",
            hint="Give another folder, or this user the right to write there.",
        )  # fmt: skip
