"""Reads what all forms that act have in common: who, why, once, and for how long."""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec

from flask import g, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from tick.errors import Busy, Refused
from tick.ops.act import MAX_REASON, Act, Author
from webapp import messages
from webapp.links import go_back
from webapp.services import now, runtime

P = ParamSpec("P")
_KEY = re.compile(r"[A-Za-z0-9_-]{8,40}\Z")


@contextmanager
def acting() -> Iterator[Act]:
    """Yield the act of the signed-in person; flash a refusal instead of showing an error page."""
    try:
        yield this_act()
    except Busy as busy:
        if busy.run_id is not None:
            link = url_for("runs.show", run_id=busy.run_id)
        else:
            link = url_for("occurrences.show", occurrence_id=busy.occurrence_id)
        messages.flash_error(str(busy), link=link, label="Show it")
    except Refused as refusal:
        messages.flash_error(str(refusal))


def this_act() -> Act:
    """Return the act of the signed-in person, for a page that shows itself what is refused."""
    author = Author(current_user.name, g.request_id)
    return Act(now(), author, reason(), key=idempotency_key())


def perform(
    back: str,
    done: str,
    action: Callable[Concatenate[Any, Act, P], object],
    *args: P.args,
    **options: P.kwargs,
) -> Response:
    """Do what a form asks for, flash `done` or the refusal, and go back, by default to `back`."""
    with acting() as act:
        action(runtime().database, act, *args, **options)
        messages.flash_success(done)
    return go_back(back)


def reason() -> str | None:
    """Return why the person acts, if the form says so."""
    return request.form.get("reason", "").strip()[:MAX_REASON] or None


def new_key() -> str:
    """Return a fresh key for a form that must act only once."""
    return secrets.token_urlsafe(12)


def idempotency_key() -> str | None:
    """Return the key that the form was made with; a form that is sent twice acts once."""
    key = request.form.get("key", "")
    return key if _KEY.match(key) else None


def chosen_hours(choices: Iterable[str]) -> int:
    """Return the hours that the form chooses, or the first choice; 0 for an end that is open."""
    first, *others = choices
    hours = request.form.get("hours", "")
    return int((hours if hours in others else first) or 0)
