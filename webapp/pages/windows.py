"""The pages that stop and start the scheduler and plan maintenance windows."""

from datetime import UTC, datetime, timedelta

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.errors import InvalidCron, Refused
from tick.ops.actions import windows
from tick.ops.queries.schedules import schedule_names
from tick.ops.queries.windows import Recurrence
from tick.states import AfterWindow
from webapp import messages
from webapp.forms import acting, perform
from webapp.links import go_back
from webapp.services import read, runtime

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
def confirm_add() -> ResponseReturnValue:
    """Ask when, of which schedule and why."""
    schedule = request.args.get("schedule", "")
    return render_template("windows/add.html", names=read(schedule_names), schedule=schedule)


@blueprint.post("/windows/add")
def add() -> ResponseReturnValue:
    """Plan a time in which nothing, or a schedule, fires: once, or again and again."""
    with acting() as act:
        recurs = _recurrence()
        start, end = _instant("from", recurs), _instant("to", recurs)
        try:
            windows.add_window(
                runtime().database,
                act,
                starts_at=start,
                ends_at=end,
                schedule_id=request.form.get("schedule") or None,
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


def _recurrence() -> Recurrence | None:
    """Return when a window of the form comes again; None: never. Raises Refused."""
    cron, minutes = (request.form.get(name, "").strip() for name in ("cron", "minutes"))
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
        return datetime.fromisoformat(given).replace(tzinfo=UTC)
    except ValueError:
        raise Refused("Say from when to when, such as 2026-03-29 02:00 (UTC).") from None
