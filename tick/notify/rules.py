"""The alert rules: what the facts mean for the alerts. Pure.

An alert of a state (it does not tick, a run takes long) is found for as long as the state holds,
and ends with it. An alert of an event (an instant was missed, a worker died) has no end to wait
for: it expires. `failed` begins with an event, the failed occurrence, and ends with a success.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from tick.define.alerts import (
    CLOCK_AHEAD,
    ERROR,
    REMOVED,
    SILENT,
    WORKER_DEAD,
    ZONE_DATA,
    Deadline,
    Failed,
    Held,
    LateStart,
    Missed,
    NoSuccess,
    Rule,
    RunsLong,
)
from tick.notify import wording
from tick.notify.inputs import EVENT_LASTS, NEVER_LONG, Facts, Told
from tick.policy.tick_health import LATE_AFTER_INTERVALS
from tick.states import LIVE_OUTCOMES, OccurrenceKind, Outcome, ScheduleState
from tick.store.sql import AnyRow
from tick.text import length

AnyRule = TypeVar("AnyRule", bound=Rule)


@dataclass(frozen=True)
class Finding:
    """Something that is wrong. The `key` is the same each time that the same is found."""

    key: str
    rule: str
    title: str
    message: str
    schedule_id: str | None = None
    occurrence_id: int | None = None
    expires_at: datetime | None = None
    """Of an event only."""
    since: datetime | None = None
    """When it began, if that is not when it was found."""


@dataclass(frozen=True)
class Ending:
    """An open alert that is over; without `resolution` nobody is told of it."""

    alert_id: int
    resolution: str | None


def find(facts: Facts) -> list[Finding]:
    """All that is wrong, whether it is known already or not."""
    return [
        *_in_ticks(facts),
        *_in_zone_data(facts),
        *_in_schedules(facts),
        *_in_workers(facts),
        *(finding for told in facts.ended for finding in _in_ended(told, facts.now)),
        *(finding for told in facts.live for finding in _in_live(told, facts)),
    ]


def find_ended(facts: Facts, found: list[Finding]) -> list[Ending]:
    """The open alerts that are over."""
    holding = {finding.key for finding in found}
    return [
        Ending(row.id, how) for row in facts.open if (how := _end_of(row, facts, holding)) != ""
    ]


def _end_of(row: AnyRow, facts: Facts, holding: set[str]) -> str | None:
    """How an alert ended; None for without a word, and "" when it has not ended."""
    if row.expires_at is not None:
        return None if row.expires_at <= facts.now else ""
    if row.rule == Failed.NAME:
        if row.schedule_id is None:
            return None  # nothing of it is left that could succeed
        # What failed only now is not over, even if the counter says so already.
        # Nor is what lives again, because somebody retries it: that takes its failure back.
        goes_on = row.outcome in LIVE_OUTCOMES
        is_over = row.consecutive_failures == 0 and row.key not in holding and not goes_on
    elif row.outcome in LIVE_OUTCOMES and row.rule in _RULES_OF_LIVE:
        # Of very many that are alive not all were looked at.
        looked_at = any(told.row.id == row.occurrence_id for told in facts.live)
        is_over = looked_at and row.key not in holding
    else:
        is_over = row.key not in holding
    return wording.resolution(row, facts.now) if is_over else ""


def _in_ticks(facts: Facts) -> Iterator[Finding]:
    ticks, due = facts.ticks, facts.due_since
    patience = timedelta(seconds=LATE_AFTER_INTERVALS * ticks.usual_seconds)
    if due is not None and facts.now - due > patience:
        yield Finding(
            SILENT,
            SILENT,
            "The scheduler has never ticked",
            f"Something has been due since {wording.instant(due)}, and nothing fires until a tick "
            "comes: let a platform call POST /internal/tick, or start `tick loop`.",
            since=due,
        )
    if ticks.last_at is not None and facts.now > ticks.last_at + patience:
        usual = ""
        if ticks.learned:
            usual = f"; usually one comes every {length(ticks.usual_seconds)}"
        yield Finding(
            SILENT,
            SILENT,
            "The scheduler does not tick",
            f"The last tick came at {wording.instant(ticks.last_at)}, by {ticks.last_source}"
            f"{usual}. Nothing fires until one does: look after what calls "
            "POST /internal/tick, or start `tick loop`.",
            since=ticks.last_at,
        )
    if ticks.ahead_to is not None:
        yield Finding(
            CLOCK_AHEAD,
            CLOCK_AHEAD,
            "A clock was ahead, and schedules are silent",
            f"Everything up to {wording.instant(ticks.ahead_to)} counts as decided already, so "
            "nothing fires before. Set the clock right, then bring the schedules back: "
            "`tick resume --from-now --all`, or in the console.",
            since=facts.now,
        )


def _in_zone_data(facts: Facts) -> Iterator[Finding]:
    if facts.older_zone_data is not None:
        said = facts.older_zone_data
        title = "A process ticks with older time zone data"
        yield Finding(ZONE_DATA, ZONE_DATA, title, said[:1].upper() + said[1:])


def _in_schedules(facts: Facts) -> Iterator[Finding]:
    for row in facts.troubled:
        if row.state == ScheduleState.ERROR:
            yield Finding(
                f"{ERROR}:{row.id}",
                ERROR,
                f"{row.name} can't be fired",
                f"{row.state_reason} It fires no more until its definition changes or somebody "
                f"resumes it: `tick resume {row.id}`.",
                row.id,
            )
        else:
            yield Finding(
                f"{REMOVED}:{row.id}:{row.state_at:%Y%m%dT%H%M%S}",
                REMOVED,
                f"{row.name} was removed while it was on",
                f"It is {row.state_reason}, synced by {row.state_by}. It fires no more. If that "
                "was not meant, bring its definition back within 14 days: it will be on again.",
                row.id,
                expires_at=row.state_at + EVENT_LASTS,
            )
    for quiet in facts.quiet:
        if facts.now - quiet.since > quiet.within:
            yield Finding(
                f"{NoSuccess.NAME}:{quiet.id}",
                NoSuccess.NAME,
                f"{quiet.name} has not succeeded for {length(facts.now - quiet.since)}",
                f"Its last success, or when it was switched on, was "
                f"{wording.instant(quiet.since)}; one is expected every "
                f"{length(quiet.within)}.",
                quiet.id,
            )


def _in_workers(facts: Facts) -> Iterator[Finding]:
    for row in facts.dead:
        what = row.worker_type.replace("_", " ")
        yield Finding(
            f"{WORKER_DEAD}:{row.id}",
            WORKER_DEAD,
            f"A {what} on {row.hostname} died",
            f"The {what} {row.id} on {row.hostname} beat for the last time at "
            f"{wording.instant(row.last_heartbeat_at)}. Its runs were taken back.",
            expires_at=row.stopped_at + EVENT_LASTS,
        )


def _in_ended(told: Told, now: datetime) -> Iterator[Finding]:
    """What the outcome of an occurrence that nobody watched means."""
    row = told.row
    if row.kind == OccurrenceKind.MANUAL or row.schedule_id is None:
        return
    failing = _rule(told, Failed)
    # It may have succeeded since, and that has set the counter back.
    in_a_row = max(told.consecutive_failures, 1)
    if row.outcome == Outcome.FAILED and failing and in_a_row >= failing.after:
        found = _of(told, Failed.NAME, f"{Failed.NAME}:{row.schedule_id}", wording.failed(told))
        yield replace(found, since=row.last_finished_at)
    for outcome, rule in ((Outcome.MISSED, Missed), (Outcome.HELD, Held)):
        if row.outcome == outcome and _rule(told, rule):
            key = f"{rule.NAME}:{row.id}"
            yield _of(told, rule.NAME, key, wording.not_fired(told), now + EVENT_LASTS)


def _in_live(told: Told, facts: Facts) -> Iterator[Finding]:
    """What is wrong with an occurrence that has not ended."""
    for rule, judge in _OF_LIVE.items():
        chosen = _rule(told, rule)
        said = judge(chosen, told, facts) if chosen else None
        if said is not None:
            yield _of(told, rule.NAME, f"{rule.NAME}:{told.row.id}", said)


def _late_start(rule: LateStart, told: Told, facts: Facts) -> wording.Said | None:
    waited = facts.now - told.row.decided_at
    if told.row.first_started_at is not None or waited <= rule.after:
        return None
    return wording.late_start(told, waited)


def _runs_long(rule: RunsLong, told: Told, facts: Facts) -> wording.Said | None:
    usual = facts.usual.get(told.row.schedule_id)
    if told.row.first_started_at is None or (rule.than is None and usual is None):
        return None
    limit = rule.than
    if limit is None and usual is not None:
        limit = max(timedelta(seconds=rule.factor * usual.p95), NEVER_LONG)
    took = facts.now - told.row.first_started_at
    return wording.runs_long(told, took, usual) if limit and took > limit else None


def _deadline(rule: Deadline, told: Told, facts: Facts) -> wording.Said | None:
    if told.row.triggered_by is not None or told.row.late_seconds is None:
        return None  # a person asked for it, when its deadline may have been long over
    due: datetime = (told.row.scheduled_for or told.row.decided_at) + rule.after
    expected = facts.expected.get(told.row.id, facts.now)
    return wording.deadline(told, due, expected, facts.now) if expected > due else None


_OF_LIVE: dict[type[Rule], Callable[..., wording.Said | None]] = {
    LateStart: _late_start,
    RunsLong: _runs_long,
    Deadline: _deadline,
}
_RULES_OF_LIVE = frozenset(rule.NAME for rule in _OF_LIVE)


def _rule(told: Told, kind: type[AnyRule]) -> AnyRule | None:
    return next((rule for rule in told.rules if isinstance(rule, kind)), None)


def _of(
    told: Told, rule: str, key: str, said: wording.Said, expires_at: datetime | None = None
) -> Finding:
    row = told.row
    return Finding(key, rule, said.title, said.message, row.schedule_id, row.id, expires_at)
