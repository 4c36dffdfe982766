"""A new version takes over from the one before where a calendar moves instants. Pure.

An instant that waits to be fired later is carried over the change; one that has fired early is
spent. So each nominal instant is decided once, by the old rule or by the new one. What the new rule
would have decided before the change is lost: a move never goes behind what is decided.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tick.policy.day_rules import day_off_at
from tick.policy.moves import Place, place_of, places_around
from tick.policy.rule import Rule
from tick.states import Outcome


@dataclass(frozen=True)
class Lost:
    """A nominal instant of which a change of the rule made nothing, and the row that says so.

    `at` is where the new rule would have decided it; None if it has no such instant.
    """

    nominal: datetime
    at: datetime | None
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class HandOver:
    """The new rule as it goes on from the old one, and the instants that are lost."""

    rule: Rule
    lost: tuple[Lost, ...] = ()


def hand_over(old: Rule | None, new: Rule, since: datetime) -> HandOver:
    """Return what becomes of the instants around `since`; `old` is None for a first version."""
    new = new.as_written
    if not new.is_moved and (old is None or not old.is_moved):
        return HandOver(new)
    before = {} if old is None else {each.nominal: each.at for each in places_around(old, since)}
    own = {each.nominal: each.at for each in places_around(new, since)}
    waiting = [each for each, at in before.items() if each <= since < at]
    fired_early = [each for each, at in before.items() if at <= since < each]
    fired_early += [] if old is None else [each for each in old.spent if each > since]
    taken = replace(new, spent=_those_of(new, fired_early))
    if any(each <= since < at and each not in waiting for each, at in own.items()):
        taken = replace(taken, counts_from=since, carried=_those_of(new, waiting))
    if old is None:
        return HandOver(taken)
    return HandOver(taken, tuple(_lost(old, taken, since, before)))


def _those_of(rule: Rule, found: Iterable[datetime]) -> tuple[datetime, ...]:
    """Return those that are nominal instants of the rule, in order."""
    return tuple(sorted(each for each in found if place_of(rule, each) is not None))


def _lost(
    old: Rule, new: Rule, since: datetime, before: Mapping[datetime, datetime]
) -> Iterator[Lost]:
    """Yield the instants that the old rule had not decided, and the new one no longer can."""
    when = f"{since:%Y-%m-%d %H:%M:%S} UTC"
    same = replace(old.as_written, calendar=None) == replace(new.as_written, calendar=None)
    changed = f"its {'calendar' if same else 'definition'} was changed at {when}"
    places = {each.nominal: each for each in places_around(new, since)}
    for nominal in sorted(before.keys() | places.keys()):
        if before.get(nominal, nominal) <= since:
            continue
        place = places.get(nominal)
        if place is None and nominal <= since:
            place = place_of(new, nominal)
        if place is not None and place.at <= since:
            yield _too_late(new, place, since, changed)
        elif place is None and nominal <= since:
            why = f"{changed}, before it fired: the new one has no such instant"
            yield Lost(nominal, None, Outcome.MISSED, why)


def _too_late(new: Rule, place: Place, since: datetime, changed: str) -> Lost:
    stood_for = place.moved_to is not None and place.moved_to > since
    off = day_off_at(new, place.at) if stood_for else None
    if off is not None:
        return Lost(place.nominal, place.at, off.outcome, off.reason)
    at = f"{place.moved_to or place.at:%Y-%m-%d %H:%M} UTC"
    why = f"{changed}: it would now fire at {at}, and that time is decided already"
    return Lost(place.nominal, place.at, Outcome.MISSED, why)
