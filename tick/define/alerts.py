"""Alert rules, the events of a schedule that its people want to be told of. Pure.

    Schedule(..., alerts=(alerts.Failed(after=3), alerts.NoSuccess(within=timedelta(hours=26))))

A schedule without `alerts` has those of its package (a tuple `ALERTS` in the package itself), or
DEFAULTS. `alerts=()` means none. Rules for the scheduler as a whole always hold.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from typing import Any, ClassVar


@dataclass(frozen=True)
class Failed:
    """Occurrences failed: `after` of them in a row. Manual firings neither count nor end it.

    Told once, and once more when the schedule succeeds again.
    """

    NAME: ClassVar[str] = "failed"
    after: int = 1


@dataclass(frozen=True)
class Missed:
    """An instant was not fired because no tick came in time."""

    NAME: ClassVar[str] = "missed"


@dataclass(frozen=True)
class Held:
    """An instant was not fired because the storm brake holds it until a person releases it."""

    NAME: ClassVar[str] = "held"


@dataclass(frozen=True)
class LateStart:
    """An occurrence was fired, and none of its runs has started after so long."""

    NAME: ClassVar[str] = "late-start"
    after: timedelta = timedelta(minutes=15)


@dataclass(frozen=True)
class RunsLong:
    """An occurrence runs for longer than `than`; without it, `factor` times the usual p95.

    The usual is learned from the last successes; without enough of them there is no alert.
    """

    NAME: ClassVar[str] = "runs-long"
    than: timedelta | None = None
    factor: float = 3.0


@dataclass(frozen=True)
class NoSuccess:
    """While the schedule is on, no occurrence has succeeded for so long."""

    NAME: ClassVar[str] = "no-success"
    within: timedelta


@dataclass(frozen=True)
class Deadline:
    """An occurrence will not have ended so long after its instant; told before, if foreseen."""

    NAME: ClassVar[str] = "deadline"
    after: timedelta


Rule = Failed | Missed | Held | LateStart | RunsLong | NoSuccess | Deadline
RULES: dict[str, type[Rule]] = {
    rule.NAME: rule for rule in (Failed, Missed, Held, LateStart, RunsLong, NoSuccess, Deadline)
}
SILENT, ERROR, REMOVED, PAUSED = "silent", "error", "removed", "paused"
WORKER_DEAD, UNDELIVERED = "worker-dead", "undelivered"
ZONE_DATA, CLOCK_AHEAD = "zone-data", "clock-ahead"
NAMES = (*RULES, SILENT, CLOCK_AHEAD, ERROR, REMOVED, PAUSED, WORKER_DEAD, UNDELIVERED, ZONE_DATA)
"""All rules: those of schedules, and those that hold for the scheduler as a whole."""
DEFAULTS: tuple[Rule, ...] = (Failed(), Missed(), Held(), LateStart(), RunsLong())


def to_plain(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Return the rules as JSON values; lengths in seconds."""
    return [
        {"rule": rule.NAME}
        | {name: _seconds(value) for name, value in asdict(rule).items() if value is not None}
        for rule in rules
    ]


def from_plain(values: Iterable[dict[str, Any]]) -> tuple[Rule, ...]:
    """Return the rules that `to_plain` wrote."""
    # A newer release may have stored rules, and options of rules, that this one does not know.
    return tuple(_rule(value) for value in values if value["rule"] in RULES)


def _rule(value: Mapping[str, Any]) -> Rule:
    kind = RULES[value["rule"]]
    known = {field.name for field in fields(kind)}
    return kind(**{name: _length(part) for name, part in value.items() if name in known})


def of_schedule(stored: Mapping[str, Any] | None) -> tuple[Rule, ...]:
    """Return the rules in a schedule's column `alerts`, or DEFAULTS."""
    rules = (stored or {}).get("rules")
    return DEFAULTS if rules is None else from_plain(rules)


def find_mistakes(rules: object) -> Iterator[str]:
    """Yield the mistakes in a schedule's or a package's rules."""
    if not isinstance(rules, tuple):
        yield "alerts must be a tuple of rules: alerts=(alerts.Failed(after=3),)."
        return
    for rule in rules:
        if not isinstance(rule, Rule):
            yield f"alerts holds {rule!r}, which is no rule; see tick.alerts."
            continue
        yield from (f"alerts: {rule.NAME} {text}" for text in _in_rule(rule))
        if isinstance(rule, RunsLong) and rule.than is not None and rule.factor != RunsLong.factor:
            yield "alerts: runs-long factor has no effect beside than; leave one of them out."
    names = [rule.NAME for rule in rules if isinstance(rule, Rule)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        yield f"alerts names {twice[0]} more than once; leave one."


def _in_rule(rule: Rule) -> Iterator[str]:
    for field in fields(rule):
        value = getattr(rule, field.name)
        if value is None and field.default is None:
            continue
        if field.type in (int, float):
            if not isinstance(value, int | float) or not 1 <= value <= 1000:
                yield f"needs {field.name} as a number from 1 to 1000."
        elif not isinstance(value, timedelta) or value < timedelta(minutes=1):
            yield f"needs {field.name} as a timedelta of at least a minute."


def _seconds(value: object) -> object:
    return {"seconds": value.total_seconds()} if isinstance(value, timedelta) else value


def _length(value: object) -> Any:
    return timedelta(seconds=value["seconds"]) if isinstance(value, dict) else value
