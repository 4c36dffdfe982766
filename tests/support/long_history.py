"""A system with a long past, written by a handful of set-based statements: as its ticks would have.

60 schedules of one, four, six and twenty-four jobs fire each minute, quarter, hour and day: 7,364
occurrences and 13,824 runs a day, so that 72 days are about a million runs. Nothing is live.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from tests.support.factories import World, a_job, a_schedule, a_worker
from tick.define.schedules import Schedule
from tick.store.database import Database
from tick.store.tables import job_schedule, occurrence, worker_instance


@dataclass(frozen=True)
class Group:
    """Schedules that are alike: how many, how often they fire, how many jobs."""

    cron: str
    minutes: int
    schedules: int
    jobs: int


FLEET = (
    Group("* * * * *", 1, 4, 1),
    Group("*/15 * * * *", 15, 10, 4),
    Group("0 * * * *", 60, 26, 6),
    Group("0 0 * * *", 1440, 20, 24),
)
MOST_JOBS = 24
FAILED_EVERY = 97


def _job(number: int) -> str:
    return f"job-{number:02}"


def _schedules(group: Group) -> Iterator[Schedule]:
    names = [_job(number) for number in range(group.jobs)]
    for number in range(group.schedules):
        id = f"every-{group.minutes:04}-{number:02}"
        yield a_schedule(id, cron=group.cron, mode="CUSTOM", jobs=names)


def make_long_history(database: Database, start: datetime, days: int) -> World:
    """Fill an empty database with so many days from the midnight `start` on; `now` is their end.

    Each odd job depends on the one before it, every FAILED_EVERYth firing ended with a failure of
    its last job, and every fourth run has a line in its log.
    """
    jobs = [
        a_job(_job(number), depends_on=[_job(number - 1)] if number % 2 else [])
        for number in range(MOST_JOBS)
    ]
    world = World(database, now=start - timedelta(seconds=30))
    world.define(*(each for group in FLEET for each in _schedules(group)), jobs=jobs)
    for schedule in world.schedules:
        world.enable(schedule.id)
    world.now = start + timedelta(days=days)
    with database.write.begin() as connection:
        connection.execute(sa.insert(worker_instance), [a_worker(world.now)])
        _write(connection, start, days * 1440)
        _move_cursors(connection, world.now)
    return world


def _write(connection: sa.Connection, start: datetime, minutes: int) -> None:
    kinds = [
        {"prefix": f"every-{each.minutes:04}-", "minutes": each.minutes, "jobs": each.jobs}
        for each in FLEET
    ]
    values = {
        "kinds": json.dumps(kinds),
        "start": start.strftime("%Y-%m-%d %H:%M:%S"),
        "minutes": minutes,
        "failed": FAILED_EVERY,
    }
    jobs = ", ".join(f"({number}, '{_job(number)}')" for number in range(MOST_JOBS))
    words = _WORDS[connection.dialect.name] | {"jobs": jobs}
    for statement in (_OCCURRENCES, _RUNS, _EDGES, _LINES):
        text = sa.text(statement.format(**words))
        connection.execute(text, {name: values[name] for name in text.compile().params})


def _move_cursors(connection: sa.Connection, now: datetime) -> None:
    """What the ticks would have left in the schedules' own rows."""
    o, s = occurrence.c, job_schedule.c
    its = sa.select(sa.func.max(o.id)).where(o.schedule_id == s.id).scalar_subquery()
    fired = sa.select(sa.func.count()).where(o.schedule_id == s.id).scalar_subquery()
    connection.execute(
        sa.update(job_schedule).values(
            decided_to=now - timedelta(minutes=1),
            next_run_at=now,
            last_occurrence_id=its,
            run_count=fired,
        )
    )


_WORDS = {
    "sqlite": {
        "minute": """
            RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number
                                     WHERE n + 1 < :minutes),
            minute AS (SELECT n, datetime(:start, n || ' minutes') || '.000000' AS at,
                              datetime(:start, n || ' minutes', '2 seconds') || '.000000' AS began,
                              datetime(:start, n || ' minutes', '9 seconds') || '.000000' AS ended
                         FROM number)""",
        "kind": """
            SELECT json_extract(value, '$.prefix') AS prefix,
                   json_extract(value, '$.minutes') AS minutes,
                   json_extract(value, '$.jobs') AS jobs FROM json_each(:kinds)""",
        "none": "'{}'",
    },
    "postgresql": {
        "minute": """
            minute AS (SELECT n, at, at + interval '2 seconds' AS began,
                              at + interval '9 seconds' AS ended
                         FROM (SELECT n, CAST(:start AS timestamp) AT TIME ZONE 'UTC'
                                         + n * interval '1 minute' AS at
                                 FROM generate_series(0, :minutes - 1) AS n) AS each)""",
        "kind": """
            SELECT prefix, minutes, jobs FROM json_to_recordset(CAST(:kinds AS json))
                AS kind(prefix text, minutes int, jobs int)""",
        "none": "'{}'",
    },
}
_OCCURRENCES = """
INSERT INTO occurrence (schedule_id, version_id, kind, scheduled_for, outcome, tick_id, decided_at,
                        late_seconds, first_started_at, last_finished_at, runs, succeeded, failed,
                        counted, judged)
WITH {minute}, kind AS ({kind}),
fired AS (SELECT schedule.id, schedule.version_id, minute.*, kind.jobs,
                 row_number() OVER (ORDER BY minute.n, schedule.id) % :failed = 0 AS failed
            FROM minute JOIN kind ON minute.n % kind.minutes = 0
            JOIN job_schedule AS schedule ON schedule.id LIKE kind.prefix || '%')
SELECT id, version_id, 'CRON', at, CASE WHEN failed THEN 'FAILED' ELSE 'SUCCESS' END, 'tick-' || n,
       at, 0.5, began, ended, jobs, jobs - CASE WHEN failed THEN 1 ELSE 0 END,
       CASE WHEN failed THEN 1 ELSE 0 END, true, true
  FROM fired ORDER BY n, id
"""
_RUNS = """
INSERT INTO job_run (occurrence_id, schedule_id, scheduled_for, job_name, job_group, status,
                     "trigger", params, run_metadata, attempt, available_at, worker_id, queued_at,
                     started_at, finished_at, counted, error_type)
WITH job(n, name) AS (VALUES {jobs})
SELECT o.id, o.schedule_id, o.scheduled_for, job.name, 'matching',
       CASE WHEN o.failed = 1 AND job.n = o.runs - 1 THEN 'FAILED' ELSE 'SUCCESS' END, 'CRON',
       {none}, {none}, 1, o.scheduled_for, 'c0ffee', o.scheduled_for, o.first_started_at,
       o.last_finished_at, true,
       CASE WHEN o.failed = 1 AND job.n = o.runs - 1 THEN 'TimeoutError' END
  FROM occurrence AS o JOIN job ON job.n < o.runs
 ORDER BY o.id, job.n % 2, job.n
"""
_EDGES = """
INSERT INTO job_run_dependency (run_id, depends_on_id)
SELECT run.id, run.id - o.runs / 2 FROM job_run AS run JOIN occurrence AS o
    ON o.id = run.occurrence_id WHERE CAST(substr(run.job_name, 5) AS integer) % 2 = 1
"""
_LINES = """
INSERT INTO job_log (run_id, attempt, at, level, message)
SELECT id, 1, started_at, 'info', 'what happened in the run' FROM job_run WHERE id % 4 = 0
"""
