"""Files from outside: opened only where they are regular files, read whole up to a stated size.

Opening a pipe waits for a writer, opening a device may act on it or never end: neither is opened.
"""

import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import cast

from schemas.addresses import is_mirrored
from schemas.errors import InputError
from schemas.file_status import explain_os_error, measure_file, refuse_irregular
from schemas.size_limits import MAX_TEXT_BYTES


def open_regular_file(path: Path) -> BufferedReader:
    """Open a regular file to read its bytes; the caller closes it.

    Raises InputError when the path is missing or is a folder, pipe, socket or device, MachineError
    when the machine refuses (permissions, disk).
    """
    if measure_file(path) is None:
        raise InputError(
            str(path), found="no such file", expected="a file that can be read",
            hint="Put the file there, or take what names it out of the data.",
        )  # fmt: skip
    if is_mirrored(path):
        return _open_mirrored(path)
    try:
        # A pipe that takes the file's place after the look above must not block either.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise explain_os_error(path, error) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise refuse_irregular(path)
    return os.fdopen(handle, "rb")


def _open_mirrored(path: Path) -> BufferedReader:
    """Open the copy of an object; what reads local files does without the drivers of stores."""
    from schemas.input_mirror import open_mirrored  # noqa: PLC0415

    return cast("BufferedReader", open_mirrored(path))


def read_whole(path: Path, limit: int) -> bytes:
    """Read a regular file of 1 to `limit` bytes; its size is known before any byte is read.

    Raises as open_regular_file does, and InputError when the file is empty or too big.
    """
    with open_regular_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0 or size > limit:
            raise InputError(
                str(path), found=f"{size} bytes", expected=f"1 to {limit} bytes",
                hint="Fetch the file again: a copy may be incomplete.",
            )  # fmt: skip
        try:
            return file.read(size)  # reserves as much as it is told
        except OSError as error:
            raise explain_os_error(path, error) from error


def digest_regular_file(path: Path) -> tuple[int, str]:
    """Return size and sha256 (hex) of a regular file; raises as open_regular_file does.

    Of a file without a size nothing is read: some of /proc have no size and no end.
    """
    with open_regular_file(path) as file:
        if not os.fstat(file.fileno()).st_size:
            return 0, hashlib.sha256().hexdigest()
        try:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise explain_os_error(path, error) from error
        return file.tell(), digest


def read_text(path: Path, limit: int = MAX_TEXT_BYTES) -> str:
    """Read UTF-8 text, with or without a byte order mark; raises as read_whole does."""
    try:
        return read_whole(path, limit).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            str(path), found=f"byte {error.start} is no text", expected="UTF-8 text",
            hint="Save the file as UTF-8.",
        ) from error  # fmt: skip
