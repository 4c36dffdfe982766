"""Nights in which a clock change moves, repeats or leaves out an hour of a time zone. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tick.cron import zone_data


@dataclass(frozen=True)
class ClockChange:
    """Some instant of the day on which a zone's clocks change, and how."""

    day: datetime
    zone: str
    words: str


def find_zone(name: str) -> ZoneInfo:
    """The zone, or UTC for one that vanished: it must not take the page with it."""
    try:
        return zone_data.find_zone(name)
    except (KeyError, OSError, ValueError):
        return zone_data.find_zone("UTC")


def clock_change(instant: datetime, zone: str) -> str | None:
    """What the clocks do on the local day of the instant, or None on an ordinary day."""
    local = instant.astimezone(find_zone(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    leap = _offset(midnight + timedelta(days=1)) - _offset(midnight)
    if not leap:
        return None
    minutes = abs(int(leap.total_seconds())) // 60
    length = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
    return f"clocks go {'forward' if leap > timedelta(0) else 'back'} {length} on this day"


def clock_changes(zones: Iterable[str], start: datetime, end: datetime) -> list[ClockChange]:
    """The days from `start` to `end` on which the clocks of some of the zones change."""
    days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    return [
        ClockChange(day, zone, words)
        for day in days
        for zone in sorted(set(zones))
        if (words := clock_change(day, zone)) is not None
    ]


def _offset(local: datetime) -> timedelta:
    # Arithmetic on aware times of one zone is that of the wall clock.
    return local.utcoffset() or timedelta(0)
