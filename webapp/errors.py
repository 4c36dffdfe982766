"""Turns an error into a page that says what to do next, or JSON where a machine asks."""

import logging
from functools import partial
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from tick.errors import (
    Busy,
    DatabaseError,
    DefinitionsInvalid,
    InvalidCron,
    InvalidFilter,
    InvalidInput,
    InvalidParams,
    NotFound,
    Refused,
    Stale,
)
from tick.store.outages import is_outage
from tick.store.outages import sentence as in_a_sentence
from webapp import problem
from webapp.links import current_path

RETRY_AFTER_SECONDS = 30
UNREACHABLE: tuple[type[Exception], ...] = (
    DatabaseError,
    sa.exc.InterfaceError,
    sa.exc.InternalError,
    sa.exc.OperationalError,
    sa.exc.TimeoutError,
)
_ADVICE = {
    400: "The request could not be understood. Go back, reload the page and try again.",
    403: "Your role does not allow this. Ask an administrator.",
    404: "There is nothing here. It may have been removed or pruned.",
    408: "The body of the request did not come in time. Send the request again.",
    405: "This address does not take that kind of request.",
    409: "That is not possible in the present state.",
    413: "The request is too large.",
    429: "That was too fast. Wait a moment, go back and try again.",
    500: "The server made a mistake. Its log has the details under the request id below.",
    503: "The database cannot be reached. The page works again as soon as it can.",
}
_LATE = "This page was open for too long. Go back, reload it and try again."
_SESSIONLESS = (
    "Your browser sent no session. Over http:// it keeps none: use https://, or, on your own "
    "machine, TICK_COOKIE_SECURE=false. Otherwise go back, reload the page and try again."
)
_SAY_WHY = (400, 408, 503)
_MACHINES = ("/internal/", "/healthz", "/readyz", "/health/")
_log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Install the handlers."""
    app.register_error_handler(HTTPException, _http_error)
    for kind, status in {NotFound: 404, Refused: 409, Stale: 412, InvalidCron: 422}.items():
        app.register_error_handler(kind, partial(_as_it_says, status))
    app.register_error_handler(Busy, _busy)
    app.register_error_handler(InvalidFilter, _invalid_filter)
    app.register_error_handler(DefinitionsInvalid, _invalid)
    app.register_error_handler(InvalidInput, _invalid_input)
    app.register_error_handler(InvalidParams, _invalid_params)
    for unreachable in UNREACHABLE:
        app.register_error_handler(unreachable, _unreachable)
    app.register_error_handler(Exception, _unexpected)


def answer(status: int, message: str | None = None) -> Response:
    """Return the error as a page, or as JSON under the machines' addresses."""
    if request.path.startswith(problem.PREFIX):
        return problem.answer(status, message)
    title = HTTPStatus(status).phrase
    message = message or _ADVICE.get(status, title)
    if request.path.startswith(_MACHINES):
        body = jsonify(error=message, status=status, request_id=_request_id())
        return make_response(body, status)
    # Bare: the menu reads the database, and would fail again with it.
    return _page(status, title, message, bare=status >= 500)


def _page(status: int, title: str, message: str, **more: Any) -> Response:
    page = {"status": status, "title": title, "message": message, "request_id": _request_id()}
    return make_response(render_template("error.html", **page, **more), status)


def _as_it_says(status: int, error: Exception) -> Response:
    return answer(status, str(error))


def _http_error(error: HTTPException) -> Response:
    if error.response is not None or error.code is None:
        return make_response(error.get_response())
    if isinstance(error, CSRFError):
        _log.warning("request %s: %s", _request_id(), error.description)
        return answer(400, _SESSIONLESS if _came_without_session() else _LATE)
    plain = answer(error.code, error.description if error.code in _SAY_WHY else None)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            plain.headers[name] = value
    return plain


def _came_without_session() -> bool:
    """Return whether a browser may have kept our secure cookie to itself, over plain http."""
    needs_https: bool = current_app.config["SESSION_COOKIE_SECURE"]
    kept = request.cookies.get(current_app.session_interface.get_cookie_name(current_app))
    return needs_https and not request.is_secure and kept is None


def _unreachable(error: Exception) -> Response:
    _log.warning("database unreachable (request %s): %s", _request_id(), in_a_sentence(error))
    response = answer(503)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _invalid(error: Exception) -> Response:
    _log.error("request %s: %s", _request_id(), error)
    return answer(503, "The definitions hold mistakes; `tick check` lists them. Mend and deploy.")


def _invalid_input(error: InvalidInput) -> Response:
    mistakes = [problem.Mistake(where=where, problem=why) for where, why in error.mistakes]
    return problem.answer(422, mistakes=mistakes)


def _invalid_params(error: InvalidParams) -> Response:
    # For programs: the console's own forms say it beside the fields.
    found = [(f"body.params.{name}", why) for name, why in error.problems.items()]
    return _invalid_input(InvalidInput(found))


def _invalid_filter(error: InvalidFilter) -> Response:
    # In the place of the page; `webapp.query` finds the mistakes before it is made.
    title = "Nothing is shown: the address holds a mistake"
    return _page(422, title, str(error), clear=current_path())


def _busy(error: Busy) -> Response:
    # For programs: pages flash what an action is refused for, by forms.acting.
    kind, number = ("runs", error.run_id) if error.run_id else ("occurrences", error.occurrence_id)
    place = f"{request.script_root}/api/admin/{kind}/{number}"
    return problem.answer(409, str(error), in_the_way=place)


def _unexpected(error: Exception) -> Response:
    # Drivers raise some outages, such as a damaged file, as errors of other kinds.
    if is_outage(error):
        return _unreachable(error)
    _log.error("request %s failed", _request_id(), exc_info=error)
    return answer(500)


def _request_id() -> str:
    found: str = g.get("request_id", "")
    return found
