"""The pages that stop and start the scheduler and plan maintenance windows."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.errors import InvalidCron, Refused
from tick.ops.actions import windows
from tick.ops.queries.schedules import list_labels, schedule_names
from tick.ops.queries.windows import FOR_ALL, Recurrence, Scope, weekly
from tick.states import AfterWindow
from tick.utc import in_utc, is_skipped
from webapp import messages, query
from webapp.drawing.clock_changes import find_zone
from webapp.forms import acting, perform
from webapp.links import go_back
from webapp.presentation import shown_zone
from webapp.services import now, reading, runtime

blueprint = Blueprint("windows", __name__)
_MOST_DIGITS = 6


@blueprint.get("/scheduler/stop")
def confirm_stop() -> ResponseReturnValue:
    """Ask why."""
    return render_template("windows/stop.html")


@blueprint.post("/scheduler/stop")
def stop() -> ResponseReturnValue:
    """Let nothing fire until somebody starts it."""
    done = "The scheduler is stopped: nothing fires."
    return perform(url_for("workers.index"), done, windows.stop_scheduler)


@blueprint.post("/scheduler/start")
def start() -> ResponseReturnValue:
    """Let schedules fire again."""
    done = "The scheduler goes on. What fell into the stop does not fire any more."
    return perform(url_for("workers.index"), done, windows.start_scheduler)


@blueprint.get("/windows/add")
@query.takes({"schedule": query.text_of, "day": query.day_of, "zone": query.text_of})
def confirm_add() -> ResponseReturnValue:
    """Ask when, of which schedules and why; a day of the calendar is filled in."""
    zone = find_zone(query.text("zone") or shown_zone())
    start, end = _night_of(request.args.get("day", ""), zone)
    with reading() as connection:
        names, labels = schedule_names(connection), list_labels(connection)
    return render_template(
        "windows/add.html",
        names=names,
        labels=labels,
        schedule=query.text("schedule"),
        zone=zone.key,
        start=start,
        end=end,
    )


def _night_of(text: str, zone: ZoneInfo) -> tuple[str, str]:
    """Return two hours of a day as fields have them: from 02:00, or the next full hour of today."""
    if not text:
        return "", ""
    here = now().astimezone(zone).replace(tzinfo=None)
    night = datetime.fromisoformat(text) + timedelta(hours=2)
    following = here.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    start = max(night, following)
    return f"{start:%Y-%m-%dT%H:%M}", f"{start + timedelta(hours=2):%Y-%m-%dT%H:%M}"


@blueprint.post("/windows/add")
def add() -> ResponseReturnValue:
    """Plan a time in which nothing, or a schedule, fires: once, or again and again."""
    with acting() as act:
        try:
            recurs = _recurrence()
            start, end = _instant("from", recurs), _instant("to", recurs)
            windows.add_window(
                runtime().database,
                act,
                starts_at=start,
                ends_at=end,
                scope=_scope(),
                recurs=recurs,
                then=AfterWindow.RUN if "run_after" in request.form else AfterWindow.SKIP,
            )
        except InvalidCron as error:
            raise Refused(str(error)) from None
        messages.flash_success("The maintenance window is planned.")
    return go_back(url_for("workers.index"))


@blueprint.post("/windows/<id:window_id>/end")
def end(window_id: int) -> ResponseReturnValue:
    """End a window now, or call it off."""
    done = "The window is over."
    return perform(url_for("workers.index"), done, windows.end_window, window_id)


def _scope() -> Scope:
    """Return what does not fire in a window of the form."""
    kind, _, name = request.form.get("scope", "").partition(":")
    return {"schedule": Scope(name), "label": Scope(label=name)}.get(kind, FOR_ALL)


def _recurrence() -> Recurrence | None:
    """Return when a window of the form comes again; None: never. Raises Refused, InvalidCron."""
    texts = (request.form.get(name, "").strip() for name in ("weekly", "cron", "minutes"))
    times, cron, minutes = texts
    if times and cron:
        raise Refused("It recurs by the clock or by a cron expression: fill in one of them.")
    if times:
        return weekly(times, request.form.get("timezone", "").strip() or "UTC")
    if not cron:
        return None
    if not minutes.isdecimal() or len(minutes) > _MOST_DIGITS:
        raise Refused("Say how many minutes the window lasts each time, such as 120.")
    timezone = request.form.get("timezone", "").strip() or "UTC"
    return Recurrence(cron, timezone, timedelta(minutes=int(minutes)))


def _instant(field: str, recurs: Recurrence | None) -> datetime | None:
    """Return a time of the form, as UTC; one that recurs may leave it out. Raises Refused."""
    given = request.form.get(field, "")
    if recurs is not None and not given:
        return None
    try:
        at = datetime.fromisoformat(given).replace(tzinfo=find_zone(request.form.get("zone", "")))
        if not is_skipped(at):
            return in_utc(at)
    except (ValueError, OverflowError):
        raise Refused("Say from when to when, such as 2026-03-29 02:00.") from None
    raise Refused(f"The clocks skip {at:%H:%M} on that day; write another time.")
