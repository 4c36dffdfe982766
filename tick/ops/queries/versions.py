"""The definitions that a schedule has had: each version, and what it changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from tick.models import schedule_version
from tick.ops.wording import Selected, Timing, describe_target, describe_timing

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
        """When it fires, in words."""
        return describe_timing(self.rule)

    @property
    def selected(self) -> Selected:
        """What it runs, in words."""
        return describe_target(self.mode, self.target)

    @property
    def terms(self) -> Mapping[str, Any]:
        """What else its author set, by name; defaults are left out."""
        try:
            rule = json.loads(self.rule)
        except ValueError:
            return {}
        if not isinstance(rule, dict):
            return {}
        return {name: value for name, value in rule.items() if name not in _WORDED}


_ROWS = sa.select(*(_v[field.name] for field in fields(VersionRow)))


def list_versions(connection: sa.Connection, schedule_id: str) -> tuple[VersionRow, ...]:
    """The latest MOST_VERSIONS, newest first."""
    query = _ROWS.where(_v.schedule_id == schedule_id).order_by(_v.number.desc())
    found = connection.execute(query.limit(MOST_VERSIONS))
    return tuple(VersionRow(**row._mapping) for row in found)


def changes_by_version(versions: Sequence[VersionRow]) -> dict[int, tuple[str, ...]]:
    """For each version but the oldest of these: which of its parts differ from the one before."""
    return {newer.number: _changes(newer, older) for newer, older in pairwise(versions)}


def _changes(newer: VersionRow, older: VersionRow) -> tuple[str, ...]:
    parts = {
        "when": newer.timing != older.timing,
        "jobs": newer.selected.jobs != older.selected.jobs,
        "terms": newer.terms != older.terms,
    }
    found = tuple(name for name, differs in parts.items() if differs)
    # Such as a job's timeout, which a version carries but does not put into words.
    return found or ("details of its jobs",)
