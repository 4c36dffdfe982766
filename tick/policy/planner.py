"""Plans the writes of a tick about a due schedule, from its rule, its cursor and now. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from tick.policy import instants, missed, moves
from tick.policy.day_rules import doubt_at, move_in_words
from tick.policy.holds import Hold, holding_times, on_time_from
from tick.policy.instants import just_before
from tick.policy.missed import Choice, Deferral, NotFired
from tick.policy.rule import Rule
from tick.policy.windows import AnyWindow, Window, covering
from tick.states import HeldBy, MissedPolicy, Outcome, OverlapPolicy, ReasonKind

THROTTLED = "the storm brake held it: the tick had created as many runs as one may"


class OverlapDecision(Enum):
    """The tick's decision about the instant."""

    FIRE = "fire"
    SKIP = "skip"
    WAIT_FOR_BLOCKER = "wait for blocker"
    """Fire now; its runs wait until the blocker has finished."""
    REPLACE_BLOCKER = "replace blocker"
    """Cancel what runs, and fire; its runs wait until the blocker has stopped."""


def judge_overlap(policy: OverlapPolicy, live: int, most: int = 1) -> OverlapDecision:
    """Return the decision when `live` earlier occurrences have not finished, and `most` may be."""
    if live < most or policy is OverlapPolicy.ALLOW:
        return OverlapDecision.FIRE
    if policy is OverlapPolicy.REPLACE:
        return OverlapDecision.REPLACE_BLOCKER
    if policy is OverlapPolicy.QUEUE_ONE and live == most:
        return OverlapDecision.WAIT_FOR_BLOCKER
    # QUEUE_ONE as well, while one waits: a queue that grows would never be worked off.
    return OverlapDecision.SKIP


@dataclass(frozen=True)
class Cursor:
    """The state of a due schedule that decides about it, beside its rule."""

    due_since: datetime
    """Its first undecided instant."""
    # Occurrences that have not finished.
    live: int = 0
    # Only where runs are limited, for the same reason.
    fired: int = 0
    requested_instant: datetime | None = None
    deferral: Deferral | None = None

    @property
    def is_requested(self) -> bool:
        """Whether a person asked for the instant that is due."""
        return self.requested_instant is not None and self.requested_instant >= self.due_since


@dataclass(frozen=True)
class Plan:
    """The rows and runs to write for each schedule with this cursor.

    Everything up to `decided_to` is decided; the schedule is due again at `next_run_at` (None:
    never), with what `deferral` says of it.
    """

    decided_to: datetime
    next_run_at: datetime | None
    fire: datetime | None = None
    fire_reason: str | None = None
    verdict: OverlapDecision = OverlapDecision.FIRE
    not_fired: tuple[NotFired, ...] = ()
    deferral: Deferral | None = None
    hold: Hold | None = None
    nominal_for: datetime | None = None
    """The rule's own instant, where a calendar moved the one that fires."""

    @property
    def throttled(self) -> bool:
        """Whether its firing waits because the tick may create no more runs."""
        held = self.deferral is not None and self.deferral.outcome is Outcome.HELD
        return held and self.fire is None


def due_since(rule: Rule, decided_to: datetime, marked: datetime) -> datetime:
    """Return the first undecided instant of a schedule that is marked as due since then."""
    # The mark was worked out some time ago, perhaps by other time zone data: an instant before it
    # must not be passed over.
    first = instants.first_after(rule, decided_to)
    return marked if first is None else min(first, marked)


def plan(
    rule: Rule,
    cursor: Cursor,
    now: datetime,
    tick_seconds: float,
    windows: Sequence[AnyWindow] = (),
) -> Plan:
    """Decide every instant from `cursor.due_since` to `now`; `windows` touch this time."""
    since, asked = cursor.due_since, cursor.is_requested
    grace = missed.grace_seconds(rule, tick_seconds)
    choice = missed.choose(
        rule, since, now, grace, windows=windows, any_age=asked, deferral=cursor.deferral
    )
    if choice is None:
        # Woken before its first instant, by an edited rule or a stepped clock.
        return _decide(rule, Choice(None, cursor.due_since))
    if rule.max_runs is not None and cursor.fired >= rule.max_runs:
        nothing = Choice(None, just_before(cursor.due_since))
        return _end(rule, _decide(rule, nothing), now)
    # While a window lasts, instants from before it don't fire either.
    if choice.fire is not None and (window := covering(windows, now)) is not None:
        if any(time.covers(now) for time in holding_times(windows, since, now)):
            return put_off(cursor)  # it may fire once no window lasts
        return _decide_in_window(rule, cursor, choice, window)
    verdict = judge_overlap(rule.overlap, cursor.live, rule.max_concurrent)
    if choice.fire is not None and verdict is OverlapDecision.SKIP:
        if rule.missed is MissedPolicy.CATCH_UP_ALL and not cursor.is_requested:
            return put_off(cursor)
        reason = not_finished(rule.max_concurrent)
        choice = _not_fired(rule, choice, Outcome.SKIPPED_OVERLAP, reason)
    decided = _decide(rule, choice, verdict)
    was_last = choice.fire is not None and rule.max_runs == cursor.fired + 1
    return _end(rule, decided, now) if was_last else decided


def not_finished(most: int) -> str:
    """Return why an instant is skipped where `most` occurrences may be unfinished."""
    if most == 1:
        return "an earlier occurrence had not finished"
    return f"{most} earlier occurrences, as many as may run at one time, had not finished"


def _decide_in_window(rule: Rule, cursor: Cursor, choice: Choice, window: Window) -> Plan:
    """Plan an instant from before the window, at a tick within it: it waits if it may be late."""
    if cursor.is_requested:
        return put_off(cursor)
    if rule.missed is not MissedPolicy.SKIP:
        reason = f"it could not be caught up before: {window.in_words()}"
        return put_off(cursor, Deferral(cursor.due_since, Outcome.MISSED, reason))
    reason = f"no tick came before it began: {window.in_words()}"
    return _decide(rule, _not_fired(rule, choice, Outcome.BLACKOUT, reason, window.kind))


def put_off(cursor: Cursor, deferral: Deferral | None = None) -> Plan:
    """Return the plan that decides nothing: the same instants are due again at a later tick."""
    since = cursor.due_since
    return Plan(just_before(since), since, deferral=deferral or cursor.deferral)


def throttle(
    rule: Rule,
    cursor: Cursor,
    plan: Plan,
    now: datetime,
    tick_seconds: float,
    windows: Sequence[AnyWindow] = (),
) -> Plan:
    """Return the plan in a tick that has created as many runs as it may.

    A firing waits for the next tick if it will be in grace or caught up then; otherwise it is HELD,
    for a person to run.
    """
    if plan.fire is None or cursor.is_requested:
        return plan
    grace = timedelta(seconds=missed.grace_seconds(rule, tick_seconds))
    held = holding_times(windows, plan.fire, now)
    in_grace = plan.fire >= on_time_from(held, now + timedelta(seconds=tick_seconds), grace)
    if in_grace or rule.missed is not MissedPolicy.SKIP:
        older = tuple(entry for entry in plan.not_fired if entry.last < plan.fire)
        deferral = Deferral(plan.fire, Outcome.HELD, THROTTLED)
        return Plan(just_before(plan.fire), plan.fire, not_fired=older, deferral=deferral)
    choice = Choice(plan.fire, plan.decided_to, plan.not_fired)
    by_brake = Hold(HeldBy.BRAKE, plan.fire + grace)
    return _decide(rule, _not_fired(rule, choice, Outcome.HELD, THROTTLED, hold=by_brake))


def is_left_over(plan: Plan, now: datetime) -> bool:
    """Return whether a due instant is left, to be caught up one by one or put off."""
    return plan.next_run_at is not None and plan.next_run_at <= now


def must_pause(rule: Rule, plan: Plan, now: datetime) -> bool:
    """Return whether the instants that are left wait for a later tick."""
    # One firing a tick is caught up, for the next is judged by its overlap. Where overlap is
    # allowed, a tick a minute would never catch up a schedule of each minute.
    goes_on = plan.fire is not None and rule.overlap is OverlapPolicy.ALLOW
    return is_left_over(plan, now) and not goes_on


def _decide(rule: Rule, choice: Choice, verdict: OverlapDecision = OverlapDecision.FIRE) -> Plan:
    following = instants.first_after(rule, choice.decided_to)
    fire = choice.fire
    nominal = None if fire is None else moves.moved_from(rule, fire)
    reason = _why_it_fires(rule, choice, nominal)
    decided = (choice.decided_to, following, fire, reason, verdict, choice.not_fired)
    return Plan(*decided, hold=choice.hold, nominal_for=nominal)


def _why_it_fires(rule: Rule, choice: Choice, nominal: datetime | None) -> str | None:
    """Return why it fires, and what its calendar did to it, or does not know of its day."""
    moved = None if nominal is None else move_in_words(rule, nominal)
    doubt = None if choice.fire is None else doubt_at(rule, choice.fire)
    return "; ".join(filter(None, (choice.fire_reason, moved, doubt))) or None


def _not_fired(
    rule: Rule,
    choice: Choice,
    outcome: Outcome,
    reason: str,
    kind: ReasonKind | None = None,
    hold: Hold | None = None,
) -> Choice:
    """Return the choice without its firing, which gets the outcome."""
    if choice.fire is None:
        return choice
    nominal = moves.moved_from(rule, choice.fire)
    its = (choice.fire, choice.fire, 1, reason, kind, hold or choice.hold, nominal)
    entry = NotFired(outcome, *its)
    return Choice(None, choice.decided_to, (*choice.not_fired, entry))


def _end(rule: Rule, plan: Plan, now: datetime) -> Plan:
    """Return the plan of a schedule whose limit is used up: other due instants are suppressed."""
    reason = f"its limit of {rule.max_runs} runs was used up"
    rest = missed.suppressed(rule, plan.decided_to, now, reason)
    return replace(
        plan,
        not_fired=plan.not_fired + rest,
        decided_to=rest[-1].last if rest else plan.decided_to,
        next_run_at=None,
    )
