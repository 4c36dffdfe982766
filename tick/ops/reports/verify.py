"""Proof, from the database alone, that nothing was fired twice and nothing left out unexplained.

Every nominal instant of the period is derived again from the stored versions. The ledger must hold
each exactly once: its rows may not overlap, each must stand for instants that its rule has, and
together they must be as many as the rule gives. Then none can be missing. And what a row says of
its runs must be what they say: whose they are, how many, how they ended, from when to when. What a
job did is beyond proof, and so is a row that was changed together with all that it is held to.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

import sqlalchemy as sa
from pydantic import Field

from tick.engine.ledger.versions import RulePeriod, Version, rule_periods, versions_of
from tick.engine.statistics.prune_state import pruned_up_to
from tick.ops.queries.snapshot import snapshot
from tick.ops.reports.ledger_rows import (
    LedgerRow,
    LedgerSummary,
    find_unscheduled_suspects,
    read_rows,
    read_targets_of_unscheduled,
    summarize_ledger,
)
from tick.ops.reports.moved_proof import changes_of_moves, is_row_of, misnamed
from tick.ops.reports.run_proof import Violation, find_contradictions, in_utc
from tick.ops.reports.window_proof import find_in_windows
from tick.ops.schemas import Schema
from tick.policy import instants
from tick.policy.instants import just_before
from tick.policy.rule import Rule
from tick.policy.target import Target
from tick.states import ScheduleState
from tick.store.database import Database
from tick.store.sql import AnyRow
from tick.store.tables import job_schedule, occurrence
from tick.utc import utc

_s, _o = job_schedule.c, occurrence.c
MOST_LISTED = 100
_KEPT_KIB = 16 * 1024
AllBetween: TypeAlias = Callable[[Rule, datetime, datetime], list[datetime]]


class Proof(Schema):
    """What a proof found for the instants after `start`, up to `end`."""

    ok: bool = Field(description="no instant fired twice, and none is unaccounted for")
    start: datetime
    end: datetime
    pruned_to: datetime | None = Field(description="before that nothing can be proven any more")
    schedules: int
    instants: int
    outcomes: dict[str, int]
    waiting: int = Field(description="instants that the next tick decides")
    off: int = Field(description="instants that passed while their schedule is off")
    violations: tuple[Violation, ...] = Field(description="at most 100")


@dataclass
class _Tally:
    """The proof so far; see `Proof`."""

    start: datetime
    end: datetime
    schedules: int = 0
    instants: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    off: int = 0
    violations: list[Violation] = field(default_factory=list)


def verify(database: Database, start: datetime, end: datetime) -> Proof:
    """Check every schedule over (start, end]; `end` must not lie in the future.

    What was pruned can't be proven: then it begins where the ledger is still whole.
    """
    start, end = utc(start, "the start"), utc(end, "the end")
    with snapshot(database) as connection, _more_pages_kept(connection):
        pruned_to = pruned_up_to(connection)
        whole_from = min(max(start, pruned_to or start), end)
        result = _Tally(whole_from, end)
        targets = read_targets_of_unscheduled(connection, whole_from, end)
        suspects = find_unscheduled_suspects(connection, targets, whole_from, end)
        # Schedules in a row often share a rule.
        all_between = lru_cache(maxsize=4)(instants.all_between)
        for row in connection.execute(sa.select(job_schedule).order_by(_s.id)).all():
            result.schedules += 1
            proof = _Proof(connection, row, result, all_between)
            _add(result, proof.find())
            targets |= proof.targets
            suspects += proof.suspects
        _add(result, find_in_windows(connection, whole_from, end))
        # For all schedules at once: one statement for each schedule would be many.
        _add(result, find_contradictions(connection, suspects, targets))
    return Proof(ok=not result.violations, pruned_to=pruned_to, **vars(result))


@contextmanager
def _more_pages_kept(connection: sa.Connection) -> Iterator[None]:
    """Give a SQLite connection a larger page cache for a while."""
    # Schedules that fire side by side have their runs on the same pages.
    if connection.dialect.name != "sqlite":
        yield
        return
    usual = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    connection.exec_driver_sql(f"PRAGMA cache_size = -{_KEPT_KIB}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size = {usual}")


def _add(result: _Tally, found: Iterator[Violation]) -> None:
    for violation in found:
        if len(result.violations) == MOST_LISTED:
            return
        result.violations.append(violation)


class _Proof:
    """The proof of one schedule over the period."""

    def __init__(
        self, connection: sa.Connection, row: AnyRow, result: _Tally, all_between: AllBetween
    ) -> None:
        self.connection, self.row, self.result = connection, row, result
        self.all_between = all_between
        self.versions = {version.id: version for version in versions_of(connection, row.id)}
        self.targets = {id: Target.from_json(each.target) for id, each in self.versions.items()}
        self.suspects: list[int] = []
        self.entries: list[LedgerRow] = []
        self.strays: list[LedgerRow] = []

    def find(self) -> Iterator[Violation]:
        """Yield every violation in its ledger; then `suspects` are the rows whose runs to check."""
        start, end = self.result.start, self.result.end
        # Grouped at first: a row for each instant is read one by one only where something is odd.
        found = summarize_ledger(self.connection, self.row.id, self._in_force(), start, end)
        self.suspects = found.suspects
        try:
            yield from self._in_ledger(found)
        except (ValueError, TypeError) as error:
            yield self._violation(
                self.row.created_at, f"a version cannot be read by this release: {error}"
            )

    def _in_force(self) -> dict[int, Target]:
        """Return the targets of the versions in force at some time of the period, by id."""
        ends = [*(version.since for version in self.versions.values()), self.result.end][1:]
        return {
            id: self.targets[id]
            for (id, version), until in zip(self.versions.items(), ends, strict=True)
            if version.since < self.result.end and until > self.result.start
        }

    def _in_ledger(self, found: LedgerSummary) -> Iterator[Violation]:
        known: list[Version] = list(self.versions.values())
        if not self._is_plain(found, rule_periods(known)):
            yield from self._in_detail(rule_periods(known))
        if known:
            yield from self._in_cursor(known[-1])

    def _is_plain(self, found: LedgerSummary, periods: Sequence[RulePeriod]) -> bool:
        """Whether one rule was in force, and each of its instants has one row of its own."""
        start, end = self.result.start, self.result.end
        covering = [each for each in periods if each.since <= start and end <= (each.until or end)]
        # A rule that changed, or rows of several instants, are for the detailed look.
        if found.ranges or not covering:
            return False
        rule = covering[0].rule
        if rule.is_moved:
            return False  # each row is to name the instant that it was moved from
        due = self.all_between(rule, start, min(end, self.row.decided_to))
        same = {id for id, version in self.versions.items() if version.rule == rule}
        if found.instants != due or not found.versions <= same:
            return False
        self.result.instants += len(due)
        self.result.outcomes.update(found.outcomes)
        return True

    def _in_detail(self, periods: Sequence[RulePeriod]) -> Iterator[Violation]:
        """Yield the violations of each row."""
        entries = read_rows(self.connection, self.row.id, self.result.start, self.result.end)
        self.entries = [entry for entry in entries if entry.version_id in self.versions]
        self.strays = [entry for entry in entries if entry.version_id not in self.versions]
        for entry in self.strays:
            yield self._violation(
                entry.first, f"row {entry.id} ({entry.outcome}) stems from no version of it"
            )
        yield from self._in_moves()
        yield from self._in_order()
        for period in periods:
            yield from self._in_period(period)

    def _in_moves(self) -> Iterator[Violation]:
        """Yield what contradicts the moves of calendars; rows of lost instants are done with."""
        start, end = self.result.start, self.result.end
        for change in changes_of_moves([*self.versions.values()], start, end):
            its = f"version {change.version.number}"
            if not change.takes_over_rightly:
                said = f"{its} does not go on where the last ended"
                yield self._violation(change.version.since, said)
            for lost in change.lost:
                rows = [each for each in self.entries if is_row_of(each, lost, change)]
                self.entries = [each for each in self.entries if each not in rows]
                self.result.instants += len(rows)
                self.result.outcomes.update(each.outcome for each in rows)
                # Where both its instants lie inside, the row is among those that were read.
                if not rows and all(start < at <= end for at in (lost.at or end, lost.nominal)):
                    said = f"{its} lost this instant, and no row says so"
                    yield self._violation(lost.nominal, said)
        rules = {id: self._rule(id) for id in {entry.version_id for entry in self.entries}}
        for entry, message in misnamed(rules, self.entries):
            yield self._violation(entry.first, f"row {entry.id} ({entry.outcome}) {message}")

    def _in_order(self) -> Iterator[Violation]:
        for entry, count in self._miscounted():
            yield self._violation(
                entry.first,
                f"row {entry.id} ({entry.outcome}) stands for {entry.instants} instants up to "
                f"{in_utc(entry.last)}, and its rule has {count} there",
            )
        for before, after in pairwise(self.entries):
            if after.first <= before.last:
                yield self._violation(
                    after.first,
                    f"decided twice: by row {before.id} ({before.outcome}) and by row {after.id} "
                    f"({after.outcome})",
                )

    def _miscounted(self) -> Iterator[tuple[LedgerRow, int]]:
        """Yield the rows whose instants their rule does not have, and how many it has there."""
        # Nearly all stand for one instant: they are looked up in their rule all at once.
        single: dict[int, list[LedgerRow]] = defaultdict(list)
        for entry in self.entries:
            if entry.instants == 1 and entry.first == entry.last:
                single[entry.version_id].append(entry)
                continue
            rule = self._rule(entry.version_id)
            count = instants.count(rule, just_before(entry.first), entry.last)
            if count != entry.instants or not self._ends_at_an_instant(entry):
                yield entry, count
        for version_id, entries in single.items():
            rule = self._rule(version_id)
            due = set(instants.all_between(rule, just_before(entries[0].first), entries[-1].first))
            for entry in entries:
                if entry.first not in due:
                    yield entry, 0

    def _rule(self, version_id: int) -> Rule:
        return self.versions[version_id].rule

    def _ends_at_an_instant(self, entry: LedgerRow) -> bool:
        """Whether the last of the counted instants is the last of the row."""
        if entry.first == entry.last:
            return True  # the only one that was counted
        rule = self._rule(entry.version_id)
        return instants.latest_until(rule, just_before(entry.first), entry.last) == entry.last

    def _in_period(self, period: RulePeriod) -> Iterator[Violation]:
        start = max(period.since, self.result.start)
        # What comes after the cursor is undecided, and judged by `_in_cursor`.
        end = min(period.until or self.result.end, self.result.end, self.row.decided_to)
        inside = [entry for entry in self.entries if entry.first <= end and entry.last > start]
        expected = instants.count(period.rule, start, end)
        self.result.instants += expected
        same = {
            id for id in {entry.version_id for entry in inside} if self._rule(id) == period.rule
        }
        held = 0
        for entry in inside:
            # Of a row that reaches over a border only the part inside counts.
            cut = entry.first <= start or entry.last > end
            here = entry.instants  # proven, where the rule is the same
            if cut or entry.version_id not in same:
                here = instants.count(
                    period.rule, max(just_before(entry.first), start), min(entry.last, end)
                )
            held += here
            self.result.outcomes[entry.outcome] += here
            if not cut and entry.version_id not in same:
                yield self._violation(entry.first, "decided by a rule that was not in force then")
        if held != expected:
            yield self._gap(period, start, end, inside, expected - held)

    def _gap(
        self,
        period: RulePeriod,
        start: datetime,
        end: datetime,
        inside: Sequence[LedgerRow],
        lacking: int,
    ) -> Violation:
        after = start
        for entry in inside:
            due = instants.first_after(period.rule, after)
            if due is not None and due < entry.first:
                break
            after = max(after, entry.last)
        due = instants.first_after(period.rule, after) or end
        return self._violation(due, f"{lacking} instants are missing in the ledger from here on")

    def _in_cursor(self, version: Version) -> Iterator[Violation]:
        """Yield a violation if undecided instants are not due although the schedule is on."""
        row, rule = self.row, version.rule
        undecided = instants.count(rule, max(row.decided_to, self.result.start), self.result.end)
        if not (row.enabled and row.state == ScheduleState.ACTIVE):
            self.result.off += undecided
            return
        if rule.max_runs is not None and row.run_count >= rule.max_runs:
            return  # its limit is used up: nothing is due any more
        self.result.waiting += undecided
        due = instants.first_after(rule, row.decided_to)
        if due is not None and (row.next_run_at is None or row.next_run_at > due):
            yield self._violation(due, f"never due: the next run is {in_utc(row.next_run_at)}")

    def _violation(self, at: datetime, message: str) -> Violation:
        return Violation(schedule_id=self.row.id, at=at, message=message)
