"""`Schedule`: when what fires, as its author wrote it. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tick.cron import timetable
from tick.cron.zone_data import by_newest_data
from tick.define import alerts as rules
from tick.define.source import caller
from tick.policy.rule import DEFAULT_MAX_CATCH_UP_RUNS, Rule
from tick.states import MissedPolicy, Mode, OverlapPolicy, ScheduleKind
from tick.utc import in_utc


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A schedule that lives in code. New ones arrive disabled; an admin switches them on.

    Exactly one of `cron`, `every` and `at` says when. What it names says what it runs: `job`,
    `job_group` or `jobs`, or all jobs where it names none; `mode` may say so as well (SINGLE_JOB,
    GROUP, CUSTOM, ALL_JOBS). An option that is None was not given. `alerts` says of what its
    people want to be told (see tick.define.alerts). `ping_url` hears of each start, success and
    failure; it is a URL, or `secret:NAME` for one in the variable NAME.
    """

    id: str
    name: str
    description: str = ""
    cron: str | None = None
    every: timedelta | None = None
    anchor: datetime | None = None
    at: datetime | None = None
    timezone: str = "UTC"
    mode: Mode | str | None = None
    job_group: str | None = None
    job: str | None = None
    jobs: Sequence[str] | None = None
    with_dependencies: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)
    missed: MissedPolicy | str = MissedPolicy.SKIP
    grace: float | None = None
    max_catch_up_age: float | None = None
    max_catch_up_runs: int | None = None
    overlap: OverlapPolicy | str = OverlapPolicy.SKIP
    dst_gap: str | None = None
    dst_fold: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    max_runs: int | None = None
    jitter: float = 0.0
    renamed_from: str | None = None
    alerts: tuple[rules.Rule, ...] | None = None
    ping_url: str | None = None
    source: str = field(default="", compare=False)
    first_id: str | None = field(default=None, compare=False, repr=False)
    """Its first name, where the database knows of more than one rename; set when it is synced."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", self.source or caller())

    @property
    def slot_id(self) -> str:
        """What `H` and `jitter` are hashed from: its first id, so that a rename moves nothing."""
        return self.first_id or self.renamed_from or self.id

    @property
    def kind(self) -> ScheduleKind:
        """CRON, INTERVAL or ONCE, by which of `cron`, `every` and `at` is given."""
        if self.cron is not None:
            return ScheduleKind.CRON
        return ScheduleKind.INTERVAL if self.every is not None else ScheduleKind.ONCE

    @property
    def implied_mode(self) -> Mode:
        """The mode that follows from what it names."""
        if self.job is not None:
            return Mode.SINGLE_JOB
        if self.job_group is not None:
            return Mode.GROUP
        return Mode.ALL_JOBS if self.jobs is None else Mode.CUSTOM

    def rule(self) -> Rule:
        """When it fires, with every choice that depends on its id resolved."""
        return Rule(
            kind=self.kind,
            cron=None if self.cron is None else timetable.resolve(self.cron, self.slot_id),
            timezone=self.timezone,
            gap=timetable.DEFAULT.gap if self.dst_gap is None else self.dst_gap,
            fold=timetable.DEFAULT.fold if self.dst_fold is None else self.dst_fold,
            every_seconds=None if self.every is None else self.every.total_seconds(),
            anchor=_in_utc(self.anchor),
            at=_in_utc(self.at),
            starts_at=_in_utc(self.starts_at),
            ends_at=_in_utc(self.ends_at),
            max_runs=self.max_runs,
            offset_seconds=self._share_of_jitter(),
            missed=MissedPolicy(self.missed),
            grace_seconds=self.grace,
            max_catch_up_age_seconds=self.max_catch_up_age,
            max_catch_up_runs=(
                DEFAULT_MAX_CATCH_UP_RUNS
                if self.max_catch_up_runs is None
                else self.max_catch_up_runs
            ),
            overlap=OverlapPolicy(self.overlap),
        )

    def target(self) -> dict[str, Any]:
        """Which jobs it runs, as plain JSON values."""
        return {
            "mode": self.implied_mode if self.mode is None else Mode(self.mode),
            "job_group": self.job_group,
            "jobs": list(self.jobs or ()) if self.job is None else [self.job],
            "with_dependencies": self.with_dependencies,
            "params": dict(self.params),
        }

    def words(self) -> dict[str, Any]:
        """What people read; a change of it makes no new version."""
        return {"name": self.name, "description": self.description}

    def wall_times(self) -> dict[str, str]:
        """Its instants that were given in a named zone: `2027-01-01T09:00:00 Asia/Tokyo`.

        Which instants these are hangs on the zone data.
        """
        given = {"at": self.at, "anchor": self.anchor}
        named = {name: (at, getattr(at and at.tzinfo, "key", None)) for name, at in given.items()}
        return {
            name: f"{at.replace(tzinfo=None).isoformat()} {key}"
            for name, (at, key) in named.items()
            if at is not None and key not in (None, "UTC")
        }

    @property
    def named_zone(self) -> str | None:
        """The zone of its wall times."""
        said = next(iter(self.wall_times().values()), None)
        return said and said.rpartition(" ")[2]

    def told(self) -> dict[str, Any]:
        """Who is told of what, as plain JSON values; a change of it makes no new version."""
        said = None if self.alerts is None else rules.to_plain(self.alerts)
        return {"rules": said, "ping_url": self.ping_url}

    def _share_of_jitter(self) -> float:
        """A part of `jitter` hashed from `slot_id`: stable, and spread over schedules."""
        if not self.jitter:
            return 0.0
        digest = hashlib.sha256(self.slot_id.encode()).digest()
        return int.from_bytes(digest[:4], "big") % int(self.jitter)


def _in_utc(instant: datetime | None) -> datetime | None:
    return instant and in_utc(by_newest_data(instant))


def canonical(value: object) -> str:
    """Compact JSON with sorted keys: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def short_digest(text: str) -> str:
    """The first 16 hexadecimal digits of the text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
