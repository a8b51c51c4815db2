"""The files that decided a scan's samples: which, with what digest, and where they are now."""

from collections.abc import Iterable
from pathlib import Path

from schemas.errors import as_utf8
from schemas.file_status import is_readable_file
from schemas.profiling import span
from schemas.scan import InputFile, ScanRef
from tasks.scans.files import digest_file, digest_files, is_plain
from tasks.scans.layouts import LAYOUTS, find_scan

Roots = dict[str, Path | None]
"""Folder of each root that an input's path is below: `data`, `backgrounds`, `densepose`."""


def list_inputs(data_root: Path, ref: ScanRef) -> tuple[InputFile, ...]:
    """Digest the files that the layout gives a scan, found or absent."""
    files = find_scan(data_root, ref.dataset, ref.item)
    with span("hash inputs"):
        return digest_files(files.looked_for, data_root)


def list_inputs_of_failed(data_root: Path, ref: ScanRef, *, named: str) -> tuple[InputFile, ...]:
    """Digest all that may have to change before a failed scan can be read.

    That is every file of its folder, and the file that the error named, which may be absent.
    """
    folder = find_scan(data_root, ref.dataset, ref.item).folder
    inside = folder.rglob("*") if folder.is_dir() else ()
    readable = [path for path in inside if is_readable_file(path) and _is_utf8(path)]
    return digest_files((*readable, *_below(data_root, named)), data_root)


def list_failed_background(root: Path | None, named: str) -> tuple[InputFile, ...]:
    """Digest the background that an error named, when it names one."""
    if root is None:
        return ()
    found = [digest_file(path, root) for path in _below(root, named)]
    return tuple(one.model_copy(update={"root": "backgrounds"}) for one in found)


def locate_input(one: InputFile, roots: Roots) -> Path | None:
    """Return where an input is, None when its root is not known."""
    root = roots.get(one.root)
    return None if root is None else root / one.path


def is_scan_gone(data_root: Path, ref: ScanRef) -> bool:
    """Return whether the folder of a scan is gone; what comes from no scan is never gone."""
    if ref.dataset not in LAYOUTS:
        return False
    return not find_scan(data_root, ref.dataset, ref.item).folder.is_dir()


def _is_utf8(path: Path) -> bool:
    return as_utf8(str(path)) == str(path)  # other names can't be recorded


def _below(root: Path, named: str) -> Iterable[Path]:
    path = Path(named)
    is_below = bool(named) and "\0" not in named and path.is_relative_to(root)
    return (path,) if is_below and path != root and is_plain(path) else ()
