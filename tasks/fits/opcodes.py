"""The pickle opcodes that a fit may use, run on plain values.

A pickle is a program. Here only the part of the language is spoken that writes numbers, text,
lists, dictionaries and numpy arrays: no object is made, no name is imported, nothing is called
but the four constructors of tasks.fits.arrays.
Source: CPython's pickletools, which documents every opcode.
"""

from collections.abc import Callable

Value = object
"""None, bool, int, float, str, bytes, tuple, list, dict, or a value of tasks.fits.arrays."""

LONGEST_TABLE = 10_000
"""Entries of a list or dictionary; a fit has about eleven."""


class Mark:
    """Where a group of values begins on the stack."""


class RefusedPickleError(ValueError):
    """What the pickle asked for and may not have."""


class Stack:
    """Owns: unfinished values, and the memo by which a pickle speaks of them again."""

    def __init__(self) -> None:
        """Begin empty."""
        self.values: list[Value] = []
        self.memo: dict[int, Value] = {}

    def push(self, value: Value) -> None:
        """Put a value on top."""
        self.values.append(value)

    def pop(self) -> Value:
        """Take the top value; raises RefusedPickleError when there is none, or a mark."""
        if not self.values or isinstance(self.values[-1], Mark):
            raise RefusedPickleError("takes more values than it has")
        return self.values.pop()

    def top(self) -> Value:
        """Return the top value and leave it there."""
        value = self.pop()
        self.values.append(value)
        return value

    def pop_group(self) -> list[Value]:
        """Take all values above the last mark, and the mark."""
        group: list[Value] = []
        while self.values:
            value = self.values.pop()
            if isinstance(value, Mark):
                return group[::-1]
            group.append(value)
        raise RefusedPickleError("ends a group that it never began")

    def store(self, index: int) -> None:
        """Remember the top value; the index may be anything, the memo stays a small table."""
        self.memo[index] = self.top()

    def recall(self, index: int) -> None:
        """Put a remembered value on top."""
        if index not in self.memo:
            raise RefusedPickleError(f"speaks of memo {index}, which is empty")
        self.push(self.memo[index])


def to_dict(pairs: list[Value], into: dict[str, Value]) -> dict[str, Value]:
    """Add keys and values that alternate; keys are text, so that hashing costs what it looks."""
    for key, value in zip(pairs[::2], pairs[1::2], strict=len(pairs) % 2 == 0):
        if not isinstance(key, str):
            raise RefusedPickleError(f"has a key of type {type(key).__name__}, expected text")
        into[key] = value
    if len(pairs) % 2 or len(into) > LONGEST_TABLE:
        raise RefusedPickleError(f"has a dictionary of {len(pairs)} keys and values")
    return into


def _set_items(stack: Stack, pairs: list[Value]) -> None:
    table = stack.top()
    if not isinstance(table, dict):
        raise RefusedPickleError(f"sets items of a {type(table).__name__}")
    to_dict(pairs, table)


def _append(stack: Stack, values: list[Value]) -> None:
    table = stack.top()
    if not isinstance(table, list) or len(table) + len(values) > LONGEST_TABLE:
        raise RefusedPickleError(f"appends {len(values)} values to a {type(table).__name__}")
    table += values


def _drop(stack: Stack) -> None:
    if not stack.values:
        raise RefusedPickleError("takes more values than it has")
    stack.values.pop()


def _drop_group(stack: Stack) -> None:
    stack.pop_group()


def _pop_many(stack: Stack, count: int) -> list[Value]:
    return [stack.pop() for _ in range(count)][::-1]


Step = Callable[[Stack, object], None]
LITERALS = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
     "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
     "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
)  # fmt: skip
"""Opcodes whose argument is the value."""

STORES = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
RECALLS = frozenset({"GET", "BINGET", "LONG_BINGET"})
IDLE = frozenset({"PROTO", "FRAME"})

STEPS: dict[str, Step] = {
    "NONE": lambda stack, _: stack.push(None),
    "NEWTRUE": lambda stack, _: stack.push(True),
    "NEWFALSE": lambda stack, _: stack.push(False),
    "MARK": lambda stack, _: stack.push(Mark()),
    "POP": lambda stack, _: _drop(stack),
    "POP_MARK": lambda stack, _: _drop_group(stack),
    "DUP": lambda stack, _: stack.push(stack.top()),
    "MEMOIZE": lambda stack, _: stack.store(len(stack.memo)),
    "EMPTY_TUPLE": lambda stack, _: stack.push(()),
    "EMPTY_LIST": lambda stack, _: stack.push([]),
    "EMPTY_DICT": lambda stack, _: stack.push({}),
    "TUPLE": lambda stack, _: stack.push(tuple(stack.pop_group())),
    "TUPLE1": lambda stack, _: stack.push(tuple(_pop_many(stack, 1))),
    "TUPLE2": lambda stack, _: stack.push(tuple(_pop_many(stack, 2))),
    "TUPLE3": lambda stack, _: stack.push(tuple(_pop_many(stack, 3))),
    "LIST": lambda stack, _: stack.push(stack.pop_group()),
    "DICT": lambda stack, _: stack.push(to_dict(stack.pop_group(), {})),
    "APPEND": lambda stack, _: _append(stack, _pop_many(stack, 1)),
    "APPENDS": lambda stack, _: _append(stack, stack.pop_group()),
    "SETITEM": lambda stack, _: _set_items(stack, _pop_many(stack, 2)),
    "SETITEMS": lambda stack, _: _set_items(stack, stack.pop_group()),
}
"""What each opcode does to the stack; those that name or call anything are in tasks.fits.pickles.
"""
