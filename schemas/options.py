"""The table of options that the fields of a pydantic model make: each is declared once, there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal, TypeVar, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

M = TypeVar("M")
VARIABLE_PREFIX = "SCANMILL_"


@dataclass(frozen=True, slots=True)
class Shown:
    """What a field does not say about its option.

    metavar: the value in help texts. word: what messages call an option that is an argument: a word
    of the line without a name. unset: what holds while it has no value. scope: where it can be
    given; `config`: not on the command line; `internal`: the program fills it in. has_variable: the
    help names its environment variable.
    """

    metavar: str = ""
    unset: str = ""
    word: str = ""
    scope: Literal["line", "config", "internal"] = "line"
    has_variable: bool = False


CONFIG = Shown(scope="config")
INTERNAL = Shown(scope="internal")


@dataclass(frozen=True, slots=True)
class Part:
    """Marks a field whose fields are options of the request.

    prefix, renamed: how they are called there. only, without: which of them are options; all others
    keep their defaults. unset: what holds for required ones that need not be given there.
    """

    prefix: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    only: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    unset: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """One option. path: the names that lead from the request to its field."""

    name: str
    path: tuple[str, ...]
    field: FieldInfo
    shown: Shown
    is_required: bool

    @property
    def spelled(self) -> str:
        """Return it as on the command line: --scans-per-shard; an argument by its word."""
        return self.shown.word or "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Return its environment variable: SCANMILL_SCANS_PER_SHARD."""
        return VARIABLE_PREFIX + self.name.upper()

    @property
    def description(self) -> str:
        """Return what it means, in one line."""
        return " ".join((self.field.description or "").split())

    @property
    def choices(self) -> tuple[str, ...]:
        """Return the words that it can be; none where it is no choice of words."""
        return _choices_of(self.field.annotation)

    @property
    def is_list(self) -> bool:
        """Return whether it may be given several times."""
        return self.field.annotation == tuple[str, ...]

    @property
    def default(self) -> str:
        """Return the default in words: the value, or what holds without one."""
        value = self.field.default
        if self.field.is_required() or value is None or value is False:
            return self.shown.unset
        parts = value if isinstance(value, tuple) else (value,)
        return ",".join(f"{one:g}" if isinstance(one, float) else str(one) for one in parts)

    @property
    def limits(self) -> str:
        """Return the range in words: `x>=1`, `1<=x<=64`; nothing where all numbers will do."""
        low, above, high = (
            next((getattr(one, name) for one in self.field.metadata if isinstance(one, kind)), None)
            for kind, name in ((Ge, "ge"), (Gt, "gt"), (Le, "le"))
        )
        if low is None and above is None:
            return "" if high is None else f"x<={high}"
        sign, start = (">", above) if low is None else (">=", low)
        return f"x{sign}{start}" if high is None else f"{start}{sign.replace('>', '<')}x<={high}"


@cache
def table_of(kind: type[BaseModel]) -> Mapping[str, Option]:
    """Return all options of a model by name; required ones come first."""
    options = sorted(_options_of(kind, (), Part()), key=lambda one: not one.is_required)
    return {one.name: one for one in options}


def _options_of(kind: type[BaseModel], path: tuple[str, ...], within: Part) -> Iterator[Option]:
    for name, one in kind.model_fields.items():
        part = _marker(one, Part)
        if part is not None and isinstance(one.annotation, type):
            yield from _options_of(one.annotation, (*path, name), part)
        elif name not in within.without and (not within.only or name in within.only):
            called = within.renamed.get(name, within.prefix + name)
            shown = _marker(one, Shown) or Shown()
            if name in within.unset:
                shown = replace(shown, unset=within.unset[name])
            is_required = one.is_required() and name not in within.unset
            yield Option(called, (*path, name), one, shown, is_required)


def _choices_of(expected: Any) -> tuple[str, ...]:  # noqa: ANN401 - types as values have no type
    """Find the words of a Literal, alone or in a union."""
    if get_origin(expected) is Literal:
        return get_args(expected)
    return next((words for one in get_args(expected) if (words := _choices_of(one))), ())


def _marker(one: FieldInfo, kind: type[M]) -> M | None:
    return next((mark for mark in one.metadata if isinstance(mark, kind)), None)
