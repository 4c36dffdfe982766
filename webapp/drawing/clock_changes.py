"""Days on which the clocks of a time zone change. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tick.cron import zone_data


@dataclass(frozen=True)
class ClockChange:
    """A change of a zone's clocks; `day` is some instant of that day."""

    day: datetime
    zone: str
    words: str


def find_zone(name: str) -> ZoneInfo:
    """Return the zone, or UTC for one that is not known."""
    # Newer time zone data may lack one that a schedule was written with: the page still opens.
    try:
        return zone_data.find_zone(name)
    except (KeyError, OSError, ValueError):
        return zone_data.find_zone("UTC")


def clock_change(instant: datetime, zone: str) -> str | None:
    """Return what the clocks do on the local day of the instant, if they change."""
    local = instant.astimezone(find_zone(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    leap = _offset(midnight + timedelta(days=1)) - _offset(midnight)
    if not leap:
        return None
    minutes = abs(int(leap.total_seconds())) // 60
    length = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
    return f"clocks go {'forward' if leap > timedelta(0) else 'back'} {length} on this day"


def clock_changes(zones: Iterable[str], start: datetime, end: datetime) -> list[ClockChange]:
    """Return the changes of the zones' clocks on the days from `start` to `end`."""
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
