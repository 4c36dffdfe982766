"""Where time zone data may come from, and which of it `TICK_ZONE_DATA` chooses."""

import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from tick.environment import read_variable
from tick.errors import SettingsError

VARIABLE = "TICK_ZONE_DATA"
NEWEST, SYSTEM, PACKAGE = "newest", "system", "package"
_PACKAGE_PLACE = "the tzdata package"


@dataclass(frozen=True)
class Source:
    """A place with zone data; `read` returns a zone's file, or None if it has none."""

    place: str
    version: str | None
    read: Callable[[str], bytes | None]


def read_choice() -> str:
    """Return what `TICK_ZONE_DATA` chooses. Raises SettingsError."""
    return read_variable(VARIABLE) or NEWEST


def chosen_sources(choice: str) -> list[Source]:
    """Return the sources that a choice names, in the order in which they are asked for a zone.

    `newest` sorts the system's data and the package's by release; `system` goes by the system's,
    and takes a zone that they lack from the package, as Python does; `package` and a folder go by
    that alone. Raises SettingsError if there is no such data.
    """
    if choice == NEWEST:
        return newest_first(system_sources())
    if choice == PACKAGE:
        return [_package()]
    if choice != SYSTEM:
        return [folder(_checked(choice))]
    if not (system := _system()):
        raise SettingsError(
            f"{VARIABLE}: {SYSTEM!r} finds no time zone files in {_joined(zoneinfo.TZPATH)}; "
            f"install the system's tzdata, or choose {PACKAGE!r}."
        )
    return [*system, _package()]


def _checked(choice: str) -> Path:
    place = Path(choice)
    if not place.is_absolute():
        raise SettingsError(
            f"{VARIABLE}: {choice!r} is neither {NEWEST!r}, {SYSTEM!r}, {PACKAGE!r} nor an "
            "absolute path of a folder with time zone files."
        )
    if folder(place).read("UTC") is None:
        raise SettingsError(
            f"{VARIABLE}: {choice!r} holds no time zone files (at least `UTC`, as `zic -d` makes "
            f"them); name another folder, or choose {NEWEST!r}."
        )
    return place


def _joined(places: Sequence[str]) -> str:
    return ", ".join(places) or "no folder (PYTHONTZPATH is empty)"


def newest_first(sources: Sequence[Source]) -> list[Source]:
    """Return the sources sorted by release, those without one last."""
    return sorted(sources, key=lambda source: source.version or "", reverse=True)


def system_sources() -> list[Source]:
    """Return the folders that Python reads, in its order, and the tzdata package."""
    return [*_system(), _package()]


def _system() -> list[Source]:
    places = map(Path, zoneinfo.TZPATH)
    return [folder(place) for place in places if (place / "UTC").exists()]


def _package() -> Source:
    return folder(files("tzdata").joinpath("zoneinfo"), _PACKAGE_PLACE)


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
