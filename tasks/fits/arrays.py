"""The only things that a fit's pickle may name, rebuilt as plain values of our own.

Nothing here is the thing that the pickle names: a name selects one of a few constructors, and an
array is made from bytes, a shape and a number type, all of them checked.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

Value = object
"""None, bool, int, float, str, bytes, tuple, list, dict, an array, or a class of this module."""

MAX_BYTES = 4 << 20
"""Of all arrays and texts that a pickle may have built; published fits need about 500."""

MAX_AXES = 4
_NUMBER_TYPE = re.compile(r"^[<>=|]?(b1|[iu][1248]|f[248])$")
_BIG_ENDIAN = ">"


class RefusedPickleError(ValueError):
    """What the pickle asked for and may not have."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name of CONSTRUCTORS that the pickle has spoken."""

    text: str


@dataclass(slots=True)
class PendingDtype:
    """A number type, whose byte order comes later."""

    code: str

    def set_state(self, state: Value) -> None:
        """Take the byte order; everything else in a state belongs to types of other kinds."""
        match state:
            case (_, order, *_):
                self.code = f">{self.code.lstrip('<=|>')}" if order == _BIG_ENDIAN else self.code
            case _:
                raise RefusedPickleError("describes a number type in an unknown way")


@dataclass(slots=True)
class PendingArray:
    """An array that its state will fill."""

    value: Shaped[np.ndarray, "..."] | None = None

    def set_state(self, state: Value) -> None:
        """Take (version, shape, number type, Fortran order, bytes)."""
        match state:
            case (_, shape, dtype, is_fortran, data):
                self.value = make_array(data, dtype, shape, is_fortran=is_fortran is True)
            case _:
                raise RefusedPickleError("fills an array in an unknown way")


def find_name(name: str) -> Name:
    """Return a name that may be spoken; raises RefusedPickleError with any other."""
    if name not in CONSTRUCTORS:
        raise RefusedPickleError(f"asks for {name[:120]!a}")
    return Name(name)


def construct(name: Value, arguments: Value) -> Value:
    """Build what the pickle wants built; raises RefusedPickleError when that is not allowed."""
    if not isinstance(name, Name) or not isinstance(arguments, tuple):
        raise RefusedPickleError(f"calls a {type(name).__name__}")
    make = CONSTRUCTORS[name.text]
    if make is None:
        raise RefusedPickleError(f"calls {name.text}")
    return make(arguments)


def make_array(
    data: Value, dtype: Value, shape: Value, *, is_fortran: bool
) -> Shaped[np.ndarray, "..."]:
    """Make an array of numbers; raises RefusedPickleError when bytes and shape disagree."""
    if not isinstance(dtype, PendingDtype):
        raise RefusedPickleError("fills an array without a number type")
    sizes = shape if isinstance(shape, tuple) else (shape,)
    are_sizes = all(type(size) is int and 0 <= size <= MAX_BYTES for size in sizes)
    if not are_sizes or len(sizes) > MAX_AXES:
        raise RefusedPickleError("has an array of a shape that no fit has")
    raw, kind = _to_bytes(data), np.dtype(dtype.code)
    if math.prod(sizes) * kind.itemsize != len(raw):
        raise RefusedPickleError(f"has {len(raw)} bytes for an array of another size")
    return np.frombuffer(raw, kind).copy().reshape(sizes, order="F" if is_fortran else "C")


def _begin_array(arguments: tuple[Value, ...]) -> PendingArray:
    match arguments:
        case (Name(text), _, _) if CONSTRUCTORS[text] is None:
            return PendingArray()
    raise RefusedPickleError("reconstructs something else than an array")


def _begin_dtype(arguments: tuple[Value, ...]) -> PendingDtype:
    code = arguments[0] if arguments else None
    if not isinstance(code, str) or not _NUMBER_TYPE.match(code):
        raise RefusedPickleError(f"has values of type {code!a:.40}, expected plain numbers")
    return PendingDtype(code)


def _make_scalar(arguments: tuple[Value, ...]) -> Value:
    match arguments:
        case (dtype, data):
            return make_array(data, dtype, (), is_fortran=False)
    raise RefusedPickleError("has a scalar without its bytes")


def _make_from_buffer(arguments: tuple[Value, ...]) -> Value:
    match arguments:
        case (data, dtype, shape, order):
            return make_array(data, dtype, shape, is_fortran=order == "F")
    raise RefusedPickleError("fills an array in an unknown way")


def _encode(arguments: tuple[Value, ...]) -> bytes:
    match arguments:
        case (str(text),) | (str(text), "latin1" | "latin-1"):
            return _to_bytes(text)
    raise RefusedPickleError("encodes something else than latin1 text")


def _to_bytes(data: Value) -> bytes:
    try:
        return data.encode("latin1") if isinstance(data, str) else bytes(memoryview(data))  # type: ignore[arg-type] # refused below
    except (TypeError, UnicodeEncodeError) as error:
        raise RefusedPickleError(f"has a {type(data).__name__} where bytes belong") from error


CONSTRUCTORS: dict[str, Callable[[tuple[Value, ...]], Value] | None] = {
    "numpy.core.multiarray._reconstruct": _begin_array,
    "numpy._core.multiarray._reconstruct": _begin_array,
    "numpy.core.multiarray.scalar": _make_scalar,
    "numpy._core.multiarray.scalar": _make_scalar,
    "numpy._core.numeric._frombuffer": _make_from_buffer,
    "numpy.core.numeric._frombuffer": _make_from_buffer,
    "numpy.ndarray": None,
    "trimesh.caching.TrackedArray": None,
    "trimesh.base.TrackedArray": None,
    "numpy.dtype": _begin_dtype,
    "_codecs.encode": _encode,
}
"""By module and name; None: an array's class, which is named and never called. Source: what numpy
writes for arrays and scalars; docs/keypoints.md for trimesh's TrackedArray, which becomes a plain
array."""
