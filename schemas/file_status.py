"""What a path is, asked of the operating system: nothing is opened."""

import errno
import stat
from pathlib import Path

from schemas.errors import InputError, MachineError

_NO_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
"""What a path that leads nowhere gives; links that lead in a circle are among it."""


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
        raise refuse_irregular(path)
    return status.st_size


def explain_os_error(path: Path, error: OSError) -> MachineError:
    """Turn what the operating system says about a path into one error."""
    return MachineError(
        str(path), found=error.strerror or type(error).__name__, expected="a file that can be read",
        hint="Check permissions and the disk, then run again.",
    )  # fmt: skip


def refuse_irregular(path: Path) -> InputError:
    """Say that a path is no regular file."""
    return InputError(
        str(path), found="a folder, pipe or device", expected="a regular file",
        hint="Put the file itself there.",
    )  # fmt: skip
