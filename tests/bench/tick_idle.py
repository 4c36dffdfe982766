"""A tick when nothing is due, beside the probe and the row of the tick log by hand."""

import secrets
from collections.abc import Iterator
from datetime import timedelta

import sqlalchemy as sa

from tests.bench.fleet import BEFORE, launch
from tests.bench.measure import Measurement, Options, alternate
from tests.bench.places import Place
from tick.store.sql import instant_text

SCHEDULES = 10_000
TIMES = 20
GOAL_SECONDS = 0.001
NOW = BEFORE - timedelta(hours=1)
PROBE = """
SELECT EXISTS (SELECT 1 FROM job_schedule
                WHERE enabled AND state = 'ACTIVE' AND next_run_at <= {now})
"""
NOTE = """
INSERT INTO tick_log (id, source, now, started_at, took_seconds)
VALUES (:id, 'by hand', {now}, {now}, 0)
"""


def measure(place: Place, options: Options) -> Iterator[Measurement]:
    """Idle ticks over many schedules; a measurement is the mean of 20 ticks in a row."""
    schedules = options.rows or SCHEDULES
    fleet = launch(place, schedules, 1)
    instant = "CAST(:now AS timestamptz)" if place.dialect == "postgresql" else ":now"
    statements = [sa.text(statement.format(now=instant)) for statement in (PROBE, NOTE)]

    def by_hand() -> None:
        for _ in range(TIMES):
            values = {"now": instant_text(NOW), "id": secrets.token_hex(8)}
            place.run(statements, values)

    def ours() -> None:
        for _ in range(TIMES):
            fleet.tick(NOW)

    measurement = Measurement("tick, idle", place.dialect, schedules, goal_seconds=GOAL_SECONDS)
    alternate(measurement, options.repeats, prepare=place.tidy, ours=ours, raw=by_hand)
    for side in (measurement.ours, measurement.raw):
        side[:] = [seconds / TIMES for seconds in side]
    yield measurement
