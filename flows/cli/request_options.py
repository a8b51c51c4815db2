"""The command line of a request: an option for each of its options, --config and the environment.

The line wins over SCANMILL_ variables, they win over --config, and that wins over the defaults.
"""

import inspect
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import typer

from schemas import (
    evaluate_request,
    prepare_request,
    reconstruct_request,
    requests,
    train_request,
)
from schemas.config_file import read_config
from schemas.errors import RequestError
from schemas.options import VARIABLE_PREFIX, Option
from schemas.request_base import Request, make_request, with_local_inputs
from schemas.wording import suggest

Q = TypeVar("Q", bound=Request)
Config = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.yaml", help="Options and all other settings by name; the command line wins."
    ),
]
ALL_REQUESTS = [
    kind
    for module in (requests, train_request, prepare_request, reconstruct_request, evaluate_request)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Request)
]
"""A variable may be meant for another command than the one that is called."""

MISTYPED = 0.75
"""How alike a variable and an option have to be; other programs may have SCANMILL_ ones too."""


def request_command(
    kind: type[Q],
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a command of a function of a checked request, and of options of its own after that."""

    def wrap(body: Callable[..., None]) -> Callable[..., None]:
        own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]

        def command(config: Path | None = None, **given: Any) -> None:  # noqa: ANN401 - of typer
            rest = {one.name: given.pop(one.name) for one in own}
            request = gather(kind, given, config=config, variables=os.environ)
            request = with_local_inputs(request)
            request.check()
            body(request, **rest)

        shown = [one for one in kind.options().values() if one.shown.scope == "line"]
        words = [_parameter(one) for one in shown if one.shown.word]
        options = [_parameter(one) for one in shown if not one.shown.word]
        last = inspect.Parameter(
            "config", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Config
        )
        everything = [*words, *options, last, *own]
        command.__signature__ = inspect.Signature(everything)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in everything}
        command.__name__, command.__doc__ = body.__name__, body.__doc__
        return command

    return wrap


def gather(
    kind: type[Q], given: Mapping[str, Any], *, config: Path | None, variables: Mapping[str, str]
) -> Q:
    """Make a request of what the line, the environment and a file give, in this order.

    Raises RequestError naming the option, the variable or the file at fault.
    """
    stored = _read_config(kind, config) if config else {}
    found = _read_variables(kind, variables)
    line = {name: value for name, value in given.items() if value is not None and value != []}
    sources = dict.fromkeys(stored, f"--config {config}")
    sources |= {name: VARIABLE_PREFIX + name.upper() for name in found} | dict.fromkeys(line, "")
    return make_request(kind, stored | found | line, sources=sources)


def _read_config(kind: type[Request], path: Path) -> dict[str, object]:
    renamed = kind.config_names
    values = read_config(path, {*kind.options(), *renamed})
    named = {renamed.get(name, name): value for name, value in values.items()}
    return {name: value for name, value in named.items() if name}


def _read_variables(kind: type[Request], variables: Mapping[str, str]) -> dict[str, object]:
    options = {one.variable: one for one in kind.options().values()}
    known = {name for other in ALL_REQUESTS for name in other.options()}
    found: dict[str, object] = {}
    for variable, text in variables.items():
        name = variable.removeprefix(VARIABLE_PREFIX).lower()
        if variable in options:
            found[name] = text.split() if options[variable].is_list else text
        elif variable.startswith(VARIABLE_PREFIX) and name not in known:
            _refuse_mistyped(variable, suggest(name, known, likeness=MISTYPED))
    return found


def _refuse_mistyped(variable: str, similar: str) -> None:
    if similar:
        raise RequestError(
            variable, found="a variable that means nothing", expected="one of an option",
            hint=f"Did you mean {VARIABLE_PREFIX}{similar.upper()}?",
        )  # fmt: skip


def _parameter(option: Option) -> inspect.Parameter:
    is_argument = bool(option.shown.word)
    is_needed = is_argument and option.is_required
    make = typer.Argument if is_argument else partial(typer.Option, option.spelled)
    expected = _type_on_the_line(option)
    about = make(
        help=_describe(option), show_default=False,
        metavar=None if expected is bool else _metavar(option),
        autocompletion=lambda: list(option.choices),
    )  # fmt: skip
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if is_needed else None,
        annotation=Annotated[expected if is_needed else expected | None, about],
    )  # fmt: skip


def _describe(option: Option) -> str:
    notes = [
        f"default: {option.default}" if option.default else "",
        option.limits,
        "required" if option.is_required and not option.shown.word else "",
        f"env var: {option.variable}" if option.shown.has_variable else "",
    ]
    noted = "; ".join(note for note in notes if note)
    return f"{option.description}  [{noted}]" if noted else option.description


def _metavar(option: Option) -> str:
    number = next((one for one in (int, float) if one in _types_of(option)), str)
    return option.shown.metavar or "|".join(option.choices) or number.__name__.upper()


def _type_on_the_line(option: Option) -> Any:  # noqa: ANN401 - types as values have no type
    """Return what the command line reads: words, which the request checks, or a flag."""
    if bool in _types_of(option):
        return bool
    return list[str] if option.is_list else str


def _types_of(option: Option) -> tuple[Any, ...]:
    expected = option.field.annotation
    return (expected, *get_args(expected))
