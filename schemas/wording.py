"""Words of messages: untrusted values in one short line, mistyped names, sizes."""

import reprlib
from collections.abc import Iterable
from difflib import get_close_matches

MAX_SHOWN_CHARS = 80
MAX_SHOWN_BITS = 256
KIB = 1024


def suggest(name: str, known: Iterable[str], *, likeness: float = 0.6) -> str:
    """Return the name that was probably meant; an empty text where none is like it (0 to 1)."""
    by_lower = {one.lower(): one for one in known}
    return next(
        (by_lower[one] for one in get_close_matches(name.lower(), by_lower, n=1, cutoff=likeness)),
        "",
    )


def shorten(value: object) -> str:
    """Write an untrusted value in one short line, however large or deep it is."""
    return shorten_text(_REPR.repr(value))


def shorten_text(text: str, limit: int = MAX_SHOWN_CHARS) -> str:
    """Write a text in one line of at most so many characters."""
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 3] + "..."


def format_bytes(count: int) -> str:
    """Write a size as people say it: 812 B, 3.4 MiB."""
    size, units = float(count), ("B", "KiB", "MiB", "GiB", "TiB")
    for unit in units[:-1]:
        if size < KIB:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= KIB
    return f"{size:.1f} {units[-1]}"


class _Repr(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        """Write an integer; Python refuses to write those of thousands of digits."""
        if x.bit_length() > MAX_SHOWN_BITS:
            return f"an integer of {x.bit_length()} bits"
        return super().repr_int(x, level)


_REPR = _Repr()
_REPR.maxstring = _REPR.maxother = MAX_SHOWN_CHARS
