"""`Schedule`: a schedule as its author wrote it. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from tick.cron import local_times
from tick.cron.hashed_slots import resolve
from tick.cron.zone_data import by_newest_data
from tick.define import alerts as rules
from tick.define.source import caller
from tick.define.steps import Step, counted_from
from tick.policy.business_days import BusinessDays
from tick.policy.local_steps import LocalStep
from tick.policy.month_steps import MonthStep
from tick.policy.rule import DEFAULT_MAX_CATCH_UP_RUNS, Rule
from tick.states import DayRule, MissedPolicy, Mode, OverlapPolicy, ScheduleKind
from tick.utc import in_utc


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A schedule that lives in code. New ones arrive disabled; an admin switches them on.

    Exactly one of `cron`, `every` and `at` says when; `every` is a timedelta, or `days`, `weeks` or
    `months` of the local calendar, whose `anchor` is a date. It runs the `job`, the `job_group` or
    the `jobs` that it names, or all jobs; `mode` may say so as well (SINGLE_JOB, GROUP, CUSTOM,
    ALL_JOBS). An option that is None was not given. `alerts` are rules of tick.define.alerts.
    `max_concurrent` firings may be unfinished at one time before `overlap` applies; each must end
    within `deadline` seconds. `timeout`, `retries` and `priority` hold for its runs in place of
    their jobs' own. After `pause_after` failed firings in a row it is paused.
    `labels` are names that it shares with others: to list them, switch them and plan windows
    together. `environments` are the names of those in which it exists, or a mapping from each name
    to the options that differ there. `ping_url` gets each start, success and failure; it is a URL,
    or `secret:NAME` for one in the variable NAME.
    """

    id: str
    name: str
    description: str = ""
    cron: str | None = None
    every: timedelta | Step | None = None
    anchor: datetime | date | None = None
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
    max_concurrent: int | None = None
    deadline: float | None = None
    timeout: float | None = None
    retries: int | None = None
    priority: int | None = None
    pause_after: int | None = None
    calendar: str | None = None
    day_rule: DayRule | str | None = None
    labels: Sequence[str] = ()
    dst_gap: str | None = None
    dst_fold: str | None = None
    dialect: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    max_runs: int | None = None
    jitter: float = 0.0
    renamed_from: str | None = None
    environments: Sequence[str] | Mapping[str, Mapping[str, Any]] | None = None
    alerts: tuple[rules.Rule, ...] | None = None
    ping_url: str | None = None
    source: str = field(default="", compare=False)
    # Set by a sync, where the database knows of more than one rename.
    first_id: str | None = field(default=None, compare=False, repr=False)
    # The days of its calendar; set where the definitions are put together.
    business_days: BusinessDays | None = field(default=None, compare=False, repr=False)
    # Itself, as it is elsewhere; set where an environment's own options were put in.
    as_written: "Schedule | None" = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", self.source or caller())

    @property
    def slot_id(self) -> str:
        """The id that `H` and `jitter` are hashed from."""
        # Its first one, so that a rename moves no instant.
        return self.first_id or self.renamed_from or self.id

    @property
    def kind(self) -> ScheduleKind:
        """CRON, INTERVAL or ONCE, by which of `cron`, `every` and `at` is given."""
        if self.cron is not None:
            return ScheduleKind.CRON
        return ScheduleKind.INTERVAL if self.every is not None else ScheduleKind.ONCE

    @property
    def implied_mode(self) -> Mode:
        """The mode that follows from the jobs that it names."""
        if self.job is not None:
            return Mode.SINGLE_JOB
        if self.job_group is not None:
            return Mode.GROUP
        return Mode.ALL_JOBS if self.jobs is None else Mode.CUSTOM

    def rule(self) -> Rule:
        """Return the rule, with every choice that depends on the id resolved."""
        dst, most = self.dst(), self.max_catch_up_runs
        return Rule(
            kind=self.kind,
            cron=self._cron(),
            timezone=self.timezone,
            gap=dst.gap,
            fold=dst.fold,
            every_seconds=self.every.total_seconds() if isinstance(self.every, timedelta) else None,
            step=self._step(),
            anchor=_in_utc(self.anchor) if isinstance(self.anchor, datetime) else None,
            at=_in_utc(self.at),
            starts_at=_in_utc(self.starts_at),
            ends_at=_in_utc(self.ends_at),
            max_runs=self.max_runs,
            offset_seconds=self._share_of_jitter(),
            missed=MissedPolicy(self.missed),
            grace_seconds=self.grace,
            max_catch_up_age_seconds=self.max_catch_up_age,
            max_catch_up_runs=DEFAULT_MAX_CATCH_UP_RUNS if most is None else most,
            overlap=OverlapPolicy(self.overlap),
            max_concurrent=1 if self.max_concurrent is None else self.max_concurrent,
            deadline_seconds=self.deadline,
            pause_after=self.pause_after,
            calendar=self.business_days,
            day_rule=DayRule(self.day_rule or DayRule.ONLY_BUSINESS_DAYS),
            dialect=self.dialect,
        )

    def _step(self) -> LocalStep | MonthStep | None:
        if not isinstance(self.every, Step):
            return None
        return counted_from(self.every, self.anchor, self.business_days)

    def _cron(self) -> str | None:
        # Another engine's expression may have no five fields, and has no H.
        if self.cron is None or self.dialect is not None:
            return self.cron
        return resolve(self.cron, self.slot_id)

    def dst(self) -> local_times.Dst:
        """Return its choices for clock changes. Raises InvalidCron."""
        given = {"gap": self.dst_gap, "fold": self.dst_fold}
        return local_times.Dst(
            **{name: choice for name, choice in given.items() if choice is not None}
        )

    def target(self) -> dict[str, Any]:
        """Return the jobs that it runs, as plain JSON values."""
        return {
            "mode": self.implied_mode if self.mode is None else Mode(self.mode),
            "job_group": self.job_group,
            "jobs": list(self.jobs or ()) if self.job is None else [self.job],
            "with_dependencies": self.with_dependencies,
            "params": dict(self.params),
            **({"overrides": overrides} if (overrides := self.overrides()) else {}),
        }

    def overrides(self) -> dict[str, Any]:
        """Return what it says of its runs in place of their jobs, as plain JSON values."""
        said = {
            "priority": self.priority,
            "retries": self.retries,
            "timeout_seconds": self.timeout,
        }
        return {name: value for name, value in said.items() if value is not None}

    def words(self) -> dict[str, Any]:
        """Return the texts for people; a change of them makes no new version."""
        return {"name": self.name, "description": self.description}

    def labelled(self) -> dict[str, Any]:
        """Return its labels, if it has any, as they are kept with a version."""
        # A change of them makes a new version: windows by label go by them.
        return {"labels": list(self.labels)} if self.labels else {}

    def wall_times(self) -> dict[str, str]:
        """Return its instants that were given in a named zone: `2027-01-01T09:00:00 Asia/Tokyo`."""
        # New zone data may move these instants: a sync must see by which wall time they were meant.
        given = {"at": self.at, "anchor": self.anchor}
        named = {
            name: (at, getattr(at.tzinfo, "key", None))
            for name, at in given.items()
            if isinstance(at, datetime)
        }
        return {
            name: f"{at.replace(tzinfo=None).isoformat()} {key}"
            for name, (at, key) in named.items()
            if key not in (None, "UTC")
        }

    @property
    def named_zone(self) -> str | None:
        """The zone of its wall times."""
        first = next(iter(self.wall_times().values()), None)
        return first and first.rpartition(" ")[2]

    def told(self) -> dict[str, Any]:
        """Return the alert rules and the ping URL; a change of them makes no new version."""
        plain = None if self.alerts is None else rules.to_plain(self.alerts)
        return {"rules": plain, "ping_url": self.ping_url}

    def _share_of_jitter(self) -> float:
        # Hashed, so that it is stable, and spread over the schedules.
        if not self.jitter:
            return 0.0
        digest = hashlib.sha256(self.slot_id.encode()).digest()
        return int.from_bytes(digest[:4], "big") % int(self.jitter)


def _in_utc(instant: datetime | None) -> datetime | None:
    return instant and in_utc(by_newest_data(instant))


def canonical(value: object) -> str:
    """Return compact JSON with sorted keys: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def short_digest(text: str) -> str:
    """Return the first 16 hexadecimal digits of the text's SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
