"""The rules of time zones, from the newest data on the machine: the system's or tzdata's."""

import io
import zoneinfo
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tick.cron.zone_files import digest

PACKAGE = "the tzdata package"


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


@dataclass(frozen=True)
class Source:
    """A place with zone data; `read` returns a zone's file, or None if it has none."""

    place: str
    version: str | None
    read: Callable[[str], bytes | None]


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
    return ZoneData(newest_first(system_sources()))


def newest_first(sources: Sequence[Source]) -> list[Source]:
    """Return the sources sorted by release, those without one last."""
    return sorted(sources, key=lambda source: source.version or "", reverse=True)


def system_sources() -> list[Source]:
    """Return the folders that Python reads, in its order, and the tzdata package."""
    places = [Path(place) for place in zoneinfo.TZPATH if (Path(place) / "UTC").exists()]
    return [*map(folder, places), folder(files("tzdata").joinpath("zoneinfo"), PACKAGE)]


def folder(place: Traversable, name: str | None = None) -> Source:
    """Return the data in a folder with a file for each zone."""

    def read(zone: str) -> bytes | None:
        return _bytes(place.joinpath(*zone.split("/"))) if _is_name(zone) else None

    return Source(name or str(place), _version_in(place), read)


def _is_name(name: str) -> bool:
    """Return whether the name stays below the folder."""
    return all(part not in ("", ".", "..") for part in name.split("/"))


def _bytes(path: Traversable) -> bytes | None:
    try:
        data = path.read_bytes()
    except (OSError, ValueError):
        return None
    # The folders hold more than zones: lists, leap seconds, the source itself.
    return data if data.startswith(b"TZif") else None


def _version_in(place: Traversable) -> str | None:
    try:
        with place.joinpath("tzdata.zi").open("rb") as file:
            line = file.readline().decode("ascii", "replace")
    except OSError:
        return None
    comment, _, version = line.rpartition(" ")
    return version.strip() if comment == "# version" else None
