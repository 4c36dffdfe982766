"""Run now: a schedule, a job, a group or everything. No schedule's next instant moves by it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.define.registry import Registry
from tick.define.schedules import canonical, short_digest
from tick.engine.firing.enqueue import ManualFiring, enqueue_manual
from tick.engine.ledger import audit
from tick.engine.ledger.audit import Author
from tick.engine.runs.cancel import cancel_runs
from tick.engine.schedules import lifecycle
from tick.engine.schedules.targets import build_target
from tick.errors import Busy, NotFound, Refused
from tick.ops.actions.parameters import check_params
from tick.ops.actions.shared_params import share_out
from tick.policy.overlap import OverlapDecision, judge
from tick.policy.target import Target
from tick.states import LIVE_OUTCOMES, Mode, ScheduleState
from tick.store.database import Database
from tick.store.tables import job_run, occurrence, schedule_version

_o, _r, _v = occurrence.c, job_run.c, schedule_version.c


@dataclass(frozen=True)
class _Asked:
    """Who wants it, when and why; the key makes a request that comes twice one."""

    now: datetime
    author: Author
    key: str | None
    reason: str | None


def run_schedule(
    database: Database,
    schedule_id: str,
    *,
    now: datetime,
    author: Author,
    key: str | None = None,
    reason: str | None = None,
    override_overlap: bool = False,
) -> int:
    """Run a schedule's jobs now; the id of the occurrence. Its next instant stays where it is.

    Works while the schedule is disabled. The same `key` again gives the same occurrence; the
    `reason` stands in it and in the audit. Raises NotFound, and Refused when an occurrence is
    unfinished and the overlap policy says no.
    """
    asked = _Asked(now, author, key, reason)
    with database.write.begin() as connection:
        known = lifecycle.find_schedule(connection, schedule_id)
        if known.row.state == ScheduleState.REMOVED:
            raise Refused(
                f"{schedule_id} was removed from the definitions; there is nothing to run."
            )
        identity = _identity(schedule_id, key)
        if (repeat := _find_repeat(connection, identity)) is not None:
            return repeat
        target, mode = _stored_target(connection, known.row.version_id)
        blocker = None if override_overlap else _make_way(connection, known, now)
        manual = ManualFiring(
            key=identity,
            title=known.row.name,
            mode=mode,
            actor=author.name,
            tick_id=f"run-{secrets.token_hex(8)}",
            schedule_id=schedule_id,
            version_id=known.row.version_id,
            blocked_by_id=blocker,
            reason=reason,
        )
        return _enqueue(connection, manual, target, asked, "schedule.run", schedule_id)


def run_job(
    database: Database,
    registry: Registry,
    name: str,
    *,
    now: datetime,
    author: Author,
    key: str | None = None,
    reason: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> int:
    """Run one job now, without what it depends on; the id of the occurrence.

    Raises NotFound, and InvalidParams when its function would not take the parameters.
    """
    check_params(registry.job(name).function, params or {})
    wanted = {"mode": Mode.SINGLE_JOB, "jobs": [name], "params": dict(params or {})}
    target = build_target(registry, wanted)
    asked = _Asked(now, author, key, reason)
    return _run_selection(database, target, Mode.SINGLE_JOB, f"job {name}", asked)


def run_group(
    database: Database,
    registry: Registry,
    group: str,
    *,
    now: datetime,
    author: Author,
    key: str | None = None,
    reason: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> int:
    """Run the jobs of a group in dependency order; the id of the occurrence.

    Each job takes those of the parameters that it knows. Raises NotFound, and InvalidParams for
    one that no job takes, or that a job's function would refuse.
    """
    if group not in registry.groups:
        raise NotFound(
            f"No group is called {group!r}; there are {', '.join(sorted(registry.groups))}."
        )
    wanted = {"mode": Mode.GROUP, "job_group": group}
    asked = _Asked(now, author, key, reason)
    return _run_many(database, registry, wanted, params, f"group {group}", asked)


def run_all(
    database: Database,
    registry: Registry,
    *,
    now: datetime,
    author: Author,
    key: str | None = None,
    reason: str | None = None,
    params: Mapping[str, Any] | None = None,
) -> int:
    """Run all jobs in dependency order; the id of the occurrence. Raises as `run_group` does."""
    wanted = {"mode": Mode.ALL_JOBS}
    asked = _Asked(now, author, key, reason)
    return _run_many(database, registry, wanted, params, "all jobs", asked)


def _run_many(
    database: Database,
    registry: Registry,
    wanted: Mapping[str, Any],
    params: Mapping[str, Any] | None,
    title: str,
    asked: _Asked,
) -> int:
    jobs = [registry.job(name) for name in registry.select(wanted).jobs]
    target = build_target(registry, wanted, share_out(jobs, params or {}))
    return _run_selection(database, target, wanted["mode"], title, asked)


def _run_selection(
    database: Database, target: Target, mode: Mode, title: str, asked: _Asked
) -> int:
    manual = ManualFiring(
        key=_identity(title, asked.key),
        title=title,
        mode=mode,
        actor=asked.author.name,
        tick_id=f"run-{secrets.token_hex(8)}",
        reason=asked.reason,
    )
    with database.write.begin() as connection:
        return _enqueue(connection, manual, target, asked, "jobs.run", title)


def _enqueue(
    connection: sa.Connection,
    manual: ManualFiring,
    target: Target,
    asked: _Asked,
    action: str,
    subject: str,
) -> int:
    occurrence_id = enqueue_manual(connection, manual, target, asked.now)
    if occurrence_id is None:
        return _same_as_before(connection, manual.key, target)
    audit.record(
        connection,
        at=asked.now,
        author=asked.author,
        action=action,
        subject=subject,
        after={"occurrence": occurrence_id, "jobs": len(target.jobs)},
        reason=asked.reason,
    )
    return occurrence_id


def _identity(subject: str, key: str | None) -> str:
    """What makes a request the same as an earlier one: its subject and its key."""
    return short_digest(f"{subject}\n{key}") if key else secrets.token_hex(8)


def _find_repeat(connection: sa.Connection, identity: str) -> int | None:
    """The occurrence that the same request made before."""
    return connection.execute(sa.select(_o.id).where(_o.key == identity)).scalar()


def _same_as_before(connection: sa.Connection, identity: str, target: Target) -> int:
    """The occurrence that the same request made before. Raises Refused if it was another one."""
    made = sa.select(_o.id).where(_o.key == identity)
    occurrence_id: int = connection.execute(made).scalar_one()
    runs = sa.select(_r.job_name, _r.params).where(_r.occurrence_id == occurrence_id)
    before = {run.job_name: run.params or {} for run in connection.execute(runs)}
    pairs = ((before.get(job.name, job.params), job.params) for job in target.jobs)
    # As JSON, which has no tuples: so it was written down.
    if any(canonical(was) != canonical(wanted) for was, wanted in pairs):
        raise Refused(
            f"Under the same key occurrence {occurrence_id} was started with other parameters. "
            "Take a new key, or reload the form, to start another one."
        )
    return occurrence_id


def _stored_target(connection: sa.Connection, version_id: int) -> tuple[Target, str]:
    row = connection.execute(sa.select(_v.target, _v.mode).where(_v.id == version_id)).one()
    return Target.from_json(row.target), row.mode


def _make_way(
    connection: sa.Connection, known: lifecycle.LockedSchedule, now: datetime
) -> int | None:
    """The occurrence to wait for, if any, asked to stop if the policy says replace.

    Raises Busy when the policy says skip.
    """
    live = (
        connection.execute(
            sa.select(_o.id)
            .where(_o.schedule_id == known.row.id, _o.outcome.in_(LIVE_OUTCOMES))
            .order_by(_o.id)
        )
        .scalars()
        .all()
    )
    verdict = judge(known.rule.overlap, len(live))
    if verdict is OverlapDecision.SKIP:
        raise Busy(
            f"{known.row.name} is still running (occurrence {live[0]}). Wait for it to finish, "
            "cancel it, or run it again with the overlap overridden.",
            occurrence_id=live[0],
        )
    if verdict is OverlapDecision.REPLACE_BLOCKER:
        runs = sa.select(_r.id).where(_r.occurrence_id.in_(live))
        ids = connection.execute(runs).scalars().all()
        cancel_runs(connection, ids, now=now, reason="replaced by a newer occurrence")
    return (
        live[0]
        if verdict in (OverlapDecision.WAIT_FOR_BLOCKER, OverlapDecision.REPLACE_BLOCKER)
        else None
    )
