"""When an occurrence that is at work will have ended, as its jobs usually go."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from pydantic import Field

from tick.engine.statistics.durations import usual_seconds
from tick.ops.queries.neighbours import Neighbour, upstream_by_run
from tick.ops.queries.runs import Run, runs_of_occurrence
from tick.ops.schemas import Schema
from tick.policy.expected_end import ForecastRun, expect_end
from tick.states import RunStatus


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
    """The forecast for an occurrence; None when it has ended, or fired nothing."""
    runs = runs_of_occurrence(connection, occurrence_id)
    return forecast(connection, runs, upstream_by_run(connection, occurrence_id), now)


def forecast(
    connection: sa.Connection,
    runs: Iterable[Run],
    upstream: Mapping[int, Sequence[Neighbour]],
    now: datetime,
) -> ExpectedEnd | None:
    """The same for runs that were read already; one statement if some have not ended."""
    by_id = {run.id: run for run in runs}
    live = {run.job_name for run in by_id.values() if run.is_live}
    if not live:
        return None
    usual = _by_progress(by_id.values(), now) | usual_seconds(connection, live, now)
    works = {
        run.id: ForecastRun(
            available_at=run.available_at,
            started_at=run.started_at if run.status == RunStatus.RUNNING else None,
            ended_at=None if run.is_live else run.finished_at or run.queued_at,
            usual_seconds=usual.get(run.job_name),
            waits_for=[other.run_id for other in upstream.get(run.id, ())],
        )
        for run in by_id.values()
    }
    expected = expect_end(works, now)
    if expected is None:
        return None
    return ExpectedEnd(
        ends_at=expected.ends_at,
        critical=tuple(by_id[id].job_name for id in expected.critical),
        unknown=tuple(sorted(live - usual.keys())),
    )


def _by_progress(runs: Iterable[Run], now: datetime) -> dict[str, float]:
    """How long jobs at work will take in all, if they go on as they say they went until now."""
    return {
        run.job_name: (now - run.started_at).total_seconds() / run.progress
        for run in runs
        if run.status == RunStatus.RUNNING and run.started_at is not None and run.progress
    }
