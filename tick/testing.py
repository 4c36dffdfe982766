"""For a team's own tests of its schedules: when they fire, and what an outage would do to them.

from tick.testing import assert_fires, simulate

def test_the_report_runs_on_working_days():
    assert_fires(report, "2026-03-06 00:00", "2026-03-10 00:00", ["2026-03-06 07:00",
                                                                  "2026-03-09 07:00"])
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tick.cron.zone_data import find_zone
from tick.define.calendar_days import expand, with_days
from tick.define.calendars import Calendar
from tick.define.jobs import ATTRIBUTE, JobDefinition
from tick.define.mistakes import in_calendar
from tick.define.registry import build_registry
from tick.define.schedules import Schedule
from tick.define.timing_mistakes import find_in_timing
from tick.errors import DefinitionsInvalid
from tick.policy.closed_times import firing_between
from tick.policy.instants import just_before
from tick.ticks.simulation import Simulation, Span
from tick.ticks.simulation import simulate as simulate_registry
from tick.utc import Utc, utc

__all__ = ["Simulation", "assert_fires", "fires", "simulate"]
_MOST = 10_000


def fires(
    schedule: Schedule,
    start: str | datetime,
    end: str | datetime,
    *,
    calendars: Iterable[Calendar] = (),
) -> list[datetime]:
    """Return the instants of a schedule in [start, end), in its own zone.

    A text such as "2026-03-08 02:30" is wall time in the schedule's zone; of an hour that the
    clocks repeat it is the first, and "2026-11-01 01:30-05:00" the second. `calendars` hold the one
    that the schedule names, if it does, and those that this one combines. Raises
    DefinitionsInvalid; ValueError for a time that ends before it begins, lies far off, or holds
    more than 10,000 instants.
    """
    known = expand(calendars)
    schedule = with_days(schedule, known)
    if found := [*known.mistakes, *find_in_timing(schedule), *in_calendar(schedule, known)]:
        raise DefinitionsInvalid(found)
    zone = find_zone(schedule.timezone)
    first, last = _instant(start, zone), _instant(end, zone)
    if first >= last:
        raise ValueError(f"the time from {first} to {last} has to begin before it ends")
    due = firing_between(schedule.rule(), just_before(first), just_before(last), _MOST + 1)
    if len(due) > _MOST:
        raise ValueError(f"{schedule.id} fires more than {_MOST:,} times; ask for a shorter time")
    return [at.astimezone(zone) for at in due]


def assert_fires(
    schedule: Schedule,
    start: str | datetime,
    end: str | datetime,
    expected: Iterable[str | datetime],
    *,
    calendars: Iterable[Calendar] = (),
) -> None:
    """Fail unless the schedule fires in [start, end) exactly at the expected instants."""
    found = Counter(utc(at) for at in fires(schedule, start, end, calendars=calendars))
    zone = find_zone(schedule.timezone)
    wanted = Counter(_instant(at, zone) for at in expected)
    surplus, lacking = found - wanted, wanted - found
    if not surplus and not lacking:
        return
    repeated = Counter({at: count for at, count in lacking.items() if at in found})
    lines = [
        *_told("fires, and is not expected", surplus, zone),
        *_told("does not fire", lacking - repeated, zone),
        *_told("is expected more than once", repeated, zone),
    ]
    raise AssertionError("\n".join([f"{schedule.id}:", *lines]))


def simulate(
    schedules: Sequence[Schedule],
    jobs: Sequence[Callable[..., object]],
    start: datetime,
    end: datetime,
    *,
    tick_every: timedelta = timedelta(minutes=1),
    down: Sequence[Span] = (),
    windows: Sequence[Span] = (),
    runs_take: timedelta = timedelta(0),
    calendars: Iterable[Calendar] = (),
) -> Simulation:
    """Run the real tick on the schedules, all switched on, from `start` to `end`.

    All instants are aware. `jobs` are functions declared with @job; `down` are times [from, until)
    without ticks, `windows` those in which nothing fires; `runs_take` is how long each run lasts.
    Raises DefinitionsInvalid; Refused for times that make no sense.
    """
    return simulate_registry(
        build_registry(map(_definition, jobs), schedules, calendars=calendars),
        start,
        end,
        tick_every=tick_every,
        down=down,
        windows=windows,
        runs_take=runs_take,
    )


def _told(what: str, which: Iterable[Utc], zone: ZoneInfo) -> list[str]:
    return [f"  {what}: {at.astimezone(zone)}" for at in sorted(which)]


def _definition(function: Callable[..., object]) -> JobDefinition:
    found: JobDefinition | None = getattr(function, ATTRIBUTE, None)
    if found is None:
        raise TypeError(f"{function!r} is no job; declare it with @job")
    return found


def _instant(value: str | datetime, zone: ZoneInfo) -> Utc:
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    return utc(instant if instant.tzinfo is not None else instant.replace(tzinfo=zone))
