"""Which due instant fires, and what becomes of the others. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tick.policy import instants
from tick.policy.rule import Rule
from tick.states import MissedPolicy, Outcome

MIN_GRACE_SECONDS = 120.0
USUAL_TICK_SECONDS = 60.0
CAUGHT_UP = "caught up after a missed instant"
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class NotFired:
    """Consecutive instants that do not fire, with the reason; `first` may equal `last`."""

    outcome: Outcome
    first: datetime
    last: datetime
    count: int
    reason: str


@dataclass(frozen=True)
class Choice:
    """What is decided about the due instants: all those up to `decided_to`."""

    fire: datetime | None
    decided_to: datetime
    not_fired: tuple[NotFired, ...] = ()
    fire_reason: str | None = None


def grace_seconds(rule: Rule, tick_seconds: float) -> float:
    """How late an instant may still fire: set by the schedule, or learned from the ticks.

    A trigger that comes every ten minutes is not late at nine, hence twice the usual distance
    between ticks, and never below 120 s.
    """
    if rule.grace_seconds is not None:
        return rule.grace_seconds
    return max(MIN_GRACE_SECONDS, 2 * tick_seconds)


def choose(
    rule: Rule, due_since: datetime, now: datetime, grace: float, *, any_age: bool = False
) -> Choice | None:
    """What becomes of the instants from `due_since` to `now`; None when nothing is due.

    With `any_age` the newest fires however late it is: a person asked for it.
    """
    before = due_since - _MOMENT
    newest = instants.latest_until(rule, before, now)
    if newest is None:
        return None
    if rule.missed is MissedPolicy.CATCH_UP_ALL and not any_age:
        return _oldest_first(rule, before, newest, now, grace)
    unseen = f"no tick came in time; the next one came {now:%Y-%m-%d %H:%M:%S} UTC"
    on_time_from = now - timedelta(seconds=grace)
    wanted_from = min(on_time_from, due_since) if any_age else on_time_from
    if newest >= wanted_from:
        reason = None if newest >= on_time_from else "asked for by a person"
        return replace(_fire_newest(rule, before, newest, wanted_from, unseen), fire_reason=reason)
    missed = _range(rule, before, newest - _MOMENT, Outcome.MISSED, unseen)
    oldest_wanted = now - timedelta(seconds=rule.max_catch_up_age_seconds)
    if rule.missed is MissedPolicy.CATCH_UP and newest >= oldest_wanted:
        return Choice(newest, newest, missed, CAUGHT_UP)
    return Choice(None, newest, _range(rule, before, newest, Outcome.MISSED, unseen))


def _fire_newest(
    rule: Rule, before: datetime, newest: datetime, on_time_from: datetime, unseen: str
) -> Choice:
    """Fire the newest; of the older ones, those still in grace were coalesced, the rest missed."""
    edge = max(before, on_time_from - _MOMENT)
    stood_for = f"the newer instant {newest:%Y-%m-%d %H:%M} UTC was due as well and stands for it"
    missed = _range(rule, before, edge, Outcome.MISSED, unseen)
    coalesced = _range(rule, edge, newest - _MOMENT, Outcome.COALESCED, stood_for)
    return Choice(newest, newest, missed + coalesced)


def _oldest_first(
    rule: Rule, before: datetime, newest: datetime, now: datetime, grace: float
) -> Choice:
    """Fire the oldest instant that is young enough and among the last `max_catch_up_runs`."""
    oldest_wanted = now - timedelta(seconds=max(grace, rule.max_catch_up_age_seconds))
    start = max(before, oldest_wanted - _MOMENT)
    waiting = instants.count(rule, start, newest)
    too_many = f"more than {rule.max_catch_up_runs} were waiting, or it was too old to catch up"
    if waiting == 0:
        return Choice(None, newest, _range(rule, before, newest, Outcome.MISSED, too_many))
    surplus = max(waiting - rule.max_catch_up_runs, 0)
    wanted = instants.between(rule, start, newest, surplus + 1)[-1]
    late = wanted < now - timedelta(seconds=grace)
    return Choice(
        fire=wanted,
        decided_to=wanted,
        not_fired=_range(rule, before, wanted - _MOMENT, Outcome.MISSED, too_many),
        fire_reason=CAUGHT_UP if late else None,
    )


def _range(
    rule: Rule, after: datetime, until: datetime, outcome: Outcome, reason: str
) -> tuple[NotFired, ...]:
    """One entry for all instants in (after, until], however many."""
    if after >= until:
        return ()
    first = instants.first_after(rule, after)
    last = instants.latest_until(rule, after, until)
    if first is None or last is None:
        return ()
    return (NotFired(outcome, first, last, instants.count(rule, after, until), reason),)


def suppressed(rule: Rule, after: datetime, until: datetime, reason: str) -> tuple[NotFired, ...]:
    """The instants in (after, until] during which the schedule was disabled or paused."""
    return _range(rule, after, until, Outcome.SUPPRESSED, reason)


def failed(rule: Rule, after: datetime, until: datetime, error: str) -> tuple[NotFired, ...]:
    """The instants in (after, until] that could not be fired."""
    return _range(rule, after, until, Outcome.FIRE_FAILED, error)


def usual_tick_seconds(gaps: list[float]) -> float:
    """The learned distance between ticks: the median gap, or a minute while too few are known."""
    if len(gaps) < 5:
        return USUAL_TICK_SECONDS
    return sorted(gaps)[len(gaps) // 2]
