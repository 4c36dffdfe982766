"""The rules of time zones, by the data that `TICK_ZONE_DATA` chooses: the newest on the machine."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tick.cron.zone_files import digest
from tick.zone_sources import Source, chosen_sources, read_choice


@dataclass(frozen=True)
class Zone:
    """One zone's rules, as one release of the data has them; equal if the content is equal.

    `version` is the IANA release (`2026a`), None if it is unknown. `data` is its TZif file.
    """

    name: str
    # Stands for what the clocks show from 2000 on: the same in the fat and the slim form of a file.
    digest: str
    version: str | None = field(default=None, compare=False)
    data: bytes = field(default=b"", compare=False, repr=False)
    tzinfo: ZoneInfo = field(default=ZoneInfo("UTC"), compare=False, repr=False)


def build_zone(name: str, data: bytes, version: str | None = None) -> Zone:
    """Return the zone that a TZif file describes. Raises ValueError for anything else."""
    return Zone(name, digest(data), version, data, ZoneInfo.from_file(io.BytesIO(data), key=name))


@dataclass(frozen=True, eq=False)
class ZoneData:
    """Zone data from some sources: for each zone the first one that has it."""

    sources: Sequence[Source]
    _known: dict[str, Zone] = field(default_factory=dict, repr=False, compare=False)

    @property
    def version(self) -> str | None:
        """The release that is read first."""
        return self.sources[0].version

    @property
    def place(self) -> str:
        """The place of that release."""
        return self.sources[0].place

    def find(self, name: str) -> Zone | None:
        """Return the zone of that name; None if there is none."""
        if name not in self._known:
            for source in self.sources:
                if (data := source.read(name)) is not None:
                    # By setdefault: of two threads that read a zone, both get the same object.
                    return self._known.setdefault(name, build_zone(name, data, source.version))
        return self._known.get(name)

    def zone(self, name: str) -> Zone:
        """Return the zone of that name. Raises ZoneInfoNotFoundError, a KeyError."""
        found = self.find(name)
        if found is None:
            raise ZoneInfoNotFoundError(f"no time zone is called {name!r}")
        return found


def current() -> ZoneData:
    """Return the data that this process goes by."""
    return _installed() if _swapped is None else _swapped


def find_zone(name: str) -> ZoneInfo:
    """Return the time zone of that name, for datetimes. Raises ZoneInfoNotFoundError."""
    return current().zone(name).tzinfo


def by_newest_data(instant: datetime) -> datetime:
    """Return the same wall time by this process's data, if it has a named zone."""
    # The author's ZoneInfo was read from the system's files, however old they are.
    name = getattr(instant.tzinfo, "key", None)
    zone = current().find(name) if isinstance(name, str) else None
    return instant if zone is None else instant.replace(tzinfo=zone.tzinfo)


@contextmanager
def using(data: ZoneData) -> Iterator[None]:
    """Go by other data for a while, for all threads: only for tests."""
    global _swapped
    before, _swapped = _swapped, data
    try:
        yield
    finally:
        _swapped = before


_swapped: ZoneData | None = None


@cache
def _installed() -> ZoneData:
    # Asked here, not with the other settings: zones are read wherever a schedule is, in a worker's
    # child and in a test of definitions too, and there may be no settings yet.
    return ZoneData(chosen_sources(read_choice()))
