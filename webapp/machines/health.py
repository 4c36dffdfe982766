"""Probes: /healthz for the process, /readyz for its database, /health/scheduler for the ticks."""

import logging

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from tick.errors import DatabaseError
from tick.ops.queries.health import TickState, read_older_zone_data, read_tick_health
from tick.store.schema import check_schema
from webapp.errors import RETRY_AFTER_SECONDS
from webapp.services import now, reading, runtime

blueprint = Blueprint("health", __name__)
_log = logging.getLogger(__name__)
# Who asks has not signed in: where the data lie, and which zones they are, stays in the log.
_OLDER_ZONE_DATA = (
    "A process ticks with older time zone data than schedules are decided by, and leaves those "
    "alone: update its tzdata package, or run `tick sync --accept-older-zone-data`."
)


@blueprint.get("/healthz")
def process() -> ResponseReturnValue:
    """Answer 200 as long as the process does; touch nothing else."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readiness() -> ResponseReturnValue:
    """Answer 200 when the database answers and has this release's schema, else 503."""
    try:
        check_schema(runtime().database)
    except DatabaseError as error:
        # Who asks has not signed in: the reason names hosts, so it stays in the log.
        _log.warning("not ready: %s", error)
        body = jsonify(status="unavailable", reason="database; see the server's log")
        return body, 503, {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return jsonify(status="ready")


@blueprint.get("/health/scheduler")
def scheduler() -> ResponseReturnValue:
    """Answer 200 while it ticks, else 503, for a monitor outside.

    503 when no tick came for three usual intervals, none ever did, or a clock ahead has put the
    schedules into the future.
    """
    runtime().database.want_file()
    with reading() as connection:
        health = read_tick_health(connection, now())
        older_zone_data = read_older_zone_data(connection, now())
    body = jsonify(
        status=health.state,
        last_tick_at=health.last_at and health.last_at.isoformat(),
        usual_seconds=health.usual_seconds,
        older_zone_data=older_zone_data and _OLDER_ZONE_DATA,
        ahead_to=health.ahead_to and health.ahead_to.isoformat(),
    )
    if health.state is TickState.OK:
        return body
    return body, 503, {"Retry-After": str(RETRY_AFTER_SECONDS)}
