"""Runs on request: a schedule, a job, a group, everything, or instants that did not fire.

No schedule's next instant moves by it.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.define.registry import Registry
from tick.define.schedules import canonical, short_digest
from tick.engine.firing.enqueue import ManualFiring, enqueue_manual
from tick.engine.ledger.backfills import in_the_way
from tick.engine.runs.cancel import cancel_runs
from tick.engine.schedules import lifecycle, replay
from tick.engine.schedules.targets import build_target
from tick.errors import Busy, NotFound, Refused
from tick.ops.act import Act, Change, action
from tick.ops.actions.parameters import check_params
from tick.ops.actions.shared_params import share_out
from tick.policy.planner import OverlapDecision, judge_overlap
from tick.policy.target import Target
from tick.states import Mode, ScheduleState
from tick.store.database import Database
from tick.store.tables import job_run, occurrence, schedule_version

_o, _r, _v = occurrence.c, job_run.c, schedule_version.c


@action("schedule.run")
def run_schedule(change: Change, schedule_id: str, *, override_overlap: bool = False) -> int:
    """Run a schedule's jobs now; return the occurrence's id. Its next instant stays where it is.

    Works while the schedule is disabled. The same key again gives the same occurrence. Raises
    NotFound; Refused if it was removed; Busy if the overlap policy says no.
    """
    return run(change, schedule_id, override_overlap=override_overlap)


def run(change: Change, schedule_id: str, *, override_overlap: bool = False) -> int:
    """Run a schedule's jobs now within an action; see `run_schedule`."""
    connection = change.connection
    known = lifecycle.find_schedule(connection, schedule_id)
    if known.row.state == ScheduleState.REMOVED:
        raise Refused(f"{schedule_id} was removed from the definitions; there is nothing to run.")
    identity = _identity(change)
    # Before the overlap is judged: the same request again must find its occurrence, not be Busy.
    repeat = connection.execute(sa.select(_o.id).where(_o.key == identity)).scalar()
    if repeat is not None:
        return int(repeat)
    target, mode = _stored_target(connection, known.row.version_id)
    ends_by = known.rule.ends_by(change.now)
    blocker = None if override_overlap else _make_way(connection, known, change.now)
    links = {"schedule_id": schedule_id, "version_id": known.row.version_id, "ends_by": ends_by}
    return _enqueue(change, identity, known.row.name, mode, target, blocked_by_id=blocker, **links)


@action("schedule.run_slots")
def run_slots(change: Change, schedule_id: str, wanted: Sequence[datetime]) -> list[int]:
    """Run instants that did not fire as the instants that they are; return their occurrences.

    For MISSED, SUPPRESSED, HELD and the like. Raises NotFound, Refused.
    """
    return replay.replay_instants(change.connection, schedule_id, wanted, change.act)


def run_job(
    database: Database,
    act: Act,
    name: str,
    registry: Registry,
    params: Mapping[str, Any] | None = None,
) -> int:
    """Run one job now, without what it depends on; return the occurrence's id.

    Raises NotFound, and InvalidParams when its function would not take the parameters.
    """
    # Before anything is written: a worker would find the mistake only when it calls the function.
    check_params(registry.job(name).function, params or {})
    wanted = {"mode": Mode.SINGLE_JOB, "jobs": [name], "params": dict(params or {})}
    target = build_target(registry, wanted)
    return _run_jobs(database, act, f"job {name}", Mode.SINGLE_JOB, target)


def run_group(
    database: Database,
    act: Act,
    group: str,
    registry: Registry,
    params: Mapping[str, Any] | None = None,
) -> int:
    """Run the jobs of a group in dependency order; return the occurrence's id.

    Each job takes the parameters that it knows. Raises NotFound, and InvalidParams for one that no
    job takes, or that a job's function would refuse.
    """
    if group not in registry.groups:
        raise NotFound(
            f"No group is called {group!r}; there are {', '.join(sorted(registry.groups))}."
        )
    target = _shared_target(registry, {"mode": Mode.GROUP, "job_group": group}, params)
    return _run_jobs(database, act, f"group {group}", Mode.GROUP, target)


def run_all(
    database: Database, act: Act, registry: Registry, params: Mapping[str, Any] | None = None
) -> int:
    """Run all jobs in dependency order; return the occurrence's id. Raises as `run_group` does."""
    target = _shared_target(registry, {"mode": Mode.ALL_JOBS}, params)
    return _run_jobs(database, act, "all jobs", Mode.ALL_JOBS, target)


def _shared_target(
    registry: Registry, wanted: Mapping[str, Any], params: Mapping[str, Any] | None
) -> Target:
    jobs = [registry.job(name) for name in registry.select(wanted).jobs]
    return build_target(registry, wanted, share_out(jobs, params or {}))


@action("jobs.run")
def _run_jobs(change: Change, title: str, mode: Mode, target: Target) -> int:
    return _enqueue(change, _identity(change), title, mode, target)


def _enqueue(
    change: Change, identity: str, title: str, mode: str, target: Target, **links: Any
) -> int:
    manual = ManualFiring(
        key=identity,
        title=title,
        mode=mode,
        actor=change.author.name,
        tick_id=f"run-{secrets.token_hex(8)}",
        reason=change.act.reason,
        **links,
    )
    occurrence_id = enqueue_manual(change.connection, manual, target, change.now)
    if occurrence_id is None:  # its key is there already
        return _same_as_before(change.connection, identity, target)
    change.record(after={"occurrence": occurrence_id, "jobs": len(target.jobs)})
    return occurrence_id


def _identity(change: Change) -> str:
    """Return the name by which a repeated request is recognised: its subject and its key."""
    key = change.act.key
    return short_digest(f"{change.subject}\n{key}") if key else secrets.token_hex(8)


def _same_as_before(connection: sa.Connection, identity: str, target: Target) -> int:
    """Return the occurrence of the same request. Raises Refused if the parameters differ."""
    made = sa.select(_o.id).where(_o.key == identity)
    occurrence_id: int = connection.execute(made).scalar_one()
    runs = sa.select(_r.job_name, _r.params).where(_r.occurrence_id == occurrence_id)
    before = {run.job_name: run.params or {} for run in connection.execute(runs)}
    pairs = ((before.get(job.name, job.params), job.params) for job in target.jobs)
    # As JSON, as the row has them: a tuple would differ from the list that it was stored as.
    if any(canonical(was) != canonical(wanted) for was, wanted in pairs):
        raise Refused(
            f"Under the same key occurrence {occurrence_id} was started with other parameters. "
            "Take a new key, or reload the form, to start another one."
        )
    return occurrence_id


def these(occurrences: Sequence[int]) -> str:
    """Return occurrences in words: `occurrence 7`, `occurrences 7 and 8`."""
    *others, last = map(str, occurrences)
    return f"occurrences {', '.join(others)} and {last}" if others else f"occurrence {last}"


def _stored_target(connection: sa.Connection, version_id: int) -> tuple[Target, str]:
    row = connection.execute(sa.select(_v.target, _v.mode).where(_v.id == version_id)).one()
    return Target.from_json(row.target), row.mode


def _make_way(
    connection: sa.Connection, known: lifecycle.LockedSchedule, now: datetime
) -> int | None:
    """Return the occurrence to wait for, which is asked to stop if the policy says replace.

    Raises Busy if the policy says skip.
    """
    unfinished = sa.select(_o.id).where(_o.schedule_id == known.row.id, *in_the_way())
    live = connection.execute(unfinished.order_by(_o.id)).scalars().all()
    most = known.rule.max_concurrent
    verdict = judge_overlap(known.rule.overlap, len(live), most)
    if verdict is OverlapDecision.SKIP:
        raise Busy(
            f"{known.row.name} is still running ({these(live)}). Wait for it to finish, "
            "cancel it, or run it again with the overlap overridden.",
            occurrence_id=live[0],
        )
    if verdict is OverlapDecision.REPLACE_BLOCKER:
        # Of more than one, the oldest make way, so that there is room for this one.
        runs = sa.select(_r.id).where(_r.occurrence_id.in_(live[: len(live) - most + 1]))
        ids = connection.execute(runs).scalars().all()
        cancel_runs(connection, ids, now=now, reason="replaced by a newer occurrence")
    # Replaced runs need their time to stop: the new occurrence waits for them, too.
    waits = verdict in (OverlapDecision.WAIT_FOR_BLOCKER, OverlapDecision.REPLACE_BLOCKER)
    return live[0] if waits else None
