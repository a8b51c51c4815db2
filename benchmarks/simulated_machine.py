"""Processes that take turns by a seed, on machines whose clocks jump: for benchmarks/simulation.py.

Each process is a coroutine (greenlet) that gives way at every operation on the disk or the bucket;
which one goes on is drawn. A process that is killed does nothing any more: whatever its code would
still do while it unwinds raises Killed. Threads, locks and waiting of `tasks.dataset.lease` and
`run_beats` are coroutines of their process here, and time passes only while all of them wait.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from greenlet import getcurrent, greenlet

TICK_S = 0.004
"""How far the clock goes at an operation; a coarse file system's clock stands still as long."""

MAX_STEPS = 60_000


class Killed(BaseException):
    """The process is dead."""


class Stuck(Exception):  # noqa: N818 - what became of a schedule
    """A schedule does not end."""


@dataclass(eq=False, slots=True)
class Process:
    """One process of a machine. pid: unique in a schedule. closing: closes a file each."""

    host: str
    pid: int
    is_alive: bool = True
    error: BaseException | None = None
    routines: list[greenlet] = field(default_factory=list)
    closing: list[Callable[[], None]] = field(default_factory=list)

    def close(self) -> None:
        """Close what a dead process left open, so that its locks are free."""
        for close in self.closing:
            close()
        self.closing.clear()


@dataclass(eq=False, slots=True)
class _Waiting:
    """A coroutine that goes on when a time has come or a condition holds."""

    process: Process
    routine: greenlet
    until_s: float
    is_ready: Callable[[], bool]


class Machine:
    """All processes of one schedule. Owns: their order, and the time.

    before: called at each operation with its name before it happens; it may raise.
    """

    def __init__(self, seed: int) -> None:
        """Begin at noon with nobody."""
        self.random = random.Random(seed)  # noqa: S311 - a schedule, no secret
        self.now_s = 1e6
        self.wall_offset_s = 1.7e9
        self.steps = 0
        self.before: Callable[[str], None] = lambda _name: None
        self._waiting: list[_Waiting] = []
        self._of: dict[greenlet, Process] = {}
        self._pids = 100

    def start(self, host: str, body: Callable[[], None]) -> Process:
        """Let a process run a function."""
        self._pids += 1
        process = Process(host, self._pids)
        self.spawn(process, body)
        return process

    def spawn(self, process: Process, body: Callable[[], None]) -> greenlet:
        """Let a process run a function beside what it does already."""

        def run() -> None:
            try:
                body()
            except Killed:
                process.close()
            except BaseException as error:  # noqa: BLE001 - the schedule looks at it
                process.error = process.error or error
            del self._of[routine]

        routine = greenlet(run)
        process.routines.append(routine)
        self._of[routine] = process
        self._waiting.append(_Waiting(process, routine, 0.0, lambda: True))
        return routine

    @property
    def current(self) -> Process | None:
        """The process whose code runs now."""
        return self._of.get(getcurrent())

    def run(self) -> None:
        """Let processes take turns until all have ended; raises Stuck."""
        while self._waiting:
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise Stuck
            ready = [one for one in self._waiting if self._is_ready(one)]
            if not ready:
                self.now_s = min(one.until_s for one in self._waiting)
                if self.now_s == inf:
                    raise Stuck
                continue
            chosen = ready[self.random.randrange(len(ready))] if len(ready) > 1 else ready[0]
            self._waiting.remove(chosen)
            chosen.routine.switch()

    def step(self, name: str) -> None:
        """Give way before an operation; raises Killed in a dead process."""
        process = self._alive()
        if process is None:
            return
        self.now_s += TICK_S
        if any(map(self._is_ready, self._waiting)):
            self._wait(process, 0.0, lambda: True)
        self.before(name)
        self._alive()

    def wait(self, seconds: float, is_ready: Callable[[], bool]) -> bool:
        """Wait for a condition; returns whether it holds."""
        process = self._alive()
        if process is not None:
            self._wait(process, self.now_s + seconds, is_ready)
            self._alive()
        return is_ready()

    def kill(self, process: Process) -> None:
        """End a process; what it waits for comes at once, to let it unwind."""
        process.is_alive = False

    def _is_ready(self, one: _Waiting) -> bool:
        return not one.process.is_alive or one.until_s <= self.now_s or one.is_ready()

    def _alive(self) -> Process | None:
        process = self.current
        if process is not None and not process.is_alive:
            raise Killed
        return process

    def _wait(self, process: Process, until_s: float, is_ready: Callable[[], bool]) -> None:
        self._waiting.append(_Waiting(process, getcurrent(), until_s, is_ready))
        getcurrent().parent.switch()  # that of run

    def monotonic(self) -> float:
        """Return the steady clock's time, in seconds."""
        return self.now_s

    def wall_ns(self) -> int:
        """Return the time that clocks on walls show, in nanoseconds; it jumps."""
        return round((self.now_s + self.wall_offset_s) * 1e9)


class Threading:
    """What the code under test uses of the module threading."""

    def __init__(self, machine: Machine) -> None:  # noqa: C901 - three small classes
        """Bind it to a machine."""

        class Event:
            def __init__(self) -> None:
                self._is_set = False

            def set(self) -> None:
                self._is_set = True

            def is_set(self) -> bool:
                return self._is_set

            def wait(self, timeout: float | None = None) -> bool:
                return machine.wait(inf if timeout is None else timeout, self.is_set)

        class Lock:
            def __init__(self) -> None:
                self._is_held = False

            def __enter__(self) -> None:
                while self._is_held:
                    machine.wait(inf, lambda: not self._is_held)
                self._is_held = True

            def __exit__(self, *_: object) -> None:
                self._is_held = False

        class Thread:
            def __init__(self, *, target: Callable[[], None], daemon: bool) -> None:
                del daemon
                self._target, self._has_ended = target, False

            def start(self) -> None:
                process = machine.current
                assert process is not None  # noqa: S101 - of a simulated process alone
                machine.spawn(process, self._run)

            def join(self) -> None:
                machine.wait(inf, lambda: self._has_ended)

            def _run(self) -> None:
                try:
                    self._target()
                finally:
                    self._has_ended = True

        self.Event, self.Lock, self.Thread = Event, Lock, Thread
