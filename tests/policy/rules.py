"""Rules and instants, written short."""

from datetime import UTC, datetime
from typing import Any

from tick.policy.rule import Rule
from tick.states import ScheduleKind


def at(text: str) -> datetime:
    """An instant of 2026 in UTC: "03-01 02:00" or "03-01 02:00:30"."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def daily(**parts: Any) -> Rule:
    """Every day at 02:00 UTC, unless said otherwise."""
    return Rule(kind=ScheduleKind.CRON, cron=parts.pop("cron", "0 2 * * *"), **parts)


def every(seconds: float, **parts: Any) -> Rule:
    """An interval, anchored at the epoch unless said otherwise."""
    return Rule(kind=ScheduleKind.INTERVAL, every_seconds=seconds, **parts)


def once(instant: datetime, **parts: Any) -> Rule:
    """A single instant."""
    return Rule(kind=ScheduleKind.ONCE, at=instant, **parts)
