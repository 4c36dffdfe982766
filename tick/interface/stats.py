"""Statistics: how often things go well, on time, and in what time."""

from typing import Annotated

from pydantic import AfterValidator, Field

from tick.cron.zones import check_zone
from tick.interface.inputs import Name, Query
from tick.interface.operation import Context, Resource
from tick.ops.queries.occurrences import get_occurrence
from tick.ops.reports import statistics
from tick.ops.reports.expected_end import ExpectedEnd, read_expected_end
from tick.ops.reports.statistics import Statistics, Window
from tick.ops.schemas import Schema

resource = Resource("statistics", "How often things go well, on time, and in what time.")


def _zone(name: str) -> str:
    # Here, so that a mistyped zone is told as a mistake in the query, with its place.
    check_zone(name)
    return name


Zone = Annotated[Name, AfterValidator(_zone)]


class PeriodQuery(Query):
    """How far back, and by whose days."""

    window: Window = Window.MONTH
    timezone: Zone = Field("UTC", description="whose days are shown, such as `Europe/Paris`")


class StatisticsQuery(PeriodQuery):
    """Which statistics."""

    job: Name | None = Field(None, description="the runs of this job, and nothing else")
    schedule: Name | None = Field(
        None, description="the instants of this schedule, and nothing else"
    )


@resource.get("/stats")
def read_statistics(context: Context, query: StatisticsQuery) -> Statistics:
    """Read the statistics of a window that ends now.

    They count what happened, up to now: a run that failed, and succeeded when it was retried, is
    one failure and one success. Rates are parts of 1, lengths are seconds.
    """
    return statistics.gather(
        context.database,
        context.now,
        window=query.window,
        timezone=query.timezone,
        job_name=query.job,
        schedule_id=query.schedule,
    )


# Here, not among the occurrences: it is worked out of what the statistics know of their jobs.
class Forecast(Schema):
    """When an occurrence will have ended; null when it has, or never fired."""

    expected: ExpectedEnd | None


@resource.get("/occurrences/<id:occurrence_id>/forecast")
def read_forecast(context: Context, occurrence_id: int) -> Forecast:
    """Read when an occurrence that is at work will have ended, as its jobs usually go."""
    # First, since a forecast is null as well for one that there is not.
    context.read(get_occurrence, occurrence_id)
    return Forecast(expected=context.read(read_expected_end, occurrence_id, context.now))
