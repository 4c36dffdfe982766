"""JobRuns and their dependencies for occurrences that fired: by plan, or by a person.

Set-based: one statement for the runs and one for the edges, however many occurrences and jobs.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.engine.firing.claim_schedules import TickClaim
from tick.engine.firing.run_statements import (
    MANUAL_KEY,
    FiredRows,
    fired_by_hand,
    fired_by_plan,
    insert_and_read_runs,
    insert_edges,
    insert_repeats,
    insert_runs,
)
from tick.engine.runs.dependents import skip_dependents
from tick.engine.runs.settle import settle_occurrences
from tick.engine.runs.wake_workers import announce_ready
from tick.policy.target import Target
from tick.states import OccurrenceKind, Outcome
from tick.store.sql import AnyRow, insert_ignore, json_param
from tick.store.tables import occurrence

_o = occurrence.c
_NO_COLUMNS = {"mode", "actor", "ends_by"}
NO_JOBS = "the selection holds no job"


@dataclass(frozen=True)
class ManualFiring:
    """A firing that a person or a token asked for. `key` makes a repeated request harmless."""

    key: str
    title: str
    mode: str
    actor: str
    tick_id: str
    schedule_id: str | None = None
    version_id: int | None = None
    blocked_by_id: int | None = None
    reason: str | None = None
    ends_by: datetime | None = None


def enqueue_planned(
    connection: sa.Connection,
    claim: TickClaim,
    planned: Mapping[str, str],
    targets: Mapping[str, Target],
    target_of: Mapping[Any, str],
) -> int:
    """Queue runs for the occurrences that this tick fired by plan; how many.

    `planned` holds the parameters of `planned_rows`; `target_of`, the key of a schedule's target.
    """
    mine = {**planned, "tick": claim.tick_id}
    fired = fired_by_plan(connection.dialect.name)
    return _enqueue(connection, fired, mine, claim.now, targets, target_of)


def enqueue_manual(
    connection: sa.Connection, manual: ManualFiring, target: Target, now: datetime
) -> int | None:
    """Write an occurrence with its runs; its id, or None if there is one with the key already."""
    values = {
        **{name: value for name, value in asdict(manual).items() if name not in _NO_COLUMNS},
        "kind": OccurrenceKind.MANUAL,
        "outcome": Outcome.QUEUED if target.jobs else Outcome.SUCCESS,
        "reason": manual.reason if target.jobs else NO_JOBS,
        "triggered_by": manual.actor,
        "decided_at": now,
        "runs": len(target.jobs),
    }
    created = connection.execute(
        insert_ignore(connection.dialect.name, occurrence).values(values).returning(_o.id)
    ).scalar()
    if created is None:
        return None  # the same request came twice: its runs are there
    enqueue_occurrence(connection, created, manual.mode, target, now, manual.ends_by)
    return int(created)


def enqueue_occurrence(
    connection: sa.Connection,
    occurrence_id: int,
    mode: str,
    target: Target,
    now: datetime,
    ends_by: datetime | None,
) -> int:
    """Queue runs for an occurrence in the ledger that a person asked for; how many."""
    mine = {"occurrence": occurrence_id, "mode_": mode, "ends_by": ends_by}
    # It may be of no schedule, or of any: there is one target for all.
    always: Mapping[Any, str] = defaultdict(lambda: MANUAL_KEY)
    return _enqueue(connection, fired_by_hand(), mine, now, {MANUAL_KEY: target}, always)


def _enqueue(
    connection: sa.Connection,
    fired: FiredRows,
    mine: Mapping[str, Any],
    now: datetime,
    targets: Mapping[str, Target],
    target_of: Mapping[Any, str],
) -> int:
    announce_ready(connection)
    dialect = connection.dialect.name
    jobs = [row for key, target in targets.items() for row in _job_rows(key, target)]
    parameters = {**mine, "instant": now, "jobs": json_param(jobs)}
    unique = [row for row in jobs if row["unique_key"] is not None]
    # Most targets have neither edges nor unique jobs: then no run has to be read back.
    if not unique and not any(target.edges for target in targets.values()):
        return connection.execute(insert_runs(dialect, fired), parameters).rowcount
    runs = connection.execute(insert_and_read_runs(dialect, fired), parameters).all()
    repeats: Sequence[AnyRow] = []
    if unique:
        repeated = parameters | {"jobs": json_param(unique)}
        repeats = connection.execute(insert_repeats(dialect, fired), repeated).all()
    edges = list(_edge_rows([*runs, *repeats], targets, target_of))
    connection.execute(insert_edges(dialect), {"edges": json_param(edges)})
    if repeats:
        skip_dependents(connection, [run.id for run in repeats], now)
        # Nobody else sees these occurrences yet, so this may settle them in the same transaction.
        settle_occurrences(connection, {run.occurrence_id for run in repeats}, now)
    return len(runs) + len(repeats)


def _job_rows(key: str, target: Target) -> list[dict[str, Any]]:
    alike = ("queue", "priority", "max_attempts", "idempotent", "unique_key")
    return [
        {"selection": key, "seq": seq, "job_name": job.name, "job_group": job.group}
        | {name: getattr(job, name) for name in alike}
        | {"params": dict(job.params), "timeout_seconds": target.timeout_seconds}
        for seq, job in enumerate(target.jobs)
    ]


def _edge_rows(
    runs: Sequence[AnyRow], targets: Mapping[str, Target], target_of: Mapping[Any, str]
) -> Iterator[dict[str, Any]]:
    """The dependencies between runs of the same occurrence."""
    batches: dict[tuple[int, str | None], dict[str, int]] = defaultdict(dict)
    for run in runs:
        batches[run.occurrence_id, run.schedule_id][run.job_name] = run.id
    for (_, schedule_id), ids in batches.items():
        for edge in targets[target_of[schedule_id]].edges:
            if edge.job in ids and edge.depends_on in ids:
                between = {"run_id": ids[edge.job], "depends_on_id": ids[edge.depends_on]}
                yield between | {"tolerant": edge.tolerant, "tolerated": edge.tolerated}
