"""Reads time zone files in the TZif format (RFC 9636), and digests their content. Pure."""

import re
import struct
from calendar import isleap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256

# Distributors disagree on older times within one release: no schedule is that old.
_SINCE = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
# Fat files list every change up to then; slim ones leave them to the rule at their end.
_LISTED_UP_TO = 2037
_HEADER = struct.Struct(">4sc15x6l")
_DAY, _HOUR = 86_400, 3600
_EPOCH = date(1970, 1, 1).toordinal()
_NAME, _LENGTH = r"(?:<[^>]+>|[A-Za-z]+)", r"([-+]?[0-9:]+)"
_RULE = re.compile(
    rf"{_NAME}{_LENGTH}{_NAME}{_LENGTH}?,([JM0-9.]+)(?:/{_LENGTH})?,([JM0-9.]+)(?:/{_LENGTH})?"
)


@dataclass(frozen=True)
class ZoneFile:
    """A file's content; instants are seconds since 1970, offsets seconds east of Greenwich."""

    times: Sequence[int]
    offsets: Sequence[int]
    """One before the first change and one after each."""
    footer: str
    """The rule for the time after the last change."""


def digest(data: bytes) -> str:
    """Return the identity of what a zone's clocks show from the year 2000 on. Raises ValueError."""
    read = decode(data)
    times, offsets = list(read.times), list(read.offsets)
    # A slim file leaves these changes to its rule: it must get the digest of the fat one.
    for at, offset in _by_rule(read.footer):
        if not read.times or at > read.times[-1]:
            times.append(at)
            offsets.append(offset)
    shown: list[tuple[int, int]] = [(_SINCE, offsets[0])]
    for at, offset in zip(times, offsets[1:], strict=True):
        if at <= _SINCE:
            shown = [(_SINCE, offset)]
        elif offset != shown[-1][1]:
            shown.append((at, offset))
    return sha256(repr((shown, read.footer)).encode()).hexdigest()[:16]


def _by_rule(footer: str) -> Iterator[tuple[int, int]]:
    """Yield the changes that a rule such as `CET-1CEST,M3.5.0,M10.5.0/3` makes, in order."""
    found = _RULE.fullmatch(footer)
    if found is None:
        return
    standard, summer, begins, begins_at, ends, ends_at = found.groups()
    # POSIX counts west of Greenwich: CET-1 is an hour east.
    winter_offset = -_seconds(standard)
    summer_offset = winter_offset + _HOUR if summer is None else -_seconds(summer)
    for year in range(1970, _LISTED_UP_TO + 1):
        begin = _day(begins, year) * _DAY + _seconds(begins_at or "2") - winter_offset
        end = _day(ends, year) * _DAY + _seconds(ends_at or "2") - summer_offset
        yield from sorted([(begin, summer_offset), (end, winter_offset)])


def _seconds(length: str) -> int:
    """Return the seconds of a length: -12,600 for `-3:30`."""
    parts = [int(part) for part in length.lstrip("+-").split(":")]
    total = sum(part * unit for part, unit in zip(parts, (_HOUR, 60, 1), strict=False))
    return -total if length.startswith("-") else total


def _day(said: str, year: int) -> int:
    """Return the day of a year that a rule names, counted from 1970."""
    first = date(year, 1, 1).toordinal() - _EPOCH
    if not said.startswith("M"):
        number = int(said.lstrip("J"))
        # `J60` is the first of March, in leap years too; `59` counts from 0, leap days included.
        late = number - 1 + (isleap(year) and number > 59) if said.startswith("J") else number
        return first + late
    month, week, weekday = map(int, said[1:].split("."))
    day = date(year, month, 1)
    at = day.toordinal() + (weekday - day.isoweekday()) % 7 + (week - 1) * 7
    following = date(year + month // 12, month % 12 + 1, 1).toordinal()
    return (at if at < following else at - 7) - _EPOCH


def decode(data: bytes) -> ZoneFile:
    """Return a file's content. Raises ValueError unless it is of the format."""
    try:
        return _decode(data)
    except (struct.error, IndexError, ValueError) as error:
        raise ValueError(f"no time zone data in the TZif format: {error}") from error


def _decode(data: bytes) -> ZoneFile:
    magic, version, *counts = _HEADER.unpack_from(data)
    if magic != b"TZif":
        raise ValueError(f"it begins with {magic!r}")
    at, size = _HEADER.size, 4
    if version >= b"2":  # the block of 32 bits is there for old readers
        second = at + _length(counts, 4)
        _, _, *counts = _HEADER.unpack_from(data, second)
        at, size = second + _HEADER.size, 8
    changes, types = counts[3], counts[4]
    times = struct.unpack_from(f">{changes}{'q' if size == 8 else 'l'}", data, at)
    kinds = data[at + size * changes : at + (size + 1) * changes]
    start = at + (size + 1) * changes
    each = [struct.unpack_from(">lb", data, start + 6 * number) for number in range(types)]
    # Before the first change the clocks show the first kind that is no summer time.
    first = next((offset for offset, is_summer in each if not is_summer), each[0][0])
    footer = data[at + _length(counts, size) :].strip(b"\n").decode() if size == 8 else ""
    return ZoneFile(times, [first, *(each[kind][0] for kind in kinds)], footer)


def _length(counts: Sequence[int], size: int) -> int:
    """Return the length of a block, without its header."""
    is_utc, is_standard, leaps, changes, types, characters = counts
    return changes * (size + 1) + types * 6 + characters + leaps * (size + 4) + is_standard + is_utc
