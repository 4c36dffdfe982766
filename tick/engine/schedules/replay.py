"""Instants that did not fire are run as the instants that they are, because a person says so.

The ledger row changes from MISSED, SUPPRESSED, HELD … to QUEUED under a guard; a row that stands
for many instants is split. The schedule's cursor stays where it is.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from tick.engine.firing.enqueue import enqueue_occurrence
from tick.engine.ledger.audit import Act
from tick.engine.ledger.backfills import in_the_way
from tick.engine.ledger.rows import InstantRow, find_covering, row_of
from tick.engine.ledger.versions import Version, in_force, versions_of
from tick.engine.schedules.lifecycle import (
    LockedSchedule,
    account_for,
    find_schedule,
    off_until,
    switch,
)
from tick.engine.statistics.count import count_of_schedule
from tick.errors import Refused
from tick.policy import instants
from tick.policy.instants import just_before
from tick.policy.missed import NotFired
from tick.policy.moves import moved_from
from tick.policy.rule import Rule
from tick.policy.target import Target
from tick.states import (
    FIRED_OUTCOMES,
    OccurrenceKind,
    Outcome,
    OverlapPolicy,
    ScheduleState,
)
from tick.store.tables import occurrence
from tick.utc import all_utc

_o = occurrence.c
MOST_AT_ONCE = 1000


def replay_instants(
    connection: sa.Connection, schedule_id: str, wanted: Sequence[datetime], act: Act
) -> list[int]:
    """Run these instants, oldest first, by the definition in force then; their occurrences.

    Unless overlap is allowed, each waits for the one before it, and the first for what runs now;
    where several may run at one time, each for the one that so many places are before it.
    Raises NotFound; Refused for an instant that fired, is not due, or that the tick decides.
    """
    if len(wanted) > MOST_AT_ONCE:
        raise Refused(f"{len(wanted)} instants at once are too many; at most {MOST_AT_ONCE}.")
    wanted = sorted(set(all_utc(wanted)))
    known = find_schedule(connection, schedule_id)
    if known.row.state == ScheduleState.REMOVED:
        raise Refused(f"{schedule_id} was removed from the definitions; there is nothing to run.")
    decide_while_off(connection, known, act.now)
    # Not having fired is counted as it is; what becomes of the instants now is counted as well.
    count_of_schedule(connection, schedule_id)
    tick_id = f"slot-{secrets.token_hex(8)}"
    work = Replay(connection, known, versions_of(connection, schedule_id), act, tick_id)
    # Those that are unfinished, and behind them what is made here, the oldest first.
    line = work.live()
    most, made = known.rule.max_concurrent, []
    waits = known.rule.overlap is not OverlapPolicy.ALLOW
    for at in wanted:
        blocker = line[-most] if waits and len(line) >= most else None
        made.append(work.run(at, blocker).occurrence_id)
        line.append(made[-1])
    act.record(
        connection,
        "schedule.run_slots",
        schedule_id,
        after={"instants": [at.isoformat() for at in wanted], "occurrences": made},
    )
    return made


def decide_while_off(connection: sa.Connection, known: LockedSchedule, now: datetime) -> None:
    """Write down what has passed while the schedule was off: so each instant has its row."""
    if not known.fires:
        quiet_until = account_for(connection, known, off_until(known.row, now), now)
        switch(connection, known, {"decided_to": quiet_until}, now)


@dataclass(frozen=True)
class Queued:
    """An instant that runs now: its occurrence, and how many runs it has."""

    occurrence_id: int
    runs: int


@dataclass(frozen=True)
class Replay:
    """Some instants of one schedule being run: what all steps share."""

    connection: sa.Connection
    known: LockedSchedule
    versions: list[Version]
    act: Act
    tick_id: str

    def live(self) -> list[int]:
        """The occurrences that have not finished."""
        query = sa.select(_o.id).where(_o.schedule_id == self.known.row.id, *in_the_way())
        query = query.order_by(_o.id)
        return list(self.connection.execute(query).scalars())

    def run(self, at: datetime, blocker: int | None) -> Queued:
        """Queue one instant, to begin once the blocker has finished. Raises Refused."""
        row, version = self._find(at)
        if (refusal := self._refusal(row, version, at)) is not None:
            raise Refused(refusal)
        return self._run(row, version, at, blocker)

    def run_unless_refused(self, at: datetime, blocker: int | None) -> Queued | None:
        """Queue one instant; None for one that fired, or may have, or is none of the rule."""
        row, version = self._find(at)
        if self._refusal(row, version, at) is not None:
            return None
        return self._run(row, version, at, blocker)

    def _run(
        self, row: InstantRow | None, version: Version, at: datetime, blocker: int | None
    ) -> Queued:
        if row is None:
            occurrence_id = self._insert(version, at)
        elif row.count == 1:
            occurrence_id = row.id
        else:
            occurrence_id = self._split(row, version, at)
        return Queued(occurrence_id, self._queue(occurrence_id, row, version, at, blocker))

    def _find(self, at: datetime) -> tuple[InstantRow | None, Version]:
        """The row that holds the instant, and the version by which it is decided."""
        row = find_covering(self.connection, self.known.row.id, at)
        if row is None:
            return None, in_force(self.versions, at)
        return row, next(each for each in self.versions if each.id == row.version_id)

    def _refusal(self, row: InstantRow | None, version: Version, at: datetime) -> str | None:
        """Why the instant can't be run; None if it can."""
        said = f"{self.known.row.id} at {at:%Y-%m-%d %H:%M:%S} UTC"
        if at > self.act.now:
            return f"{said} is still to come; `tick run` runs the jobs now."
        # The ends of a row are instants for certain, whatever became of its rule.
        is_the_row = row is not None and at in (row.scheduled_for, row.last)
        if not is_the_row and not instants.is_instant(version.rule, at):
            return f"{said} is no instant of its version {version.number}."
        if row is not None and row.fired:
            return f"{said} fired already: occurrence {row.id}, {row.outcome}."
        if row is None and at > self.known.row.decided_to:
            return f"{said} is due, and the next tick decides it."
        if row is None and at > self.versions[0].since:
            return f"{said} is no longer in the ledger, so it may have run already."
        return None

    def _insert(self, version: Version, at: datetime) -> int:
        """A row of its own for an instant from before the schedule was known."""
        why, nominal = "from before the schedule was known", moved_from(version.rule, at)
        entry = NotFired(Outcome.SUPPRESSED, at, at, 1, why, nominal_for=nominal)
        return self._write_row(version, OccurrenceKind.BACKFILL, entry)

    def _split(self, row: InstantRow, version: Version, at: datetime) -> int:
        """Take one instant out of a range: what is before and after it stays as it was."""
        rule, since, until = version.rule, just_before(row.scheduled_for), just_before(at)
        before = instants.latest_until(rule, since, until)
        after = instants.between(rule, at, row.last, 1)
        earlier = instants.count(rule, since, until)
        later = row.count - earlier - 1
        if before is None:
            self._cut(row, rule, at, 1)
            taken = row.id
        else:
            self._cut(row, rule, before, earlier)
            # After the cut: no two ranges of a schedule ever share an instant.
            taken = self._write_row(version, row.kind, _part(row, rule, at, at, 1))
        if later:
            rest = _part(row, rule, after[0], row.last, later)
            self._write_row(version, row.kind, rest)
        return taken

    def _cut(self, row: InstantRow, rule: Rule, last: datetime, count: int) -> None:
        """Leave a row `count` of its instants, up to the last."""
        alone = moved_from(rule, row.scheduled_for) if count == 1 else None
        changed = self.connection.execute(
            sa.update(occurrence)
            .where(_o.id == row.id, _o.outcome == row.outcome, _o.count == row.count)
            .values(scheduled_until=last if count > 1 else None, count=count, nominal_for=alone)
        ).rowcount
        self._expect(changed)

    def _queue(
        self,
        occurrence_id: int,
        row: InstantRow | None,
        version: Version,
        at: datetime,
        blocker: int | None,
    ) -> int:
        target = Target.from_json(version.target)
        was = "from before the schedule" if row is None else f"{row.outcome}: {row.reason}"
        changed = self.connection.execute(
            sa.update(occurrence)
            .where(_o.id == occurrence_id, _o.outcome.not_in(FIRED_OUTCOMES), _o.count == 1)
            .values(
                outcome=Outcome.QUEUED if target.jobs else Outcome.SUCCESS,
                reason=f"run by {self.act.author.name} (was {was})",
                late_seconds=(self.act.now - at).total_seconds(),
                blocked_by_id=blocker,
                triggered_by=self.act.author.name,
                tick_id=self.tick_id,
                decided_at=self.act.now,
                runs=len(target.jobs),
                # Its firing is counted when it has ended, beside its not having fired.
                counted=False,
            )
        ).rowcount
        self._expect(changed)
        ends_by = version.rule.ends_by(self.act.now)
        enqueue_occurrence(
            self.connection, occurrence_id, version.mode, target, self.act.now, ends_by
        )
        return len(target.jobs)

    def _expect(self, changed: int) -> None:
        if changed != 1:
            raise Refused("The slot was taken by somebody else just now; look at the ledger again.")

    def _write_row(self, version: Version, kind: str, entry: NotFired) -> int:
        created: int = self.connection.execute(
            sa.insert(occurrence)
            .values(
                schedule_id=self.known.row.id,
                version_id=version.id,
                kind=kind,
                **row_of(entry),
                tick_id="-",
                decided_at=self.act.now,
                # With the range that it was a part of, or never due.
                counted=True,
            )
            .returning(_o.id)
        ).scalar_one()
        return created


def _part(row: InstantRow, rule: Rule, first: datetime, last: datetime, count: int) -> NotFired:
    """Some of the instants that a row stands for, which did not fire either."""
    part = row.part(first, last, count)
    return replace(part, nominal_for=moved_from(rule, first)) if count == 1 else part
