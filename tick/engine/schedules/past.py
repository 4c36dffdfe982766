"""The instants of a schedule's past, each by the rule that was in force then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tick.engine.ledger.versions import RulePeriod, Version, rule_periods
from tick.policy import instants
from tick.policy.closed_times import count_firing, firing_between, latest_firing
from tick.policy.rule import Rule


@dataclass(frozen=True)
class Part:
    """The instants of a rule in (after, until]; those that its calendar drops are none."""

    rule: Rule
    after: datetime
    until: datetime


def parts_of(versions: Sequence[Version], after: datetime, until: datetime) -> list[Part]:
    """(after, until] by the rules in force, in order; the first stands for all before it too."""
    first, *later = rule_periods(versions)
    periods = [RulePeriod(first.rule, instants.EPOCH, first.until), *later]
    cut = [
        Part(each.rule, max(each.since, after), min(each.until or until, until)) for each in periods
    ]
    return [part for part in cut if part.after < part.until]


def count_parts(parts: Sequence[Part]) -> int:
    """How many instants there are: a count costs little, however many."""
    return sum(count_firing(part.rule, part.after, part.until, ()) for part in parts)


def first_in(parts: Sequence[Part], limit: int) -> list[datetime]:
    """The first `limit` instants."""
    found: list[datetime] = []
    for part in parts:
        if len(found) >= limit:
            break
        found += firing_between(part.rule, part.after, part.until, limit - len(found))
    return found


def last_in(parts: Sequence[Part]) -> datetime | None:
    """The last instant; None without one."""
    found = (latest_firing(part.rule, part.after, part.until, ()) for part in reversed(parts))
    return next((at for at in found if at is not None), None)
