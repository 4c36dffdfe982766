"""Forecasts the end of an occurrence from how long its jobs usually take."""

from datetime import datetime

import sqlalchemy as sa
from pydantic import Field

from tick.engine.statistics.durations import read_forecast_runs
from tick.ops.schemas import Schema
from tick.policy.expected_end import expect_end


class ExpectedEnd(Schema):
    """A forecast by the medians of the last two weeks, as if a worker were free for each run."""

    ends_at: datetime
    critical: tuple[str, ...] = Field(
        description="the jobs still to end whose chain decides it, in their order"
    )
    unknown: tuple[str, ...] = Field(
        description="jobs still to end that have neither history nor progress; they are taken to "
        "last no time, so the end is the earliest possible"
    )


def read_expected_end(
    connection: sa.Connection, occurrence_id: int, now: datetime
) -> ExpectedEnd | None:
    """Return the forecast for an occurrence; None if it has ended, or has too many runs."""
    runs = read_forecast_runs(connection, [occurrence_id], now).get(occurrence_id, {})
    expected = expect_end(runs, now)
    if expected is None:
        return None
    live = [run for run in runs.values() if run.ended_at is None]
    return ExpectedEnd(
        ends_at=expected.ends_at,
        critical=tuple(runs[id].job_name for id in expected.critical),
        unknown=tuple(sorted({run.job_name for run in live if run.usual_seconds is None})),
    )
