"""Chooses the due instant that fires, and the outcomes of the others. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from tick.policy import instants, moves
from tick.policy.closed_times import (
    Segment,
    count_firing,
    first_firing_after,
    latest_firing,
    split_by_closed_times,
)
from tick.policy.day_rules import day_off_at
from tick.policy.holds import Hold, HoldingTime, holding_times, on_time_from
from tick.policy.instants import just_before
from tick.policy.rule import LEAST_MAX_CATCH_UP_AGE_SECONDS, Rule
from tick.policy.windows import AnyWindow
from tick.states import HeldBy, MissedPolicy, Outcome, ReasonKind
from tick.text import exact_length

MIN_GRACE_SECONDS = 120.0
USUAL_TICK_SECONDS = 60.0
_DAY = timedelta(seconds=LEAST_MAX_CATCH_UP_AGE_SECONDS)
_NAMED = 31
CAUGHT_UP = "caught up after a missed instant"


@dataclass(frozen=True)
class NotFired:
    """Consecutive instants that do not fire, with the reason; `first` may equal `last`."""

    outcome: Outcome
    first: datetime
    last: datetime
    count: int
    reason: str
    kind: ReasonKind | None = None
    hold: Hold | None = None
    nominal_for: datetime | None = None
    """The rule's own instant, where a calendar moved this single one."""


@dataclass(frozen=True)
class Deferral:
    """An earlier tick saw the due instants up to `until` and left them for a later one."""

    until: datetime
    # Given to those that are too old by then: they were not missed for want of a tick.
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Choice:
    """The decision about the due instants up to `decided_to`."""

    fire: datetime | None
    decided_to: datetime
    not_fired: tuple[NotFired, ...] = ()
    fire_reason: str | None = None
    hold: Hold | None = None


def grace_seconds(rule: Rule, tick_seconds: float) -> float:
    """Return how late an instant may still fire: set by the schedule, or learned from the ticks."""
    if rule.grace_seconds is not None:
        return rule.grace_seconds
    # A trigger that comes every ten minutes is not late at nine.
    return max(MIN_GRACE_SECONDS, 2 * tick_seconds)


def max_catch_up_age(rule: Rule, at: datetime) -> timedelta:
    """Return how old the instant may be and is still caught up."""
    if rule.max_catch_up_age_seconds is not None:
        return timedelta(seconds=rule.max_catch_up_age_seconds)
    # The newest instant of a monthly schedule is wanted until the next one comes.
    following = first_firing_after(rule, at)
    return max(_DAY, _DAY if following is None else following - at)


def choose(
    rule: Rule,
    due_since: datetime,
    now: datetime,
    grace: float,
    *,
    windows: Sequence[AnyWindow] = (),
    any_age: bool = False,
    deferral: Deferral | None = None,
) -> Choice | None:
    """Return the decision on the instants from `due_since` to `now`; None if nothing is due.

    Those in `windows` do not fire, or not before they end. With `any_age` the newest fires however
    late it is. `deferral` tells which of them an earlier tick put off.
    """
    # A person who asks for an instant sees the windows, and decides against them.
    seen = () if any_age else windows
    held = holding_times(seen, due_since, now)
    early = on_time_from(held, now, timedelta(seconds=grace))
    due = _Due(rule, seen, due_since, now, early, deferral)
    newest = due.newest()
    if newest is None:
        forbidden = due.entries(due.before, now, Outcome.BLACKOUT, "")
        return Choice(None, forbidden[-1].last, forbidden) if forbidden else None
    if rule.missed is MissedPolicy.CATCH_UP_ALL and not any_age:
        choice = _oldest_first(due, newest)
    else:
        choice = _newest_only(due, newest, due_since if any_age else now)
    choice = _with_holds(choice, held, timedelta(seconds=grace))
    if choice.decided_to < newest:
        return choice
    behind = due.entries(newest, now, Outcome.BLACKOUT, "")
    decided_to = behind[-1].last if behind else choice.decided_to
    return replace(choice, decided_to=decided_to, not_fired=choice.not_fired + behind)


@dataclass(frozen=True)
class _Due:
    """The instants of a rule from `since` to `now`; some may lie in windows.

    Those from `on_time_from` on are in grace.
    """

    rule: Rule
    windows: Sequence[AnyWindow]
    since: datetime
    now: datetime
    on_time_from: datetime
    deferral: Deferral | None = None

    @property
    def before(self) -> datetime:
        """The moment before `since`: the instants are those in (before, now]."""
        return just_before(self.since)

    def newest(self) -> datetime | None:
        """Return the newest one that nothing keeps from firing."""
        if not self.windows and self.rule.calendar is None:
            return self._newest_of_all()
        return latest_firing(self.rule, self.before, self.now, self.windows)

    def nth(self, after: datetime, until: datetime, index: int) -> datetime:
        """Return the instant number `index` (from 0) in (after, until] of those that may fire."""
        for segment in self._split(after, until):
            if segment.closed is not None:
                continue
            here = instants.count(self.rule, segment.after, segment.until)
            if index < here:
                return instants.nth(self.rule, segment.after, segment.until, index)
            index -= here
        raise IndexError(f"fewer than {index + 1} instants are due")

    def entries(
        self, after: datetime, until: datetime, outcome: Outcome, reason: str
    ) -> tuple[NotFired, ...]:
        """Return an entry for each segment of (after, until]; those in closed times say so."""
        found: tuple[NotFired, ...] = ()
        for segment in self._split(after, until):
            given: tuple[Outcome, str, ReasonKind | None] = (outcome, reason, None)
            if (closed := segment.closed) is not None:
                given = (closed.outcome, closed.in_words(), closed.kind)
            entries = _range(self.rule, segment.after, segment.until, *given)
            if closed is not None and self.rule.is_moved:
                entries = tuple(map(self._naming_what_fires, entries))
            found += entries
        return found

    def _naming_what_fires(self, entry: NotFired) -> NotFired:
        """Return the entry; if one and the same fires for all of them, it names that one."""
        if entry.count > _NAMED:
            return entry
        found = instants.all_between(self.rule, just_before(entry.first), entry.last)
        reasons = {off.reason for at in found if (off := day_off_at(self.rule, at)) is not None}
        return replace(entry, reason=reasons.pop()) if len(reasons) == 1 else entry

    def missed(self, after: datetime, until: datetime, why: str = "") -> tuple[NotFired, ...]:
        """Return entries for those in (after, until] that are too old; `why` ends the reason."""
        edge, at = self._put_off_to(after, until), f"{self.now:%Y-%m-%d %H:%M:%S} UTC"
        put_off: tuple[NotFired, ...] = ()
        if self.deferral is not None:
            reason = f"{self.deferral.reason}; it was too late at {at}"
            put_off = self.entries(after, edge, self.deferral.outcome, reason)
        unseen = f"no tick came in time; the next one came {at}{why}"
        return put_off + self.entries(edge, until, Outcome.MISSED, unseen)

    def superseded(self, newest: datetime, on_time_from: datetime) -> tuple[NotFired, ...]:
        """Return entries for those before `newest`, which fires."""
        stood_for = f"the newer instant {newest:%Y-%m-%d %H:%M} UTC was due as well"
        end, missed_from = just_before(newest), self.before
        if self.deferral is not None and self.deferral.outcome is Outcome.HELD:
            # They were in grace when the storm brake held them: COALESCED, like those in grace now.
            missed_from = self._put_off_to(self.before, end)
        edge = max(missed_from, just_before(on_time_from))
        coalesced = partial(
            self.entries, outcome=Outcome.COALESCED, reason=f"{stood_for} and stands for it"
        )
        held = coalesced(self.before, missed_from)
        return held + self.missed(missed_from, edge) + coalesced(edge, end)

    def _put_off_to(self, after: datetime, until: datetime) -> datetime:
        """Return up to where those in (after, until] were put off by an earlier tick."""
        return min(max(after, self.deferral.until), until) if self.deferral else after

    def _split(self, after: datetime, until: datetime) -> Iterator[Segment]:
        return split_by_closed_times(self.rule, self.windows, after, until)

    def _newest_of_all(self) -> datetime | None:
        # As a rule only one is due. The next one is needed anyway (and cached), and counting takes
        # no walk; a search backwards takes one.
        following = instants.first_after(self.rule, self.since)
        if following is None or following > self.now:
            there = instants.count(self.rule, self.before, min(self.since, self.now))
            return self.since if there else None
        return instants.latest_until(self.rule, self.before, self.now)


def _newest_only(due: _Due, newest: datetime, asked_since: datetime) -> Choice:
    """Fire the newest if it is in grace, was asked for or is to be caught up."""
    rule, now = due.rule, due.now
    wanted_from = min(due.on_time_from, asked_since)
    if newest >= wanted_from:
        reason = None if newest >= due.on_time_from else "asked for by a person"
        return Choice(newest, newest, due.superseded(newest, wanted_from), reason)
    if rule.missed is not MissedPolicy.CATCH_UP:
        return Choice(None, newest, due.missed(due.before, newest))
    longest = max_catch_up_age(rule, newest)
    if newest >= now - longest:
        return Choice(newest, newest, due.missed(due.before, just_before(newest)), CAUGHT_UP)
    too_old = f", when it was older than max_catch_up_age, {exact_length(longest)}"
    return Choice(None, newest, due.missed(due.before, newest, too_old))


def _oldest_first(due: _Due, newest: datetime) -> Choice:
    """Fire the oldest instant that is young enough and among the last `max_catch_up_runs`."""
    rule, now = due.rule, due.now
    # An instant in grace is never too old, however short an age its author chose.
    longest = max(now - due.on_time_from, max_catch_up_age(rule, newest))
    start = max(due.before, just_before(now - longest))
    waiting = count_firing(rule, start, newest, due.windows)
    too_old = f"it was older than max_catch_up_age, {exact_length(longest)}, when a tick came"
    too_many = f"more than max_catch_up_runs, {rule.max_catch_up_runs}, were waiting"
    aged = due.entries(due.before, start, Outcome.MISSED, too_old)
    if waiting == 0:
        return Choice(None, newest, aged + due.entries(start, newest, Outcome.MISSED, too_old))
    wanted = due.nth(start, newest, max(waiting - rule.max_catch_up_runs, 0))
    late = wanted < due.on_time_from
    beyond = due.entries(start, just_before(wanted), Outcome.MISSED, too_many)
    return Choice(wanted, wanted, aged + beyond, CAUGHT_UP if late else None)


def _with_holds(choice: Choice, held: Sequence[HoldingTime], grace: timedelta) -> Choice:
    """Return the choice, with what held which of its instants, and until when."""
    entries = tuple(_with_hold(entry, held, grace) for entry in choice.not_fired)
    choice = replace(choice, not_fired=entries)
    if choice.fire is None or (found := _held(held, choice.fire, choice.fire, grace)) is None:
        return choice
    return replace(choice, fire_reason=found.in_words(), hold=found.hold)


def _with_hold(entry: NotFired, held: Sequence[HoldingTime], grace: timedelta) -> NotFired:
    if entry.outcome is Outcome.HELD:
        return replace(entry, hold=Hold(HeldBy.BRAKE, entry.last + grace))
    if entry.kind is not None or (found := _held(held, entry.first, entry.last, grace)) is None:
        return entry
    return replace(entry, hold=found.hold)


def _held(
    held: Sequence[HoldingTime], first: datetime, last: datetime, grace: timedelta
) -> HoldingTime | None:
    """Return the time that held all these undecided instants, if one did."""
    # What was in grace as it began is held as well.
    return next(
        (
            each
            for each in held
            if each.starts_at - grace <= first and each.covers(max(last, each.starts_at))
        ),
        None,
    )


def _range(
    rule: Rule,
    after: datetime,
    until: datetime,
    outcome: Outcome,
    reason: str,
    kind: ReasonKind | None = None,
) -> tuple[NotFired, ...]:
    """Return one entry for all instants in (after, until], however many."""
    if after >= until:
        return ()
    if rule.is_moved:
        span = moves.span(rule, after, until)
        return () if span is None else (NotFired(outcome, *span[:3], reason, kind, None, span[3]),)
    first = instants.first_after(rule, after)
    last = instants.latest_until(rule, after, until)
    if first is None or last is None:
        return ()
    return (NotFired(outcome, first, last, instants.count(rule, after, until), reason, kind),)


def suppressed(rule: Rule, after: datetime, until: datetime, reason: str) -> tuple[NotFired, ...]:
    """Return the instants in (after, until] during which the schedule was disabled or paused."""
    return _range(rule, after, until, Outcome.SUPPRESSED, reason)


def failed(rule: Rule, after: datetime, until: datetime, error: str) -> tuple[NotFired, ...]:
    """Return the instants in (after, until] that could not be fired."""
    return _range(rule, after, until, Outcome.FIRE_FAILED, error)


def usual_tick_seconds(gaps: list[float]) -> float:
    """Return the learned distance between ticks, in seconds."""
    if len(gaps) < 5:
        return USUAL_TICK_SECONDS
    # The median: one outage, or ticks by hand in between, must not change it.
    return sorted(gaps)[len(gaps) // 2]
