"""Instants that a calendar moves to a business day, and where each of them is decided. Pure.

Each nominal instant has a place of its own: where it fires. Where several meet, the rule's own or
else the newest fires; the others stay where they lie, and are decided there. So no two instants
have one place, and the places of a rule are what `instants` lists for it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from tick.cron.zone_data import Zone
from tick.cron.zones import as_zone
from tick.policy import nominal
from tick.policy.business_days import BusinessDays
from tick.policy.local_days import before_wall, instant_of
from tick.policy.nominal import just_before
from tick.policy.rule import Rule
from tick.states import DayRule
from tick.utc import in_utc

LONGEST_MOVE_DAYS = 31
_DAY = timedelta(days=1)
_KEPT = 8
_LONGEST_STEP = timedelta(days=64)
# Within the years that zones are known for, with room to look around.
_FIRST, _LAST = datetime(1901, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a nominal instant is decided.

    `moved_to` is where its calendar puts it, None if there is no business day near. If another one
    fires there, `stood_for_by` is that one's nominal instant, and nothing fires at this place.
    """

    at: datetime
    nominal: datetime
    moved_to: datetime | None
    stood_for_by: datetime | None = None


def between(rule: Rule, after: datetime, until: datetime, limit: int) -> list[datetime]:
    """Return the first `limit` places in (after, until]."""
    mover, found, step = _mover(rule), list[datetime](), _DAY
    after, until = _clip(after, until)
    while len(found) < limit and after < until:
        following = nominal.between(rule.unmoved, mover.reach(after, after)[0], None, 1)
        if not following:
            break
        # Where instants are rare, most of the time has none near.
        after = max(after, mover.reach(following[0], following[0])[0])
        stop = min(after + step, until)
        if after < stop:
            found += [place.at for place in mover.places(after, stop)]
        after, step = stop, min(2 * step, _LONGEST_STEP)
    return found[:limit]


def places_between(rule: Rule, after: datetime, until: datetime) -> Iterator[Place]:
    """Yield the places in (after, until], in order."""
    mover = _mover(rule)
    for part in _parts(*_clip(after, until)):
        yield from mover.places(*part)


def all_between(rule: Rule, after: datetime, until: datetime) -> list[datetime]:
    """Return all places in (after, until]."""
    return [place.at for place in places_between(rule, after, until)]


def count(rule: Rule, after: datetime, until: datetime) -> int:
    """Return how many places lie in (after, until]."""
    return len(all_between(rule, after, until))


def latest_until(rule: Rule, after: datetime, until: datetime) -> datetime | None:
    """Return the newest place in (after, until], or None when there is none."""
    mover, step = _mover(rule), _DAY
    after, until = _clip(after, until)
    while after < until:
        start = max(after, until - step)
        if found := mover.places(start, until):
            return found[-1].at
        until, step = start, min(2 * step, _LONGEST_STEP)
    return None


def span(
    rule: Rule, after: datetime, until: datetime
) -> tuple[datetime, datetime, int, datetime | None] | None:
    """Return the first and last place in (after, until], how many, and from where one alone moved.

    None if there is none.
    """
    found = list(places_between(rule, after, until))
    if not found:
        return None
    alone = len(found) == 1 and found[0].at != found[0].nominal
    return found[0].at, found[-1].at, len(found), found[0].nominal if alone else None


def place_at(rule: Rule, at: datetime) -> Place | None:
    """Return the place at an instant, if the rule has one there."""
    found = _mover(rule).places(just_before(at), in_utc(at)) if rule.is_moved else []
    return found[0] if found else None


def place_of(rule: Rule, instant: datetime) -> Place | None:
    """Return the place of a nominal instant; None if the rule does not have it."""
    instant = in_utc(instant)
    if not rule.is_moved:
        found = nominal.count(rule, just_before(instant), instant)
        return Place(instant, instant, instant) if found else None
    mover = _mover(rule)
    places = mover.near(*mover.reach(just_before(instant), instant))
    return next((place for place in places if place.nominal == instant), None)


def moved_from(rule: Rule, at: datetime) -> datetime | None:
    """Return the nominal instant that is decided at this one; None where it is the same."""
    place = place_at(rule, at) if rule.is_moved else None
    return None if place is None or place.nominal == at else place.nominal


def places_around(rule: Rule, at: datetime) -> list[Place]:
    """Return the places of nominal instants around `at`, among them all that move over it."""
    if rule.is_moved:
        mover = _mover(rule)
        return mover.near(*mover.reach(at, at))
    around = timedelta(days=LONGEST_MOVE_DAYS + 1)
    found = nominal.all_between(rule, at - around, at + around)
    return [Place(each, each, each) for each in found]


def business_day(days: BusinessDays, day_rule: DayRule, day: date, at: time) -> date | None:
    """Return the day to which a time of `day` moves: itself if it is open, None if none is near."""
    if day_rule is DayRule.PREVIOUS_BUSINESS_DAY:
        return _first_open(days, day, at, -_DAY)
    following = _first_open(days, day, at, _DAY)
    if day_rule is DayRule.NEXT_BUSINESS_DAY:
        return following
    stays = following is not None and following.month == day.month
    return following if stays else _first_open(days, day, at, -_DAY)


def _first_open(days: BusinessDays, day: date, at: time, step: timedelta) -> date | None:
    reached = (day + number * step for number in range(LONGEST_MOVE_DAYS + 1))
    return next((each for each in reached if days.is_open(each, at)), None)


def _clip(after: datetime, until: datetime) -> tuple[datetime, datetime]:
    return max(in_utc(after), _FIRST), min(in_utc(until), _LAST)


def _parts(after: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    while after < until:
        stop = min(after + _LONGEST_STEP, until)
        yield after, stop
        after = stop


class _Mover:
    """The moves of one rule, by the data of its zone."""

    def __init__(self, rule: Rule, zone: Zone) -> None:
        self.rule, self.days = rule, rule.calendar
        self._zone, self._jitter = zone.tzinfo, timedelta(seconds=rule.offset_seconds)
        self._carried, self._spent = frozenset(rule.carried), frozenset(rule.spent)
        self._open_days: dict[date, bool] = {}
        self._near: dict[tuple[datetime, datetime], list[Place]] = {}

    def places(self, after: datetime, until: datetime) -> list[Place]:
        """Return the places in (after, until], in order."""
        near = self.near(*self.reach(after, until))
        return sorted((p for p in near if after < p.at <= until), key=lambda place: place.at)

    def near(self, first: datetime, last: datetime) -> list[Place]:
        """Return the places of the nominal instants in (first, last]."""
        # All questions about one day are answered by the same few days around it.
        if (first, last) not in self._near:
            if len(self._near) >= _KEPT:
                self._near.pop(next(iter(self._near)), None)
            self._near[first, last] = list(self._all(first, last))
        return self._near[first, last]

    def _all(self, first: datetime, last: datetime) -> Iterator[Place]:
        found = nominal.all_between(self.rule.unmoved, first, last)
        moved = {instant: self._target(instant) for instant in found}
        fires: dict[datetime, datetime] = {}
        for instant, at in moved.items():
            if at is None or not self._takes_part(instant, at):
                continue
            if instant == at or fires.get(at) != at:
                fires[at] = instant
        for instant, at in moved.items():
            if not self._counts(instant):
                continue
            if at is None or fires[at] != instant:
                stood_for_by = None if at is None else fires[at]
                yield Place(instant, instant, at, stood_for_by)
            else:
                yield Place(at, instant, at)

    def reach(self, after: datetime, until: datetime) -> tuple[datetime, datetime]:
        """Return the time of the nominal instants that decide what has its place in it."""
        # No move leads over a day that is open from morning to night. Behind the nearest one lie
        # those that meet there what comes from this side.
        first, last = self._day_of(after), self._day_of(until)
        first = self._open_day(self._open_day(first, -_DAY) - _DAY, -_DAY)
        last = self._open_day(self._open_day(last, _DAY) + _DAY, _DAY)
        return before_wall(self.rule, first, time()), before_wall(self.rule, last + _DAY, time())

    def _counts(self, instant: datetime) -> bool:
        """Whether this version decides it, and not the one before."""
        since = self.rule.counts_from
        is_new = since is None or instant > since or instant in self._carried
        return is_new and instant not in self._spent

    def _takes_part(self, instant: datetime, at: datetime) -> bool:
        """Whether it may stand for others where it is."""
        since = self.rule.counts_from
        decided_there = instant == at and since is not None and at <= since
        return decided_there or self._counts(instant)

    def _target(self, instant: datetime) -> datetime | None:
        wall = (instant - self._jitter).astimezone(self._zone)
        day = wall.date()
        if self.days is None or self._is_open(day):
            return instant
        target = business_day(self.days, self.rule.day_rule, day, wall.time())
        if target is None or target == day:
            return None if target is None else instant
        return instant_of(self.rule, target, wall.time())

    def _day_of(self, instant: datetime) -> date:
        return (instant - self._jitter).astimezone(self._zone).date()

    def _open_day(self, day: date, step: timedelta) -> date:
        """Return the first day from `day` on that is open from morning to night."""
        for _ in range(LONGEST_MOVE_DAYS):
            if self._is_open(day):
                break
            day += step
        return day

    def _is_open(self, day: date) -> bool:
        if day not in self._open_days:
            self._open_days[day] = self.days is None or self.days.is_open(day, time.max)
        return self._open_days[day]


def _mover(rule: Rule) -> _Mover:
    return _mover_by(rule, as_zone(rule.timezone if rule.zone is None else rule.zone))


# A tick asks several times about the same few rules.
@lru_cache(maxsize=256)
def _mover_by(rule: Rule, zone: Zone) -> _Mover:
    return _Mover(rule, zone)
