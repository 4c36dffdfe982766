"""The mistakes that windows in code can hold. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from tick.cron import timetable
from tick.define.labels import in_labels
from tick.define.schedules import Schedule
from tick.define.windows import Window
from tick.define.wrong_values import NAME, did_you_mean, in_choice, in_names, in_text
from tick.errors import InvalidCron
from tick.policy.windows import RecurringWindow
from tick.states import AfterWindow
from tick.utc import in_utc

_MAX_NAME, _MAX_REASON = 100, 500
_LONGEST = timedelta(days=366)
_SINCE, _UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)


def find_in_windows(windows: Sequence[Window], schedules: Iterable[Schedule]) -> list[str]:
    """Return every mistake in windows, with file and fix."""
    known = [schedule.id for schedule in schedules]
    twice = Counter(str(window.name) for window in windows)
    found: list[str] = []
    for window in windows:
        mistakes = [*_in_values(window)] or [*_in_scope(window, known), *_in_times(window)]
        if twice[str(window.name)] > 1:
            mistakes.append("is defined more than once; rename all but one.")
        found += [f"{window.source}: window {window.name!r}: {text}" for text in mistakes]
    return found


def _in_values(window: Window) -> Iterator[str]:
    for name in ("name", "timezone", "reason"):
        yield from in_text(name, getattr(window, name))
    for name in ("weekly", "cron"):
        if (value := getattr(window, name)) is not None:
            yield from in_text(name, value)
    if isinstance(window.name, str) and not (
        NAME.match(window.name) and len(window.name) <= _MAX_NAME
    ):
        yield "use lower-case letters, digits, dots and dashes as its name, at most 100 of them."
    if isinstance(window.reason, str) and not 0 < len(window.reason.strip()) <= _MAX_REASON:
        yield f"reason says why, in 1 to {_MAX_REASON} characters."
    length: object = window.length  # whatever its author gave
    if length is not None and not isinstance(length, timedelta):
        yield f"length must be a timedelta, not {length!r}."
    for name in ("starts_at", "ends_at"):
        value = getattr(window, name)
        if value is not None and not (isinstance(value, datetime) and value.tzinfo):
            yield f"{name} must be a datetime with a time zone, not {value!r}."
    yield from in_choice("then", window.then, AfterWindow)


def _in_scope(window: Window, known: Collection[str]) -> Iterator[str]:
    yield from in_labels(window.labels)
    wrong = [*in_names("schedules", window.schedules)]
    yield from wrong
    for id in () if wrong else window.schedules:
        if id not in known:
            yield f"schedules names {id!r}, which is not defined{did_you_mean(id, known)}."


def _in_times(window: Window) -> Iterator[str]:
    begin = window.starts_at and in_utc(window.starts_at)
    end = window.ends_at and in_utc(window.ends_at)
    if begin is not None and end is not None and end <= begin:
        yield "ends_at must be later than starts_at."
    if window.weekly is not None and (window.cron is not None or window.length is not None):
        yield "weekly says when it begins and ends: leave out cron and length."
    elif (window.cron is None) != (window.length is None):
        yield "cron says when it begins, length how long it lasts: give both."
    elif window.weekly is None and window.cron is None:
        if begin is None or end is None:
            yield 'say when: weekly="Sun 02:00-04:00", cron and length, or starts_at and ends_at.'
        if window.timezone != "UTC":
            yield "timezone has no effect without weekly or cron; leave it out."
    else:
        yield from _in_recurrence(window, begin or _SINCE)


def _in_recurrence(window: Window, since: datetime) -> Iterator[str]:
    try:
        times = window.times()
        assert times is not None  # noqa: S101  (asked for what recurs only)
        timetable.validate(times.cron, window.timezone)
    except InvalidCron as error:
        yield str(error)
        return
    given = (times.cron, window.timezone, times.length)
    recurring = RecurringWindow(0, since, _UNTIL, "", "", *given, end_cron=times.end_cron)
    if not timedelta(0) < times.length <= _LONGEST or recurring.overlaps_itself():
        yield "begins again before it ends: write a shorter length or a rarer time."
