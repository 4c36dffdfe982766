"""Schedules of Cloud Scheduler, EventBridge, Vercel and Railway in JSON. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tick.cron.zones import check_zone
from tick.importers.entries import (
    Choices,
    Entry,
    File,
    Found,
    ImportRefused,
    Kind,
    Note,
    Program,
    Request,
    Stub,
    Timing,
    Work,
)
from tick.importers.names import name_of_command, slug
from tick.importers.yaml_files import at, line_of

_EXPRESSION = re.compile(r"(cron|rate|at)\((.*)\)\Z")
_RATE = re.compile(r"(\d{1,6}) (minute|hour|day)s?\Z")
_NOT_MEASURED = Note(
    Kind.CARRIED,
    "what it does on the nights of a clock change was not measured; a known engine stands in",
)


def _values(file: File) -> Any:
    try:
        return json.loads(file.text)
    except (ValueError, RecursionError):
        raise ImportRefused(f"{file.name} is no JSON. Mend it, then try again.") from None


def _listed(file: File, key: str) -> list[Mapping[str, Any]]:
    value = _values(file)
    found = value if isinstance(value, list) else at(value, key) or [value]
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def read_cloud_scheduler(files: Sequence[File], _choices: Choices) -> Found:
    """Return the jobs of `gcloud scheduler jobs list --format json`."""
    entries = [_cloud(each, file) for file in files for each in _listed(file, "jobs")]
    return Found(entries, (_NOT_MEASURED,) if entries else ())


def _cloud(item: Mapping[str, Any], file: File) -> Entry:
    name = str(item.get("name", "job")).rpartition("/")[2]
    target, notes = item.get("httpTarget"), []
    work: Work = Stub(f"the target of {name}")
    if isinstance(target, Mapping) and isinstance(target.get("uri"), str):
        work = Request(target["uri"], str(target.get("httpMethod", "POST")))
        for key in ("body", "headers", "oidcToken", "oauthToken"):
            if target.get(key):
                said = f"{key} of the request"
                notes.append(Note(Kind.LOST, said, 'body=, headers= with "secret:NAME"'))
    expression, zone = str(item.get("schedule", "")), str(item.get("timeZone") or "UTC")
    return Entry(
        line_of(file.text, name),
        f"{name}: {expression}",
        slug(name),
        work,
        Timing(zone, "debian-cron", expression),
        notes=tuple(notes),
    )


def read_eventbridge(files: Sequence[File], _choices: Choices) -> Found:
    """Return the schedules of `aws scheduler get-schedule`, or the rules of `aws events`."""
    entries = [
        _event(each, file)
        for file in files
        for each in _listed(file, "Rules" if '"Rules"' in file.text else "Schedules")
        if each.get("ScheduleExpression")
    ]
    return Found(entries, (_NOT_MEASURED,) if entries else ())


def _event(item: Mapping[str, Any], file: File) -> Entry:
    name, text = str(item.get("Name", "rule")), str(item["ScheduleExpression"])
    zone = str(item.get("ScheduleExpressionTimezone") or "UTC")
    timing, notes = _aws(text, zone)
    return Entry(
        line_of(file.text, name),
        f"{name}: {text}",
        slug(name),
        Stub(f"the target of {name}"),
        timing,
        {"overlap": "ALLOW"} if timing and timing.at is None else {},
        notes=tuple(notes),
    )


def _aws(text: str, zone: str) -> tuple[Timing | None, list[Note]]:
    found = _EXPRESSION.match(text)
    kind, inner = (found[1], found[2].strip()) if found else ("", text)
    if kind == "cron" and len(fields := inner.split()) == 6:
        *five, year = fields
        if year == "*":
            return Timing(zone, "quartz", " ".join(["0", *five])), []
        return None, [Note(Kind.LOST, f"{text} names years", "starts_at= and ends_at=")]
    if kind == "rate" and (rate := _RATE.match(inner)):
        said = "it counts from when it was made; here from 1970"
        every = timedelta(**{f"{rate[2]}s": int(rate[1])})
        return Timing(every=every), [Note(Kind.CHANGED, said, "anchor= is the first instant")]
    if kind == "at":
        try:
            check_zone(zone)
            once = datetime.fromisoformat(inner).replace(tzinfo=ZoneInfo(zone))
            return Timing(at=once.astimezone(UTC)), []
        except ValueError:
            pass
    return None, [
        Note(Kind.DEAD, f"{text} is no expression of EventBridge", "say when it is meant")
    ]


def read_vercel(files: Sequence[File], _choices: Choices) -> Found:
    """Return the crons of vercel.json."""
    entries = [e for file in files for e in _crons(at(_values(file), "crons"), file)]
    said = "Vercel calls a path of the deployment, at some time within the hour on some plans"
    instead = "http() with the whole URL, and the header that CRON_SECRET made"
    return Found(entries, (Note(Kind.CHANGED, said, instead),) if entries else ())


def _crons(crons: Any, file: File) -> Iterator[Entry]:
    for each in crons if isinstance(crons, list) else []:
        path, text = str(at(each, "path") or ""), str(at(each, "schedule") or "")
        name = slug(path, "cron")
        line = line_of(file.text, f'"{path}"')
        timing = Timing("UTC", "debian-cron", text)
        yield Entry(line, f"{path}: {text}", name, Stub(f"a request of {path}"), timing)


def read_railway(files: Sequence[File], _choices: Choices) -> Found:
    """Return the cron of railway.json."""
    return Found([e for file in files for e in _railway(at(_values(file), "deploy"), file)])


def _railway(deploy: Any, file: File) -> Iterator[Entry]:
    text, command = at(deploy, "cronSchedule"), at(deploy, "startCommand")
    if isinstance(text, str):
        name = name_of_command(str(command)) if command else "service"
        work: Work = Program(str(command), True) if command else Stub("what the service starts")
        line = line_of(file.text, "cronSchedule")
        yield Entry(line, text, name, work, Timing("UTC", "debian-cron", text))
