"""Lines and numbers of a big text file, by whole arrays instead of line by line.

A line is known by the offset of its first character that is not blank. Offsets always count
bytes of the file as read, so that an error can name the line.
"""

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from schemas.errors import InputError

NEWLINE, BLANK = 10, 32
DIGITS = b"0123456789"
DECIMAL_DIGITS = DIGITS + b"+-eE"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CONTINUATION = re.compile(rb"\\[ \t]*\r?\n")
_LONE_SIGN = re.compile(rb"[-+](?![0-9])")
_WHOLE_NUMBER = re.compile(rb"[-+]?[0-9]+")
_COMMENT = re.compile(rb"#[^\n]*")


@dataclass(frozen=True, slots=True)
class TextLines:
    """A text as bytes, and where each of its lines begins.

    text: ends with a line end; a line that was continued by a backslash is one line.
    start: first byte of the line. first: its first byte that is not blank. end: one past the
    line end. is_cut: the file's last line had no line end.
    """

    name: str
    text: bytes
    start: Int64[np.ndarray, " L"]
    first: Int64[np.ndarray, " L"]
    end: Int64[np.ndarray, " L"]
    is_cut: bool
    raw: bytes

    def number_at(self, offset: int) -> int:
        """Return the number of the line at an offset, counted from 1."""
        return self.raw.count(b"\n", 0, offset) + 1


@dataclass(frozen=True, slots=True)
class Block:
    """The text of some of the lines, joined.

    start: where each line begins in the joined text. offset: where it began in the file.
    """

    text: bytes
    start: Int64[np.ndarray, " N"]
    offset: Int64[np.ndarray, " N"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Runs of characters between blanks (or other separators) of a block.

    start, end: in the block's text. first: index of the first token of each line, and the total.
    """

    start: Int64[np.ndarray, " K"]
    end: Int64[np.ndarray, " K"]
    first: Int64[np.ndarray, " N1"]

    @property
    def per_line(self) -> Int64[np.ndarray, " N"]:
        """Return how many tokens each line has."""
        return np.diff(self.first)


def split_lines(name: str, raw: bytes) -> TextLines:
    """Find the lines of a text with any line ends, with or without a byte order mark."""
    text = raw
    if text.startswith(BYTE_ORDER_MARK):
        text = b"   " + text[len(BYTE_ORDER_MARK) :]
    if b"\n" not in text:
        text = text.replace(b"\r", b"\n")
    raw, is_cut = text, not text.endswith(b"\n")
    if b"\\" in text:
        text = _CONTINUATION.sub(_join_line, text)
    if not text.endswith(b"\n"):
        text += b"\n"
    end = np.flatnonzero(as_bytes(text) == NEWLINE) + 1
    start = np.concatenate([np.zeros(1, np.int64), end[:-1]])
    return TextLines(name, text, start, _skip_blanks(as_bytes(text), start), end, is_cut, raw)


def take_lines(lines: TextLines, chosen: Bool[np.ndarray, " L"], *, keyword_bytes: int) -> Block:
    """Join the chosen lines, their keyword and their comments blanked out."""
    edge = np.flatnonzero(np.diff(chosen.view(np.int8), prepend=0, append=0))
    first, last = edge[0::2], edge[1::2] - 1
    runs = zip(lines.start[first].tolist(), lines.end[last].tolist(), strict=True)
    joined = bytearray().join(memoryview(lines.text)[start:end] for start, end in runs)
    index = np.flatnonzero(chosen)
    length = (lines.end - lines.start)[index]
    start = np.cumsum(length) - length
    view = np.frombuffer(joined, np.uint8)
    keyword = start + (lines.first - lines.start)[index]
    for k in range(keyword_bytes):
        view[keyword + k] = BLANK
    text = bytes(joined)
    if b"#" in text:
        text = _COMMENT.sub(lambda found: b" " * len(found.group()), text)
    return Block(text, start, lines.start[index])


def find_tokens(block: Block, is_separator: Bool[np.ndarray, " B"]) -> Tokens:
    """Find the tokens of a block; it begins with a separator, and so ends every line of it."""
    edge = np.flatnonzero(is_separator[1:] != is_separator[:-1]) + 1
    start, end = edge[0::2], edge[1::2]
    first = np.append(np.searchsorted(start, block.start), len(start))
    return Tokens(start, end, first)


def find_shape(block: Block, digits: bytes) -> bytes | None:
    """Return what is left of every line without its digits, if that is the same for all."""
    left = block.text.translate(None, digits)
    line = left[: left.find(b"\n") + 1]
    return line if left == line * len(block.start) else None


def read_rows(block: Block, dtype: type[np.float64 | np.int64], per_line: int) -> np.ndarray | None:
    """Read a block of which no line can have more than per_line numbers; None if any has fewer."""
    values = _parse(block.text.replace(b"/", b" "), dtype)
    if values is None or len(values) != per_line * len(block.start):
        return None
    return values.reshape(len(block.start), per_line)


def is_blank(text: bytes) -> Bool[np.ndarray, " B"]:
    """Return which bytes are blanks, tabs or line ends."""
    return as_bytes(text) <= BLANK


def as_bytes(text: bytes) -> UInt8[np.ndarray, " B"]:
    """View a text as numbers, without a copy."""
    return np.frombuffer(text, np.uint8)


def parse_floats(lines: TextLines, block: Block, tokens: Tokens) -> Float64[np.ndarray, " K"]:
    """Read every token of a block as a number.

    Raises InputError with the line of the first token that is none.
    """
    values = _parse(block.text, np.float64)
    if values is None or len(values) != len(tokens.start):
        raise _refuse_number(lines, block, tokens, float)
    numbers: Float64[np.ndarray, " K"] = values
    return numbers


def parse_ints(lines: TextLines, block: Block, tokens: Tokens) -> Int64[np.ndarray, " K"]:
    """Read every token of a block as a whole number, slashes counting as blanks.

    Raises InputError with the line of the first token that is none.
    """
    # np.fromstring reads "-  1" as -1 and "-" as 0.
    is_signed = b"-" in block.text or b"+" in block.text
    if is_signed and _LONE_SIGN.search(block.text):
        raise _refuse_number(lines, block, tokens, int)
    values = _parse(block.text.replace(b"/", b" "), np.int64)
    if values is None or len(values) != len(tokens.start):
        raise _refuse_number(lines, block, tokens, int)
    numbers: Int64[np.ndarray, " K"] = values
    return numbers


def refuse_line(lines: TextLines, offset: int, found: str, expected: str) -> InputError:
    """Return the error for the line at an offset of the file."""
    return InputError(
        f"{lines.name}, line {lines.number_at(offset)}",
        found=found,
        expected=expected,
        hint="Export the scan again, or fix that line.",
    )


def _join_line(found: re.Match[bytes]) -> bytes:
    """Blank a line end after a backslash; not in comments, which end in Windows paths."""
    line = found.string.rfind(b"\n", 0, found.start()) + 1
    is_comment = found.string[line : found.start()].lstrip().startswith(b"#")
    return found.group() if is_comment else b" " * len(found.group())


def _parse(text: bytes, dtype: type[np.float64 | np.int64]) -> np.ndarray | None:
    if text.isspace():  # np.fromstring makes a number of blanks
        return np.zeros(0, dtype)
    try:
        return np.fromstring(text, dtype, sep=" ")
    except (ValueError, DeprecationWarning):
        return None


def _refuse_number(
    lines: TextLines, block: Block, tokens: Tokens, kind: type[float | int]
) -> InputError:
    count = len(tokens.start)
    bad = next((k for k in range(count) if not _is_number(block, tokens, k, kind)), 0)
    line = int(np.searchsorted(tokens.first, bad, side="right")) - 1
    found = block.text[tokens.start[bad] : tokens.end[bad]][:40].decode("ascii", "backslashreplace")
    expected = "a number" if kind is float else "a whole number"
    return refuse_line(lines, int(block.offset[line]), repr(found), expected)


def _is_number(block: Block, tokens: Tokens, k: int, kind: type[float | int]) -> bool:
    token = block.text[tokens.start[k] : tokens.end[k]]
    if kind is int:
        return _WHOLE_NUMBER.fullmatch(token) is not None
    values = _parse(token, np.float64)
    return values is not None and len(values) == 1


def _skip_blanks(
    text: UInt8[np.ndarray, " B"], start: Int64[np.ndarray, " L"]
) -> Int64[np.ndarray, " L"]:
    indented = np.flatnonzero((text[start] <= BLANK) & (text[start] != NEWLINE))
    if not indented.size:
        return start
    stop = np.flatnonzero((text > BLANK) | (text == NEWLINE))
    first = start.copy()
    first[indented] = stop[np.searchsorted(stop, start[indented])]
    return first
