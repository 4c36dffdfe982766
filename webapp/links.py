"""Where a person came from, and goes back to; never to another site."""

from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

_MAX_LENGTH = 2000


def is_local(target: str) -> bool:
    """Whether a URL is a path on this very site, in every browser's reading of it."""
    if not target.startswith("/") or len(target) > _MAX_LENGTH:
        return False
    # Browsers drop control characters, and read a backslash as a slash.
    if "\\" in target or any(ord(character) <= 32 or ord(character) == 127 for character in target):
        return False
    return not target.startswith("//")


def current_url() -> str:
    """The path and query of this request, as a browser has them: with the prefix of the console."""
    return f"{request.script_root}{request.full_path}".rstrip("?")


def current_path() -> str:
    """The same without a query."""
    return f"{request.script_root}{request.path}"


def cookie_path() -> str:
    """Where cookies are sent to: another console on this host has a prefix of its own."""
    return request.script_root or "/"


def query_args(*without: str) -> dict[str, Any]:
    """The arguments of this request's query that say something, but for some.

    For `url_for`, which would take those that are left out here as its own: a scheme, for one.
    """
    return {
        name: value
        for name, value in request.args.items()
        if value and name not in (*without, "endpoint") and not name.startswith("_")
    }


def go_back(default: str | None = None) -> Response:
    """303 to the page that the form names as `next`, else to `default`, else to the schedules."""
    target = request.form.get("next", "")
    if not is_local(target):
        target = default or url_for("schedules.index")
    return redirect(target, 303)
