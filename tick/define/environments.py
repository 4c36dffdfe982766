"""Environments: in which of them a schedule exists, and what differs there. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from typing import Any

from tick.define.schedules import Schedule
from tick.define.wrong_values import NAME, did_you_mean

OTHERS = "*"
"""Stands for every environment that is not named."""
MAX_NAME = 50
_FIELDS = {field.name: field for field in fields(Schedule)}
_INTERNAL = frozenset({"source", "first_id", "business_days", "as_written"})
_SAME_EVERYWHERE = frozenset({"id", "environments", "renamed_from"})
_MAY_DIFFER = frozenset(_FIELDS) - _INTERNAL - _SAME_EVERYWHERE
# Another way to say when, or what to run, takes the place of the one that holds elsewhere.
ONE_OF = (("cron", "every", "at"), ("job", "job_group", "jobs", "mode"))


def is_environment(name: object) -> bool:
    """Return whether this can be the name of an environment."""
    return isinstance(name, str) and bool(NAME.match(name)) and len(name) <= MAX_NAME


def in_environment(schedule: Schedule, environment: str) -> Schedule | None:
    """Return the schedule as it is there, or None where it does not exist."""
    named = schedule.environments
    if named is None:
        return schedule
    if not isinstance(named, Mapping):
        return schedule if environment in named else None
    if environment not in named and OTHERS not in named:
        return None
    return _with(schedule, named.get(environment, named.get(OTHERS, {})))


def variants(schedule: Schedule) -> dict[str, Schedule]:
    """Return the schedule as it is in each environment that it names; one for all that are alike.

    Its `environments` must be right.
    """
    named = schedule.environments
    if not isinstance(named, Mapping):
        return {"": schedule}
    return {name: _with(schedule, differing) for name, differing in named.items()}


def in_words(name: str, differing: Mapping[str, Any]) -> str:
    """Return an environment with the options that differ there, as plain JSON values."""
    listed = ", ".join(f"{option} {_told(value)}" for option, value in differing.items())
    place = "others" if name == OTHERS else name
    return f"{place} ({listed})" if listed else place


def _told(value: object) -> str:
    if value is None:
        return "as by default"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def differences(schedule: Schedule) -> dict[str, dict[str, Any]] | None:
    """Return the options that differ by the names of its environments; None if it names none."""
    named = schedule.environments
    if named is None:
        return None
    if isinstance(named, Mapping):
        return {name: dict(differing) for name, differing in named.items()}
    return {name: {} for name in named}


def find_mistakes(schedule: Schedule) -> Iterator[str]:
    """Yield the mistakes in its `environments`."""
    named: object = schedule.environments
    if named is None:
        return
    if isinstance(named, str) or not isinstance(named, Mapping | Sequence | set | frozenset):
        yield (
            'environments must be names, such as ["production"], or a mapping from each name to '
            'what differs there, such as {"production": {}, "staging": {"cron": "0 3 * * *"}}.'
        )
    elif not named:
        yield "environments names none, so it would exist nowhere; name one, or leave it out."
    elif isinstance(named, Mapping):
        yield from _in_names(set(named) - {OTHERS})
        yield from _in_mapping(schedule, named)
    else:
        yield from _in_names(named)


def _in_names(names: Any) -> Iterator[str]:
    for name in names:
        if not is_environment(name):
            yield (
                f"environments: {name!r} is no name; use lower-case letters, digits, dots and "
                f"dashes, at most {MAX_NAME} characters."
            )


def _in_mapping(schedule: Schedule, named: Mapping[Any, object]) -> Iterator[str]:
    if list(named) == [OTHERS]:
        yield "environments has no effect with '*' alone, which is everywhere; leave it out."
    for name, differing in named.items():
        if not isinstance(differing, Mapping):
            yield (
                f"environments[{name!r}] must be a mapping from options to their values there, or "
                f"{{}} where nothing differs, not {differing!r}."
            )
            continue
        for option, value in differing.items():
            if (why := _wrong_with(schedule, option, value)) is not None:
                yield f"environments[{name!r}]: {option} {why}."


def _wrong_with(schedule: Schedule, option: Any, value: object) -> str | None:
    if option in _SAME_EVERYWHERE:
        return "can't differ between environments; leave it out"
    if option not in _MAY_DIFFER:
        return f"is no option of a schedule{did_you_mean(str(option), sorted(_MAY_DIFFER))}"
    before = getattr(schedule, option)
    if value == before or (value is None and before == _default(option)):
        return "is what it is everywhere; leave it out"
    return None


def _with(schedule: Schedule, differing: Mapping[str, Any]) -> Schedule:
    taken_away = {
        option: None
        for options in ONE_OF
        if any(differing.get(option) is not None for option in options)
        for option in options
    }
    given = taken_away | dict(differing)
    values = {name: _default(name) if value is None else value for name, value in given.items()}
    return replace(schedule, **values, as_written=schedule)


def _default(option: str) -> Any:
    field = _FIELDS[option]
    return field.default if field.default_factory is MISSING else field.default_factory()
