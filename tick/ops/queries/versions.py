"""The versions of a schedule's definition, and the differences between them."""

import json
from calendar import day_name
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from tick.errors import NotFound
from tick.ops.queries.descriptions import Selected, Timing, describe_target, describe_timing
from tick.ops.queries.limits import Limits, limits_of, overrides_of
from tick.ops.schemas import Page, Schema
from tick.policy.business_days import BusinessDays
from tick.policy.target import Target
from tick.states import Mode
from tick.store.tables import schedule_version

_v = schedule_version.c
MOST_VERSIONS = 20
# What `Timing` puts into words already.
_OF_CALENDAR, _MOST_DAYS = "calendar, ", 10
_WORDED = {"kind", "cron", "timezone", "every_seconds", "step", "at"}


@dataclass(frozen=True)
class VersionRow:
    """A definition that was in force from `since` until the next version's."""

    number: int
    since: datetime
    by: str
    rule: str
    mode: str
    target: str
    definition: Mapping[str, Any] | None = None

    @property
    def labels(self) -> Sequence[str]:
        """Return the labels that its schedule had by it."""
        return tuple((self.definition or {}).get("labels", ()))

    @property
    def pinned_to(self) -> int | None:
        """Return the earlier version that it repeats, if somebody pinned the schedule."""
        found: int | None = (self.definition or {}).get("pin", {}).get("version")
        return found

    @property
    def timing(self) -> Timing:
        """Describe when it fires."""
        return describe_timing(self.rule)

    @property
    def selected(self) -> Selected:
        """Describe what it runs."""
        return describe_target(self.mode, self.target)

    @property
    def terms(self) -> Mapping[str, Any]:
        """Return its other terms by name; defaults are left out."""
        rule = self.parsed_rule or {}
        found = {name: value for name, value in rule.items() if name not in _WORDED}
        return {**found, **overrides_of(self.target)}

    @property
    def limits(self) -> Limits | None:
        """Return its limits as in effect; None where they cannot be read."""
        return limits_of(self.rule, self.target)

    @property
    def parsed_rule(self) -> dict[str, Any] | None:
        """Return its rule by name; None where it cannot be read."""
        try:
            rule = json.loads(self.rule)
        except ValueError:
            return None
        return rule if isinstance(rule, dict) else None


class Difference(Schema):
    """One part of a definition as it was and as it became; None where it was not there."""

    part: str
    before: str | None
    after: str | None


class Version(Schema):
    """A definition that was in force from `since` until the next version's."""

    number: int
    since: datetime
    by: str
    pinned_to: int | None = Field(
        None, description="the earlier version that it repeats, if somebody pinned the schedule"
    )
    timing: Timing
    mode: Mode | str
    selected: Selected
    rule: dict[str, Any] | None = Field(
        description="when it fires, as the engine reads it; defaults are left out"
    )
    limits: Limits | None = Field(description="as in effect; null if they can't be read")
    changes: tuple[Difference, ...] | None = Field(
        description="from the version before; null for the first that is kept"
    )


class VersionPage(Page[Version]):
    """Versions, newest first; `next` leads to older ones."""


_ROWS = sa.select(*(_v[field.name] for field in fields(VersionRow)))


def list_versions(
    connection: sa.Connection,
    schedule_id: str,
    *,
    before: int | None = None,
    size: int = MOST_VERSIONS,
) -> tuple[VersionRow, ...]:
    """Return the latest versions, or the latest before a number; newest first."""
    query = _ROWS.where(_v.schedule_id == schedule_id).order_by(_v.number.desc())
    if before is not None:
        query = query.where(_v.number < before)
    found = connection.execute(query.limit(size))
    return tuple(VersionRow(**row._mapping) for row in found)


def find_version(connection: sa.Connection, schedule_id: str, number: int) -> VersionRow:
    """Return one version. Raises NotFound."""
    query = _ROWS.where(_v.schedule_id == schedule_id, _v.number == number)
    if (row := connection.execute(query).one_or_none()) is None:
        raise NotFound(f"{schedule_id} has no version {number}.")
    return VersionRow(**row._mapping)


def list_version_page(
    connection: sa.Connection, schedule_id: str, *, before: int | None, size: int
) -> VersionPage:
    """Return a page of versions, and what each of them changed."""
    # One more than is shown: the last one shown changed something as well.
    rows = list_versions(connection, schedule_id, before=before, size=size + 1)
    changes = changes_by_version(rows)
    items = tuple(_version(row, changes.get(row.number)) for row in rows[:size])
    onward = str(items[-1].number) if len(rows) > size else None
    return VersionPage(items=items, next=onward)


def _version(row: VersionRow, changes: tuple[Difference, ...] | None) -> Version:
    return Version(
        number=row.number,
        since=row.since,
        by=row.by,
        pinned_to=row.pinned_to,
        timing=row.timing,
        mode=row.mode,
        selected=row.selected,
        rule=row.parsed_rule,
        limits=row.limits,
        changes=changes,
    )


def changes_by_version(versions: Sequence[VersionRow]) -> dict[int, tuple[Difference, ...]]:
    """Return the differences of each version but the oldest to the one before."""
    return {newer.number: _differences(newer, older) for newer, older in pairwise(versions)}


def _differences(newer: VersionRow, older: VersionRow) -> tuple[Difference, ...]:
    before, after = _parts(older), _parts(newer)
    found = [
        Difference(part=part, before=before.get(part), after=after.get(part))
        for part in [*after, *(part for part in before if part not in after)]
        if before.get(part) != after.get(part)
    ]
    days = [each for each in found if each.part.startswith(_OF_CALENDAR)]
    if len(days) <= _MOST_DAYS:
        return tuple(found)
    more = Difference(part="calendar", before=None, after=f"{len(days) - _MOST_DAYS} days more")
    return (*(each for each in found if each not in days[_MOST_DAYS:]), more)


def _parts(version: VersionRow) -> dict[str, str]:
    """Return all parts of a definition in words, by name."""
    parts = {"when": version.timing.words, "zone": version.timing.timezone}
    parts |= {name.replace("_", " "): str(value).lower() for name, value in version.terms.items()}
    if isinstance(calendar := version.terms.get("calendar"), dict):
        parts |= _calendar_parts(calendar)
    parts["runs"] = version.selected.words
    if version.labels:
        parts["labels"] = ", ".join(version.labels)
    for job in version.selected.jobs:
        parts[f"job {job}"] = "in"
    for job, policy in _policies(version.target).items():
        parts |= {f"{job}, {name.replace('_', ' ')}": value for name, value in policy.items()}
    return parts


def _calendar_parts(calendar: Mapping[str, Any]) -> dict[str, str]:
    """Return the calendar's name, and what each day is that it names."""
    try:
        days = BusinessDays.from_plain(dict(calendar))
    except (ValueError, TypeError, AttributeError):  # another release wrote it
        return {}
    named = {day: name for name, texts in days.holidays for day in texts.split()}
    named |= {
        day: f"half day, over at {at}" for at, texts in days.half_days for day in texts.split()
    }
    named |= dict.fromkeys(days.make_up_days.split(), "working weekend")
    parts = {f"{_OF_CALENDAR}{day[:4]}-{day[4:6]}-{day[6:]}": named[day] for day in sorted(named)}
    weekend = ", ".join(day_name[number] for number in days.weekend) or "none"
    known = f"known until {days.until[:4]}-{days.until[4:6]}-{days.until[6:]}"
    return {"calendar": f"{days.calendar}, weekend {weekend}, {known}"} | parts


def _policies(target: str) -> dict[str, dict[str, str]]:
    """Return the policy of each job in a target, without the defaults."""
    try:
        jobs = Target.from_json(target).jobs
    except (ValueError, TypeError, KeyError):  # another release wrote it
        return {}
    return {
        job.name: {
            field.name: str(value)
            for field in fields(job)
            if field.name not in ("name", "group")
            and (value := getattr(job, field.name)) not in (field.default, {})
        }
        for job in jobs
    }
