"""A schedule as a person wrote it: plain JSON values, to be stored and edited again. Pure."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tick.define.schedules import Schedule
from tick.define.steps import Step, step_from_plain

_IN_CODE_ONLY = frozenset(
    {"id", "renamed_from", "alerts", "ping_url", "source", "first_id", "business_days"}
)
_DEFAULTS = {
    field.name: field.default for field in fields(Schedule) if field.name not in _IN_CODE_ONLY
}
OPTIONS = frozenset(_DEFAULTS)
"""The options of a schedule by hand: they carry no code, command or URL."""
INSTANTS = frozenset({"anchor", "at", "starts_at", "ends_at"})


def to_plain(schedule: Schedule) -> dict[str, Any]:
    """The options that were given, as JSON values: instants in UTC, lengths in seconds."""
    given = {name: getattr(schedule, name) for name in _DEFAULTS}
    return {
        name: _plain(value)
        for name, value in given.items()
        # 0 is said: retries=0 takes away those of the jobs.
        if (value or value == 0) and value != _DEFAULTS[name]
    }


def from_plain(schedule_id: str, values: Mapping[str, Any], *, source: str) -> Schedule:
    """The schedule that `to_plain` was made from; `source` is where mistakes are told to be.

    Raises ValueError for an option that can't be said by hand.
    """
    given = dict(values)
    if unknown := given.keys() - OPTIONS:
        raise ValueError(f"{min(unknown)} can't be given by hand; leave it out")
    for name in INSTANTS & given.keys():
        given[name] = _instant_or_day(given[name])
    if isinstance(every := given.get("every"), int | float):
        given["every"] = timedelta(seconds=every)
    elif isinstance(every, Mapping):
        given["every"] = step_from_plain(every)
    return Schedule(id=schedule_id, source=source, **given)


def is_day(text: str) -> bool:
    """Return whether a text that is a day or an instant is a day."""
    return len(text) == len("2027-01-31")


def _instant_or_day(text: str) -> datetime | date:
    return date.fromisoformat(text) if is_day(text) else datetime.fromisoformat(text)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Step):
        return value.to_plain()
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
