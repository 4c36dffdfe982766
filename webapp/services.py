"""What a view works with: the runtime, a connection to read by, the instant of the request."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import sqlalchemy as sa
from flask import Flask, current_app, g
from werkzeug.routing import IntegerConverter, Map

from tick.ops.queries.health import PageStatus, SystemHealth, read_health, read_page_status
from tick.ops.reports import days_off
from tick.runtime import Runtime

_EXTENSION = "tick"


class IdConverter(IntegerConverter):
    """An id in a path; what no database could hold is no address of ours."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, min=1, max=2**63 - 1)


def init_app(app: Flask, runtime: Runtime) -> None:
    """Give the application its runtime, and its routes the converter `id`."""
    app.extensions[_EXTENSION] = runtime
    app.url_map.converters["id"] = IdConverter


def runtime() -> Runtime:
    """The runtime of the application that serves this request."""
    found: Runtime = current_app.extensions[_EXTENSION]
    return found


@contextmanager
def reading() -> Iterator[sa.Connection]:
    """A connection that only reads; what was written before it began is seen."""
    with runtime().database.read.connect() as connection:
        yield connection


def now() -> datetime:
    """The instant of this request: the same wherever the page asks."""
    if "now" not in g:
        g.now = runtime().now()
    instant: datetime = g.now
    return instant


def page_status() -> PageStatus:
    """Return the status that every page shows, read once for each request."""
    if "page_status" not in g:
        with reading() as connection:
            g.page_status = read_page_status(
                connection, now(), runtime().settings.dead_after_seconds
            )
    found: PageStatus = g.page_status
    return found


def holiday_on(day: date) -> str | None:
    """The public holiday of that day, in the regions that the settings name."""
    return days_off.holiday_on(runtime().settings.holidays, day)


def system_health(connection: sa.Connection) -> SystemHealth:
    """Read the health that the status bar shows."""
    return read_health(connection, now(), page_status())
