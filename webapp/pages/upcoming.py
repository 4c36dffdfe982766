"""Upcoming: a lane for each schedule over a day or a week, and the same for other calendars."""

from datetime import timedelta

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from tick.ops.queries import upcoming
from webapp import charts, ical, live
from webapp.clock_changes import clock_changes, find_zone
from webapp.presentation import shown_zone
from webapp.services import now, reading

blueprint = Blueprint("upcoming", __name__)
DAY = timedelta(days=1)
# How long, and how far apart the marks on the axis are.
SPANS = {"24h": (DAY, timedelta(hours=4)), "7d": (7 * DAY, DAY)}
LISTED = 30
MOST_EVENTS = 500


@blueprint.get("/upcoming")
def index() -> ResponseReturnValue:
    """The lanes, the clock changes among them, and the next instants as a list."""
    span = request.args.get("span", "")
    span = span if span in SPANS else next(iter(SPANS))
    length, step = SPANS[span]
    start = upcoming.minute_of(now())
    end = start + length
    with reading() as connection:
        lanes = upcoming.list_lanes(connection, start, end)
    return live.page(
        "upcoming.html",
        "live",
        lanes,
        span=span,
        start=start,
        end=end,
        lanes=lanes,
        axis=charts.axis(start, end, step, find_zone(shown_zone())),
        collisions=upcoming.find_collisions(lanes),
        changes=clock_changes((lane.timing.timezone for lane in lanes), start, end),
        following=upcoming.next_in_lanes(lanes, LISTED),
    )


@blueprint.get("/upcoming.ics")
def feed() -> ResponseReturnValue:
    """The next week as a calendar, at most MOST_EVENTS; without what fires all day long."""
    start = now()
    with reading() as connection:
        lanes = upcoming.list_lanes(connection, start, start + SPANS["7d"][0])
    sparse = [lane for lane in lanes if not lane.dense]
    events = [_event(instant) for instant in upcoming.next_in_lanes(sparse, MOST_EVENTS)]
    text = ical.calendar("Job Schedule Manager", events, now=start)
    headers = {"Content-Disposition": 'attachment; filename="upcoming.ics"'}
    return Response(text, headers=headers, content_type=ical.MEDIA_TYPE)


def _event(instant: upcoming.Instant) -> ical.Event:
    return ical.Event(
        uid=f"{instant.schedule_id}-{instant.at:%Y%m%dT%H%M%SZ}@{request.host}",
        at=instant.at,
        summary=instant.name,
        description=f"Schedule {instant.schedule_id}, zone {instant.timezone}",
        url=url_for("schedules.show", schedule_id=instant.schedule_id, _external=True),
    )
