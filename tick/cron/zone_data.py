"""The rules of time zones: one place that all of them come from, each known by its content.

The newest data on the machine are used: the system's, or those of the tzdata package where that is
newer. A zone's digest stands for what its clocks show from 2000 on, however the file says it: the
same data have the same digest in another folder, and in the fat or the slim form of the format.
"""

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
    """One zone's rules as one release of the data has them; equal where the content is.

    `version` is the IANA release (`2026a`), None where nothing tells it. `data` is its TZif file.
    """

    name: str
    digest: str
    version: str | None = field(default=None, compare=False)
    data: bytes = field(default=b"", compare=False, repr=False)
    tzinfo: ZoneInfo = field(default=ZoneInfo("UTC"), compare=False, repr=False)


def build_zone(name: str, data: bytes, version: str | None = None) -> Zone:
    """The zone that a TZif file describes. Raises ValueError for anything else."""
    return Zone(name, digest(data), version, data, ZoneInfo.from_file(io.BytesIO(data), key=name))


@dataclass(frozen=True)
class Source:
    """Where zone data lie: `read` gives a zone's file, or None for a zone that is not there."""

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
        """Where that lies."""
        return self.sources[0].place

    def find(self, name: str) -> Zone | None:
        """The zone of that name; None when there is none."""
        known = self._known.get(name)
        return known if known is not None else self._read(name)

    def zone(self, name: str) -> Zone:
        """The zone of that name. Raises ZoneInfoNotFoundError, a KeyError."""
        found = self.find(name)
        if found is None:
            raise ZoneInfoNotFoundError(f"no time zone is called {name!r}")
        return found

    def _read(self, name: str) -> Zone | None:
        for source in self.sources:
            if (data := source.read(name)) is not None:
                return self._known.setdefault(name, build_zone(name, data, source.version))
        return None


def current() -> ZoneData:
    """The data that this process goes by."""
    return _installed() if _swapped is None else _swapped


def find_zone(name: str) -> ZoneInfo:
    """The time zone of that name, to be given to datetimes. Raises ZoneInfoNotFoundError."""
    return current().zone(name).tzinfo


def by_newest_data(instant: datetime) -> datetime:
    """The same wall time by the data that this process goes by, if it has a named zone.

    Python's own ZoneInfo reads the system's files, however old they are.
    """
    name = getattr(instant.tzinfo, "key", None)
    zone = current().find(name) if isinstance(name, str) else None
    return instant if zone is None else instant.replace(tzinfo=zone.tzinfo)


@contextmanager
def using(data: ZoneData) -> Iterator[None]:
    """Go by other data for a while: for tests, in a process that does nothing else."""
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
    """Sorted by release; of equal ones, and of those that tell none, the first stays first."""
    return sorted(sources, key=lambda source: source.version or "", reverse=True)


def system_sources() -> list[Source]:
    """The folders that Python reads, in its order, and the tzdata package."""
    places = [Path(place) for place in zoneinfo.TZPATH if (Path(place) / "UTC").exists()]
    return [*map(folder, places), _package()]


def folder(place: Path) -> Source:
    """The data that lie in a folder, a file for each zone."""

    def read(name: str) -> bytes | None:
        return _bytes(place.joinpath(*name.split("/"))) if _is_name(name) else None

    return Source(str(place), _version_in(place), read)


def _package() -> Source:
    root = files("tzdata")

    def read(name: str) -> bytes | None:
        return _bytes(root.joinpath("zoneinfo", *name.split("/"))) if _is_name(name) else None

    said = root.joinpath("zoneinfo", "tzdata.zi")
    return Source(PACKAGE, _version_of(said.read_bytes()[:100]), read)


def _is_name(name: str) -> bool:
    """Whether the name stays below the folder."""
    return all(part not in ("", ".", "..") for part in name.split("/"))


def _bytes(path: Traversable) -> bytes | None:
    try:
        data = path.read_bytes()
    except (OSError, ValueError):
        return None
    return data if data.startswith(b"TZif") else None


def _version_in(place: Path) -> str | None:
    try:
        with (place / "tzdata.zi").open("rb") as file:
            return _version_of(file.readline())
    except OSError:
        return None


def _version_of(first_line: bytes) -> str | None:
    said, _, version = first_line.partition(b"\n")[0].decode("ascii", "replace").rpartition(" ")
    return version.strip() if said == "# version" else None
