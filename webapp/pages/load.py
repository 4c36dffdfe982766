"""The page of the coming week's load: a heat map, and the conflicts in it."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from tick.interface.conflicts import MOST_SLOTS
from tick.ops.queries.demand import ASSUMED_SECONDS, LEARNED_FROM
from tick.ops.reports.conflicts import read_conflicts
from webapp import query
from webapp.drawing import heat
from webapp.drawing.clock_changes import find_zone
from webapp.drawing.outcome_calendar import WEEKDAYS
from webapp.presentation import shown_zone
from webapp.services import now, reading, runtime

blueprint = Blueprint("load", __name__)


def _slots_of(value: str) -> int:
    """Return a number of slots. Raises ValueError."""
    if value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= MOST_SLOTS:
        return int(value)
    raise ValueError(f"it is a number from 1 to {MOST_SLOTS:,}")


@blueprint.get("/load")
@query.takes({"slots": _slots_of, "queue": query.text_of})
def index() -> ResponseReturnValue:
    """Show what the coming week asks of workers, and where that is too much."""
    zone = find_zone(shown_zone())
    slots = query.text("slots")
    with reading() as connection:
        found = read_conflicts(
            connection,
            runtime().jobs,
            runtime().settings,
            now(),
            timezone=zone.key,
            slots=int(slots) if slots else None,
        )
    queue = query.text("queue")
    shown = next((load for load in found.loads if load.queue == queue), found.loads[0])
    return render_template(
        "load/index.html",
        found=found,
        shown=shown,
        rows=heat.rows(shown),
        weekdays=WEEKDAYS,
        today=now().astimezone(zone).weekday(),
        slots=slots or "",
        most_slots=MOST_SLOTS,
        days=LEARNED_FROM.days,
        assumed_seconds=ASSUMED_SECONDS,
    )
