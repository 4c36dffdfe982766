"""Answers pages whose region `#live` polls: 304 while what it shows is unchanged."""

import hashlib
from datetime import datetime
from typing import Any

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel

_HEADER = "HX-PTag"  # htmx sends the tag of what it shows


def page(template: str, data: object, **context: Any) -> ResponseReturnValue:
    """Return the page, or 304 to a poll whose tag says that it shows this `data` already.

    The template's region takes `live_tag`; htmx cuts it out of the page by hx-select.
    """
    # Of the data, not of the HTML: relative times and form tokens differ each time.
    tag = hashlib.sha256(repr(_plain(data)).encode()).hexdigest()[:20]
    polls = request.headers.get("HX-Source", "").endswith("#live")
    if polls and request.headers.get(_HEADER) == tag:
        return "", 304, {_HEADER: tag}
    response = make_response(render_template(template, live_tag=tag, **context))
    response.headers[_HEADER] = tag
    return response


def _plain(data: object) -> object:
    """Return the data with models as dictionaries: the text of a long list of those is dear."""
    if isinstance(data, BaseModel):
        facts = vars(data).items()
        return {name: each if type(each) in _PLAIN else _plain(each) for name, each in facts}
    return [_plain(item) for item in data] if isinstance(data, list | tuple) else data


_PLAIN = frozenset({str, int, float, bool, type(None), datetime})
