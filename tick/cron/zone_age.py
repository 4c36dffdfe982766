"""Which of two releases of a zone's data is the newer one. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tick.cron.zone_data import Zone, current

OLDER = "the time zone data here"
"""How the sentence begins that says so, in the log of ticks too."""


class Age(StrEnum):
    """The age of a process's data of a zone, compared with those that decide."""

    SAME = "same"
    NEWER = "newer"
    OLDER = "older"
    TAKEN_BACK = "taken back"
    """Somebody went back from them on purpose; only a sync by a person brings them again."""


@dataclass(frozen=True)
class StoredZone:
    """Zone data that the installation decides by, or did."""

    id: int
    zone: str
    digest: str
    version: str | None
    replaced: bool = False
    taken_back: bool = False


def judge(mine: Zone, in_force: StoredZone, earlier: Iterable[StoredZone]) -> Age:
    """Return the age of `mine` compared with the data in force; `earlier` are all that were."""
    if mine.digest == in_force.digest:
        return Age.SAME
    same = [known for known in earlier if known.digest == mine.digest]
    if any(known.taken_back for known in same):
        return Age.TAKEN_BACK
    if mine.version and in_force.version and mine.version != in_force.version:
        return Age.NEWER if mine.version > in_force.version else Age.OLDER
    # Without a release, content that was replaced here once is older and unknown content is newer:
    # otherwise two processes with different data would replace each other's in turn.
    return Age.OLDER if same else Age.NEWER


def older_in_words(zones: Mapping[str, str | None]) -> str:
    """Return the warning for zones, by name with the release in force, of which ours are older."""
    names = ", ".join(sorted(zones)[:5]) + (" …" if len(zones) > 5 else "")
    newest = max((version for version in zones.values() if version), default="newer ones")
    ours = current()
    return (
        f"{OLDER} ({ours.version or 'of an unknown release'}, from {ours.place}) "
        f"are older than those that schedules are decided by ({newest}): schedules in {names} are "
        "left alone. Update the tzdata package here, or accept the older data by `tick sync "
        "--accept-older-zone-data`."
    )
