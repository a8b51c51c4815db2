"""A disk that forgets what was not flushed, gets full, and tears writes: for simulation.py.

The files are real ones below one folder (of a memory file system); the system calls of the code
under test are replaced while a schedule runs, so that each gives way, fails as asked, and is
remembered until it is flushed. A power cut takes back names that were not flushed with their
folder, the last ones first, and tears files whose bytes were not flushed.
"""

import errno
import fcntl
import io
import os
import pathlib
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, ClassVar
from unittest.mock import patch

from benchmarks.simulated_machine import Killed, Machine

LOOKS = 0.3
"""Of the operations that change nothing, so many give way: between two of them, another's change
may come, but most come to nothing and cost time."""

RETRY_S = 0.05
"""Between two tries to lock a file that another process holds."""


@dataclass(frozen=True, slots=True)
class _Change:
    """One change of a folder that is not flushed. undo: takes it back."""

    undo: Callable[[], None]


@dataclass(eq=False)
class Disk:
    """Files below root. Owns: what is not flushed yet. shadow: a folder beside it."""

    machine: Machine
    root: Path
    shadow: Path
    full_for: int = 0
    changes: dict[str, list[_Change]] = field(default_factory=dict)
    dirty: set[int] = field(default_factory=set)
    _real: ClassVar[dict[str, Any]] = {
        name: getattr(os, name)
        for name in ("replace", "unlink", "link", "fsync", "stat", "scandir", "mkdir")
    }
    _kept: int = 0
    _is_cut: bool = False

    def __post_init__(self) -> None:
        """Remember how names below the folder begin."""
        self._prefix = str(self.root)

    @contextmanager
    def mounted(self) -> Iterator[None]:
        """Replace the system calls for the length of a block."""
        real_open, disk = pathlib.Path.open, self

        def open_file(path: Path, mode: str = "r", *args: Any, **named: Any) -> Any:  # noqa: ANN401
            if not self.holds(path):
                return real_open(path, mode, *args, **named)
            is_write = mode not in {"r", "rb"}
            if is_write:
                disk.step(f"open {mode}", path, needs_room="x" in mode)
            else:
                disk.look(f"open {mode}", path)
            is_new = is_write and not os.path.lexists(path)
            file = real_open(path, mode, *args, **named)
            if is_new:
                disk.note_new(str(path))
            return _File(disk, file, str(path)) if is_write and "b" in mode else file

        with (
            patch.object(pathlib.Path, "open", open_file),
            patch.object(os, "replace", self._replace),
            patch.object(os, "unlink", self._unlink),
            patch.object(os, "link", self._link),
            patch.object(os, "fsync", self._fsync),
            patch.object(os, "stat", self._stat),
            patch.object(os, "scandir", self._scandir),
            patch.object(fcntl, "flock", self._lock_of(fcntl.flock)),
        ):
            yield

    def holds(self, path: object) -> bool:
        """Return whether the simulated disk holds a path, and a simulated process asks."""
        is_asked = self.machine.current is not None and not self._is_cut
        return is_asked and str(path).startswith(self._prefix)

    def step(self, name: str, path: object, *, needs_room: bool = False) -> None:
        """Give way before an operation; raises OSError while the disk is full."""
        self.machine.step(f"{name} in {str(path).rsplit('/', 2)[-2]}")
        if needs_room:
            self.need_room(path)

    def look(self, name: str, path: object) -> None:
        """Give way before an operation that changes nothing, now and then."""
        if self.machine.random.random() < LOOKS:
            self.step(name, path)

    def need_room(self, path: object) -> None:
        """Raise OSError while the disk is full."""
        if self.full_for > 0:
            self.full_for -= 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    def note_new(self, name: str) -> None:
        """Remember that a name is new."""
        self._note(name, lambda: self._real["unlink"](name))

    def power_cut(self) -> None:
        """Forget what was not flushed: names from the last one back, and bytes of files."""
        self._is_cut = True
        try:
            self._forget()
        finally:
            self._is_cut = False

    def _forget(self) -> None:
        for changes in self.changes.values():
            for change in reversed(changes[self.machine.random.randint(0, len(changes)) :]):
                with suppress(FileNotFoundError):
                    change.undo()
        for path in sorted(self.root.rglob("*")):
            status = self._real["stat"](path)
            if path.is_file() and status.st_ino in self.dirty:
                self._tear(path, status)
        self.changes.clear()
        self.dirty.clear()

    def _tear(self, path: Path, status: os.stat_result) -> None:
        """Cut a file, or fill its end with zeros: size and time may well be right."""
        keep = self.machine.random.randint(0, status.st_size)
        data = path.read_bytes()[:keep]
        if self.machine.random.random() < 0.5:  # noqa: PLR2004 - as often as not
            data = data.ljust(status.st_size, b"\0")
        path.write_bytes(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    def _note(self, name: str, undo: Callable[[], None]) -> None:
        self.changes.setdefault(str(Path(name).parent), []).append(_Change(undo))

    def _keep(self, name: str) -> str | None:
        """Keep what a name leads to beside the disk; None: nothing."""
        self._kept += 1
        kept = str(self.shadow / str(self._kept))
        try:
            self._real["link"](name, kept)
        except FileNotFoundError:
            return None
        return kept

    def _replace(self, source: Any, target: Any) -> None:  # noqa: ANN401 - as os.replace
        if not self.holds(target):
            return self._real["replace"](source, target)  # type: ignore[no-any-return]
        self.step("rename", target)
        first, last, kept = str(source), str(target), self._keep(str(target))

        def undo() -> None:
            self._real["replace"](last, first)
            if kept is not None:
                self._real["link"](kept, last)

        self._real["replace"](first, last)
        self._note(last, undo)
        return None

    def _unlink(self, path: Any, **named: Any) -> None:  # noqa: ANN401 - as os.unlink
        if not self.holds(path):
            return self._real["unlink"](path, **named)  # type: ignore[no-any-return]
        self.step("remove", path)
        name, kept = str(path), self._keep(str(path))
        self._real["unlink"](name)
        if kept is not None:
            self._note(name, lambda: self._real["link"](kept, name))
        return None

    def _link(self, source: Any, target: Any, **named: Any) -> None:  # noqa: ANN401 - as os.link
        if not self.holds(target):
            return self._real["link"](source, target, **named)  # type: ignore[no-any-return]
        self.step("link", target, needs_room=True)
        self._real["link"](source, target)
        self.note_new(str(target))
        return None

    def _fsync(self, handle: int) -> None:
        path = str(Path(f"/proc/self/fd/{handle}").readlink())
        if not self.holds(path):
            return self._real["fsync"](handle)  # type: ignore[no-any-return]
        status = os.fstat(handle)
        is_folder = stat.S_ISDIR(status.st_mode)
        self.step("flush folder" if is_folder else "flush", path)
        if is_folder:
            self.changes.pop(path, None)
        else:
            self.dirty.discard(status.st_ino)
            now_ns = self.machine.wall_ns()
            os.utime(handle, ns=(now_ns, now_ns))
        return None

    def _stat(self, path: Any, **named: Any) -> os.stat_result:  # noqa: ANN401 - as os.stat
        if not isinstance(path, int) and self.holds(path):
            self.look("look", path)
        found: os.stat_result = self._real["stat"](path, **named)
        return found

    def _scandir(self, path: Any = ".") -> Any:  # noqa: ANN401 - as os.scandir
        if self.holds(path):
            self.look("list", path)
            return _Listing(sorted(self._real["scandir"](path), key=lambda one: one.name))
        return self._real["scandir"](path)

    def _lock_of(self, real: Callable[[Any, int], None]) -> Callable[[Any, int], None]:
        def lock(file: Any, kind: int) -> None:  # noqa: ANN401 - as fcntl.flock
            if self.machine.current is None:
                return real(file, kind)
            while True:
                self.machine.step("lock")
                try:
                    return real(file, kind | fcntl.LOCK_NB)
                except BlockingIOError:
                    if kind & fcntl.LOCK_NB:
                        raise
                    self.machine.wait(RETRY_S, lambda: False)

        return lock


class _Listing(list[Any]):
    """What os.scandir returns: a list that is a context manager."""

    def __enter__(self) -> "_Listing":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        pass


class _File(io.RawIOBase):
    """A file that is written to: each write gives way, and may be torn or find no room."""

    def __init__(self, disk: Disk, file: IO[Any], name: str) -> None:
        self._disk, self._file, self._name = disk, file, name
        self.name, self.mode = name, file.mode
        process = disk.machine.current
        if process is not None:
            process.closing.append(self.close)

    def write(self, data: Any) -> int:  # noqa: ANN401 - bytes of any kind
        view = bytes(data)
        half = len(view) // 2
        try:
            self._disk.step("write", self._name)
            self._disk.need_room(self._name)
        except (Killed, OSError):
            self._put(view[:half])
            raise
        self._put(view)
        return len(view)

    def _put(self, data: bytes) -> None:
        if self._file.closed:  # another coroutine of the dead process has unwound already
            return
        self._disk.dirty.add(os.fstat(self._file.fileno()).st_ino)
        self._file.write(data)
        self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()

    def flush(self) -> None:
        pass

    def tell(self) -> int:
        return self._file.tell()

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()
