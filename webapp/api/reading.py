"""The request, read with bounds: query string, JSON body, Idempotency-Key."""

import hashlib
import json
import re
from typing import NoReturn, TypeVar

from flask import abort, request
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tick.ops.queries.nearest import choose_from
from webapp import problem
from webapp.api import caller

Model = TypeVar("Model", bound=BaseModel)
KEY_HEADER = "Idempotency-Key"
KEY_PATTERN = r"[!-~]{1,100}"
_NONE = "is not known here: nothing is taken"


def read_query(model: type[Model]) -> Model:
    """The query string; 422 for what is unknown, repeated or does not fit."""
    given = {
        name: values[0] if len(values) == 1 else values for name, values in request.args.lists()
    }
    try:
        return model.model_validate(given)
    except ValidationError as error:
        _refuse(error, "query", model)


def read_body(model: type[Model]) -> Model:
    """The JSON body, `{}` if there is none; 400, 413, 415 or 422 for one that is not right."""
    content = request.get_data()
    if (content or request.mimetype) and request.mimetype != "application/json":
        abort(problem.answer(415))
    try:
        return model.model_validate_json(content or b"{}")
    except ValidationError as error:
        _refuse(error, "body", model)


def read_key() -> str | None:
    """The key of a firing that must happen once: the same token and header, the same key.

    Hashed, since any client may choose any header. None without one; 400 for an odd one. What is
    fired need not be in it: of two jobs or schedules the same key makes two firings.
    """
    given = request.headers.get(KEY_HEADER)
    if given is None:
        return None
    if not re.fullmatch(KEY_PATTERN, given):
        abort(problem.answer(400, f"{KEY_HEADER} has 1 to 100 visible ASCII characters."))
    said = json.dumps([caller.token().id, given])
    return f"api-{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def read_match() -> str | None:
    """The revision that must still be the resource's (If-Match); None without one, or for `*`."""
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    # A weak tag is not among them: by RFC 9110 it matches nothing here.
    tags = list(request.if_match)
    if not request.if_match or len(tags) > 1:
        abort(problem.answer(400, "If-Match takes one tag here."))
    return (tags[0] or "").partition("-")[0] if tags else ""


def _refuse(error: ValidationError, part: str, model: type[BaseModel]) -> NoReturn:
    """400 for what is no JSON, else 422 with every value that does not fit, without the values."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if found[0]["type"] == "json_invalid":
        abort(problem.answer(400, f"The body is not JSON: {found[0]['msg']}."))
    mistakes = [
        problem.Mistake(
            where=".".join(map(str, (part, *item["loc"]))),
            problem=_problem(item, model),
        )
        for item in found
    ]
    abort(problem.answer(422, mistakes=mistakes))


def _problem(item: ErrorDetails, model: type[BaseModel]) -> str:
    """What is wrong with a value; of a name that there is not, what there is."""
    if item["type"] != "extra_forbidden" or len(item["loc"]) > 1:
        return item["msg"].removeprefix("Value error, ")
    known = model.model_fields
    return f"is not known here; {choose_from(str(item['loc'][0]), known)}" if known else _NONE
