"""TensorFlow's checkpoints of version 2 ("tensor bundles"), read and written without TensorFlow.

PREFIX.index is a table of sorted names; a row says type, shape and place of a variable in
PREFIX.data-00000-of-00001. Reading runs nothing, and every size is checked against the files before
memory is reserved. Source: core/util/tensor_bundle of github.com/tensorflow/tensorflow;
docs/decisions/0008-tensorflow-checkpoints.md.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from schemas.atomic_files import atomic_file
from schemas.errors import InputError
from schemas.file_status import measure_file
from schemas.regular_files import open_regular_file, read_whole
from training.hdnet.tensorflow_table import (
    bytes_field,
    fixed32_field,
    masked_checksum,
    parse_message,
    read_table,
    varint_field,
    write_table,
)

INDEX_SUFFIX, DATA_SUFFIX = ".index", ".data-{shard:05d}-of-{shards:05d}"
MAX_INDEX_BYTES = 16 << 20
"""Of the released networks' it is 20 kB."""

MAX_SHARDS = 1000

FLOAT = 1
"""DT_FLOAT of types.proto."""

SHARDS, BYTE_ORDER, VERSION = 1, 2, 3
"""Fields of BundleHeaderProto."""

KIND, SHAPE, SHARD, OFFSET, SIZE, CHECKSUM, SLICES = 1, 2, 3, 4, 5, 6, 7
"""Fields of BundleEntryProto."""


@dataclass(frozen=True, slots=True)
class _Variable:
    """Where a variable lies. bytes, checksum: of its values; shard: the data file."""

    kind: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    bytes: int
    checksum: int


def list_variables(prefix: Path) -> tuple[str, ...]:
    """Return the names of all variables; raises InputError when the index can't be read."""
    return tuple(_read_index(prefix)[1])


def read_variables(prefix: Path, scope: str) -> dict[str, Float32[np.ndarray, "..."]]:
    """Read the float32 variables below a scope, by their names without it; others are left out.

    Raises InputError naming the variable that is not where the index says or has other bytes.
    """
    shards, variables = _read_index(prefix)
    return {
        name.removeprefix(scope + "/"): _read_values(prefix, shards, name, variable)
        for name, variable in variables.items()
        if name.startswith(scope + "/") and variable.kind == FLOAT
    }


def write_variables(prefix: Path, variables: Mapping[str, Float32[np.ndarray, "..."]]) -> None:
    """Write a bundle, the index last, so that one without data is never seen."""
    rows = {"": varint_field(SHARDS, 1) + bytes_field(VERSION, varint_field(1, 1))}
    offset = 0
    with atomic_file(_data_file(prefix, 0, 1)) as file:
        for name in sorted(variables):
            data = np.ascontiguousarray(variables[name], "<f4").tobytes()
            rows[name] = _entry(variables[name].shape, offset, data)
            offset += file.write(data)
    with atomic_file(Path(f"{prefix}{INDEX_SUFFIX}")) as file:
        file.write(write_table(rows))


def _read_index(prefix: Path) -> tuple[int, dict[str, _Variable]]:
    """Return the number of data files, and the variables by name."""
    path = Path(f"{prefix}{INDEX_SUFFIX}")
    data = read_whole(path, MAX_INDEX_BYTES)
    try:
        rows = read_table(data)
        shards = _count_shards(rows.pop(b""))
        return shards, {name.decode(): _parse_entry(value) for name, value in rows.items()}
    except (ValueError, LookupError, struct.error) as error:
        raise InputError(
            str(path), found=f"cut or of another kind: {error}",
            expected="the index of a TensorFlow checkpoint (Saver, version 2)",
            hint="Give the part of its path before .index; all its files lie side by side.",
        ) from error  # fmt: skip


def _count_shards(header: bytes) -> int:
    numbers = parse_message(header).numbers
    shards = numbers.get(SHARDS, 1)
    if numbers.get(BYTE_ORDER, 0) != 0 or not 1 <= shards <= MAX_SHARDS:
        raise ValueError("another byte order, or too many files")
    return shards


def _parse_entry(value: bytes) -> _Variable:
    """Read a BundleEntryProto; raises ValueError for a variable saved in slices."""
    entry = parse_message(value)
    if SLICES in entry.texts:
        raise ValueError("variables saved in slices")
    shapes = entry.texts.get(SHAPE, [b""])
    sides = parse_message(shapes[0]).texts.get(SHAPE, [])
    numbers = (entry.numbers.get(name, 0) for name in (SHARD, OFFSET, SIZE, CHECKSUM))
    shape = tuple(parse_message(side).numbers.get(1, 0) for side in sides)
    return _Variable(entry.numbers.get(KIND, 0), shape, *numbers)


def _entry(shape: tuple[int, ...], offset: int, data: bytes) -> bytes:
    """Write a BundleEntryProto."""
    sides = b"".join(bytes_field(SHAPE, varint_field(1, side)) for side in shape)
    place = varint_field(OFFSET, offset) + varint_field(SIZE, len(data))
    checksum = fixed32_field(CHECKSUM, masked_checksum(data))
    return varint_field(KIND, FLOAT) + bytes_field(SHAPE, sides) + place + checksum


def _read_values(
    prefix: Path, shards: int, name: str, variable: _Variable
) -> Float32[np.ndarray, "..."]:
    path = _data_file(prefix, variable.shard, shards)
    size = measure_file(path) or 0
    if variable.bytes != 4 * prod(variable.shape) or variable.offset + variable.bytes > size:
        raise _damaged(path, f"{size} bytes, and {name} up to {variable.offset + variable.bytes}")
    with open_regular_file(path) as file:
        file.seek(variable.offset)
        data = file.read(variable.bytes)
    if masked_checksum(data) != variable.checksum:
        raise _damaged(path, f"{name} with other bytes than were written")
    return np.frombuffer(data, "<f4").astype(np.float32).reshape(variable.shape)


def _data_file(prefix: Path, shard: int, shards: int) -> Path:
    return Path(str(prefix) + DATA_SUFFIX.format(shard=shard, shards=shards))


def _damaged(path: Path, found: str) -> InputError:
    return InputError(
        str(path), found=found, expected="the values that the index describes",
        hint="Fetch all files of the checkpoint again: a copy may be incomplete.",
    )  # fmt: skip
