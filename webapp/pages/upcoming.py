"""The pages of what is to come: lanes, a month as a calendar, and a feed for other calendars."""

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from flask import Blueprint, Response, abort, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from tick.ops.access import tokens, users
from tick.ops.act import Act, Author
from tick.ops.queries.courses import minute_of
from tick.ops.queries.windows import closed_times
from tick.ops.reports import lanes as ahead
from tick.ops.reports.upcoming import UpcomingInstant
from tick.states import Role, TokenScope
from webapp import messages, polling, query
from webapp.drawing import charts, days_off, ical, month
from webapp.drawing.clock_changes import clock_changes, find_zone
from webapp.drawing.outcome_calendar import WEEKDAYS, day_bounds
from webapp.forms import acting
from webapp.links import go_back
from webapp.presentation import shown_zone
from webapp.services import now, read, reading, runtime, why_off

blueprint = Blueprint("upcoming", __name__)
DAY = timedelta(days=1)
# How long, and how far apart the marks on the axis are.
SPANS = {"24h": (DAY, timedelta(hours=4)), "7d": (7 * DAY, DAY)}
LISTED = 30
MOST_EVENTS = 500
MOST_LANES = 100
FARTHEST = timedelta(days=400)
FEED_DAYS = 365
_NAME = re.compile(r"feed-of-user-([0-9]+)\Z")


@blueprint.get("/upcoming")
@query.takes(
    {
        "span": query.one_of((*SPANS, "month")),
        "month": month.month_of,
        "from": query.day_of,
        "list": query.one_of(("all",)),
        "days": query.text_of,
    }
)
def index() -> ResponseReturnValue:
    """Show the lanes with their clock changes, and the next instants as a list."""
    span = request.args.get("span", "")
    if span == "month":
        return _month()
    span = span if span in SPANS else next(iter(SPANS))
    length, step = SPANS[span]
    zone = find_zone(shown_zone())
    start = _start(zone)
    end = start + length
    with reading() as connection:
        lanes = ahead.list_lanes(connection, now(), start, end)
        closed = closed_times(connection, start, end)
    once_each = request.args.get("list") != "all"
    following = ahead.next_in_lanes(lanes, LISTED, once_each=once_each)
    drawn = lanes[:MOST_LANES]
    shades = days_off.shades(drawn, start, end, zone, why_off)
    return polling.page(
        "upcoming/lanes.html",
        (drawn, len(lanes), following, closed, shades),
        span=span,
        start=start,
        end=end,
        lanes=drawn,
        left_out=lanes[MOST_LANES:],
        axis=charts.axis(start, end, step, zone),
        collisions=ahead.find_collisions(lanes),
        shades=shades,
        free=list({shade.words: shade for shade in shades.values() if shade.free}),
        changes=clock_changes((lane.timing.timezone for lane in lanes), start, end),
        closed=closed,
        following=following,
        once_each=once_each,
    )


def _start(zone: tzinfo) -> datetime:
    """Return now, or the start of the day in the URL if that is soon to come."""
    bounds = day_bounds(request.args.get("from", ""), zone)
    if bounds and now() < bounds[0] < now() + FARTHEST:
        return bounds[0].astimezone(UTC) - timedelta(microseconds=1)
    return minute_of(now())


def _month() -> ResponseReturnValue:
    zone = find_zone(shown_zone())
    today = now().astimezone(zone).date()
    first = month.month_start(request.args.get("month", ""), today)
    days = month.month_view(first, today)
    start, end = days.bounds(zone)
    start = max(start - timedelta(microseconds=1), minute_of(now()))
    with reading() as connection:
        lanes = ahead.list_lanes(connection, now(), start, end - timedelta(microseconds=1))
        closed = closed_times(connection, start, end)
    collisions = ahead.find_collisions(lanes)
    changes = clock_changes((lane.timing.timezone for lane in lanes), start, end)
    calendars = {lane.calendar.calendar: lane.calendar for lane in lanes if lane.calendar}
    chosen = _chosen(calendars, everybody=all(lane.calendar for lane in lanes))
    off = calendars[chosen].why_off if chosen else why_off
    weeks = month.month_weeks(days, lanes, collisions, changes, zone, off, closed)
    return polling.page(
        "upcoming/month.html",
        (weeks, closed, sorted(calendars)),
        calendars=sorted(calendars),
        chosen=chosen,
        span="month",
        closed=closed,
        first=first,
        shown=days,
        today=today,
        earlier=month.add_months(first, -1) if first > today else None,
        later=month.add_months(first, 1),
        weeks=weeks,
        weekdays=WEEKDAYS,
        changes=changes,
        dense=[lane for lane in lanes if lane.dense],
        lanes=lanes[:1],
    )


def _chosen(calendars: Collection[str], *, everybody: bool) -> str:
    """Return the calendar whose days off the month shows; empty for those of the settings."""
    if "days" in request.args:
        named = request.args["days"]
        return named if named in calendars else ""
    # By itself the month shows a calendar only if it holds for each schedule in it.
    return next(iter(calendars)) if everybody and len(calendars) == 1 else ""


@blueprint.get("/upcoming.ics")
def feed() -> ResponseReturnValue:
    """Send the next week as a calendar to a person who has signed in."""
    return _calendar()


@blueprint.get("/feeds/<text>.ics")
def feed_by_token(text: str) -> ResponseReturnValue:
    """Send the same to a calendar program, which cannot sign in: the address is the secret."""
    token = tokens.authenticate(runtime().database, text, now=now(), scope=TokenScope.FEED)
    owner = _NAME.match(token.name) if token else None
    if owner is None:
        abort(404)
    # The token outlives its owner, who may have been switched off since it was made.
    if read(users.find_user, int(owner[1])) is None:
        abort(404)
    return _calendar()


@blueprint.get("/upcoming/feed")
def confirm_feed() -> ResponseReturnValue:
    """Show what the address is for, and whether there is one."""
    return render_template("upcoming/feed.html", token=_own_token())


@blueprint.post("/upcoming/feed")
def make_feed() -> ResponseReturnValue:
    """Make a new address, shown once, and end the one before."""
    act = Act(now(), Author(current_user.name, g.request_id))
    if old := _own_token():
        tokens.revoke_token(runtime().database, act, old.id)
    _, text = tokens.create_token(
        runtime().database, act, _token_name(), Role.VIEWER, days=FEED_DAYS, scope=TokenScope.FEED
    )
    address = url_for("upcoming.feed_by_token", text=text, _external=True)
    return render_template("upcoming/feed.html", token=_own_token(), address=address)


@blueprint.post("/upcoming/feed/end")
def end_feed() -> ResponseReturnValue:
    """End the address."""
    with acting() as act:
        if old := _own_token():
            tokens.revoke_token(runtime().database, act, old.id)
        messages.flash_success("The address of your calendar works no more.")
    return go_back(url_for("upcoming.index"))


def _token_name() -> str:
    return f"feed-of-user-{current_user.user.id}"  # as _NAME reads it


def _own_token() -> tokens.Token | None:
    return read(tokens.find_usable, _token_name(), now())


def _calendar() -> Response:
    """Return the next week, at most MOST_EVENTS; without schedules that fire all day long."""
    start = minute_of(now())
    lanes = read(ahead.list_lanes, now(), start, start + SPANS["7d"][0])
    sparse = [lane for lane in lanes if not lane.dense and lane.instants]
    found = [each for each in ahead.next_in_lanes(sparse, MOST_EVENTS) if each.fires]
    events = [_event(instant) for instant in found]
    if (rest := sum(len(lane.instants) for lane in sparse) - len(found)) > 0:
        events.append(_end_of(found, rest))
    text = ical.calendar("Job Schedule Manager", events, now=start)
    headers = {"Content-Disposition": 'attachment; filename="upcoming.ics"'}
    return Response(text, headers=headers, content_type=ical.MEDIA_TYPE)


def _event(instant: UpcomingInstant) -> ical.Event:
    return ical.Event(
        uid=f"{instant.schedule_id}-{instant.at:%Y%m%dT%H%M%SZ}@{request.host}",
        at=instant.at,
        summary=instant.name,
        description=f"Schedule {instant.schedule_id}, zone {instant.timezone}",
        url=url_for("schedules.show", schedule_id=instant.schedule_id, _external=True),
    )


def _end_of(found: Sequence[UpcomingInstant], rest: int) -> ical.Event:
    # The last event of a calendar that was cut: nobody must take it for the whole week.
    return ical.Event(
        uid=f"more@{request.host}",
        at=found[-1].at if found else now(),
        summary=f"{rest} more firings of this week are not shown",
        description=f"The calendar holds the first {len(found)}.",
        url=url_for("upcoming.index", span="7d", _external=True),
    )
