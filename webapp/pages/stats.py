"""The page of statistics: success, punctuality and duration, as plots and as tables."""

from datetime import datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from tick.ops.reports import statistics
from tick.ops.reports.statistics import Period, Window
from webapp import query
from webapp.drawing.clock_changes import find_zone
from webapp.presentation import day, shown_zone
from webapp.services import now, runtime

blueprint = Blueprint("stats", __name__)
MOST_ROWS = 50
WINDOWS = {
    Window.DAY: "24 hours",
    Window.WEEK: "7 days",
    Window.MONTH: "30 days",
    Window.QUARTER: "90 days",
}


@blueprint.get("/stats")
@query.takes(
    {"window": query.one_of([*Window]), "job": query.text_of, "schedule": query.schedule_of}
)
def index() -> ResponseReturnValue:
    """Show the figures of a window, of all or of the job or schedule in the URL."""
    window = query.choice("window", Window) or Window.MONTH
    zone = find_zone(shown_zone()).key
    job, schedule = query.text("job"), query.text("schedule")
    found = statistics.gather(
        runtime().database, now(), window=window, timezone=zone, job_name=job, schedule_id=schedule
    )
    return render_template(
        "stats/index.html",
        found=found,
        windows=WINDOWS,
        only={"job": job, "schedule": schedule},
        labels=[period_label(period, window, zone) for period in found.periods],
        percent=percent,
        most=MOST_ROWS,
    )


def period_label(period: Period, window: Window, zone: str) -> str:
    """Return `14:00`, `Tue 24 Nov`, or `Tue 24 Nov on` for a week."""
    start: datetime = period.start.astimezone(find_zone(zone))
    if window is Window.DAY:
        return f"{start:%H:%M}"
    return day(start, zone) + (" on" if window is Window.QUARTER else "")


def percent(part: float | None, digits: int = 1) -> str:
    """Return `97.3 %`; `-` for a part of nothing."""
    return "-" if part is None else f"{part:.{digits}%}".replace("%", " %")
