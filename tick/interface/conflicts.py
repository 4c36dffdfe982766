"""The load of the coming week, and the conflicts in it."""

from pydantic import Field

from tick.interface.inputs import Query
from tick.interface.operation import Context, Resource
from tick.interface.stats import Zone
from tick.ops.reports import conflicts
from tick.ops.reports.conflicts import Conflicts

resource = Resource("load", "What the coming week asks of workers, and where that is too much.")
MOST_SLOTS = 10_000


class LoadQuery(Query):
    """In whose hours, and against how many slots."""

    timezone: Zone = Field("UTC", description="whose hours and weekdays, such as `Europe/Paris`")
    slots: int | None = Field(
        None, ge=1, le=MOST_SLOTS, description="in place of what all live workers run at once"
    )


@resource.get("/conflicts")
def read_conflicts(context: Context, query: LoadQuery) -> Conflicts:
    """Simulate the coming week by usual lengths: its hours, peaks beyond the slots, ways out."""
    return context.read(
        conflicts.read_conflicts,
        context.runtime.jobs,
        context.runtime.settings,
        context.now,
        timezone=query.timezone,
        slots=query.slots,
    )
