"""The load of a week as a heat map: a row for each hour of the day, a column for each weekday."""

from collections.abc import Sequence
from dataclasses import dataclass

from tick.ops.reports.conflicts import HourLoad, PoolLoad
from tick.text import counted
from webapp.drawing.outcome_calendar import WEEKDAYS

LEVELS = 4


@dataclass(frozen=True)
class Square:
    """An hour of a weekday: how much of the slots it wants at once, from 0 to LEVELS."""

    level: int
    hour: HourLoad
    words: str


def rows(load: PoolLoad) -> list[tuple[int, Sequence[Square | None]]]:
    """Return the hours of the day, each with its squares; None where the clocks leave it out."""
    by_place = {(each.hour, each.weekday): _square(each, load.slots) for each in load.hours}
    return [(hour, [by_place.get((hour, day)) for day in range(7)]) for hour in range(24)]


def _square(hour: HourLoad, slots: int) -> Square:
    # Anything at all is to be seen; the last level is all slots or more.
    level = min(-(-hour.wanted * LEVELS // max(slots, 1)), LEVELS)
    return Square(level, hour, _words(hour, slots))


def _words(hour: HourLoad, slots: int) -> str:
    """Return `Mon 02:00: 12 at once of 8 slots, 40 % of their time; quarters 12, 4, 0, 0`."""
    quarters = ", ".join(map(str, hour.quarters))
    return (
        f"{WEEKDAYS[hour.weekday]} {hour.hour:02}:00: {hour.wanted} at once of "
        f"{counted(slots, 'slot')}, {hour.used:.0%} of their time; by quarters {quarters}"
    )
