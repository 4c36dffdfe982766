"""What every form that acts has in common."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from flask import g, request, url_for
from flask_login import current_user

from tick.errors import Busy, Refused
from tick.ops.act import MAX_REASON, Act, Author
from webapp import messages
from webapp.services import now

_KEY = re.compile(r"[A-Za-z0-9_-]{8,40}\Z")


@contextmanager
def acting() -> Iterator[Act]:
    """The act of the signed-in person; a refusal becomes a message, not an error page."""
    try:
        author = Author(current_user.name, g.request_id)
        yield Act(now(), author, reason(), key=idempotency_key())
    except Busy as busy:
        messages.flash_error(str(busy), link=_in_the_way(busy), label="Show it")
    except Refused as refusal:
        messages.flash_error(str(refusal))


def _in_the_way(busy: Busy) -> str:
    if busy.run_id is not None:
        return url_for("runs.show", run_id=busy.run_id)
    return url_for("occurrences.show", occurrence_id=busy.occurrence_id)


def reason() -> str | None:
    """Why the person acts, if the form says so."""
    return request.form.get("reason", "").strip()[:MAX_REASON] or None


def new_key() -> str:
    """A fresh key for a form that must act only once."""
    return secrets.token_urlsafe(12)


def idempotency_key() -> str | None:
    """The key that the form was made with: sent twice, it acts once on what it is about."""
    key = request.form.get("key", "")
    return key if _KEY.match(key) else None
