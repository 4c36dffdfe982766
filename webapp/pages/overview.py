"""The overview that people keep open: health, what runs, what went wrong, what is next."""

from datetime import timedelta

from flask import Blueprint
from flask.typing import ResponseReturnValue

from tick.ops.queries import occurrences as ledger
from tick.ops.queries.health import day_of_ticks
from tick.ops.reports.upcoming import list_upcoming
from webapp import polling
from webapp.services import now, page_status, reading, system_health

blueprint = Blueprint("overview", __name__)
DAY = timedelta(days=1)
LISTED = 10


@blueprint.get("/")
def index() -> ResponseReturnValue:
    """Show the overview."""
    with reading() as connection:
        health = system_health(connection)
        day = day_of_ticks(connection, now(), health.usual_seconds)
        running = ledger.list_live(connection, LISTED)
        unwanted = ledger.list_unwanted(connection, now() - DAY, LISTED)
        following = list_upcoming(connection, now(), LISTED, once_each=True)
    return polling.page(
        "overview.html",
        (health, page_status().alerts, day, running, unwanted, following),
        health=health,
        day=day,
        running=running,
        unwanted=unwanted,
        following=following,
    )
