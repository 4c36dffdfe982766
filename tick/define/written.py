"""A schedule as a person wrote it: plain JSON values, to be stored and edited again. Pure."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tick.define import alerts as rules
from tick.define.environments import differences
from tick.define.schedules import Schedule
from tick.define.steps import Step, step_from_plain

_IN_CODE_ONLY = frozenset(
    {
        "id",
        "renamed_from",
        "alerts",
        "ping_url",
        "source",
        "first_id",
        "business_days",
        "as_written",
    }
)
_DEFAULTS = {
    field.name: field.default for field in fields(Schedule) if field.name not in _IN_CODE_ONLY
}
OPTIONS = frozenset(_DEFAULTS)
"""The options of a schedule by hand: they carry no code, command or URL."""
INSTANTS = frozenset({"anchor", "at", "starts_at", "ends_at"})


def to_plain(schedule: Schedule) -> dict[str, Any]:
    """The options that were given, as JSON values: instants in UTC, lengths in seconds."""
    schedule = schedule.as_written or schedule
    given = {name: getattr(schedule, name) for name in _DEFAULTS}
    if isinstance(given["environments"], Mapping):
        found = differences(schedule) or {}
        given["environments"] = {name: _by_hand(differing) for name, differing in found.items()}
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
    given = _from_plain(values)
    if isinstance(named := given.get("environments"), Mapping):
        given["environments"] = {
            name: _from_plain(differing) if isinstance(differing, Mapping) else differing
            for name, differing in named.items()
        }
    return Schedule(id=schedule_id, source=source, **given)


def differences_to_plain(schedule: Schedule) -> dict[str, dict[str, Any]] | None:
    """The options that differ by environment, as JSON values; None if it names none."""
    found = differences(schedule.as_written or schedule)
    return found and {name: _shown(differing) for name, differing in found.items()}


def _from_plain(values: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(values)
    if unknown := given.keys() - OPTIONS:
        raise ValueError(f"{min(unknown)} can't be given by hand; leave it out")
    for name in INSTANTS & given.keys():
        given[name] = _instant_or_day(given[name])
    if isinstance(every := given.get("every"), int | float):
        given["every"] = timedelta(seconds=every)
    elif isinstance(every, Mapping):
        given["every"] = step_from_plain(every)
    return given


def _by_hand(differing: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in differing.items() if name in OPTIONS}


def _shown(differing: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(differing)
    if given.get("alerts") is not None:
        given["alerts"] = rules.to_plain(given["alerts"])
    # What is shown to whoever may look must not hold an address that is a secret.
    given |= {"ping_url": "***"} if given.get("ping_url") else {}
    return _plain_options(given)


def _plain_options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in options.items()}


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
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return list(map(_plain, value))
    return _plain_options(value) if isinstance(value, Mapping) else value
