"""Read a pickle from outside so that nothing in it can run.

A pickle is a program. pickletools splits it into opcodes without acting on any; only those that
write numbers, text, lists, dictionaries and numpy arrays are carried out here, on plain values: no
object is made, no name is imported, nothing is called but the constructors of tasks.fits.arrays.
Python's own Unpickler is not used at all: even with a filter on names it lets a file reach into
the functions that it was given, and reserve memory by a single number.
Source: CPython's pickletools, which documents every opcode.
"""

import pickletools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from schemas.errors import InputError
from schemas.regular_files import read_whole
from tasks.fits.arrays import (
    MAX_BYTES,
    PendingArray,
    PendingDtype,
    RefusedPickleError,
    Value,
    construct,
    find_name,
)
from tasks.scans.files import describe_wrong_file

MAX_FILE_BYTES = 1 << 20
MAX_OPCODES = 50_000
"""A published fit has 1,644 bytes and about 300 opcodes."""

MAX_BITS = 64
"""Of a whole number."""

MAX_ENTRIES = 10_000
"""Of a list or dictionary; a fit has about eleven."""

Table = dict[str, Shaped[np.ndarray, "..."]]
_MARK = object()
"""Where a group of values begins on the stack."""


def read_pickled_table(path: Path) -> Table:
    """Read a dictionary of numbers and number arrays; every value becomes an array.

    Raises InputError when the file is missing, too big, no pickle, or asks for anything else:
    the message names what it asked for.
    """
    data = read_whole(path, MAX_FILE_BYTES)
    try:
        return _to_table(run_pickle(data))
    except RefusedPickleError as error:
        raise InputError(
            str(path), found=describe_wrong_file(data) or f"a pickle that {error}",
            expected="a dictionary of numbers and numpy arrays, and nothing else",
            hint="Don't open this file with anything else; fetch the fit from its publisher.",
        ) from error  # fmt: skip


def run_pickle(data: bytes) -> Value:
    """Carry out the opcodes of a pickle on plain values; raises RefusedPickleError."""
    machine = _Machine()
    for name, argument in _split(data):
        if name == "STOP":
            return _finish(machine.pop())
        machine.run(name, argument)
    raise RefusedPickleError("has no end")


def _split(data: bytes) -> Iterator[tuple[str, Value]]:
    """Yield opcode names and arguments; what pickletools can't read is refused, not raised."""
    opcodes = pickletools.genops(data)
    for _ in range(MAX_OPCODES):
        try:
            opcode, argument, _ = next(opcodes)
        except StopIteration:
            return
        except Exception as error:  # whatever broken bytes make of the splitter
            raise RefusedPickleError(f"can't be split into opcodes ({error!s:.80})") from error
        yield opcode.name, argument
    raise RefusedPickleError(f"has more than {MAX_OPCODES} opcodes")


class _Machine:
    """Owns: the stack, the memo by which a pickle speaks of values again, the bytes it built."""

    def __init__(self) -> None:
        self._stack: list[Value] = []
        self._memo: dict[int, Value] = {}
        self._built = 0

    def run(self, name: str, argument: Value) -> None:
        """Carry out one opcode; raises RefusedPickleError for one that is not allowed."""
        if name in _LITERALS:
            self.push(_check_literal(argument))
        elif name in _STORES and isinstance(argument, int):
            self._memo[argument] = self.top()
        elif name in _RECALLS:
            if argument not in self._memo:
                raise RefusedPickleError(f"speaks of memo {argument}, which is empty")
            self.push(self._memo[argument])
        elif name in _STEPS:
            _STEPS[name](self)
        elif name == "GLOBAL":
            self.push(find_name(str(argument).replace(" ", ".", 1)))
        elif name not in _IDLE:
            asked = f" for {str(argument).replace(' ', '.', 1)[:120]!a}" if argument else ""
            raise RefusedPickleError(f"uses {name}{asked}")

    def push(self, value: Value) -> None:
        """Put a value on top."""
        self._stack.append(value)

    def pop(self, *, or_mark: bool = False) -> Value:
        """Take the top value, which may be no mark unless that is allowed."""
        if not self._stack or (self._stack[-1] is _MARK and not or_mark):
            raise RefusedPickleError("takes more values than it has")
        return self._stack.pop()

    def pop_many(self, count: int) -> list[Value]:
        """Take the top values, the lowest first."""
        return [self.pop() for _ in range(count)][::-1]

    def pop_group(self) -> list[Value]:
        """Take all values above the last mark, and the mark."""
        group: list[Value] = []
        while self._stack:
            value = self._stack.pop()
            if value is _MARK:
                return group[::-1]
            group.append(value)
        raise RefusedPickleError("ends a group that it never began")

    def top(self) -> Value:
        """Return the top value and leave it there."""
        self.push(value := self.pop())
        return value

    def memoize(self) -> None:
        """Remember the top value under the next number."""
        self._memo[len(self._memo)] = self.top()

    def append(self, values: list[Value]) -> None:
        """Append to the list on top."""
        table = self.top()
        if not isinstance(table, list) or len(table) + len(values) > MAX_ENTRIES:
            raise RefusedPickleError(f"appends {len(values)} values to a {type(table).__name__}")
        table += values

    def set_items(self, pairs: list[Value]) -> None:
        """Add keys and values that alternate to the dictionary on top."""
        table = self.top()
        if not isinstance(table, dict):
            raise RefusedPickleError(f"sets items of a {type(table).__name__}")
        _add_pairs(table, pairs)

    def name(self) -> None:
        """Replace module and name by what they name."""
        module, member = self.pop_many(2)
        self.push(find_name(f"{module!s:.100}.{member!s:.100}"))

    def call(self) -> None:
        """Replace a name and its arguments by what it builds."""
        made = construct(*self.pop_many(2))
        self._count(made)
        self.push(made)

    def build(self) -> None:
        """Give the value on top its state."""
        state, target = self.pop(), self.top()
        if not isinstance(target, PendingArray | PendingDtype):
            raise RefusedPickleError(f"sets the state of a {type(target).__name__}")
        target.set_state(state)
        self._count(_finish(target))

    def _count(self, made: Value) -> None:
        size = made.nbytes if isinstance(made, np.ndarray) else 0
        self._built += len(made) if isinstance(made, bytes) else size
        if self._built > MAX_BYTES:
            raise RefusedPickleError(f"builds more than {MAX_BYTES} bytes")


_LITERALS = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
     "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
     "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
)  # fmt: skip
"""Opcodes whose argument is the value."""

_STORES = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_RECALLS = frozenset({"GET", "BINGET", "LONG_BINGET"})
_IDLE = frozenset({"PROTO", "FRAME"})
_STEPS: dict[str, Callable[[_Machine], object]] = {
    "NONE": lambda machine: machine.push(None),
    "NEWTRUE": lambda machine: machine.push(True),
    "NEWFALSE": lambda machine: machine.push(False),
    "MARK": lambda machine: machine.push(_MARK),
    "POP": lambda machine: machine.pop(or_mark=True),
    "POP_MARK": lambda machine: machine.pop_group(),
    "DUP": lambda machine: machine.push(machine.top()),
    "MEMOIZE": _Machine.memoize,
    "EMPTY_TUPLE": lambda machine: machine.push(()),
    "EMPTY_LIST": lambda machine: machine.push([]),
    "EMPTY_DICT": lambda machine: machine.push({}),
    "TUPLE": lambda machine: machine.push(tuple(machine.pop_group())),
    "TUPLE1": lambda machine: machine.push(tuple(machine.pop_many(1))),
    "TUPLE2": lambda machine: machine.push(tuple(machine.pop_many(2))),
    "TUPLE3": lambda machine: machine.push(tuple(machine.pop_many(3))),
    "LIST": lambda machine: machine.push(machine.pop_group()),
    "DICT": lambda machine: machine.push(_add_pairs({}, machine.pop_group())),
    "APPEND": lambda machine: machine.append(machine.pop_many(1)),
    "APPENDS": lambda machine: machine.append(machine.pop_group()),
    "SETITEM": lambda machine: machine.set_items(machine.pop_many(2)),
    "SETITEMS": lambda machine: machine.set_items(machine.pop_group()),
    "STACK_GLOBAL": _Machine.name,
    "REDUCE": _Machine.call,
    "BUILD": _Machine.build,
}
"""What each opcode does; its argument, where it has one, says nothing that matters."""


def _add_pairs(table: dict[str, Value], pairs: list[Value]) -> dict[str, Value]:
    """Add keys and values that alternate; keys are text, so that hashing costs what it looks."""
    if len(pairs) % 2 or len(table) + len(pairs) // 2 > MAX_ENTRIES:
        raise RefusedPickleError(f"has a dictionary of {len(pairs)} keys and values")
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        if not isinstance(key, str):
            raise RefusedPickleError(f"has a key of type {type(key).__name__}, expected text")
        table[key] = value
    return table


def _check_literal(value: Value) -> Value:
    if type(value) is int and value.bit_length() > MAX_BITS:
        raise RefusedPickleError(f"has a number of {value.bit_length()} bits")
    return bytes(value) if isinstance(value, bytearray) else value


def _finish(value: Value) -> Value:
    return value.value if isinstance(value, PendingArray) else value


def _to_table(content: Value) -> Table:
    if not isinstance(content, dict):
        raise RefusedPickleError(f"holds a {type(content).__name__}")
    return {name: _to_numbers(name, _finish(value)) for name, value in content.items()}


def _to_numbers(name: str, value: Value) -> Shaped[np.ndarray, "..."]:
    if isinstance(value, np.ndarray):
        return value
    values = value if isinstance(value, list) else [value]
    if all(isinstance(one, bool | int | float) for one in values):
        return np.asarray(value, np.float64)
    raise RefusedPickleError(f"holds a {type(value).__name__} under {name[:40]!a}")
