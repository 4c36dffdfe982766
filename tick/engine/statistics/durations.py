"""How long the runs of a job usually take, from the hours of the latest weeks."""

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from tick.policy.histogram import TOOK_BOUNDS, quantile
from tick.store.tables import buckets, run_hour

LEARNED_FROM = timedelta(days=14)
_h = run_hour.c
_COUNTS = [sa.func.sum(_h[name]).label(name) for name in buckets("took", TOOK_BOUNDS)]


def usual_seconds(
    connection: sa.Connection, jobs: Collection[str], now: datetime
) -> dict[str, float]:
    """The median length of each of the jobs that ran lately; one statement."""
    rows = connection.execute(
        sa.select(_h.job_name, *_COUNTS)
        .where(_h.hour >= now - LEARNED_FROM, _h.job_name.in_(jobs))
        .group_by(_h.job_name)
    )
    medians = {name: quantile(list(map(int, counts)), TOOK_BOUNDS, 0.5) for name, *counts in rows}
    return {name: median for name, median in medians.items() if median is not None}
