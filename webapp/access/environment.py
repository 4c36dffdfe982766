"""Keeps a console from changing what belongs to another environment than it is set to."""

from datetime import datetime, timedelta

from flask import current_app

from tick.ops.queries.health import expect_environment
from webapp.services import now, page_status, runtime

_EXTENSION = "environment"
_REMEMBERED = timedelta(minutes=1)


def refuse_change() -> None:
    """Raise WrongEnvironment if the database belongs to another environment."""
    expect_environment(_stored(), runtime().settings.environment)


def _stored() -> str | None:
    """Return the environment of the database, at most a minute old."""
    # It hardly ever changes, and a change of anything else must not cost a statement more.
    known: tuple[datetime, str | None] | None = current_app.extensions.get(_EXTENSION)
    if known is None or not timedelta() <= now() - known[0] < _REMEMBERED:
        known = now(), page_status().environment
        current_app.extensions[_EXTENSION] = known
    return known[1]
