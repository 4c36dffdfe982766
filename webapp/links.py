"""Addresses of this console: of the request, and to go back to; never of another site."""

from typing import Any

from flask import current_app, redirect, request, url_for
from werkzeug.wrappers import Response

from webapp.config import YEAR_SECONDS

_MAX_LENGTH = 2000


def is_local(target: str) -> bool:
    """Return whether every browser takes a URL for a path on this very site."""
    if not target.startswith("/") or len(target) > _MAX_LENGTH:
        return False
    # Browsers drop control characters, and read a backslash as a slash.
    if "\\" in target or any(ord(character) <= 32 or ord(character) == 127 for character in target):
        return False
    return not target.startswith("//")


def current_url() -> str:
    """Return path and query of this request, with the prefix of the console."""
    return f"{request.script_root}{request.full_path}".rstrip("?")


def current_path() -> str:
    """Return the path of this request, with the prefix of the console."""
    return f"{request.script_root}{request.path}"


def cookie_path() -> str:
    """Return the path that cookies are sent to."""
    # Not always "/": another console on this host has a prefix and cookies of its own.
    return request.script_root or "/"


def keep_cookie(response: Response, name: str, value: str) -> None:
    """Set a cookie of this console that the browser keeps for a year."""
    response.set_cookie(
        name,
        value,
        max_age=YEAR_SECONDS,
        path=cookie_path(),
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def query_args(*without: str) -> dict[str, Any]:
    """Return the arguments of this request's query that are not empty, but for `without`."""
    # `url_for` would take `endpoint` and names such as `_scheme` and `_external` as its own.
    return {
        name: value
        for name, value in request.args.items()
        if value and name not in (*without, "endpoint") and not name.startswith("_")
    }


def go_back(default: str | None = None) -> Response:
    """Redirect (303) to the form's `next`, else to `default`, else to the schedules."""
    target = request.form.get("next", "")
    if not is_local(target):
        target = default or url_for("schedules.index")
    return redirect(target, 303)
