"""Proof, from the database alone, that nothing was fired twice and nothing left out unexplained.

Every nominal instant of the period is derived again from the stored versions. The ledger must hold
each exactly once: its rows may not overlap, each must stand for instants that its rule has, and
together they must be as many as the rule gives. Then none can be missing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from tick.db import AnyRow, Database
from tick.engine.pruned import pruned_up_to
from tick.engine.versions import Reign, Version, reigns, versions_of
from tick.models import job_run, job_run_dependency, job_schedule, occurrence, schedule_version
from tick.ops.snapshot import snapshot
from tick.policy import instants
from tick.policy.instants import just_before
from tick.policy.target import Target
from tick.states import FIRED_OUTCOMES, ScheduleState
from tick.utc import utc

_s, _o, _r = job_schedule.c, occurrence.c, job_run.c
MOST_LISTED = 100


@dataclass(frozen=True)
class Violation:
    """Something that the promises rule out; `at` is the instant that it is about."""

    schedule_id: str
    at: datetime
    message: str

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"at": self.at.isoformat()}


@dataclass
class Verified:
    """What a proof found for the instants in (start, end].

    `start` is later than asked for where the ledger was pruned: `pruned_to` says up to when.
    `outcomes` counts instants by outcome; `waiting` are due for the next tick; `off` passed while
    their schedule is still switched off, paused or removed. At most 100 violations are listed.
    """

    start: datetime
    end: datetime
    pruned_to: datetime | None = None
    schedules: int = 0
    instants: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    off: int = 0
    violations: list[Violation] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the promises held."""
        return not self.violations

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        plain = vars(self) | {"ok": self.ok, "outcomes": dict(self.outcomes)}
        plain |= {"start": self.start.isoformat(), "end": self.end.isoformat()}
        plain |= {"pruned_to": self.pruned_to and self.pruned_to.isoformat()}
        return plain | {"violations": [item.as_dict() for item in self.violations]}


def verify(database: Database, start: datetime, end: datetime) -> Verified:
    """Check every schedule over (start, end]; `end` must not lie in the future.

    What was pruned can't be proven: then it begins where the ledger is still whole.
    """
    start, end = utc(start, "the start"), utc(end, "the end")
    with snapshot(database) as connection:
        pruned_to = pruned_up_to(connection)
        whole_from = min(max(start, pruned_to or start), end)
        result = Verified(whole_from, end, pruned_to)
        for row in connection.execute(sa.select(job_schedule).order_by(_s.id)).all():
            result.schedules += 1
            _note(result, _read_and_check(connection, row, result))
        _note(result, _in_runs(connection, result.start, end))
    return result


def _note(result: Verified, found: Iterator[Violation]) -> None:
    for violation in found:
        if len(result.violations) == MOST_LISTED:
            return
        result.violations.append(violation)


def _read_and_check(
    connection: sa.Connection, row: AnyRow, result: Verified
) -> Iterator[Violation]:
    try:
        yield from _Proof(connection, row, result).find()
    except (ValueError, TypeError) as error:
        yield Violation(
            row.id, row.created_at, f"a version cannot be read by this release: {error}"
        )


@dataclass(frozen=True)
class _Entry:
    """A ledger row: `count` instants from `first` to `last`."""

    id: int
    version_id: int
    outcome: str
    first: datetime
    last: datetime
    count: int


class _Proof:
    """One schedule over the period."""

    def __init__(self, connection: sa.Connection, row: AnyRow, result: Verified) -> None:
        self.row, self.result = row, result
        self.versions = {version.id: version for version in versions_of(connection, row.id)}
        found = _entries(connection, row.id, result.start, result.end)
        self.entries = [entry for entry in found if entry.version_id in self.versions]
        self.strays = [entry for entry in found if entry.version_id not in self.versions]

    def find(self) -> Iterator[Violation]:
        """Every violation of this schedule."""
        for entry in self.strays:
            yield self._violation(
                entry.first, f"row {entry.id} ({entry.outcome}) stems from no version of it"
            )
        yield from self._in_order()
        known: list[Version] = list(self.versions.values())
        for reign in reigns(known):
            yield from self._in_reign(reign)
        if known:
            yield from self._in_cursor(known[-1])

    def _in_order(self) -> Iterator[Violation]:
        for entry in self.entries:
            rule = self.versions[entry.version_id].rule
            count = instants.count(rule, just_before(entry.first), entry.last)
            if count != entry.count or not self._ends_at_an_instant(entry):
                yield self._violation(
                    entry.first,
                    f"row {entry.id} ({entry.outcome}) stands for {entry.count} instants up to "
                    f"{_said(entry.last)}, and its rule has {count} there",
                )
        for before, after in pairwise(self.entries):
            if after.first <= before.last:
                yield self._violation(
                    after.first,
                    f"decided twice: by row {before.id} ({before.outcome}) and by row {after.id} "
                    f"({after.outcome})",
                )

    def _ends_at_an_instant(self, entry: _Entry) -> bool:
        """Whether the last of the counted instants is the last of the row."""
        if entry.first == entry.last:
            return True  # the only one that was counted
        rule = self.versions[entry.version_id].rule
        return instants.latest_until(rule, just_before(entry.first), entry.last) == entry.last

    def _in_reign(self, reign: Reign) -> Iterator[Violation]:
        start = max(reign.since, self.result.start)
        end = min(reign.until or self.result.end, self.result.end, self.row.decided_to)
        inside = [entry for entry in self.entries if entry.first <= end and entry.last > start]
        expected = instants.count(reign.rule, start, end)
        self.result.instants += expected
        held = 0
        for entry in inside:
            cut = entry.first <= start or entry.last > end
            same = self.versions[entry.version_id].rule == reign.rule
            here = entry.count  # proven, where the rule is the same
            if cut or not same:
                here = instants.count(
                    reign.rule, max(just_before(entry.first), start), min(entry.last, end)
                )
            held += here
            self.result.outcomes[entry.outcome] += here
            if not cut and not same:
                yield self._violation(entry.first, "decided by a rule that was not in force then")
        if held != expected:
            yield self._gap(reign, start, end, inside, expected - held)

    def _gap(
        self, reign: Reign, start: datetime, end: datetime, inside: Sequence[_Entry], lacking: int
    ) -> Violation:
        after = start
        for entry in inside:
            due = instants.first_after(reign.rule, after)
            if due is not None and due < entry.first:
                break
            after = max(after, entry.last)
        due = instants.first_after(reign.rule, after) or end
        return self._violation(due, f"{lacking} instants are missing in the ledger from here on")

    def _in_cursor(self, version: Version) -> Iterator[Violation]:
        """What is not decided yet must be due, or the schedule off."""
        row, rule = self.row, version.rule
        undecided = instants.count(rule, max(row.decided_to, self.result.start), self.result.end)
        if not (row.enabled and row.state == ScheduleState.ACTIVE):
            self.result.off += undecided
            return
        if rule.max_runs is not None and row.run_count >= rule.max_runs:
            return
        self.result.waiting += undecided
        due = instants.first_after(rule, row.decided_to)
        if due is not None and (row.next_run_at is None or row.next_run_at > due):
            yield self._violation(due, f"never due: the next run is {_said(row.next_run_at)}")

    def _violation(self, at: datetime, message: str) -> Violation:
        return Violation(self.row.id, at, message)


def _entries(
    connection: sa.Connection, schedule_id: str, start: datetime, end: datetime
) -> list[_Entry]:
    """The rows with an instant in (start, end], in order."""
    last = sa.func.coalesce(_o.scheduled_until, _o.scheduled_for, type_=_o.scheduled_for.type)
    rows = connection.execute(
        sa.select(_o.id, _o.version_id, _o.outcome, _o.scheduled_for, last, _o["count"])
        .where(_o.schedule_id == schedule_id, _o.scheduled_for <= end, last > start)
        .order_by(_o.scheduled_for, _o.id)
    )
    return [_Entry(*row) for row in rows]


def _in_runs(connection: sa.Connection, start: datetime, end: datetime) -> Iterator[Violation]:
    """Firings without all their runs and dependencies, and rows with runs that did not fire."""
    edges: dict[int, int] = {}
    rows = connection.execute(_RUNS, {"start": start, "end": end})
    for row in rows:
        at = row.scheduled_for or row.decided_at
        where = (row.schedule_id or "-", at)
        if row.made != row.runs or row.jobs != row.made:
            yield Violation(
                *where,
                f"row {row.id} ({row.outcome}) has {row.made} runs of {row.jobs} jobs instead of "
                f"{row.runs}",
            )
        elif row.version_id is not None and row.outcome in FIRED_OUTCOMES:
            if row.version_id not in edges:
                edges[row.version_id] = len(Target.from_json(row.target).edges)
            if row.edges != edges[row.version_id]:
                yield Violation(*where, f"row {row.id} lacks dependencies between its runs")


def _said(instant: datetime | None) -> str:
    return "never" if instant is None else f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _build_runs() -> sa.Select[Any]:
    edge = job_run_dependency.c
    runs = sa.select(sa.func.count(_r.id)).where(_r.occurrence_id == _o.id)
    jobs = sa.select(sa.func.count(sa.distinct(_r.job_name))).where(_r.occurrence_id == _o.id)
    edges = (
        sa.select(sa.func.count())
        .select_from(job_run_dependency.join(job_run, edge.run_id == _r.id))
        .where(_r.occurrence_id == _o.id)
    )
    at = sa.func.coalesce(_o.scheduled_for, _o.decided_at)
    return (
        sa.select(
            _o.id,
            _o.schedule_id,
            _o.version_id,
            _o.scheduled_for,
            _o.decided_at,
            _o.outcome,
            _o.runs,
            schedule_version.c.target,
            runs.scalar_subquery().label("made"),
            jobs.scalar_subquery().label("jobs"),
            edges.scalar_subquery().label("edges"),
        )
        .outerjoin(schedule_version, schedule_version.c.id == _o.version_id)
        .where(at > sa.bindparam("start", type_=_o.decided_at.type))
        .where(at <= sa.bindparam("end", type_=_o.decided_at.type))
        .order_by(_o.id)
    )


_RUNS = _build_runs()
