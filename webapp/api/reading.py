"""Reads an API request with bounds: query string, JSON body, Idempotency-Key, If-Match."""

import hashlib
import json
import re

from flask import abort, request
from pydantic import ValidationError

from tick.interface.inputs import Model, invalid_input, parse
from webapp import problem
from webapp.api import caller

KEY_HEADER = "Idempotency-Key"
KEY_PATTERN = r"[!-~]{1,100}"


def read_query(model: type[Model]) -> Model:
    """Return the query string; 422 for what is unknown, repeated or does not fit."""
    pairs = request.args.lists()
    given = {name: values[0] if len(values) == 1 else values for name, values in pairs}
    return parse(model, given, "query")


def read_body(model: type[Model]) -> Model:
    """Return the JSON body, `{}` if there is none; 400, 413, 415 or 422 for a wrong one."""
    content = request.get_data()
    if (content or request.mimetype) and request.mimetype != "application/json":
        abort(problem.answer(415))
    try:
        return model.model_validate_json(content or b"{}")
    except ValidationError as error:
        if (first := error.errors()[0])["type"] == "json_invalid":
            abort(problem.answer(400, f"The body is not JSON: {first['msg']}."))
        raise invalid_input(error, "body", model) from None


def read_key() -> str | None:
    """Return the key of a firing that must happen once, if there is one; 400 for an odd one."""
    given = request.headers.get(KEY_HEADER)
    if given is None:
        return None
    if not re.fullmatch(KEY_PATTERN, given):
        abort(problem.answer(400, f"{KEY_HEADER} has 1 to 100 visible ASCII characters."))
    # With the token, since any client may choose any key. What is fired need not be in it: of two
    # jobs or schedules the same key makes two firings.
    said = json.dumps([caller.token().id, given])
    return f"api-{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def read_revision() -> str | None:
    """Return the revision that If-Match demands; None without the header, or for `*`."""
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    # A weak tag is not among them: by RFC 9110 it matches nothing here.
    tags = list(request.if_match)
    if not request.if_match or len(tags) > 1:
        abort(problem.answer(400, "If-Match takes one tag here."))
    return (tags[0] or "").partition("-")[0] if tags else ""
