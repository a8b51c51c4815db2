"""Files of a scan: named safely, digested, recognised."""

from collections.abc import Iterable
from pathlib import Path

from schemas.file_status import is_readable_file, measure_file
from schemas.regular_files import digest_regular_file
from schemas.scan import InputFile

_SHOWN_CHARACTERS = 120
_MAX_NAME_BYTES = 250


def digest_file(path: Path, root: Path) -> InputFile:
    """Return size and sha256 of a file below root; both None where it is absent."""
    name = path.relative_to(root).as_posix()
    if measure_file(path) is None:
        return InputFile(path=name)
    size, digest = digest_regular_file(path)
    return InputFile(path=name, size=size, sha256=digest)


def digest_files(paths: Iterable[Path], root: Path) -> tuple[InputFile, ...]:
    """Digest every file once, sorted by path; absent ones are kept as absent.

    Pipes, devices and folders with the name of a file are left out: they fail what reads them.
    """
    return tuple(digest_file(path, root) for path in sorted(set(filter(is_plain, paths))))


def is_plain(path: Path) -> bool:
    """Return whether a path is free to be a file: nothing there, or a regular file."""
    return is_readable_file(path) or not path.exists()


def find_inside(folder: Path, name: str) -> Path | str:
    """Return the file that a file of this folder names, or why it may not be opened.

    Only names below the folder are followed: nothing absolute, no `..`, no drive letter, no URL,
    no link that leaves the folder. A backslash counts as a slash, as Windows programs write it.
    The file need not exist. Opens nothing.
    """
    plain = name.replace("\\", "/").strip()
    shown = show(name)
    if not plain or not plain.isprintable() or len(plain.encode()) > _MAX_NAME_BYTES:
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


def describe_wrong_file(data: bytes) -> str | None:
    """Say what a file is that came instead of the right one, where that is well known."""
    start = data[:64].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "an HTML page (a download that went wrong)"
    if start.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the file itself"
    return None


def show(name: str) -> str:
    """Return a name from a file as a message may show it: quoted, printable, not long."""
    text = ascii(name) if not name.isprintable() else repr(name)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "...'"
