"""Refuse folders and files of a request that can't serve, before any work."""

import os
import stat
from pathlib import Path

from schemas.errors import RequestError
from schemas.file_status import is_readable_file
from schemas.wording import shorten_text

MAX_NAME_BYTES = 255
"""Of a file or folder, on the file systems of Linux."""

MAX_SHOWN_CHARS = 500
_FOLDER_ACCESS = os.R_OK | os.W_OK | os.X_OK
_SPELLING = "Check the spelling; relative paths count from where the command runs."


def check_folder(option: str, path: str) -> None:
    """Refuse a folder that is missing, is no folder, or is empty."""
    shown, mode = shorten_text(path, MAX_SHOWN_CHARS), _mode_of(Path(path))
    if mode is None or not stat.S_ISDIR(mode):
        found = f"no folder {shown}" if mode is None else f"{shown} is no folder"
        raise RequestError(
            option, found=found, expected="a folder that can be read", hint=_SPELLING
        )
    if not os.access(path, os.R_OK | os.X_OK):
        raise RequestError(
            option, found=f"{shown} may not be read", expected="a folder that can be read",
            hint="Give this user the right to read it.",
        )  # fmt: skip
    if next(Path(path).iterdir(), None) is None:
        raise RequestError(
            option, found=f"{shown} is empty", expected="a folder with files in it",
            hint="Give the folder that holds the files, or `scanmill synth` some.",
        )  # fmt: skip


def check_file(option: str, path: str) -> None:
    """Refuse a file that is missing, is none (a folder, a pipe, a device) or can't be read."""
    if not is_readable_file(Path(path)) or not os.access(path, os.R_OK):
        raise RequestError(
            option, found=f"no readable file {shorten_text(path, MAX_SHOWN_CHARS)}",
            expected="a file that can be read", hint=_SPELLING,
        )  # fmt: skip


def check_writable(option: str, path: Path) -> None:
    """Refuse a folder that can't be made or written to."""
    absolute = path.absolute()
    if not all(_is_name(part) for part in absolute.parts):
        raise RequestError(
            option, found=shorten_text(str(path), MAX_SHOWN_CHARS),
            expected=f"names of at most {MAX_NAME_BYTES} bytes of UTF-8",
            hint="Give another folder.",
        )  # fmt: skip
    existing, mode = next(
        (parent, mode)
        for parent in (absolute, *absolute.parents)
        if (mode := _mode_of(parent)) is not None
    )
    if not stat.S_ISDIR(mode):
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


def _mode_of(path: Path) -> int | None:
    """Return the mode of what a path leads to; None where it leads nowhere or is no path."""
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return None


def _is_name(part: str) -> bool:
    """Return whether a folder can be called so, by all that reads its path as text."""
    try:
        return "\0" not in part and len(part.encode()) <= MAX_NAME_BYTES
    except UnicodeEncodeError:
        return False
