"""The table in the index of a TensorFlow checkpoint, and the numbers and messages in its rows.

Read as untrusted input: nothing is run, no size is believed. Source: core/lib/io/format.h of
github.com/tensorflow/tensorflow (LevelDB's table) and protobuf.dev/programming-guides/encoding.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from schemas.errors import MachineError

FOOTER_BYTES, MAGIC = 48, 0xDB4775248B80FB57
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_VARINT_BITS = 64
SEVEN_BITS, CONTINUED = 0x7F, 0x80

_MASK_DELTA, _WORD = 0xA282EAD8, 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Message:
    """The fields of a protocol buffer by number. numbers: the last of each; texts: all of each."""

    numbers: dict[int, int] = field(default_factory=dict)
    texts: dict[int, list[bytes]] = field(default_factory=dict)


def read_table(data: bytes) -> dict[bytes, bytes]:
    """Return the rows of a table.

    Raises ValueError, IndexError or struct.error for bytes that are no whole table.
    """
    if len(data) < FOOTER_BYTES or struct.unpack("<Q", data[-8:])[0] != MAGIC:
        raise ValueError("no table of TensorFlow")
    place = len(data) - FOOTER_BYTES
    for _ in range(2):  # the place of the block of extras, which is not used
        _, place = _varint(data, place)
    rows: dict[bytes, bytes] = {}
    for _, handle in _rows_of_block(data, data, place):
        rows |= dict(_rows_of_block(data, handle, 0))
    return rows


def write_table(rows: Mapping[str, bytes]) -> bytes:
    """Write a table of one block of rows."""
    ordered = {name.encode(): rows[name] for name in sorted(rows)}
    data, first = _block(ordered, 0)
    extras, second = _block({}, len(data))
    index, third = _block({list(ordered)[-1]: first}, len(data) + len(extras))
    handles = (second + third).ljust(FOOTER_BYTES - 8, b"\0")
    return data + extras + index + handles + struct.pack("<Q", MAGIC)


def parse_message(data: bytes) -> Message:
    """Read a protocol buffer; raises ValueError, IndexError or struct.error when it is cut."""
    message, place = Message(), 0
    while place < len(data):
        tag, place = _varint(data, place)
        number, wire = tag >> 3, tag % 8
        if wire == BYTES:
            length, place = _varint(data, place)
            if place + length > len(data):
                raise ValueError("a field longer than its message")
            message.texts.setdefault(number, []).append(data[place : place + length])
            place += length
        elif wire == VARINT:
            message.numbers[number], place = _varint(data, place)
        elif wire in (FIXED32, FIXED64):
            form = "<I" if wire == FIXED32 else "<Q"
            (message.numbers[number],) = struct.unpack_from(form, data, place)
            place += struct.calcsize(form)
        else:
            raise ValueError(f"a field of wire type {wire}")
    return message


def varint_field(number: int, value: int) -> bytes:
    """Write a whole number."""
    return _to_varint(number << 3 | VARINT) + _to_varint(value)


def bytes_field(number: int, value: bytes) -> bytes:
    """Write bytes, or a message."""
    return _to_varint(number << 3 | BYTES) + _to_varint(len(value)) + value


def fixed32_field(number: int, value: int) -> bytes:
    """Write a number of 32 bits."""
    return _to_varint(number << 3 | FIXED32) + struct.pack("<I", value)


def masked_checksum(data: bytes) -> int:
    """Return CRC-32C as these files hold it: rotated and shifted.

    Raises MachineError without the optional extra.
    """
    try:
        from google_crc32c import value  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise MachineError(
            "TensorFlow checkpoints", found="no google-crc32c", expected="what checks their bytes",
            hint="pip install 'scanmill[tensorflow-checkpoints]' (`make setup` does).",
        ) from error  # fmt: skip
    crc = int(value(data))
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & _WORD


def _rows_of_block(data: bytes, handle: bytes, place: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the rows of the block whose offset and size are at a place of `handle`."""
    begin, place = _varint(handle, place)
    size, _ = _varint(handle, place)
    if data[begin + size] != 0:
        raise ValueError("a compressed index")
    restarts = struct.unpack_from("<I", data, begin + size - 4)[0]
    key, place, end = b"", begin, begin + size - 4 * (restarts + 1)
    while place < end:
        shared, place = _varint(data, place)
        rest, place = _varint(data, place)
        length, place = _varint(data, place)
        if shared > len(key) or place + rest + length > end:
            raise ValueError("a row longer than its block")
        key = key[:shared] + data[place : place + rest]
        yield key, data[place + rest : place + rest + length]
        place += rest + length


def _block(rows: Mapping[bytes, bytes], offset: int) -> tuple[bytes, bytes]:
    """Return a block with its trailer, and the handle that names it; every key is in full."""
    content, places = b"", list[int]()
    for key, value in rows.items():
        places.append(len(content))
        content += _to_varint(0) + _to_varint(len(key)) + _to_varint(len(value)) + key + value
    places = places or [0]
    content += struct.pack(f"<{len(places)}I", *places) + struct.pack("<I", len(places))
    kind = b"\0"  # not compressed
    trailer = kind + struct.pack("<I", masked_checksum(content + kind))
    return content + trailer, _to_varint(offset) + _to_varint(len(content))


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """Return a number of 7 bits a byte, lowest first, and the place behind it."""
    value = shift = 0
    while shift < MAX_VARINT_BITS:
        byte = data[place]
        value |= (byte & SEVEN_BITS) << shift
        place, shift = place + 1, shift + 7
        if byte < CONTINUED:
            return value, place
    raise ValueError(f"a number of more than {MAX_VARINT_BITS} bits")


def _to_varint(value: int) -> bytes:
    data = b""
    while value >= CONTINUED:
        data += bytes([value & SEVEN_BITS | CONTINUED])
        value >>= 7
    return data + bytes([value])
