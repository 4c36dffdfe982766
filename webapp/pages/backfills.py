"""The pages of backfills: how far each is, beginning one, pausing, resuming, cancelling."""

from datetime import date, datetime, time, timedelta

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.cron.zone_data import find_zone
from tick.errors import Refused
from tick.ops.actions import backfill
from tick.ops.actions.backfill import MOST_PARALLEL
from tick.ops.queries.backfills import get_backfill, list_backfills
from tick.ops.queries.schedules import Schedule, find_schedule
from tick.policy.instants import just_before
from tick.states import BackfillOverlap
from tick.text import counted
from tick.utc import utc
from webapp import messages, polling, query
from webapp.forms import acting, perform
from webapp.links import go_back
from webapp.services import now, read, runtime

blueprint = Blueprint("backfills", __name__)
_DAY = timedelta(days=1)


@blueprint.get("/backfills")
@query.takes({"schedule": query.schedule_of, "before": query.number_of})
def index() -> ResponseReturnValue:
    """List the backfills with their progress."""
    schedule, before = query.text("schedule"), query.number("before")
    page = read(list_backfills, now(), schedule_id=schedule, before=before)
    return polling.page(
        "backfills/index.html",
        (page, [each.expected_end for each in page.items]),
        backfills=page.items,
        older=page.next,
        schedule=schedule,
    )


@blueprint.get("/schedules/<schedule_id>/backfill")
def confirm_start(schedule_id: str) -> ResponseReturnValue:
    """Ask for which days, and within which limits."""
    schedule = read(find_schedule, schedule_id)
    today = now().astimezone(find_zone(schedule.timing.timezone)).date()
    return render_template(
        "backfills/start.html",
        schedule=schedule,
        first=today - 7 * _DAY,
        last=today - _DAY,
        most_parallel=MOST_PARALLEL,
    )


@blueprint.post("/schedules/<schedule_id>/backfill")
def start(schedule_id: str) -> ResponseReturnValue:
    """Begin a backfill; ticks work it off."""
    schedule = read(find_schedule, schedule_id)
    with acting() as act:
        first, last = _days(schedule)
        number = backfill.start_backfill(
            runtime().database,
            act,
            schedule_id,
            start=first,
            end=last,
            overlap=BackfillOverlap.ALLOW if "allow" in request.form else BackfillOverlap.WAIT,
            max_parallel=_parallel(),
        )
        total = read(get_backfill, number, now()).total
        messages.flash_success(
            f"Backfill {number} is begun: {counted(total, 'instant')}, which ticks work off."
        )
    return go_back(url_for("backfills.index"))


@blueprint.post("/backfills/<id:backfill_id>/pause")
def pause(backfill_id: int) -> ResponseReturnValue:
    """Queue nothing more of it."""
    done = "The backfill is paused; what is queued goes on."
    return perform(url_for("backfills.index"), done, backfill.pause_backfill, backfill_id)


@blueprint.post("/backfills/<id:backfill_id>/resume")
def resume(backfill_id: int) -> ResponseReturnValue:
    """Let it go on."""
    done = "The backfill goes on where it stood."
    return perform(url_for("backfills.index"), done, backfill.resume_backfill, backfill_id)


@blueprint.get("/backfills/<id:backfill_id>/cancel")
def confirm_cancel(backfill_id: int) -> ResponseReturnValue:
    """Show what would never run; it can't be taken back."""
    found = read(get_backfill, backfill_id, now())
    return render_template("backfills/cancel.html", backfill=found)


@blueprint.post("/backfills/<id:backfill_id>/cancel")
def cancel(backfill_id: int) -> ResponseReturnValue:
    """End it."""
    with acting() as act:
        runs = backfill.cancel_backfill(runtime().database, act, backfill_id)
        messages.flash_success(
            f"The backfill is cancelled, and {counted(runs, 'run')} that had not begun; "
            "what runs goes on."
        )
    return go_back(url_for("backfills.index"))


def _days(schedule: Schedule) -> tuple[datetime, datetime]:
    """Return the bounds of the days in the form, in the schedule's zone. Raises Refused."""
    zone = find_zone(schedule.timing.timezone)
    try:
        first, last = (date.fromisoformat(request.form.get(name, "")) for name in ("from", "to"))
        begin = utc(datetime.combine(first, time(), zone))
        # From midnight to midnight: a day with a clock change has 23 or 25 hours.
        end = just_before(utc(datetime.combine(last + _DAY, time(), zone)))
    except (ValueError, OverflowError):
        raise Refused("Say from which day to which, such as 2026-03-01 to 2026-03-08.") from None
    if end < begin:
        raise Refused("The last day lies before the first; write the later one second.")
    return begin, end


def _parallel() -> int:
    given = request.form.get("max_parallel", "1")
    if not (given.isascii() and given.isdigit() and 1 <= int(given[:9]) <= MOST_PARALLEL):
        raise Refused(f"Say how many run at one time: 1 to {MOST_PARALLEL}.")
    return int(given)
