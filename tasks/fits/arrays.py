"""The only things that a fit's pickle may name, rebuilt as plain values of our own.

Nothing here is the thing that the pickle names: a name stands for one of a few roles, and an
array is made from bytes, a shape and a number type, all of them checked.
"""

import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Shaped

from tasks.fits.opcodes import RefusedPickleError, Value

Role = Literal["reconstruct", "array", "dtype", "encode", "scalar", "frombuffer"]

ROLES: dict[str, Role] = {
    "numpy.core.multiarray._reconstruct": "reconstruct",
    "numpy._core.multiarray._reconstruct": "reconstruct",
    "numpy.core.multiarray.scalar": "scalar",
    "numpy._core.multiarray.scalar": "scalar",
    "numpy._core.numeric._frombuffer": "frombuffer",
    "numpy.core.numeric._frombuffer": "frombuffer",
    "numpy.ndarray": "array",
    "trimesh.caching.TrackedArray": "array",
    "trimesh.base.TrackedArray": "array",
    "numpy.dtype": "dtype",
    "_codecs.encode": "encode",
}
"""By module and name.
Source: what numpy writes for arrays and scalars; docs/keypoints.md for trimesh's
TrackedArray, which becomes a plain array."""

MAX_BYTES = 4 << 20
"""Of all arrays and texts that a pickle may have built; published fits need about 500."""

_NUMBER_TYPE = re.compile(r"^[<>=|]?(b1|[iu][1248]|f[248])$")
_STATE_LENGTH = 5
_ARGUMENTS_OF_RECONSTRUCT = 3
_PAIR = 2
_BIG_ENDIAN = ">"


@dataclass(frozen=True, slots=True)
class Name:
    """A name that may be spoken of, and what it is for."""

    text: str
    role: Role


@dataclass(slots=True)
class DtypeUnderWay:
    """A number type, whose byte order comes later."""

    code: str

    def set_state(self, state: Value) -> None:
        """Take the byte order; everything else in a state belongs to types of other kinds."""
        if not isinstance(state, tuple) or len(state) < _PAIR:
            raise RefusedPickleError("describes a number type in an unknown way")
        if state[1] == _BIG_ENDIAN:
            self.code = _BIG_ENDIAN + self.code.lstrip("<=|>")

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Return numpy's own type of plain numbers."""
        return np.dtype(self.code)


@dataclass(slots=True)
class ArrayUnderWay:
    """An array that its state will fill."""

    value: Shaped[np.ndarray, "..."] | None = None

    def set_state(self, state: Value) -> None:
        """Take (version, shape, number type, Fortran order, bytes)."""
        if not isinstance(state, tuple) or len(state) != _STATE_LENGTH:
            raise RefusedPickleError("fills an array in an unknown way")
        _, shape, dtype, is_fortran, data = state
        self.value = make_array(data, dtype, shape, is_fortran=is_fortran is True)


class Workshop:
    """Owns: the count of bytes that a pickle has built so far."""

    def __init__(self) -> None:
        """Begin with nothing built."""
        self._built = 0

    def find(self, name: str) -> Name:
        """Return what a name stands for; raises RefusedPickleError naming what was asked for."""
        role = ROLES.get(name)
        if role is None:
            raise RefusedPickleError(f"asks for {name[:120]!a}")
        return Name(name, role)

    def call(self, name: Value, arguments: Value) -> Value:
        """Build what the pickle wants built."""
        if not isinstance(name, Name) or not isinstance(arguments, tuple):
            raise RefusedPickleError(f"calls a {type(name).__name__}")
        if name.role == "reconstruct":
            return _begin_array(arguments)
        if name.role == "dtype":
            return _begin_dtype(arguments)
        if name.role == "encode":
            return self._encode(arguments)
        if name.role == "scalar":
            return _make_scalar(arguments)
        if name.role == "frombuffer":
            made = _make_from_buffer(arguments)
            self.count(made.nbytes)
            return made
        raise RefusedPickleError(f"calls {name.text}")

    def count(self, size: int) -> None:
        """Count bytes; raises RefusedPickleError when a fit can't be that big."""
        self._built += size
        if self._built > MAX_BYTES:
            raise RefusedPickleError(f"builds more than {MAX_BYTES} bytes")

    def _encode(self, arguments: tuple[Value, ...]) -> bytes:
        text = arguments[0] if arguments else None
        if not isinstance(text, str) or arguments[1:] not in ((), ("latin1",), ("latin-1",)):
            raise RefusedPickleError("encodes something else than latin1 text")
        self.count(len(text))
        return _to_bytes(text)


def make_array(
    data: Value, dtype: Value, shape: Value, *, is_fortran: bool
) -> Shaped[np.ndarray, "..."]:
    """Make an array of numbers; raises RefusedPickleError when bytes and shape disagree."""
    if not isinstance(dtype, DtypeUnderWay):
        raise RefusedPickleError("fills an array without a number type")
    sizes = shape if isinstance(shape, tuple) else (shape,)
    if not all(type(size) is int and 0 <= size <= MAX_BYTES for size in sizes) or len(sizes) > 4:  # noqa: PLR2004 - no parameter has more than two axes
        raise RefusedPickleError("has an array of a shape that no fit has")
    raw = _to_bytes(data)
    if math.prod(sizes) * dtype.dtype.itemsize != len(raw):
        raise RefusedPickleError(f"has {len(raw)} bytes for an array of another size")
    flat = np.frombuffer(raw, dtype.dtype).copy()
    return flat.reshape(sizes, order="F" if is_fortran else "C")


def _begin_array(arguments: tuple[Value, ...]) -> ArrayUnderWay:
    is_array = (
        len(arguments) == _ARGUMENTS_OF_RECONSTRUCT
        and isinstance(arguments[0], Name)
        and arguments[0].role == "array"
    )
    if not is_array:
        raise RefusedPickleError("reconstructs something else than an array")
    return ArrayUnderWay()


def _begin_dtype(arguments: tuple[Value, ...]) -> DtypeUnderWay:
    code = arguments[0] if arguments else None
    if not isinstance(code, str) or not _NUMBER_TYPE.match(code):
        raise RefusedPickleError(f"has values of type {code!a:.40}, expected plain numbers")
    return DtypeUnderWay(code)


def _make_scalar(arguments: tuple[Value, ...]) -> Value:
    if len(arguments) != _PAIR:
        raise RefusedPickleError("has a scalar without its bytes")
    return make_array(arguments[1], arguments[0], (), is_fortran=False)


def _make_from_buffer(arguments: tuple[Value, ...]) -> Shaped[np.ndarray, "..."]:
    if len(arguments) != _STATE_LENGTH - 1:
        raise RefusedPickleError("fills an array in an unknown way")
    data, dtype, shape, order = arguments
    return make_array(data, dtype, shape, is_fortran=order == "F")


def _to_bytes(data: Value) -> bytes:
    try:
        return data.encode("latin1") if isinstance(data, str) else bytes(memoryview(data))  # type: ignore[arg-type] # refused below
    except (TypeError, UnicodeEncodeError) as error:
        raise RefusedPickleError(f"has a {type(data).__name__} where bytes belong") from error
