"""The pages of alerts: the open and the closed ones, their deliveries, and mutes."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from tick.define.alerts import NAMES
from tick.errors import Refused
from tick.ops.actions import alerts
from tick.ops.queries import alerts as queries
from tick.ops.queries import schedules
from webapp import messages, polling, query
from webapp.dispatcher import dispatcher_of
from webapp.forms import acting, chosen_hours, perform
from webapp.links import go_back
from webapp.services import now, read, reading, runtime

blueprint = Blueprint("alerts", __name__)
_FILTER = {"rule": query.one_of(NAMES), "schedule": query.schedule_of}
MUTES = {"1": "an hour", "8": "eight hours", "24": "a day", "168": "a week", "720": "thirty days"}


def _with_mistakes(mistakes: tuple[str, ...]) -> str:
    """Render the page with the mistakes of its filter, and no alert."""
    return render_template("alerts/index.html", mistakes=mistakes, rules=NAMES)


@blueprint.get("/alerts")
@query.takes(_FILTER | {"before": query.number_of}, on_mistakes=_with_mistakes)
def index() -> ResponseReturnValue:
    """List the open alerts, the mutes, and the closed alerts, by the filter in the URL."""
    chosen: dict[str, Any] = {"rule": query.text("rule"), "schedule_id": query.text("schedule")}
    before = query.number("before")
    with reading() as connection:
        opened = queries.list_alerts(connection, now(), open=True, **chosen)
        over = queries.list_alerts(connection, now(), open=False, before=before, **chosen)
        mutes = queries.list_mutes(connection, now())
    shown = (opened, over, mutes)
    page = {"opened": opened.items, "over": over, "mutes": mutes, "rules": NAMES}
    return polling.page("alerts/index.html", shown, **page, **chosen)


@blueprint.get("/alerts/<id:alert_id>")
def show(alert_id: int) -> ResponseReturnValue:
    """Show an alert, and each attempt to deliver it."""
    detail = read(queries.get_alert, alert_id, now())
    return polling.page(
        "alerts/show.html", detail, alert=detail.alert, deliveries=detail.deliveries
    )


@blueprint.post("/alerts/<id:alert_id>/close")
def close(alert_id: int) -> ResponseReturnValue:
    """Close an alert."""
    done = "The alert is closed."
    return perform(url_for("alerts.index"), done, alerts.close, alert_id)


@blueprint.get("/alerts/mute")
@query.takes(_FILTER)
def confirm_mute() -> ResponseReturnValue:
    """Ask which alerts to mute, for how long and why."""
    return render_template(
        "alerts/mute.html",
        names=read(schedules.schedule_names),
        rules=NAMES,
        lengths=MUTES,
        schedule=query.text("schedule"),
        rule=query.text("rule"),
    )


@blueprint.post("/alerts/mute")
def mute() -> ResponseReturnValue:
    """Mute the chosen alerts for a while."""
    with acting() as act:
        alerts.mute(
            runtime().database,
            act,
            schedule_id=request.form.get("schedule") or None,
            rule=request.form.get("rule") or None,
            until=now() + timedelta(hours=chosen_hours(MUTES)),
        )
        messages.flash_success("Muted. What is still wrong at the end of it is told then.")
    return go_back(url_for("alerts.index"))


@blueprint.post("/alerts/mutes/<id:mute_id>/end")
def unmute(mute_id: int) -> ResponseReturnValue:
    """End a mute before its time."""
    done = "Alerts are sent again."
    return perform(url_for("alerts.index"), done, alerts.unmute, mute_id)


@blueprint.post("/alerts/test")
def test() -> ResponseReturnValue:
    """Send a test message to every channel."""
    with acting() as act:
        found = dispatcher_of(current_app).test(act.author)
        if not found:
            raise Refused("No channel is set up: set TICK_ALERT_URLS or TICK_WEBHOOK_URLS.")
        failed = [f"{name}: {error}" for name, error in found.items() if error]
        if failed:
            raise Refused(f"Not every channel took it. {'; '.join(failed)}.")
        messages.flash_success(f"{', '.join(found)} took a test message.")
    return go_back(url_for("alerts.index"))
