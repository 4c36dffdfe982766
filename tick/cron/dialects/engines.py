"""The engines by name, behind one interface."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice, takewhile
from typing import Any

from tick.cron.dialects import (
    apscheduler,
    celery,
    cron_parser,
    crond,
    croner,
    croniter_walk,
    cronsim_walk,
    dragonmantank,
    fugit,
    node_cron,
    node_schedule,
    npm_cron,
    quartz,
    robfig,
    systemd,
)
from tick.cron.dialects.local_clock import LocalClock
from tick.cron.grammar import quote
from tick.cron.zone_data import Zone
from tick.cron.zones import LAST_YEAR, as_zone, check_zone
from tick.errors import InvalidCron

MOST_TIMES = 1000
# The leap days that are one weekday, ten of them, take 280 years.
_HORIZON = timedelta(days=4 * 36525)
_FIRST, _LAST = datetime(1900, 1, 1), datetime(LAST_YEAR, 12, 31)
_Walk = Callable[[Any, LocalClock, datetime], Iterator[datetime]]


def _nothing_drawn(expression: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Dialect:
    """One engine: how it reads an expression, and when it fires."""

    name: str
    # Of the real engine that was measured.
    version: str
    read: Callable[[str], Any]
    walk: _Walk
    drawn: Callable[[str], str | None] = _nothing_drawn

    def next_times(
        self, expression: str, zone: str | Zone, after: datetime, count: int
    ) -> list[datetime]:
        """Return its first `count` instants strictly later than `after`, aware UTC.

        There are fewer where none comes for 100 years, or where it gives up. Raises InvalidCron for
        what it refuses, and for an unknown zone.
        """
        if after.tzinfo is None:
            raise ValueError(f"{after} has no time zone: instants must be aware")
        spec = self.parse(expression)
        check_zone(zone)
        start = min(max(after.astimezone(UTC).replace(tzinfo=None), _FIRST), _LAST)
        end = start + _HORIZON
        clock = LocalClock(as_zone(zone).tzinfo)
        found = takewhile(lambda each: each <= end, self.walk(spec, clock, start))
        later = (each.replace(tzinfo=UTC) for each in found if each > start)
        return list(islice(later, min(count, MOST_TIMES)))

    def parse(self, expression: str) -> Any:
        """Return what it reads. Raises InvalidCron for what it refuses."""
        return _read(self.read, expression)

    def random(self, expression: str) -> str | None:
        """Return what it draws at random, and in which range; None if it draws nothing."""
        return self.drawn(expression)


@lru_cache(maxsize=1024)
def _read(read: Callable[[str], Any], expression: str) -> Any:
    return read(expression)


_ENGINES = {
    each.name: each
    for each in (
        Dialect("APScheduler", "3.11.3", apscheduler.read, apscheduler.walk),
        Dialect("cron", "4.4.0", npm_cron.read, npm_cron.walk),
        Dialect("cron-parser", "5.10.6", cron_parser.read, cron_parser.walk),
        Dialect("quartz", "2.3.2", quartz.read, quartz.walk),
        Dialect("fugit", "1.5.2", fugit.read, fugit.walk),
        Dialect("node-schedule", "2.1.1", node_schedule.read, node_schedule.walk),
        Dialect("croniter", "7.0.0", croniter_walk.read, croniter_walk.walk),
        Dialect("dragonmantank", "3.4.0", dragonmantank.read, dragonmantank.walk),
        Dialect("systemd", "252", systemd.read, systemd.walk),
        Dialect("celery", "5.7.0", celery.read, celery.walk),
        Dialect("cronsim", "2.8", cronsim_walk.read, cronsim_walk.walk),
        Dialect("robfig-cron", "3.0.1", robfig.read, robfig.walk),
        Dialect("busybox-crond", "1.37.0", crond.busybox, crond.walk_busybox),
        Dialect("croner", "11.0.1", croner.read, croner.walk),
        Dialect("cronie", "1.7.2", crond.cronie, crond.walk_vixie, crond.drawn_by_cronie),
        Dialect("debian-cron", "3.0pl1", crond.debian, crond.walk_vixie),
        Dialect("node-cron", "4.6.0", node_cron.read, node_cron.walk),
    )
}

NAMES = tuple(sorted(_ENGINES, key=str.lower))


def dialect(name: str) -> Dialect:
    """Return the engine of that name. Raises InvalidCron for an unknown one."""
    if isinstance(name, str) and name in _ENGINES:
        return _ENGINES[name]
    close = get_close_matches(str(name)[:60], NAMES, 1)
    meant = f"did you mean {close[0]}? " if close else ""
    raise InvalidCron(f"unknown engine {quote(name)}: {meant}There are {', '.join(NAMES)}")
