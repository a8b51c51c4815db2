"""YAML files of options: read within limits, so that no file can exhaust the machine.

A file is measured before it is parsed, and its nodes are counted before any value is built: a
small text whose aliases mean billions of nodes is refused as soon as it is read.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from schemas.errors import InputError, MachineError, RequestError
from schemas.path_checks import check_file
from schemas.regular_files import read_text
from schemas.request_base import refuse_unknown
from schemas.wording import shorten, shorten_text

MAX_BYTES = 1_000_000
MAX_DEPTH = 16
MAX_NODES = 20_000
"""With aliases written out. A list of the 3600 angles that a run may have is well below."""

MAX_WORD_CHARS = 65_536
_NUMBERS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
_CONSTRUCTION = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What PyYAML raises when a word is not what its tag says: a date, a huge integer."""

_FastLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _OptionLoader(_FastLoader):  # type: ignore[misc]  # whichever of the two there is
    """Reads -30:30:10 as text: for YAML 1.1 it is a number to the base of 60."""


_OptionLoader.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile(f"(?!.*:){rule.pattern}", re.VERBOSE) if tag in _NUMBERS else rule)
        for tag, rule in rules
    ]
    for first, rules in _FastLoader.yaml_implicit_resolvers.items()
}


def read_config(path: Path, known: Iterable[str]) -> dict[str, object]:
    """Read options by name, dashes as underscores; known: all names that may be in it.

    Raises RequestError naming the file and what is wrong with it.
    """
    check_file("--config", str(path))
    thing = f"--config {path}"
    values = load_yaml(_read_text(path, thing), thing)
    if not isinstance(values, dict):
        raise _refuse(thing, "nothing" if values is None else f"a {type(values).__name__}")
    plain = {
        (key if isinstance(key, str) else shorten(key)).replace("-", "_"): value
        for key, value in values.items()
    }
    refuse_unknown(plain, known, source=thing)
    return plain


def load_yaml(text: str, thing: str) -> object:
    """Parse YAML of bounded depth and size; raises RequestError naming the thing that holds it."""
    try:
        _refuse_too_much(text, thing)
        return yaml.load(text, Loader=_OptionLoader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise _refuse(thing, " ".join(str(error).split())) from error
    except _CONSTRUCTION as error:
        why = f" ({shorten_text(str(error))})" if isinstance(error, ValueError) else ""
        raise _refuse(thing, f"a value that can't be read{why}") from error


def _read_text(path: Path, thing: str) -> str:
    try:
        return read_text(path, MAX_BYTES)
    except (InputError, MachineError) as error:
        raise _refuse(thing, error.found) from error


def _refuse_too_much(text: str, thing: str) -> None:
    """Count nodes as if each alias were written out; raises RequestError beyond the limits."""
    nodes = _Nodes()
    for event in yaml.parse(text, Loader=_FastLoader):
        if isinstance(event, yaml.AliasEvent) and event.anchor not in nodes.sizes:
            raise _refuse(thing, f"the alias {shorten(event.anchor)} of what is not complete")
        nodes.take(event)
        if len(nodes.opened) > MAX_DEPTH:
            raise _refuse(thing, f"values nested more than {MAX_DEPTH} deep")
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > MAX_WORD_CHARS:
            raise _refuse(thing, f"a value of more than {MAX_WORD_CHARS:,} characters")
        if nodes.total > MAX_NODES:
            raise _refuse(thing, f"more than {MAX_NODES:,} values, aliases written out")


@dataclass
class _Nodes:
    """Nodes so far. opened: anchor of each open collection and how many nodes came before it."""

    total: int = 0
    sizes: dict[str, int] = field(default_factory=dict)
    opened: list[tuple[str | None, int]] = field(default_factory=list)

    def take(self, event: yaml.Event) -> None:
        """Count one event of the parser."""
        if isinstance(event, yaml.AliasEvent):
            self.total += self.sizes[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            self.total += 1
            self._close(event.anchor, self.total - 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            self.opened.append((event.anchor, self.total))
            self.total += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close(*self.opened.pop())

    def _close(self, anchor: str | None, before: int) -> None:
        if anchor is not None:
            self.sizes[anchor] = self.total - before


def _refuse(thing: str, found: str) -> RequestError:
    return RequestError(
        thing, found=found, expected="lines of `name: value` with names of options",
        hint="See the options with --help, and an example below them.",
    )  # fmt: skip
