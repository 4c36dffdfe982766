"""The pages of schedules: the list, one schedule with its ledger, and the actions on them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, abort, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.define.alerts import Failed
from tick.ops.actions import run_now, switches
from tick.ops.queries import alerts, audit, history, schedules, stats, versions
from tick.ops.queries import occurrences as ledger
from tick.ops.queries.audit import AuditFilter
from tick.ops.queries.courses import read_courses
from tick.ops.reports.lanes import find_companions
from tick.ops.reports.upcoming import next_of, resumed_next
from tick.states import ENDED_OUTCOMES, LIVE_OUTCOMES, NOT_FIRED_OUTCOMES, Outcome, OverlapPolicy
from webapp import messages, polling, query
from webapp.dispatcher import dispatcher_of
from webapp.drawing import charts
from webapp.drawing.clock_changes import find_zone
from webapp.drawing.outcome_calendar import WEEKDAYS, day_bounds, outcome_calendar
from webapp.forms import acting, chosen_hours
from webapp.links import go_back
from webapp.pages.stats import percent
from webapp.presentation import shown_zone
from webapp.services import now, read, reading, runtime, system_health

blueprint = Blueprint("schedules", __name__)
PREVIEWED = 3
UPCOMING = 10
CHANGES = 10
TREND = 60
_RATES = "success_rates"
_REMEMBERED = timedelta(minutes=1)
PAUSES = {
    "": "until somebody resumes it",
    "1": "for 1 hour",
    "4": "for 4 hours",
    "24": "for 1 day",
    "72": "for 3 days",
    "168": "for 1 week",
}
SHOWN = {
    "fired": ENDED_OUTCOMES + LIVE_OUTCOMES,
    "failed": (Outcome.FAILED, Outcome.PARTIAL, Outcome.FIRE_FAILED),
    "not-fired": NOT_FIRED_OUTCOMES,
}


@blueprint.get("/schedules")
@query.takes({"after": query.text_of, "choose": query.one_of(("on",)), "label": query.text_of})
def index() -> ResponseReturnValue:
    """List all schedules, or those with a label."""
    label = query.text("label")
    with reading() as connection:
        page = schedules.list_schedules(connection, after=query.text("after"), label=label)
        labels = schedules.list_labels(connection)
        rates = _rates(connection, tuple(row.id for row in page.items))
        health = system_health(connection)
    return polling.page(
        "schedules/index.html",
        (page, [row.id for row in page.items if row.is_due(now())], rates, health, labels),
        page=page,
        labels=labels,
        label=label,
        rates=rates,
        percent=percent,
        health=health,
    )


def _rates(connection: sa.Connection, schedule_ids: tuple[str, ...]) -> dict[str, float]:
    """Return each schedule's success rate, at most a minute old."""
    # Remembered by the ids of the page: open pages poll every few seconds, and the rates need a
    # month of hourly sums.
    known: dict[tuple[str, ...], tuple[datetime, dict[str, float]]] = {
        ids: (at, rates)
        for ids, (at, rates) in current_app.extensions.get(_RATES, {}).items()
        if now() - at < _REMEMBERED
    }
    if schedule_ids not in known:
        rates = stats.success_rates(connection, now() - stats.RATED, schedule_ids)
        known[schedule_ids] = now(), rates
    current_app.extensions[_RATES] = known
    return known[schedule_ids][1]


@blueprint.get("/schedules/<schedule_id>")
@query.takes({"show": query.one_of(SHOWN), "day": query.day_of, "before": query.number_of})
def show(schedule_id: str) -> ResponseReturnValue:
    """Show a schedule: its definition, next instants, outcomes by day, and ledger."""
    shown, day = request.args.get("show", ""), request.args.get("day", "")
    with reading() as connection:
        schedule = schedules.find_schedule(connection, schedule_id)
        zone = find_zone(shown_zone(schedule.timing.timezone))
        page = ledger.list_occurrences(
            connection,
            schedule_id,
            outcomes=SHOWN.get(shown, ()),
            between=day_bounds(day, zone),
            before=query.number("before"),
        )
        past = history.list_past(connection, schedule_id)
        its_versions = versions.list_versions(connection, schedule_id)
        changes = audit.list_audit(connection, AuditFilter(subject=schedule_id), size=CHANGES).items
        courses = read_courses(connection, now(), with_off=True)
        in_force = alerts.list_mutes(connection, now()) if schedule.may_be_muted else ()
    mutes = [mute for mute in in_force if mute.schedule_id in (None, schedule_id)]
    own = [course for course in courses if course.row.id == schedule_id]
    upcoming = [each for course in own for each in next_of(course, UPCOMING)]
    companions = find_companions(
        courses, schedule_id, (each.at for each in upcoming if each.blackout is None)
    )
    ended = [row for row in past if row.has_length][-TREND:]
    is_due = schedule.is_due(now())
    channels = dispatcher_of(current_app).channels
    return polling.page(
        "schedules/show.html",
        (schedule, is_due, page, past[-TREND:], its_versions, changes, upcoming, companions, mutes),
        schedule=schedule,
        page=page,
        shown=shown,
        day=day,
        recent=past[-history.RECENT_ROWS :],
        calendar=outcome_calendar(
            past,
            now(),
            zone,
            complete=len(past) < history.LATEST,
            days_off=own[0].calendar if own else None,
        ),
        weekdays=WEEKDAYS,
        ended=ended,
        trend=charts.trend(ended),
        versions=its_versions,
        changed=versions.changes_by_version(its_versions),
        changes=changes,
        mutes=mutes,
        # Ids hold no secret; the addresses of channels do.
        channels=[each.id for each in channels if each.accepts(Failed.NAME)],
        upcoming=upcoming,
        companions=companions,
        always_with=_always_with(companions, len(upcoming)),
    )


def _always_with(companions: dict[datetime, tuple[str, ...]], instants: int) -> tuple[str, ...]:
    """Return the schedules that fire at each of the instants, if they are the same for all."""
    alike = set(companions.values())
    return alike.pop() if len(companions) == instants and len(alike) == 1 else ()


@blueprint.get("/schedules/<schedule_id>/enable")
def confirm_enable(schedule_id: str) -> ResponseReturnValue:
    """Show what enabling will do: the next instants, before anything happens."""
    return render_template("schedules/enable.html", **_with_next(schedule_id))


@blueprint.post("/schedules/<schedule_id>/enable")
def enable(schedule_id: str) -> ResponseReturnValue:
    """Switch it on."""
    with acting() as act:
        switches.enable_schedule(runtime().database, act, schedule_id)
        undo = url_for("schedules.disable", schedule_id=schedule_id)
        messages.flash_success(f"{_name(schedule_id)} is on.", undo=undo)
    return go_back(url_for("schedules.show", schedule_id=schedule_id))


@blueprint.get("/schedules/<schedule_id>/disable")
def confirm_disable(schedule_id: str) -> ResponseReturnValue:
    """Ask for a reason, which may be left out."""
    schedule = read(schedules.find_schedule, schedule_id)
    return render_template("schedules/disable.html", schedule=schedule)


@blueprint.post("/schedules/<schedule_id>/disable")
def disable(schedule_id: str) -> ResponseReturnValue:
    """Switch it off."""
    with acting() as act:
        switches.disable_schedule(runtime().database, act, schedule_id)
        undo = url_for("schedules.enable", schedule_id=schedule_id)
        messages.flash_success(f"{_name(schedule_id)} is off.", undo=undo)
    return go_back(url_for("schedules.show", schedule_id=schedule_id))


@blueprint.get("/schedules/<schedule_id>/pause")
def confirm_pause(schedule_id: str) -> ResponseReturnValue:
    """Ask why, and for how long."""
    schedule = read(schedules.find_schedule, schedule_id)
    return render_template("schedules/pause.html", schedule=schedule, lengths=PAUSES)


@blueprint.post("/schedules/<schedule_id>/pause")
def pause(schedule_id: str) -> ResponseReturnValue:
    """Keep it from firing, for a reason and perhaps for a time."""
    with acting() as act:
        switches.pause_schedule(runtime().database, act, schedule_id, until=pause_end())
        messages.flash_success(f"{_name(schedule_id)} is paused.")
    return go_back(url_for("schedules.show", schedule_id=schedule_id))


def pause_end() -> datetime | None:
    """Return when the pause that the form asks for ends; None until somebody resumes it."""
    hours = chosen_hours(PAUSES)
    return now() + timedelta(hours=hours) if hours else None


@blueprint.get("/schedules/<schedule_id>/resume")
def confirm_resume(schedule_id: str) -> ResponseReturnValue:
    """Ask what becomes of the instants that have passed meanwhile."""
    preview = _with_next(schedule_id)
    passed = preview["schedule"].passed_in_pause(now())
    most = schedules.MOST_PASSED
    return render_template("schedules/resume.html", passed=passed, most=most, **preview)


@blueprint.post("/schedules/<schedule_id>/resume")
def resume(schedule_id: str) -> ResponseReturnValue:
    """End the pause: nothing of it runs, or its latest instant, or the instants chosen."""
    disposition = request.form.get("disposition", "")
    latest = disposition == "latest"
    chosen = _instants(request.form.getlist("at")) if disposition == "chosen" else []
    with acting() as act:
        made = switches.resume_schedule(
            runtime().database, act, schedule_id, catch_up_latest=latest, run=chosen
        )
        started = f" {len(made)} of its instants were started." if made else ""
        messages.flash_success(f"{_name(schedule_id)} goes on.{started}")
    return go_back(url_for("schedules.show", schedule_id=schedule_id))


@blueprint.post("/schedules/<schedule_id>/slots")
def run_slots(schedule_id: str) -> ResponseReturnValue:
    """Run an instant that did not fire, as that instant."""
    instants = _instants(request.form.getlist("at"))
    with acting() as act:
        made = run_now.run_slots(runtime().database, act, schedule_id, instants)
        for occurrence_id in made[-1:]:
            _tell_of_start(schedule_id, occurrence_id)
    return go_back(url_for("schedules.show", schedule_id=schedule_id))


@blueprint.get("/schedules/<schedule_id>/run")
def confirm_run(schedule_id: str) -> ResponseReturnValue:
    """Show which jobs would run, and beside which unfinished occurrences."""
    with reading() as connection:
        schedule = schedules.find_schedule(connection, schedule_id)
        live_now = ledger.list_occurrences(connection, schedule_id, outcomes=LIVE_OUTCOMES).items
        in_force = versions.list_versions(connection, schedule_id)[:1]
    overlap = next((each.terms.get("overlap") for each in in_force), None)
    overlap = overlap or OverlapPolicy.SKIP
    return render_template("schedules/run.html", schedule=schedule, live=live_now, overlap=overlap)


@blueprint.post("/schedules/<schedule_id>/run")
def run(schedule_id: str) -> ResponseReturnValue:
    """Fire it now, once, however often the button was pressed."""
    override = "override_overlap" in request.form
    with acting() as act:
        occurrence_id = run_now.run_schedule(
            runtime().database, act, schedule_id, override_overlap=override
        )
        _tell_of_start(schedule_id, occurrence_id)
    return go_back(url_for("schedules.show", schedule_id=schedule_id))


def _tell_of_start(schedule_id: str, occurrence_id: int) -> None:
    link = url_for("occurrences.show", occurrence_id=occurrence_id)
    messages.flash_success(f"{_name(schedule_id)} was started.", link=link, label="Watch it")


def _instants(texts: list[str]) -> list[datetime]:
    """Return the instants that a form sends back as the page gave them."""
    try:
        found = [datetime.fromisoformat(text) for text in texts]
        if any(instant.tzinfo is None for instant in found):
            abort(400, "An instant needs its offset from UTC.")
        return [instant.astimezone(UTC) for instant in found]
    except (ValueError, OverflowError):
        abort(400, "That is no instant.")


def _with_next(schedule_id: str) -> dict[str, Any]:
    """Return the schedule, and its next instants if it goes on now."""
    with reading() as connection:
        schedule = schedules.find_schedule(connection, schedule_id)
        upcoming = resumed_next(connection, schedule_id, now(), PREVIEWED)
    return {"schedule": schedule, "upcoming": upcoming}


def _name(schedule_id: str) -> str:
    return read(schedules.find_schedule, schedule_id).name
