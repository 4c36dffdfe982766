"""What the log of another scheduler shows it fired, beside what would fire here. Pure."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tick.cron.zones import as_zone
from tick.define.written import from_plain
from tick.importers.carry import Carried
from tick.importers.entries import ImportRefused, Program
from tick.policy import instants
from tick.policy.instants import just_before

_SYSLOG = re.compile(
    r"(?P<old>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)|(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*)"
)
_CRON = re.compile(r"CMD \((?P<command>.*)\)\s*\Z|cmd (?P<busybox>.+?)\s*\Z", re.IGNORECASE)
_BEAT = re.compile(r"Sending due task (?P<name>\S+)")
_JOB = re.compile(r"Created job (?P<name>\S+)-(?P<minute>\d{7,9})\b")
_MOST_SEEN = 500_000
_MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that the log shows: what was started, and in which minute (aware UTC)."""

    what: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Checked:
    """Of one entry: the minutes in which both sides fire, and those of one side alone."""

    line: int
    name: str
    both: int
    only_there: tuple[datetime, ...]
    only_here: tuple[datetime, ...]

    @property
    def agrees(self) -> bool:
        """Whether the log shows what would fire here."""
        return not self.only_there and not self.only_here


def read_log(text: str, zone: str, now: datetime) -> list[Seen]:
    """Return what a log shows: syslog of a cron, events of CronJobs as JSON, or the log of beat."""
    found = [*_of_events(text)] if text.lstrip().startswith("{") else [*_of_lines(text, zone, now)]
    if not found:
        raise ImportRefused(
            "The log shows nothing that was started: give the lines of cron in syslog, `kubectl "
            "get events -o json`, or the log of beat at level INFO."
        )
    return found


def _of_lines(text: str, zone: str, now: datetime) -> Iterator[Seen]:
    for line in text.split("\n")[:_MOST_SEEN]:
        when = _SYSLOG.search(line)
        cron, beat = _CRON.search(line), _BEAT.search(line)
        if when is None or (cron is None and beat is None):
            continue
        at = _instant(when, zone, now)
        if at is not None:
            what = beat["name"] if beat else cron and (cron["command"] or cron["busybox"])
            yield Seen(str(what).strip(), at)


def _instant(when: re.Match[str], zone: str, now: datetime) -> datetime | None:
    try:
        if when["iso"]:
            at = datetime.fromisoformat(when["iso"].rstrip(":").replace(",", "."))
        else:
            at = datetime.strptime(f"{now.year} {when['old']}", "%Y %b %d %H:%M:%S")
            # Syslog names no year: it is the last such day.
            if at > now.replace(tzinfo=None) + timedelta(days=1):
                at = at.replace(year=now.year - 1)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=as_zone(zone).tzinfo)
    return at.astimezone(UTC).replace(second=0, microsecond=0)


def _of_events(text: str) -> Iterator[Seen]:
    try:
        items: Any = json.loads(text)
    except (ValueError, RecursionError):
        return
    for item in items.get("items", ()) if isinstance(items, dict) else ():
        said = item.get("message") if isinstance(item, dict) else None
        # A job of a CronJob is named by the minute that it is for, counted from 1970.
        if isinstance(said, str) and (found := _JOB.search(said)):
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(minutes=int(found["minute"]))
            yield Seen(found["name"], at)


def check(carried: Sequence[Carried], seen: Sequence[Seen]) -> list[Checked]:
    """Return for each entry with a schedule what the log shows beside what would fire here."""
    first, last = min(each.at for each in seen), max(each.at for each in seen)
    found = []
    for each in carried:
        if each.options is None:
            continue
        there = {entry.at for entry in seen if _is_of(each, entry.what)}
        rule = from_plain(each.entry.name, dict(each.options) | {"name": "x"}, source="").rule()
        listed = instants.all_between(rule, just_before(first), last)
        here = {at.replace(second=0, microsecond=0) for at in listed}
        only = [tuple(sorted(side)[:_MOST_SHOWN]) for side in (there - here, here - there)]
        line, name = each.entry.line, each.entry.name
        found.append(Checked(line, name, len(there & here), only[0], only[1]))
    return found


def _is_of(carried: Carried, what: str) -> bool:
    entry, work = carried.entry, carried.entry.work
    texts: set[str] = {entry.name}
    if isinstance(work, Program):
        argv = [work.argv] if isinstance(work.argv, str) else list(work.argv)
        texts |= {argv[-1], " ".join(argv)}
    return what in texts or entry.text.rstrip().endswith(f" {what}")
