"""The services of a view: the runtime, connections to read by, the instant of the request."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa
from flask import Flask, current_app, g
from flask_login import current_user
from werkzeug.routing import IntegerConverter, Map

from tick.define.jobs import JobDefinition
from tick.errors import DefinitionsInvalid
from tick.ops.queries.health import (
    PageStatus,
    SystemHealth,
    environment_mistake,
    read_health,
    read_page_status,
)
from tick.ops.reports import days_off
from tick.runtime import Runtime

_EXTENSION = "tick"
P = ParamSpec("P")
T = TypeVar("T")


class IdConverter(IntegerConverter):
    """Matches an id in a path, up to the largest that a database can hold; others are a 404."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, min=1, max=2**63 - 1)


def init_app(app: Flask, runtime: Runtime) -> None:
    """Give the application its runtime, and its routes the converter `id`."""
    app.extensions[_EXTENSION] = runtime
    app.url_map.converters["id"] = IdConverter


def runtime() -> Runtime:
    """Return the runtime of the application that serves this request."""
    found: Runtime = current_app.extensions[_EXTENSION]
    return found


def known_jobs() -> Mapping[str, JobDefinition]:
    """Return the jobs by name; none while the definitions hold mistakes."""
    try:
        return runtime().registry.jobs
    except DefinitionsInvalid:
        return {}


@contextmanager
def reading() -> Iterator[sa.Connection]:
    """Open a connection that only reads; it sees all that was written before it began."""
    with runtime().database.read.connect() as connection:
        yield connection


def read(
    query: Callable[Concatenate[sa.Connection, P], T], *args: P.args, **options: P.kwargs
) -> T:
    """Return what a single query reads."""
    with reading() as connection:
        return query(connection, *args, **options)


def now() -> datetime:
    """Return the instant of this request."""
    # Read once, so that all ages and lengths on a page are of the same instant.
    if "now" not in g:
        g.now = runtime().now()
    instant: datetime = g.now
    return instant


def page_status() -> PageStatus:
    """Return what every page shows: whether the scheduler is stopped, and the counts."""
    if "page_status" not in g:
        g.page_status = read(read_page_status, now(), runtime().settings.dead_after_seconds)
    found: PageStatus = g.page_status
    return found


def environment() -> str:
    """Return the environment that pages show: the database's, else that of the settings."""
    mine = runtime().settings.environment
    # Who has not signed in costs the database nothing.
    return (page_status().environment or mine) if current_user.is_authenticated else mine


def wrong_environment() -> str | None:
    """Return what to do if the database belongs to another environment than the settings say."""
    return environment_mistake(page_status().environment, runtime().settings.environment)


def holiday_on(day: date) -> str | None:
    """Return the public holiday of that day in the regions that the settings name."""
    return days_off.holiday_on(runtime().settings.holidays, day)


def why_off(day: date) -> str | None:
    """Return why that day is off in the regions that the settings name; None if it is not."""
    return days_off.why_off(runtime().settings.holidays, day)


def system_health(connection: sa.Connection) -> SystemHealth:
    """Return the health of the system."""
    return read_health(connection, now(), page_status())
