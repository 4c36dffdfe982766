"""What somebody would write by hand who knew that everything due fires, and nothing else.

The rows are those of a tick: ledger, runs, dependencies, cursors. Set-based, one transaction.
"""

import json

import sqlalchemy as sa

from tests.bench.fleet import DUE, NEXT, Fleet
from tick.store.sql import instant_text


def fire(fleet: Fleet) -> None:
    """Fire everything that is due at DUE."""
    jobs, edges = fleet.target.jobs, fleet.target.edges
    statements = POSTGRESQL if fleet.place.dialect == "postgresql" else SQLITE
    values = {
        "tick": "by-hand",
        "now": instant_text(DUE),
        "next": instant_text(NEXT),
        "size": len(jobs),
        "jobs": json.dumps([[job.name, job.group, number] for number, job in enumerate(jobs)]),
        "edges": json.dumps([[edge.job, edge.depends_on] for edge in edges]),
    }
    fleet.place.run(statements if edges else statements[:-1], values)


_OCCURRENCES = """
INSERT INTO occurrence (schedule_id, version_id, kind, scheduled_for, count, outcome,
                        late_seconds, tick_id, decided_at, runs)
SELECT id, version_id, 'CRON', next_run_at, 1, 'QUEUED', 0, :tick, {now}, {size}
  FROM job_schedule
 WHERE enabled AND state = 'ACTIVE' AND next_run_at <= {now}
   AND (retry_after IS NULL OR retry_after <= {now}) AND locked_at IS NULL
 ORDER BY next_run_at, id {lock}
"""
_RUNS = """
INSERT INTO job_run (occurrence_id, schedule_id, scheduled_for, job_name, job_group, status,
                     "trigger", queue, priority, params, run_metadata, max_attempts, idempotent,
                     available_at, queued_at)
SELECT o.id, o.schedule_id, o.scheduled_for, {name}, {group}, 'QUEUED',
       'CRON', 'default', 0, '{{}}', {metadata}, 1, false, {now}, {now}
  FROM occurrence o JOIN job_schedule s ON s.id = o.schedule_id CROSS JOIN {jobs}
 WHERE o.tick_id = :tick
 ORDER BY o.id, {seq}
"""
_ADVANCE = """
UPDATE job_schedule AS s
   SET decided_to = {now}, next_run_at = {next}, last_run_at = {now},
       last_occurrence_id = fired.id, last_run_id = fired.run_id, run_count = run_count + 1,
       lock_token = lock_token + 1, fire_errors = 0, updated_at = {now}
  FROM (SELECT o.id, o.schedule_id, min(r.id) AS run_id
          FROM occurrence o JOIN job_run r ON r.occurrence_id = o.id
         WHERE o.tick_id = :tick GROUP BY o.id, o.schedule_id) AS fired
 WHERE s.id = fired.schedule_id AND s.decided_to < {now}
"""
_EDGES = """
WITH edge(job, depends_on) AS MATERIALIZED (SELECT {job}, {depends_on} FROM {edges}),
     run(id, occurrence_id, job_name) AS MATERIALIZED (
       SELECT r.id, r.occurrence_id, r.job_name
         FROM occurrence o JOIN job_run r ON r.occurrence_id = o.id
        WHERE o.tick_id = :tick)
INSERT INTO job_run_dependency (run_id, depends_on_id, tolerant)
SELECT waiting.id, awaited.id, false
  FROM run AS waiting
  JOIN edge ON edge.job = waiting.job_name
  JOIN run AS awaited ON awaited.occurrence_id = waiting.occurrence_id
                     AND awaited.job_name = edge.depends_on
"""
_STATEMENTS = (_OCCURRENCES, _RUNS, _ADVANCE, _EDGES)
_POSTGRESQL = {
    "now": "CAST(:now AS timestamptz)",
    "next": "CAST(:next AS timestamptz)",
    "size": "CAST(:size AS integer)",
    "lock": "FOR UPDATE SKIP LOCKED",
    "jobs": "jsonb_array_elements(CAST(:jobs AS jsonb)) AS job",
    "name": "job ->> 0",
    "group": "job ->> 1",
    "seq": "CAST(job ->> 2 AS integer)",
    "edges": "jsonb_array_elements(CAST(:edges AS jsonb)) AS edge",
    "job": "edge ->> 0",
    "depends_on": "edge ->> 1",
    "metadata": """jsonb_build_object('scheduleId', s.id, 'scheduleName', s.name,
        'executionMode', 'ALL_JOBS',
        'scheduledFor', to_char(o.scheduled_for, 'YYYY-MM-DD"T"HH24\\:MI\\:SS"Z"'))""",
}
_SQLITE = {
    "now": ":now",
    "next": ":next",
    "size": ":size",
    "lock": "",
    "jobs": "json_each(:jobs) AS job",
    "name": "json_extract(job.value, '$[0]')",
    "group": "json_extract(job.value, '$[1]')",
    "seq": "job.key",
    "edges": "json_each(:edges) AS edge",
    "job": "json_extract(edge.value, '$[0]')",
    "depends_on": "json_extract(edge.value, '$[1]')",
    "metadata": """json_object('scheduleId', s.id, 'scheduleName', s.name,
        'executionMode', 'ALL_JOBS',
        'scheduledFor', strftime('%Y-%m-%dT%H\\:%M\\:%SZ', o.scheduled_for))""",
}
POSTGRESQL = [sa.text(statement.format(**_POSTGRESQL)) for statement in _STATEMENTS]
SQLITE = [sa.text(statement.format(**_SQLITE)) for statement in _STATEMENTS]
