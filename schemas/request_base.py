"""What requests share: a request is made of flat values, from wherever they come.

The command line, YAML files, environment variables and Prefect's parameters all give values by the
names of the table `Request.options()`, and all are refused in the same words.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from schemas.addresses import is_address
from schemas.errors import RequestError
from schemas.options import Option, table_of
from schemas.wording import shorten, suggest

R = TypeVar("R", bound="Request")
INTEGER_BITS = 64
"""Integers of JSON numbers, Parquet columns and GL are no wider."""


class Request(BaseModel):
    """What a command or a flow is asked to do: a frozen value whose fields are options."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    config_names: ClassVar[Mapping[str, str]] = {}
    """Names in --config that mean another option; an empty text: none, they may be there."""

    @classmethod
    def options(cls) -> Mapping[str, Option]:
        """Return all options by name, those of the parts (see Part) among them."""
        return table_of(cls)

    def flat(self) -> dict[str, object]:
        """Return the values of all options that can be given, as JSON has them."""
        plain, flat = self.model_dump(mode="json"), {}
        for option in self.options().values():
            if option.shown.scope == "internal":
                continue
            value: Any = plain
            for name in option.path:
                value = value[name]
            flat[option.name] = value
        return flat

    @property
    def inputs(self) -> Mapping[str, str | None]:
        """Return the folders of inputs by their fields: each may be an address in a store."""
        return {}

    def check(self) -> None:
        """Refuse what can't be done here, before any work; raises RequestError."""


def with_local_inputs(request: R) -> R:
    """Return a request with folders here in the place of addresses of its inputs in stores.

    Raises RequestError when nothing is there, MachineError when a store is silent.
    """
    addresses = {name: text for name, text in request.inputs.items() if text and is_address(text)}
    if not addresses:
        return request
    # What works on local folders does without the drivers of stores.
    from schemas.input_mirror import open_root  # noqa: PLC0415

    return request.model_copy(update={n: str(open_root(text)) for n, text in addresses.items()})


def make_request(
    kind: type[R], values: Mapping[str, object], *, sources: Mapping[str, str] | None = None
) -> R:
    """Make a request of flat values, by names of options.

    Null is no value. sources: the files and variables that values come from, by names of options.
    Raises RequestError naming the option at fault: unknown (with the one that is probably meant),
    missing, or with another value.
    """
    table, sources = kind.options(), sources or {}
    refuse_unknown(values, table)
    nested: dict[str, Any] = {}
    for option in table.values():
        place = nested
        for name in option.path[:-1]:
            place = place.setdefault(name, {})
        if values.get(option.name) is not None:
            place[option.path[-1]] = _plain(option, values[option.name], sources)
    try:
        return kind.model_validate(nested)
    except ValidationError as error:
        raise _explain(error, table.values(), sources) from error


def refuse_unknown(names: Iterable[str], known: Iterable[str], *, source: str = "") -> None:
    """Refuse names that are no options, with what is probably meant; raises RequestError."""
    all_known = sorted(known)
    for name in names:
        if name not in all_known:
            similar = suggest(name, all_known)
            raise RequestError(
                source or "the request", found=f"the unknown name {shorten(name)}",
                expected="names of options",
                hint=f"Did you mean {similar}?" if similar else f"Known: {', '.join(all_known)}.",
            )  # fmt: skip


def _plain(option: Option, value: object, sources: Mapping[str, str]) -> object:
    """Return a value that other libraries can take; raises RequestError for a huge integer."""
    numbers = value if isinstance(value, list | tuple) else (value,)
    for number in numbers:
        if isinstance(number, int) and number.bit_length() >= INTEGER_BITS:
            raise RequestError(
                _name(option, sources), found=shorten(number),
                expected=f"a number of at most {INTEGER_BITS} bits", hint="Give a smaller one.",
            )  # fmt: skip
    return tuple(value) if isinstance(value, list) else value


def _explain(
    error: ValidationError, options: Iterable[Option], sources: Mapping[str, str]
) -> RequestError:
    """Say the first thing that is wrong in one sentence; what is missing comes first."""
    all_options, all_errors = tuple(options), error.errors()
    missing = [one for one in all_errors if one["type"] == "missing"]
    first = (missing or all_errors)[0]
    option = next((one for one in all_options if one.path == first["loc"][: len(one.path)]), None)
    if option is None:
        return RequestError(
            "the settings",
            found="values that exclude each other", expected=_expected(first),
            hint="See --help for what is possible.",
        )  # fmt: skip
    if missing:
        needed = [one.spelled for one in all_options if one.is_required]
        return RequestError(
            option.spelled, found="it is not given", expected=" and ".join(needed),
            hint="Give it, here or in --config; see --help.",
        )  # fmt: skip
    similar = suggest(str(first["input"]), option.choices) if option.choices else ""
    return RequestError(
        _name(option, sources), found=shorten(first["input"]),
        expected=" or ".join(option.choices) or _expected(first),
        hint=f"Write {similar}." if similar else "See --help for what is possible.",
    )  # fmt: skip


def _expected(error: ErrorDetails) -> str:
    return error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")


def _name(option: Option, sources: Mapping[str, str]) -> str:
    source = sources.get(option.name)
    return f"{source}: {option.spelled}" if source else option.spelled
