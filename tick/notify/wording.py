"""Words alerts: a title of one line, and a message that says what happened and what to do."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from tick.notify.inputs import OccurrenceContext
from tick.states import Outcome, ReasonKind
from tick.store.sql import AnyRow
from tick.text import length

_LISTED = 10
_NAMED = 5
# A column's width: names of schedules have up to 200 characters.
MAX_TITLE = 300
AlertMessage = tuple[str, str]
"""The title and the message of an alert."""


def instant(at: datetime) -> str:
    """Return `Mon 23 Nov 2026, 02:00 UTC`."""
    at = at.astimezone(UTC)
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M} UTC"


def failed(context: OccurrenceContext) -> AlertMessage:
    """Return how many jobs of an occurrence failed, and their errors, equal ones together."""
    row, in_a_row = context.row, context.consecutive_failures
    often = f", for the {_ordinal(in_a_row)} time in a row" if in_a_row > 1 else ""
    ends = ("succeeded", "failed", "skipped", "cancelled")
    counted = [f"{number} {end}" for end in ends if (number := getattr(row, end))]
    head = f"{_firing(context)} failed{often}."
    sums = f" Of {row.runs} jobs {', '.join(counted)}." if row.runs > 1 else ""
    lines = "\n".join(_by_error(context.failures, row.failed))
    title = f"{context.name} failed{_which(context)}"
    return title[:MAX_TITLE], f"{head}{sums}\n\n{lines}".rstrip()


def _which(context: OccurrenceContext) -> str:
    """Return how many jobs made an occurrence fail, or what did; "" if it has only one."""
    row = context.row
    if row.reason_kind == ReasonKind.DEADLINE:
        return ": its deadline was over"
    if row.runs <= 1:
        return ""
    if not row.failed:
        were = "was" if row.skipped == 1 else "were"
        return f": {row.skipped} of {row.runs} jobs {were} skipped, and left out of a retry"
    return f": {row.failed} of {row.runs} jobs"


def not_fired(context: OccurrenceContext) -> AlertMessage:
    """Return the message on instants that did not fire."""
    row = context.row
    count = row._mapping["count"]  # the name is a tuple's method, too
    many = count > 1
    word = "missed" if row.outcome == Outcome.MISSED else "held"
    what = f"{count} instants" if many else "an instant"
    when = instant(row.scheduled_for or row.decided_at)
    if many and row.scheduled_until:
        when += f" to {instant(row.scheduled_until)}"
    todo = f"Run what is wanted as itself: `tick slot {row.schedule_id}`, or in the console."
    why = f"{row.reason}." if row.reason else ""
    title = f"{context.name} {word} {what}" if word == "missed" else f"{context.name}: {what} held"
    return title[:MAX_TITLE], f"{when} did not fire: {why} {todo}".replace("  ", " ")


def late_start(context: OccurrenceContext, waited: timedelta) -> AlertMessage:
    """Return the message on an occurrence without a started run."""
    return (
        f"{context.name} has not started",
        f"{_firing(context)} was fired {length(waited)} ago, and none of its runs has started: "
        "no worker is free or lives. `tick workers` lists them.",
    )


def runs_long(context: OccurrenceContext, took: timedelta, usual: float | None) -> AlertMessage:
    """Return the message on an occurrence that runs too long."""
    known = f" Usually it takes {length(usual)}." if usual is not None else ""
    return (
        f"{context.name} runs for {length(took)}",
        f"{_firing(context)} has been running for {length(took)}.{known}",
    )


def deadline(
    context: OccurrenceContext, due: datetime, expected: datetime, now: datetime
) -> AlertMessage:
    """Return the message on an end that is late, or will be."""
    if now >= due:
        return (
            f"{context.name} missed its deadline",
            f"{_firing(context)} should have ended by {instant(due)}, and it has not.",
        )
    return (
        f"{context.name} will miss its deadline",
        f"{_firing(context)} should end by {instant(due)}; as long as it usually takes, it will "
        f"end at about {instant(expected)}.",
    )


_ENDED = {
    "silent": "The scheduler ticks again, after {length} without a tick.",
    "clock-ahead": "No schedule is silent any more because of a clock that was ahead.",
    "error": "{name} can be fired again.",
    "paused": "{name} is paused no more, after {length}.",
    "failed": "{name} succeeded again, {length} after it had failed.",
    "no-success": "{name} has succeeded.",
    "late-start": "{name} has started, or will not any more.",
    "runs-long": "{name} has ended.",
    "deadline": "{name} has ended, or is expected in time again.",
}


def resolution(alert: AnyRow, now: datetime) -> str:
    """Return how an alert ended, with how long it lasted."""
    words = _ENDED.get(alert.rule, "It is over, after {length}.")
    name = alert.schedule_name or alert.schedule_id or alert.title
    return words.format(name=name, length=length(now - alert.at))


def _firing(context: OccurrenceContext) -> str:
    at = context.row.scheduled_for
    return f"{context.name} of {instant(at)}" if at else context.name


def _by_error(failures: Mapping[str, Sequence[str]], total: int) -> list[str]:
    """Return a line for each error, with its jobs."""
    shown = list(failures.items())[:_LISTED]
    lines = [f"- {_named(names)}: {error}" for error, names in shown]
    listed = sum(len(names) for _, names in shown)
    return lines + ([f"- and {total - listed} more"] if total > listed else [])


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"
