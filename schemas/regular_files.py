"""Files from outside: opened only where they are regular files, read whole up to a stated size.

Opening a pipe waits for a writer, opening a device may act on it or never end: neither is opened.
"""

import errno
import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import cast

from schemas.addresses import is_mirrored
from schemas.errors import InputError, MachineError
from schemas.size_limits import MAX_TEXT_BYTES

_NO_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
"""What a path that leads nowhere gives; links that lead in a circle are among it."""


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
        raise _refuse_irregular(path)
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


def is_readable_file(path: Path) -> bool:
    """Return whether a path is a regular file (no folder, pipe or device); opens nothing."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def measure_file(path: Path) -> int | None:
    """Return the size of a regular file in bytes, None where it is missing; opens nothing.

    Raises InputError when it is a folder, pipe, socket or device.
    """
    try:
        status = path.stat()
    except OSError as error:
        if error.errno in _NO_FILE:
            return None
        raise explain_os_error(path, error) from error
    if not stat.S_ISREG(status.st_mode):
        raise _refuse_irregular(path)
    return status.st_size


def explain_os_error(path: Path, error: OSError) -> MachineError:
    """Turn what the operating system says about a path into one error."""
    return MachineError(
        str(path), found=error.strerror or type(error).__name__, expected="a file that can be read",
        hint="Check permissions and the disk, then run again.",
    )  # fmt: skip


def _refuse_irregular(path: Path) -> InputError:
    return InputError(
        str(path), found="a folder, pipe or device", expected="a regular file",
        hint="Put the file itself there.",
    )  # fmt: skip
