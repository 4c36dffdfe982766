"""Explains why a schedule fired at an instant, or did not: one sentence and the facts."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from pydantic import Field

from tick.engine.ledger.rows import InstantRow, find_covering
from tick.engine.ledger.versions import Version, in_force, versions_of
from tick.engine.ledger.windows import windows_touching
from tick.engine.runs.settle import LATE
from tick.engine.schedules.lifecycle import why_off
from tick.engine.statistics.prune_state import pruned_up_to
from tick.ops.queries.audit import is_about
from tick.ops.queries.courses import Course, read_course
from tick.ops.queries.descriptions import describe_timing
from tick.ops.queries.limits import limits_of
from tick.ops.queries.occurrences import queued_until
from tick.ops.queries.schedules import no_schedule
from tick.ops.reports.moved import moved_to
from tick.ops.reports.run_proof import in_utc
from tick.ops.schemas import Schema
from tick.policy import instants
from tick.policy.ahead import forecast
from tick.policy.closed_times import closed_at
from tick.policy.holds import held_at
from tick.policy.moves import moved_from
from tick.policy.windows import AnyWindow, covering, of_schedule
from tick.states import HeldBy, ReasonKind, ScheduleState
from tick.store.sql import AnyRow
from tick.store.tables import (
    audit_entry,
    job_run,
    job_schedule,
    occurrence,
    schedule_version,
    tick_log,
)
from tick.text import counted, length
from tick.utc import utc

_s, _v, _o, _r = job_schedule.c, schedule_version.c, occurrence.c, job_run.c
_t, _a = tick_log.c, audit_entry.c


class Fact(Schema):
    """One thing that bears on an answer."""

    name: str
    text: str


class Why(Schema):
    """Why a schedule fired at an instant, or why it did not."""

    schedule_id: str
    at: datetime
    sentence: str
    occurrence_id: int | None = Field(description="the row of the ledger behind it")
    facts: tuple[Fact, ...]


def explain(connection: sa.Connection, schedule_id: str, at: datetime, now: datetime) -> Why:
    """Explain why the schedule fired at `at`, or why it did not. Raises NotFound."""
    at, now = utc(at), utc(now, "now")
    row = connection.execute(sa.select(job_schedule).where(_s.id == schedule_id)).first()
    versions = versions_of(connection, schedule_id)
    if row is None or not versions:
        raise no_schedule(schedule_id)
    entry = find_covering(connection, schedule_id, at)
    is_the_row = entry is not None and at in (entry.scheduled_for, entry.last)
    if not is_the_row and (there := moved_to(connection, schedule_id, versions, at)) is not None:
        found = explain(connection, schedule_id, there, now)
        said = f"{schedule_id} at {in_utc(at)} is moved by its calendar. {found.sentence}"
        return found.model_copy(update={"at": at, "sentence": said})
    version = in_force(versions, at)
    if entry is not None:  # its own version decided it, whichever was in force by then
        version = next(each for each in versions if each.id == entry.version_id)
    touching = windows_touching(connection, min(at, now), max(at, now))
    windows = of_schedule(touching, schedule_id, row.labels)
    course = read_course(connection, schedule_id, now) if at > now else None
    sentence = _sentence(*(row, version, entry, at, now, windows, course, pruned_up_to(connection)))
    facts = (*_facts_of_rule(row, version), *_history(connection, schedule_id, at))
    facts += (*_facts_of_definition(connection, version), *_ticks(connection, at))
    if entry is not None:
        facts += tuple(_facts_of_entry(connection, entry))
    return Why(
        schedule_id=schedule_id,
        at=at,
        sentence=sentence,
        occurrence_id=entry.id if entry else None,
        facts=facts,
    )


def _sentence(
    row: AnyRow,
    version: Version,
    entry: InstantRow | None,
    at: datetime,
    now: datetime,
    windows: Sequence[AnyWindow],
    course: Course | None,
    pruned_to: datetime | None,
) -> str:
    said = f"{row.id} at {in_utc(at)}"
    unread = describe_timing(version.rule_text).mistake
    if nominal := _moved_from(version, entry, at, unread):
        said += f", moved there from {in_utc(nominal)},"
    # The ends of a row are instants for certain; between them its rule has to be asked.
    is_the_row = entry is not None and at in (entry.scheduled_for, entry.last)
    if unread is None and not is_the_row and not instants.is_instant(version.rule, at):
        return f"{row.id} was not due at {in_utc(at)}: {_neighbours(version, at)}."
    if entry is not None and entry.fired:
        asked = entry.late_seconds is None
        how = (
            "because somebody asked for it" if asked else f"{length(entry.late_seconds or 0)} late"
        )
        late = f": {LATE}" if entry.reason_kind == ReasonKind.DEADLINE else ""
        return f"{said} fired, {how}, and is {entry.outcome}{late}.{_held(entry)}"
    if entry is not None:
        return f"{said} did not fire ({entry.outcome}): {entry.reason}.{_held(entry)}"
    if unread is not None:
        return f"{said} can't be explained: version {version.number} can't be read: {unread}"
    if course is not None and at > row.decided_to:
        return f"{said} {_to_come(row, course, at)}."
    if row.created_at < at <= row.decided_to:
        return f"{said} {_without_row(at, pruned_to)}."
    return f"{said} {_undecided(row, version, at, now, windows)}."


def _held(entry: InstantRow) -> str:
    """Say what held it back, and until when."""
    if (hold := entry.hold) is None:
        return ""
    return f" It was held until {in_utc(hold.until)} by {_HOLDERS[hold.by]}."


_HOLDERS = {
    HeldBy.BRAKE: "the storm brake, which lets a tick create so many runs and no more",
    HeldBy.WINDOW: "a maintenance window, after which it was to be decided",
}


def _moved_from(
    version: Version, entry: InstantRow | None, at: datetime, unread: str | None
) -> datetime | None:
    """Return where the rule has an instant that a calendar moved to `at`."""
    if entry is not None and entry.scheduled_for == at:
        return entry.nominal_for
    return None if unread is not None else moved_from(version.rule, at)


def _to_come(row: AnyRow, course: Course, at: datetime) -> str:
    if course.begin is None or at <= course.begin:
        return f"will not fire: {why_off(row)}"
    most = course.rule.max_runs or 0
    if course.left == 0:
        return f"does not fire: its limit of {most} runs is used up"
    coming = forecast(course.rule, at, course.windows)
    if coming.window is not None:
        return f"will not fire: {coming.window.in_words()}"
    if course.is_beyond_limit(at):
        rest = f"{counted(course.left or 0, 'run')} {'is' if course.left == 1 else 'are'}"
        return f"will not fire: only {rest} left of its limit of {most}, and go to earlier instants"
    if coming.held is not None:
        return f"is still to come, and will be {coming.held.in_words()}"
    return "is still to come"


def _without_row(at: datetime, pruned_to: datetime | None) -> str:
    if pruned_to is not None and at <= pruned_to:
        return "was decided, and its row has been pruned since"
    return (
        "stands in no row of the ledger, though none of that time was pruned; `tick verify` tells "
        "what is missing"
    )


def _undecided(
    row: AnyRow, version: Version, at: datetime, now: datetime, windows: Sequence[AnyWindow]
) -> str:
    if at <= row.created_at:
        return "was before the schedule was known here"
    if not (row.enabled and row.state == ScheduleState.ACTIVE):
        return f"did not fire: {why_off(row)}"
    if version.rule.max_runs is not None and row.run_count >= version.rule.max_runs:
        return f"does not fire: its limit of {version.rule.max_runs} runs is used up"
    if (closed := closed_at(version.rule, windows, at)) is not None:
        return f"does not fire: {closed.in_words()}"
    if (held := held_at(windows, at)) is not None and held.covers(now):
        return f"is due, and {held.in_words()}"
    if (window := covering(windows, now)) is not None:
        return f"is due, and nothing fires now: {window.in_words()}"
    return f"is due and waits for a tick{_held_up(row, now)}"


def _held_up(row: AnyRow, now: datetime) -> str:
    if row.retry_after is None or row.retry_after <= now:
        return ""
    failed = f" after an error ({row.last_error})" if row.last_error else ""
    return f", not before {in_utc(row.retry_after)}{failed}"


def _neighbours(version: Version, at: datetime) -> str:
    before = instants.latest_until(version.rule, instants.EPOCH, at)
    after = instants.first_after(version.rule, at)
    around = f"{in_utc(before)} and {in_utc(after)}"
    return f"by version {version.number} its instants around it are {around}"


def _facts_of_rule(row: AnyRow, version: Version) -> Iterator[Fact]:
    timing = describe_timing(version.rule_text)
    when = f"{timing.expression or timing.words} ({timing.timezone})"
    if timing.mistake is not None:
        when = f"which can't be read: {timing.mistake.rstrip('.')}"
    yield _fact(
        "version", f"{version.number}, {when}, since {in_utc(version.since)} by {version.by}"
    )
    if timing.mistake is None:
        yield _fact("missed", f"{version.rule.missed}; overlap {version.rule.overlap}")
        limits = limits_of(version.rule_text, version.target)
        if limits is not None and limits.words:
            yield _fact("limits", "; ".join(limits.words))
    state = row.state if row.enabled else f"switched off, {row.state}"
    yield _fact("state now", state if row.enabled and row.state == "ACTIVE" else why_off(row))
    yield _fact("decided to", f"{in_utc(row.decided_to)}; next {in_utc(row.next_run_at)}")


def _facts_of_definition(connection: sa.Connection, version: Version) -> Iterator[Fact]:
    """Yield to which version it was pinned, and which calendar decided by which data."""
    query = sa.select(_v.definition).where(_v.id == version.id)
    definition = connection.execute(query).scalar_one() or {}
    if (pin := definition.get("pin")) is not None:
        yield _fact("pinned", f"to version {pin['version']} by {pin['by']}: {pin['reason']}")
    if describe_timing(version.rule_text).mistake or (days := version.rule.calendar) is None:
        return
    stored = definition.get("calendar", {})
    first, until = (date.fromisoformat(day) for day in (days.first, days.until))
    made_from = stored.get("made_from")
    yield _fact("calendar", f"{days.calendar}: {made_from}; known from {first} to {until}")


def _history(connection: sa.Connection, schedule_id: str, at: datetime) -> Iterator[Fact]:
    """Yield the last changes that people and deploys made before the instant."""
    entries = connection.execute(
        sa.select(_a.at, _a.actor, _a.action, _a.reason)
        .where(is_about(_names(connection, schedule_id)), _a.at <= at)
        .order_by(_a.id.desc())
        .limit(3)
    )
    for entry in entries:
        reason = f" ({entry.reason})" if entry.reason else ""
        yield _fact("before it", f"{entry.action} by {entry.actor} at {in_utc(entry.at)}{reason}")


def _names(connection: sa.Connection, schedule_id: str) -> Sequence[str]:
    """Return the schedule's id and its former ids."""
    names = [schedule_id]
    renames = connection.execute(
        sa.select(_a.subject, _a.before)
        .where(sa.text("audit_entry.action = 'schedule.rename'"))  # as the partial index has it
        .order_by(_a.id.desc())
    )
    # Newest first, so that each rename leads to the id before it.
    for rename in renames:
        if rename.subject == names[-1]:
            names.append(rename.before["id"])
    return names


def _ticks(connection: sa.Connection, at: datetime) -> Iterator[Fact]:
    for name, side, order in (
        ("tick before", _t.started_at < at, _t.started_at.desc()),
        ("tick after", _t.started_at >= at, _t.started_at.asc()),
    ):
        tick = connection.execute(
            sa.select(_t.now, _t.source, _t.error).where(side).order_by(order).limit(1)
        ).first()
        error = f", error: {tick.error}" if tick and tick.error else ""
        yield _fact(
            name, f"{in_utc(tick.now)} by {tick.source}{error}" if tick else "none is known"
        )


def _facts_of_entry(connection: sa.Connection, entry: InstantRow) -> Iterator[Fact]:
    by = f" for {entry.triggered_by}" if entry.triggered_by else ""
    yield _fact("decided", f"at {in_utc(entry.decided_at)} by {entry.tick_id}{by}")
    if entry.count > 1:
        span = f"{in_utc(entry.scheduled_for)} to {in_utc(entry.last)}"
        yield _fact("one row for", f"{entry.count} instants, {span}")
    if entry.fired and entry.reason:
        yield _fact("reason", entry.reason)
    if entry.hold is not None:
        yield _fact("held by", f"{entry.hold.by} until {in_utc(entry.hold.until)}")
    if entry.blocked_by_id is not None:
        outcome = connection.execute(
            sa.select(_o.outcome).where(_o.id == entry.blocked_by_id)
        ).scalar()
        since = queued_until(connection, entry.blocked_by_id, entry.decided_at)
        queued = f", which no worker had begun then: queued since {in_utc(since)}" if since else ""
        yield _fact("behind", f"occurrence {entry.blocked_by_id} ({outcome or 'pruned'}){queued}")
    counts = connection.execute(
        sa.select(_r.status, sa.func.count())
        .where(_r.occurrence_id == entry.id)
        .group_by(_r.status)
        .order_by(_r.status)
    ).all()
    if counts:
        yield _fact("runs", ", ".join(f"{count} {status}" for status, count in counts))


def _fact(name: str, text: str) -> Fact:
    return Fact(name=name, text=text)
