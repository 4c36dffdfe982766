"""The rule of a schedule: the part of its definition that the planner reads. Pure."""

import json
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

from tick.cron.local_times import Dst
from tick.cron.zone_data import Zone
from tick.policy.business_days import BusinessDays
from tick.policy.local_steps import LocalStep
from tick.policy.month_steps import MonthStep
from tick.states import MOVING_DAY_RULES, DayRule, MissedPolicy, OverlapPolicy, ScheduleKind

# The newest that this release reads. Rules get a new one when they can say something that an older
# release does not know: that leaves them alone.
RULE_FORMAT = 4
DEFAULT_MAX_CATCH_UP_RUNS = 10
LEAST_MAX_CATCH_UP_AGE_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Rule:
    """All that decides the instants of a schedule and their outcomes.

    `cron` is resolved (no `H`), lengths are seconds, instants are aware UTC. `offset_seconds`
    is the schedule's own share of its jitter: every instant moves by it.
    """

    # It travels as JSON inside a schedule's version: an instant is always decided by the rule that
    # was in force for it, whatever the code says today.

    kind: ScheduleKind
    cron: str | None = None
    timezone: str = "UTC"
    gap: str = "first_valid"
    fold: str = "first"
    every_seconds: float | None = None
    anchor: datetime | None = None
    at: datetime | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    max_runs: int | None = None
    offset_seconds: float = 0.0
    missed: MissedPolicy = MissedPolicy.SKIP
    grace_seconds: float | None = None
    max_catch_up_age_seconds: float | None = None
    max_catch_up_runs: int = DEFAULT_MAX_CATCH_UP_RUNS
    overlap: OverlapPolicy = OverlapPolicy.SKIP
    max_concurrent: int = 1
    deadline_seconds: float | None = None
    pause_after: int | None = None
    calendar: BusinessDays | None = None
    day_rule: DayRule = DayRule.ONLY_BUSINESS_DAYS
    step: LocalStep | MonthStep | None = None
    # The engine by whose rule `cron` is read and fired; None is ours.
    dialect: str | None = None
    # What a version takes over from the one before, where one of them moves instants: nominal ones
    # up to `counts_from` are not its own, but for those `carried`; those `spent` have fired.
    counts_from: datetime | None = None
    carried: tuple[datetime, ...] = ()
    spent: tuple[datetime, ...] = ()
    # The meaning of `timezone` where other data than this process's decide; it does not travel.
    zone: Zone | None = None

    @property
    def dst(self) -> Dst:
        """The choices for hours that a clock change repeats or leaves out."""
        return Dst(gap=self.gap, fold=self.fold)

    @property
    def format(self) -> int:
        """The oldest format that knows all of its options."""
        if self.dialect is not None:
            return 4
        limits = (self.max_concurrent, self.deadline_seconds, self.pause_after)
        if self.is_moved or isinstance(self.step, MonthStep) or limits != (1, None, None):
            return 3
        return 1 if self.calendar is None and self.step is None else 2

    def ends_by(self, now: datetime) -> datetime | None:
        """Return when a firing of `now` has to have ended; None if it may take for ever."""
        seconds = self.deadline_seconds
        return None if seconds is None else now + timedelta(seconds=seconds)

    @cached_property
    def is_moved(self) -> bool:
        """Whether some of its instants are decided elsewhere than where they lie."""
        moves = self.calendar is not None and self.day_rule in MOVING_DAY_RULES
        return moves or bool(self.spent)

    @cached_property
    def unmoved(self) -> "Rule":
        """The rule whose instants are the nominal ones of this rule."""
        return replace(self.as_written, calendar=None)

    @property
    def as_written(self) -> "Rule":
        """The rule without what it took over from the version before."""
        return replace(self, counts_from=None, carried=(), spent=())

    def to_json(self) -> str:
        """Return canonical JSON: equal rules give equal text."""
        # Without defaults, a new option changes no stored rule, and so makes no new versions.
        values = {
            field.name: _plain(value)
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default and field.name != "zone"
        }
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> "Rule":
        """Return the rule that `to_json` wrote. Raises ValueError or TypeError on anything else."""
        return _parse(text)


def as_written(text: str) -> str:
    """Return the text of a rule without what it took over from the version before."""
    if not any(f'"{name}"' in text for name in _TAKEN_OVER):
        return text
    return Rule.from_json(text).as_written.to_json()


# The same few texts are read at every tick.
@lru_cache(maxsize=4096)
def _parse(text: str) -> Rule:
    values: dict[str, Any] = json.loads(text)
    for name in _INSTANTS & values.keys():
        values[name] = datetime.fromisoformat(values[name])
    for name in _LISTS & values.keys():
        values[name] = tuple(map(datetime.fromisoformat, values[name]))
    for name, enum in _ENUMS.items():
        if name in values:
            values[name] = enum(values[name])
    if "calendar" in values:
        values["calendar"] = BusinessDays.from_plain(values["calendar"])
    if "step" in values:
        values["step"] = _step(values["step"], values.get("calendar"))
    return Rule(**values)


def _step(values: dict[str, Any], calendar: BusinessDays | None) -> LocalStep | MonthStep:
    return (
        MonthStep.from_plain(values, calendar) if "on" in values else LocalStep.from_plain(values)
    )


_TAKEN_OVER = ("counts_from", "carried", "spent")
_INSTANTS = {"anchor", "at", "starts_at", "ends_at", "counts_from"}
_LISTS = {"carried", "spent"}
_ENUMS = {
    "kind": ScheduleKind,
    "missed": MissedPolicy,
    "overlap": OverlapPolicy,
    "day_rule": DayRule,
}


def _plain(value: object) -> object:
    if isinstance(value, BusinessDays | LocalStep | MonthStep):
        return value.to_plain()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
