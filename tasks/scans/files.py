"""Files of a scan: read whole, named safely, digested. The one place that opens them."""

import hashlib
import stat
from collections.abc import Iterable
from pathlib import Path

from schemas.errors import InputError, MachineError
from schemas.scan import InputFile

MAX_MESH_BYTES = 4 << 30
MAX_TEXTURE_BYTES = 1 << 30
MAX_TEXT_BYTES = 64 << 20
"""Far above what scans have (10 MB to 100 MB); below what would fill a worker's memory."""

_BLOCK_BYTES = 1 << 20
_SHOWN_CHARACTERS = 120
_LONGEST_NAME = 250


def read_whole(path: Path, limit: int) -> bytes:
    """Read a regular file of at most `limit` bytes.

    Raises InputError when it is missing, empty, no file or too big; MachineError when the
    machine does not give it.
    """
    size = _measure_file(path)
    if size is None:
        raise InputError(
            str(path),
            found="no such file",
            expected="a file that can be read",
            hint="Put the file there, or take the scan out of the data root.",
        )
    if size == 0 or size > limit:
        raise InputError(
            str(path),
            found=f"{size} bytes",
            expected=f"1 to {limit} bytes",
            hint="Fetch the file again: a copy may have broken off.",
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise _explain(path, error) from error


def digest_file(path: Path, root: Path) -> InputFile:
    """Return size and sha256 of a file below root; both None where it is absent."""
    name = path.relative_to(root).as_posix()
    if _measure_file(path) is None:
        return InputFile(path=name)
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise _explain(path, error) from error
    return InputFile(path=name, size=size, sha256=digest.hexdigest())


def digest_files(paths: Iterable[Path], root: Path) -> tuple[InputFile, ...]:
    """Digest every file once, sorted by path; absent ones are kept as absent."""
    return tuple(digest_file(path, root) for path in sorted(set(paths)))


def find_inside(folder: Path, name: str) -> Path | str:
    """Return the file that a file of this folder names, or why it may not be opened.

    Only names below the folder are followed: nothing absolute, no `..`, no drive letter, no URL,
    no link that leaves the folder. A backslash counts as a slash, as Windows programs write it.
    The file need not exist. Opens nothing.
    """
    plain = name.replace("\\", "/").strip()
    shown = show(name)
    if not plain or not plain.isprintable() or len(plain.encode()) > _LONGEST_NAME:
        return f"{shown} is no file name"
    if plain.startswith("/") or ":" in plain.split("/")[0]:
        return f"{shown} is absolute or an address, not a name below the scan's folder"
    if ".." in plain.split("/"):
        return f"{shown} climbs out of the scan's folder"
    path = folder / plain
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError) as error:
        return f"{shown} can't be followed ({type(error).__name__})"
    return path if inside else f"{shown} is a link that leaves the scan's folder"


def is_readable_file(path: Path) -> bool:
    """Tell whether a regular file stands there (no folder, pipe or device)."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def describe_stranger(data: bytes) -> str | None:
    """Say what a file is that came instead of the right one, where that is well known."""
    start = data[:64].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "an HTML page (a download that went wrong)"
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the file itself"
    return None


def show(name: str) -> str:
    """Return a name from a file as it may stand in a message: quoted, printable, not long."""
    text = ascii(name) if not name.isprintable() else repr(name)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "...'"


def _measure_file(path: Path) -> int | None:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _explain(path, error) from error
    if not stat.S_ISREG(status.st_mode):
        raise InputError(
            str(path),
            found="a folder, pipe or device",
            expected="a regular file",
            hint="Put the scan's own file there.",
        )
    return status.st_size


def _explain(path: Path, error: OSError) -> MachineError:
    return MachineError(
        str(path),
        found=error.strerror or type(error).__name__,
        expected="a file that can be read",
        hint="Check permissions and the disk, then run again.",
    )
