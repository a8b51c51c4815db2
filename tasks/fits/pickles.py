"""Read a pickle from outside so that nothing in it can run.

pickletools splits the file into opcodes without acting on any; what they mean is decided here.
Python's own Unpickler is not used at all: even with a filter on names it lets a file reach into
the functions that it was given, and reserve memory by a single number.
"""

import pickletools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from schemas.errors import InputError
from schemas.regular_files import read_whole
from tasks.fits.arrays import ArrayUnderWay, DtypeUnderWay, Workshop
from tasks.fits.opcodes import (
    IDLE,
    LITERALS,
    RECALLS,
    STEPS,
    STORES,
    RefusedPickleError,
    Stack,
    Value,
)
from tasks.scans.files import describe_wrong_file

MAX_FILE_BYTES = 1 << 20
MAX_OPCODES = 50_000
"""A published fit has 1,644 bytes and about 300 opcodes."""

LONGEST_NUMBER = 64
"""Digits of a number written as text, or bytes of a long one; also what int() may have to chew."""

Table = dict[str, Shaped[np.ndarray, "..."]]


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
            str(path),
            found=describe_wrong_file(data) or f"a pickle that {error}",
            expected="a dictionary of numbers and numpy arrays, and nothing else",
            hint="Don't open this file with anything else; fetch the fit from its publisher.",
        ) from error


def run_pickle(data: bytes) -> Value:
    """Run the opcodes of a pickle on plain values; raises RefusedPickleError."""
    stack, workshop = Stack(), Workshop()
    for name, argument in _split(data):
        if name == "STOP":
            return _finish(stack.pop())
        _run(name, argument, stack, workshop)
    raise RefusedPickleError("has no end")


def _split(data: bytes) -> Iterator[tuple[str, object]]:
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


def _run(name: str, argument: object, stack: Stack, workshop: Workshop) -> None:
    if name in LITERALS:
        stack.push(_check_literal(argument))
    elif name in STORES and isinstance(argument, int):
        stack.store(argument)
    elif name in RECALLS and isinstance(argument, int):
        stack.recall(argument)
    elif name in STEPS:
        STEPS[name](stack, argument)
    elif name == "GLOBAL":
        stack.push(workshop.find(str(argument).replace(" ", ".", 1)))
    elif name == "STACK_GLOBAL":
        member, module = stack.pop(), stack.pop()
        stack.push(workshop.find(f"{module!s:.100}.{member!s:.100}"))
    elif name == "REDUCE":
        arguments, callee = stack.pop(), stack.pop()
        stack.push(workshop.call(callee, arguments))
    elif name == "BUILD":
        _build(stack, workshop)
    elif name not in IDLE:
        asked = f" for {str(argument).replace(' ', '.', 1)[:120]!a}" if argument else ""
        raise RefusedPickleError(f"uses {name}{asked}")


def _build(stack: Stack, workshop: Workshop) -> None:
    state, target = stack.pop(), stack.top()
    if not isinstance(target, ArrayUnderWay | DtypeUnderWay):
        raise RefusedPickleError(f"sets the state of a {type(target).__name__}")
    target.set_state(state)
    if isinstance(target, ArrayUnderWay) and target.value is not None:
        workshop.count(target.value.nbytes)


def _check_literal(value: object) -> object:
    if type(value) is int and value.bit_length() > LONGEST_NUMBER:
        raise RefusedPickleError(f"has a number of {value.bit_length()} bits")
    return bytes(value) if isinstance(value, bytearray) else value


def _finish(value: Value) -> Value:
    return value.value if isinstance(value, ArrayUnderWay) else value


def _to_table(content: Value) -> Table:
    if not isinstance(content, dict):
        raise RefusedPickleError(f"holds a {type(content).__name__}")
    return {name: _to_numbers(name, _finish(value)) for name, value in content.items()}


def _to_numbers(name: str, value: Value) -> Shaped[np.ndarray, "..."]:
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, bool | int | float):
        return np.asarray(value, np.float64)
    if isinstance(value, list) and all(isinstance(one, int | float) for one in value):
        return np.asarray(value, np.float64)
    raise RefusedPickleError(f"holds a {type(value).__name__} under {name[:40]!a}")
