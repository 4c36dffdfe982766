"""Retries by people: runs that ended badly go back into the queue of their occurrence."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from tick.define.registry import Registry
from tick.engine.runs.requeue import lock_occurrence, read_graph, requeue, revive
from tick.engine.schedules import lifecycle
from tick.errors import Busy, NotFound, Refused
from tick.ops.act import Act, Change, action
from tick.ops.actions.run_now import these
from tick.policy.put_back import ENDED_BADLY
from tick.policy.rule import Rule
from tick.policy.target import Target
from tick.states import LIVE_OUTCOMES, OverlapPolicy, RunStatus
from tick.store.tables import job_run, occurrence, schedule_version

_o, _r, _v = occurrence.c, job_run.c, schedule_version.c


@action("run.retry")
def retry_run(
    change: Change,
    run_id: int,
    registry: Registry,
    *,
    override_overlap: bool = False,
    only: bool = False,
) -> list[int]:
    """Put one run back into the queue, and down the line what was skipped because of it.

    Returns the ids of these runs; none when it is in the queue or runs already. With `only`, what
    was skipped stays so, and its occurrence has failed whatever becomes of the run. Raises
    NotFound; Refused when it succeeded, waits for a run that ended badly, or its schedule runs
    another occurrence.
    """
    where = sa.select(_r.occurrence_id).where(_r.id == run_id)
    if (occurrence_id := change.connection.execute(where).scalar()) is None:
        raise NotFound(f"There is no run {run_id}; `tick runs` lists the latest.")
    retry = OccurrenceRetry(
        change.connection, change.act, occurrence_id, registry, override_overlap
    )
    before = retry.graph[run_id].status
    ids = retry.put_back(run_id, only=only)
    if ids:
        retry.revive()
        change.record(before={"state": before}, after={"runs": ids})
    return ids


@action("occurrence.retry")
def retry_occurrence(
    change: Change, occurrence_id: int, registry: Registry, *, override_overlap: bool = False
) -> list[int]:
    """Put back what failed or was cancelled, and what was skipped for that.

    Returns the ids of these runs; none when they are in the queue or run already. Raises
    NotFound; Refused when nothing ended badly, or its schedule runs another occurrence.
    """
    retry = OccurrenceRetry(
        change.connection, change.act, occurrence_id, registry, override_overlap
    )
    chosen = retry.graph.to_retry()
    if not chosen:
        if retry.was.outcome in LIVE_OUTCOMES:
            return []
        raise Refused(f"Nothing in occurrence {occurrence_id} failed or was cancelled.")
    ids = retry.put_back_with(chosen)
    retry.revive()
    change.record(before={"state": retry.was.outcome}, after={"runs": ids})
    return ids


def what_goes_back(
    connection: sa.Connection, occurrence_id: int, run_id: int | None = None
) -> frozenset[int]:
    """Return the runs that a retry of one run, or of the occurrence, would put back. Reads only."""
    graph = read_graph(connection, occurrence_id, lock=False)
    chosen = graph.to_retry() if run_id is None else [run_id]
    return graph.with_what_waits(chosen).again


class OccurrenceRetry:
    """A retry within one occurrence, which it locks. Raises NotFound."""

    def __init__(
        self,
        connection: sa.Connection,
        act: Act,
        occurrence_id: int,
        registry: Registry,
        override_overlap: bool,
    ) -> None:
        self.was = lock_occurrence(connection, occurrence_id)
        self.graph = read_graph(connection, occurrence_id, lock=True)
        self._connection, self._registry, self._now = connection, registry, act.now
        self._said = act.author.did("put back", act.reason)
        self._override_overlap = override_overlap

    def put_back(self, run_id: int, *, only: bool) -> list[int]:
        """Put one run back; return the ids of all that went, none if it has not ended.

        Raises Refused.
        """
        run = self.graph[run_id]
        if run.status == RunStatus.SUCCESS:
            raise Refused(
                f"Run {run_id} ({run.job_name}) succeeded; `tick run --job {run.job_name}` runs "
                "the job anew."
            )
        if run.status not in ENDED_BADLY:
            return []
        if blocker := self.graph.blocker_of(run_id):
            raise Refused(
                f"Run {run_id} waits for {blocker.job_name}, which ended as {blocker.status}; "
                f"`tick retry --occurrence {self.was.id}` runs both again."
            )
        return self.put_back_with([run_id], only=only)

    def put_back_with(self, chosen: Collection[int], *, only: bool = False) -> list[int]:
        """Put runs back that wait for nothing; return the ids of all that went. Raises Busy."""
        if not self._override_overlap:
            _check_overlap(self._connection, self.was)
        plan = self.graph.with_what_waits(chosen)
        if only:
            plan = plan.alone(chosen)
        names = {self.graph[run_id].job_name for run_id in plan.again} & self._registry.jobs.keys()
        limits = _read_limits(self._connection, self.was)
        retries = {name: self._registry.jobs[name].retries for name in names}
        budgets = {name: limits.retries(retries[name]) + 1 for name in names}
        ids = requeue(
            self._connection,
            self.graph,
            plan,
            budgets,
            now=self._now,
            reason=self._said,
            # Who retries it gives it a fresh start: its firing has all of its time again.
            ends_by=limits.ends_by(self._now),
        )
        self.graph = self.graph.queued(ids)
        return ids

    def revive(self) -> None:
        """Let the occurrence live again, once all its runs are back."""
        revive(self._connection, self.was, self._now)


def _check_overlap(connection: sa.Connection, was: sa.Row[Any]) -> None:
    """Raise Busy if the schedule runs another occurrence and may not run two."""
    if was.schedule_id is None:
        return  # fired by hand: there is no policy
    known = lifecycle.find_schedule(connection, was.schedule_id)
    is_other = sa.and_(_o.schedule_id == was.schedule_id, _o.id != was.id)
    others = sa.select(_o.id).where(is_other, _o.outcome.in_(LIVE_OUTCOMES)).order_by(_o.id)
    live = connection.execute(others).scalars().all()
    if len(live) >= known.rule.max_concurrent and known.rule.overlap is not OverlapPolicy.ALLOW:
        raise Busy(
            f"{known.row.name} is still running ({these(live)}). Wait for it to finish, "
            "cancel it, or retry with the overlap overridden.",
            occurrence_id=live[0],
        )


@dataclass(frozen=True)
class _Limits:
    """What the version that an occurrence fired under says of its runs."""

    rule: Rule | None = None
    target: Target | None = None

    def retries(self, of_job: int) -> int:
        own = {} if self.target is None else self.target.overrides
        return int(own.get("retries", of_job))

    def ends_by(self, now: datetime) -> datetime | None:
        return None if self.rule is None else self.rule.ends_by(now)


def _read_limits(connection: sa.Connection, was: sa.Row[Any]) -> _Limits:
    if was.version_id is None:
        return _Limits()  # not of a schedule
    version = sa.select(_v.rule, _v.target).where(_v.id == was.version_id)
    row = connection.execute(version).one()
    try:
        return _Limits(Rule.from_json(row.rule), Target.from_json(row.target))
    except (ValueError, TypeError, KeyError):  # another release wrote it
        return _Limits()
