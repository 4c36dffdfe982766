"""The alert rules: they turn inputs into alerts, and decide which open alerts are over. Pure.

An alert of a state (nothing ticks, a run takes long) is detected while the state holds, and ends
with it. An alert of an event (an instant was missed, a worker died) expires.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from tick.define import alerts
from tick.notify import wording
from tick.notify.inputs import EVENT_LASTS, NEVER_LONG, AlertInputs, OccurrenceContext
from tick.policy.tick_health import LATE_AFTER_INTERVALS
from tick.states import LIVE_OUTCOMES, OccurrenceKind, Outcome, ScheduleState
from tick.store.sql import AnyRow
from tick.text import length

AnyRule = TypeVar("AnyRule", bound=alerts.Rule)


@dataclass(frozen=True)
class DetectedAlert:
    """Holds an alert that a rule calls for; its `key` is the same at each evaluation."""

    key: str
    rule: str
    title: str
    message: str
    schedule_id: str | None = None
    occurrence_id: int | None = None
    expires_at: datetime | None = None
    """Set for events only."""
    since: datetime | None = None
    """When it began, if not now."""


def find(inputs: AlertInputs) -> list[DetectedAlert]:
    """Return all alerts that the inputs call for, new or already open."""
    return [
        *_in_ticks(inputs),
        *_in_zone_data(inputs),
        *_in_schedules(inputs),
        *_in_workers(inputs),
        *(detected for context in inputs.ended for detected in _in_ended(context, inputs.now)),
        *(detected for context in inputs.live for detected in _in_live(context, inputs)),
    ]


def find_ended(inputs: AlertInputs, found: list[DetectedAlert]) -> dict[int, str | None]:
    """Return how the open alerts that are over ended, by id; None if no message is sent."""
    holding = {detected.key for detected in found}
    over = [row for row in inputs.open if _is_over(row, inputs, row.key in holding)]
    return {row.id: _resolution(row, inputs.now) for row in over}


def _resolution(row: AnyRow, now: datetime) -> str | None:
    # Nothing got better: an event's time is over, or a failing schedule is gone.
    is_gone = row.rule == alerts.Failed.NAME and row.schedule_id is None
    return None if row.expires_at or is_gone else wording.resolution(row, now)


def _is_over(row: AnyRow, inputs: AlertInputs, holds: bool) -> bool:
    if row.expires_at is not None:
        return bool(row.expires_at <= inputs.now)
    if row.rule == alerts.Failed.NAME:
        if row.schedule_id is None:
            return True  # its schedule is gone and can't succeed
        # A new failure is not over, even if the counter is back at 0 already; nor is one that
        # is being retried: the retry has taken its failure out of the counter.
        goes_on = holds or row.outcome in LIVE_OUTCOMES
        return row.consecutive_failures == 0 and not goes_on
    if row.outcome in LIVE_OUTCOMES and row.rule in _RULES_OF_LIVE:
        # The inputs hold a bounded number of live occurrences: judge only those.
        return not holds and any(each.row.id == row.occurrence_id for each in inputs.live)
    return not holds


def _in_ticks(inputs: AlertInputs) -> Iterator[DetectedAlert]:
    ticks, due = inputs.ticks, inputs.due_since
    patience = timedelta(seconds=LATE_AFTER_INTERVALS * ticks.usual_seconds)
    if due is not None and inputs.now - due > patience:
        yield DetectedAlert(
            alerts.SILENT,
            alerts.SILENT,
            "The scheduler has never ticked",
            f"Something has been due since {wording.instant(due)}, and nothing fires until a tick "
            "comes: let a platform call POST /internal/tick, or start `tick loop`.",
            since=due,
        )
    if ticks.last_at is not None and inputs.now > ticks.last_at + patience:
        usual = f"; usually one comes every {length(ticks.usual_seconds)}"
        yield DetectedAlert(
            alerts.SILENT,
            alerts.SILENT,
            "The scheduler does not tick",
            f"The last tick came at {wording.instant(ticks.last_at)}, by {ticks.last_source}"
            f"{usual if ticks.learned else ''}. Nothing fires until one does: look after what "
            "calls POST /internal/tick, or start `tick loop`.",
            since=ticks.last_at,
        )
    if ticks.ahead_to is not None:
        yield DetectedAlert(
            alerts.CLOCK_AHEAD,
            alerts.CLOCK_AHEAD,
            "A clock was ahead, and schedules are silent",
            f"Everything up to {wording.instant(ticks.ahead_to)} counts as decided already, so "
            "nothing fires before. Set the clock right, then bring the schedules back: "
            "`tick resume --from-now --all`, or in the console.",
            since=inputs.now,
        )


def _in_zone_data(inputs: AlertInputs) -> Iterator[DetectedAlert]:
    if inputs.older_zone_data is not None:
        title = "A process ticks with older time zone data"
        # Not `capitalize`, which would lower the names of zones.
        message = inputs.older_zone_data[:1].upper() + inputs.older_zone_data[1:]
        yield DetectedAlert(alerts.ZONE_DATA, alerts.ZONE_DATA, title, message)


def _in_schedules(inputs: AlertInputs) -> Iterator[DetectedAlert]:
    for row in inputs.troubled:
        if row.state == ScheduleState.ERROR:
            yield DetectedAlert(
                f"{alerts.ERROR}:{row.id}",
                alerts.ERROR,
                f"{row.name} can't be fired",
                f"{row.state_reason} It fires no more until its definition changes or somebody "
                f"resumes it: `tick resume {row.id}`.",
                row.id,
            )
        elif row.state == ScheduleState.PAUSED:
            yield DetectedAlert(
                # With the instant: it may be resumed, and fail again.
                f"{alerts.PAUSED}:{row.id}:{row.state_at:%Y%m%dT%H%M%S}",
                alerts.PAUSED,
                f"{row.name} has paused itself",
                f"Paused at {wording.instant(row.state_at)}: {row.state_reason}. It fires no more "
                f"until somebody resumes it: `tick resume {row.id}`, or in the console, which asks "
                "what becomes of the instants that have passed.",
                row.id,
                since=row.state_at,
            )
        else:
            yield DetectedAlert(
                # With the instant: it may come back, and be removed again.
                f"{alerts.REMOVED}:{row.id}:{row.state_at:%Y%m%dT%H%M%S}",
                alerts.REMOVED,
                f"{row.name} was removed while it was on",
                f"It is {row.state_reason}, synced by {row.state_by}. It fires no more. If that "
                "was not meant, bring its definition back within 14 days: it will be on again.",
                row.id,
                expires_at=row.state_at + EVENT_LASTS,
            )
    for row, since, within in inputs.missing_successes:
        if inputs.now - since > within:
            yield DetectedAlert(
                f"{alerts.NoSuccess.NAME}:{row.id}",
                alerts.NoSuccess.NAME,
                f"{row.name} has not succeeded for {length(inputs.now - since)}",
                f"Its last success, or when it was switched on, was {wording.instant(since)}; "
                f"one is expected every {length(within)}.",
                row.id,
            )


def _in_workers(inputs: AlertInputs) -> Iterator[DetectedAlert]:
    for row in inputs.dead:
        what = row.worker_type.replace("_", " ")
        yield DetectedAlert(
            f"{alerts.WORKER_DEAD}:{row.id}",
            alerts.WORKER_DEAD,
            f"A {what} on {row.hostname} died",
            f"The {what} {row.id} on {row.hostname} beat for the last time at "
            f"{wording.instant(row.last_heartbeat_at)}. Its runs were taken back.",
            expires_at=row.stopped_at + EVENT_LASTS,
        )


def _in_ended(context: OccurrenceContext, now: datetime) -> Iterator[DetectedAlert]:
    """Yield alerts of an occurrence that came to its outcome."""
    row = context.row
    if row.kind == OccurrenceKind.MANUAL or row.schedule_id is None:
        return  # whoever fired it by hand looks after it
    failing = _rule(context, alerts.Failed)
    # A later success may have set the counter back to 0.
    in_a_row = max(context.consecutive_failures, 1)
    if row.outcome == Outcome.FAILED and failing and in_a_row >= failing.after:
        # One alert a schedule, not an occurrence: a second failure is the same story.
        key = f"{alerts.Failed.NAME}:{row.schedule_id}"
        found = _of(context, alerts.Failed.NAME, key, wording.failed(context))
        yield replace(found, since=row.last_finished_at)
    for outcome, rule in ((Outcome.MISSED, alerts.Missed), (Outcome.HELD, alerts.Held)):
        if row.outcome == outcome and _rule(context, rule):
            key = f"{rule.NAME}:{row.id}"
            yield _of(context, rule.NAME, key, wording.not_fired(context), now + EVENT_LASTS)


def _in_live(context: OccurrenceContext, inputs: AlertInputs) -> Iterator[DetectedAlert]:
    """Yield alerts of an occurrence that has not ended."""
    for rule, judge in _OF_LIVE.items():
        chosen = _rule(context, rule)
        message = judge(chosen, context, inputs) if chosen else None
        if message is not None:
            yield _of(context, rule.NAME, f"{rule.NAME}:{context.row.id}", message)


def _late_start(
    rule: alerts.LateStart, context: OccurrenceContext, inputs: AlertInputs
) -> wording.AlertMessage | None:
    waited = inputs.now - context.row.decided_at
    if context.row.first_started_at is not None or waited <= rule.after:
        return None
    return wording.late_start(context, waited)


def _runs_long(
    rule: alerts.RunsLong, context: OccurrenceContext, inputs: AlertInputs
) -> wording.AlertMessage | None:
    typical = inputs.typical.get(context.row.schedule_id)
    if context.row.first_started_at is None or (rule.than is None and typical is None):
        return None
    median, p95 = typical or (None, 0.0)
    limit = rule.than or max(timedelta(seconds=rule.factor * p95), NEVER_LONG)
    took = inputs.now - context.row.first_started_at
    return wording.runs_long(context, took, median) if took > limit else None


def _deadline(
    rule: alerts.Deadline, context: OccurrenceContext, inputs: AlertInputs
) -> wording.AlertMessage | None:
    if context.row.triggered_by is not None or context.row.late_seconds is None:
        return None  # fired by a person, perhaps long after its deadline
    due: datetime = (context.row.scheduled_for or context.row.decided_at) + rule.after
    expected = inputs.expected.get(context.row.id, inputs.now)
    return wording.deadline(context, due, expected, inputs.now) if expected > due else None


_OF_LIVE: dict[type[alerts.Rule], Callable[..., wording.AlertMessage | None]] = {
    alerts.LateStart: _late_start,
    alerts.RunsLong: _runs_long,
    alerts.Deadline: _deadline,
}
_RULES_OF_LIVE = frozenset(rule.NAME for rule in _OF_LIVE)


def _rule(context: OccurrenceContext, kind: type[AnyRule]) -> AnyRule | None:
    return next((rule for rule in context.rules if isinstance(rule, kind)), None)


def _of(
    context: OccurrenceContext,
    rule: str,
    key: str,
    message: wording.AlertMessage,
    expires_at: datetime | None = None,
) -> DetectedAlert:
    row = context.row
    return DetectedAlert(key, rule, *message, row.schedule_id, row.id, expires_at)
