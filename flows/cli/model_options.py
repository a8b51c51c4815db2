"""Options of a command made from the fields of a request: one meaning, one text, one default."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

C = TypeVar("C", bound=Callable[..., None])
OPTIONS = "options"


def with_options(model: type[BaseModel], *, prefix: str = "") -> Callable[[C], C]:
    """Give a command an option for each field of a model, after its own.

    The command takes them in **options: see given_options. prefix: before each name, as in
    --train-steps. A field's description is the option's help; ranges are checked by the model.
    """

    def add(command: C) -> C:
        own = inspect.signature(command, eval_str=True)
        kept = [one for one in own.parameters.values() if one.name != OPTIONS]
        added = [
            _parameter(name, field, prefix) for name, field in model.model_fields.items()
        ]  # fmt: skip
        command.__signature__ = own.replace(  # type: ignore[attr-defined]  # read by inspect
            parameters=[*kept, *added]
        )
        command.__annotations__ = {one.name: one.annotation for one in [*kept, *added]}
        return command

    return add


def given_options(options: dict[str, object], *, prefix: str = "") -> dict[str, object]:
    """Return what was given on the line, by the names of the fields."""
    return {
        name.removeprefix(prefix): tuple(value) if isinstance(value, list) else value
        for name, value in options.items()
        if value is not None and value != [] and name.startswith(prefix)
    }


def _parameter(name: str, field: FieldInfo, prefix: str) -> inspect.Parameter:
    spelled = "--" + (prefix + name).replace("_", "-")
    option = typer.Option(spelled, help=_describe(field), show_default=False)
    return inspect.Parameter(
        prefix + name, inspect.Parameter.KEYWORD_ONLY, default=None,
        annotation=Annotated[_type_on_the_line(field.annotation), option],
    )  # fmt: skip


def _describe(field: FieldInfo) -> str:
    text = field.description or ""
    is_number = isinstance(field.default, int | float) and not isinstance(field.default, bool)
    return f"{text}  [default: {field.default}]" if is_number else text


def _type_on_the_line(expected: Any) -> Any:  # noqa: ANN401 - types as values have no type
    """Return the type that the command line reads: one value, or a list of words; or none."""
    return list[str] | None if get_origin(expected) is tuple else expected | None
