"""Flows whose parameters are the options of a request: one field each on Prefect's page."""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Generic, TypeVar

from prefect import Flow
from pydantic import Field

from flows.run_watch import shown_as_running
from schemas.errors import RequestError
from schemas.options import Option
from schemas.request_base import Request, make_request, with_local_inputs

Q = TypeVar("Q", bound=Request)
R = TypeVar("R")
OLD_PARAMETER = "request"
"""The one parameter that flows had before each option was one."""


class RequestFlow(Flow[..., R], Generic[Q, R]):
    """A flow that Prefect starts with options, and Python with the request that they make."""

    def __init__(self, body: Callable[[Q], R], kind: type[Q], *, name: str, run_name: str) -> None:
        """Wrap a function of a request. run_name: a template with names of options."""

        def run(**options: Any) -> R:  # noqa: ANN401 - checked by the request
            request = with_local_inputs(read_parameters(kind, options))
            request.check()
            with shown_as_running():
                return body(request)

        run.__signature__ = _signature(kind)  # type: ignore[attr-defined]  # read by inspect
        run.__module__, run.__doc__ = body.__module__, body.__doc__
        run.__name__ = run.__qualname__ = body.__name__
        self.request_kind = kind
        super().__init__(run, name=name, flow_run_name=run_name)

    def __call__(self, request: Q) -> R:  # type: ignore[override]  # by its one parameter
        """Run the flow in this process; raises what it raises."""
        return super().__call__(**request.flat())

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Refuse a run with wrong parameters in the words of the command line."""
        read_parameters(self.request_kind, parameters)
        return parameters


def request_flow(
    kind: type[Q], *, name: str, run_name: str
) -> Callable[[Callable[[Q], R]], RequestFlow[Q, R]]:
    """Make a flow of a function of a request; the request is checked before the function runs."""

    def wrap(body: Callable[[Q], R]) -> RequestFlow[Q, R]:
        return RequestFlow(body, kind, name=name, run_name=run_name)

    return wrap


def read_parameters(kind: type[Q], parameters: Mapping[str, Any]) -> Q:
    """Make the request of a run's parameters; raises RequestError naming the one at fault."""
    if OLD_PARAMETER in parameters:
        raise RequestError(
            "the deployment", found=f"the parameter `{OLD_PARAMETER}` of an earlier version",
            expected="a parameter for each option",
            hint="Deploy it again with the present prefect.yaml: prefect --no-prompt deploy --all.",
        )  # fmt: skip
    return make_request(kind, parameters)


def _signature(kind: type[Request]) -> inspect.Signature:
    shown = [one for one in kind.options().values() if one.shown.scope != "internal"]
    return inspect.Signature([_parameter(one) for one in shown])


def _parameter(option: Option) -> inspect.Parameter:
    expected: Any = option.field.annotation
    if option.field.is_required() and not option.is_required:
        expected = expected | None
    if option.field.metadata:
        expected = Annotated[(expected, *option.field.metadata)]
    value = None if option.field.is_required() else option.field.default
    default = ... if option.is_required else value
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY, annotation=expected,
        default=Field(default=default, description=_describe(option)),
    )  # fmt: skip


def _describe(option: Option) -> str:
    text = option.description
    return f"{text} Default: {option.shown.unset}." if option.shown.unset else text
