"""Holds the ledger to what calendars move: where instants were decided, and what a change lost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from tick.engine.ledger.versions import Version
from tick.ops.reports.ledger_rows import LedgerRow
from tick.ops.reports.run_proof import in_utc
from tick.policy import moves
from tick.policy.hand_over import Lost, hand_over
from tick.policy.instants import just_before
from tick.policy.rule import Rule

_AROUND = timedelta(days=2 * moves.LONGEST_MOVE_DAYS)


@dataclass(frozen=True)
class Change:
    """A version that follows another, where one of them moves instants."""

    version: Version
    before: Version

    @property
    def lost(self) -> tuple[Lost, ...]:
        """Return what the change left to neither of them."""
        return hand_over(self.before.rule, self.version.rule, self.version.since).lost

    @property
    def takes_over_rightly(self) -> bool:
        """Whether the version goes on where the one before ended."""
        found = hand_over(self.before.rule, self.version.rule, self.version.since)
        return found.rule == self.version.rule


def changes_of_moves(
    versions: Sequence[Version], start: datetime, end: datetime
) -> Iterator[Change]:
    """Yield the changes of rules that bear on moved instants in (start, end]."""
    for before, version in pairwise(versions):
        # The same text: other jobs, or other zone data, and nothing is taken over.
        if version.rule_text == before.rule_text:
            continue
        if start - _AROUND < version.since < end + _AROUND and (
            before.rule.is_moved or version.rule.is_moved
        ):
            yield Change(version, before)


def is_row_of(entry: LedgerRow, lost: Lost, change: Change) -> bool:
    """Whether a row stands for a lost instant."""
    if (entry.nominal_for or entry.first) != lost.nominal or entry.instants != 1:
        return False
    version = change.before if lost.at is None else change.version
    return entry.first in (lost.at, lost.nominal) and entry.version_id == version.id


def misnamed(
    rules: Mapping[int, Rule], entries: Sequence[LedgerRow]
) -> Iterator[tuple[LedgerRow, str]]:
    """Yield the rows that name another nominal instant than their rule has there, and the words.

    `rules` are those of the rows' versions, by id.
    """
    for version_id, rule in rules.items():
        yield from _misnamed(rule, [each for each in entries if each.version_id == version_id])


def _misnamed(rule: Rule, entries: Sequence[LedgerRow]) -> Iterator[tuple[LedgerRow, str]]:
    single = [entry for entry in entries if entry.instants == 1]
    moved: dict[datetime, datetime] = {}
    if rule.is_moved and single:
        first, last = just_before(single[0].first), max(entry.first for entry in single)
        moved = {each.at: each.nominal for each in moves.places_between(rule, first, last)}
    for entry in entries:
        nominal = moved.get(entry.first, entry.first) if entry.instants == 1 else entry.first
        if (entry.nominal_for or entry.first) != nominal:
            said = in_utc(entry.nominal_for or entry.first)
            yield entry, f"says that its own instant is {said}, and that is {in_utc(nominal)}"
