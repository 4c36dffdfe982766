"""Checks a run's parameters against the signature of its function."""

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NotRequired, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

# On Python 3.11 pydantic takes no other TypedDict than this.
from typing_extensions import TypedDict

from tick.errors import InvalidParams


def validate_params(function: Callable[..., Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments for `function`, converted. Raises InvalidParams."""
    try:
        valid: dict[str, Any] = params_adapter(function).validate_python(dict(params))
    except ValidationError as error:
        raise InvalidParams(_problems(error), inspect.signature(function)) from None
    return valid


@lru_cache(maxsize=1024)
def params_adapter(function: Callable[..., Any]) -> TypeAdapter[Any]:
    """Return the validator of a typed dictionary with the function's parameters as keys."""
    # `include_extras`: an author may write Annotated[int, Field(ge=1)].
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    extra = "forbid"
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            extra = "allow"
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            hint = hints.get(name, Any)
            # Without a value here, the function's own default stays in force.
            required = parameter.default is parameter.empty
            fields[name] = hint if required else NotRequired[hint]
    config = ConfigDict(extra=extra, arbitrary_types_allowed=True)  # type: ignore[typeddict-item]
    return TypeAdapter(with_config(config)(TypedDict("Params", fields)))  # type: ignore[operator]


def _problems(error: ValidationError) -> dict[str, str]:
    return {
        ".".join(str(part) for part in item["loc"]): item["msg"]
        for item in error.errors(include_url=False, include_input=False)
    }


def takes(function: Callable[..., Any], name: str) -> bool:
    """Return whether the function can be given a parameter of that name."""
    parameters = inspect.signature(function).parameters.values()
    return any(
        parameter.kind is parameter.VAR_KEYWORD
        or (parameter.name == name and parameter.kind in _BY_NAME)
        for parameter in parameters
    )


def share_of(function: Callable[..., Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that the function takes."""
    return {name: value for name, value in params.items() if takes(function, name)}


def required_by(function: Callable[..., Any]) -> list[str]:
    """Return the parameters without which the function cannot be called."""
    return [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind in _BY_NAME and parameter.default is parameter.empty
    ]


_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
