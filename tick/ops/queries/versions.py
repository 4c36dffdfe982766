"""The versions of a schedule's definition, and the differences between them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from tick.ops.queries.descriptions import Selected, Timing, describe_target, describe_timing
from tick.policy.target import Target
from tick.store.tables import schedule_version

_v = schedule_version.c
MOST_VERSIONS = 20
# What `Timing` puts into words already.
_WORDED = {"kind", "cron", "timezone", "every_seconds", "at"}


@dataclass(frozen=True)
class VersionRow:
    """A definition that was in force from `since` until the next version's."""

    number: int
    since: datetime
    by: str
    rule: str
    mode: str
    target: str

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
        """Return the other terms of its rule by name; defaults are left out."""
        try:
            rule = json.loads(self.rule)
        except ValueError:
            return {}
        if not isinstance(rule, dict):
            return {}
        return {name: value for name, value in rule.items() if name not in _WORDED}


@dataclass(frozen=True)
class Difference:
    """One part of a definition as it was and as it became; None where it was not there."""

    part: str
    before: str | None
    after: str | None


_ROWS = sa.select(*(_v[field.name] for field in fields(VersionRow)))


def list_versions(connection: sa.Connection, schedule_id: str) -> tuple[VersionRow, ...]:
    """Return the latest MOST_VERSIONS, newest first."""
    query = _ROWS.where(_v.schedule_id == schedule_id).order_by(_v.number.desc())
    found = connection.execute(query.limit(MOST_VERSIONS))
    return tuple(VersionRow(**row._mapping) for row in found)


def changes_by_version(versions: Sequence[VersionRow]) -> dict[int, tuple[Difference, ...]]:
    """Return the differences of each version but the oldest to the one before."""
    return {newer.number: _differences(newer, older) for newer, older in pairwise(versions)}


def _differences(newer: VersionRow, older: VersionRow) -> tuple[Difference, ...]:
    before, after = _parts(older), _parts(newer)
    return tuple(
        Difference(part, before.get(part), after.get(part))
        for part in [*after, *(part for part in before if part not in after)]
        if before.get(part) != after.get(part)
    )


def _parts(version: VersionRow) -> dict[str, str]:
    """Return all parts of a definition in words, by name."""
    parts = {"when": version.timing.words, "zone": version.timing.timezone}
    parts |= {name.replace("_", " "): str(value).lower() for name, value in version.terms.items()}
    parts["runs"] = version.selected.words
    for job in version.selected.jobs:
        parts[f"job {job}"] = "in"
    for job, policy in _policies(version.target).items():
        parts |= {f"{job}, {name.replace('_', ' ')}": value for name, value in policy.items()}
    return parts


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
