"""Timers of systemd, with the services that they start. Pure."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from tick.cron.zones import check_zone
from tick.errors import InvalidCron
from tick.importers.commands import DAY_SECONDS, without_secrets
from tick.importers.crontab import machine_zone
from tick.importers.entries import (
    Choices,
    Entry,
    File,
    Found,
    ImportRefused,
    Kind,
    Note,
    Program,
    Stub,
    Timing,
)
from tick.importers.names import slug

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Zµ]*)")
_UNITS = {"": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1, "ms": 0.001, "msec": 0.001}
_UNITS |= {"m": 60, "min": 60, "minute": 60, "minutes": 60, "h": 3600, "hr": 3600, "hour": 3600}
_UNITS |= {"hours": 3600, "d": 86400, "day": 86400, "days": 86400, "w": 604800, "week": 604800}
_UNITS |= {"weeks": 604800}
_AT_START = ("OnBootSec", "OnStartupSec", "OnActiveSec")
_AFTER = ("OnUnitActiveSec", "OnUnitInactiveSec")
_ELSEWHERE = (
    *("ExecStartPre", "ExecStartPost", "ExecCondition", "EnvironmentFile", "MemoryMax"),
    *("CPUQuota", "Nice", "IOSchedulingClass", "PrivateTmp", "ProtectSystem"),
)
Unit = Mapping[str, Mapping[str, list[str]]]


def read_timers(files: Sequence[File], choices: Choices) -> Found:
    """Return the timers among the files; their services are looked for there, too."""
    zone = machine_zone(choices)
    units = {PurePosixPath(file.name).name: _unit(file) for file in files}
    timers = {name: unit for name, unit in units.items() if "Timer" in unit}
    if not timers:
        raise ImportRefused("There is no [Timer] in these files: give NAME.timer and NAME.service.")
    return Found([e for name, unit in timers.items() for e in _entries(name, unit, units, zone)])


def _unit(file: File) -> dict[str, dict[str, list[str]]]:
    """Return the sections of a unit: keys with all their values, in order."""
    found: dict[str, dict[str, list[str]]] = {}
    section: dict[str, list[str]] = {}
    text = re.sub(r"\\\n\s*", " ", file.text)
    for line in map(str.strip, text.split("\n")):
        if line.startswith("[") and line.endswith("]"):
            section = found.setdefault(line[1:-1], {})
        elif line and line[0] not in "#;" and "=" in line:
            key, _, value = line.partition("=")
            values = section.setdefault(key.strip(), [])
            if value.strip():
                values.append(value.strip())
            else:
                # An empty value takes back what was said before.
                values.clear()
    return found


def _last(section: Mapping[str, list[str]], key: str) -> str | None:
    values = section.get(key)
    return values[-1] if values else None


def _entries(name: str, unit: Unit, units: Mapping[str, Unit], zone: str) -> Iterator[Entry]:
    timer = unit["Timer"]
    stem = name.removesuffix(".timer")
    service_name = _last(timer, "Unit") or f"{stem}.service"
    service = units.get(service_name, {}).get("Service", {})
    work, notes = _work(service_name, service)
    options, of_timer = _options(timer)
    found = False
    for timing, of_timing in _timings(timer, zone):
        found = True
        yield Entry(
            0,
            "\n".join([name, *(f"{k}={v}" for k, values in timer.items() for v in values)]),
            slug(stem),
            work,
            timing,
            options if timing and timing.engine else {},
            _policy(service),
            tuple([*notes, *of_timer, *of_timing]),
        )
    if not found:
        note = Note(Kind.DEAD, "it has no time of its own", "say when it is meant")
        yield Entry(0, name, slug(stem), work, None, notes=(*notes, note))


def _timings(
    timer: Mapping[str, list[str]], zone: str
) -> Iterator[tuple[Timing | None, list[Note]]]:
    for text in timer.get("OnCalendar", ()):
        calendar, own = _zone_apart(text)
        yield Timing(own or zone, "systemd", calendar), []
    for key in _AFTER:
        for text in timer.get(key, ()):
            said = f"{key} counts from its last run; here every={text!r} counts from 1970"
            note = Note(Kind.CHANGED, said, "anchor= is the first instant")
            yield Timing(every=_length(text)), [note]
    if not any(key in timer for key in ("OnCalendar", *_AFTER)):
        for key in _AT_START:
            for text in timer.get(key, ()):
                said = f"{key}={text} is no time of the clock"
                note = Note(Kind.LOST, said, "have the machine call `tick run --job` at its start")
                yield None, [note]


def _zone_apart(text: str) -> tuple[str, str | None]:
    calendar, _, last = text.rpartition(" ")
    try:
        check_zone(last)
    except InvalidCron:
        return text, None
    return calendar or text, last if calendar else None


def _length(text: str) -> timedelta:
    parts = [(float(number), _UNITS.get(unit, 0)) for number, unit in _LENGTH.findall(text)]
    return timedelta(seconds=min(sum(number * size for number, size in parts), 1e9))


def _options(timer: Mapping[str, list[str]]) -> tuple[dict[str, Any], list[Note]]:
    options: dict[str, Any] = {}
    notes = []
    if (_last(timer, "Persistent") or "").lower() in ("1", "yes", "true", "on"):
        options["missed"] = "CATCH_UP"
    delay = _length(_last(timer, "RandomizedDelaySec") or "0")
    if delay >= timedelta(seconds=2):
        options["jitter"] = int(delay.total_seconds())
        fixed = (_last(timer, "FixedRandomDelay") or "").lower() in ("1", "yes", "true", "on")
        drawn = "a delay of its own that stays" if fixed else "a delay drawn anew each time"
        said = f"RandomizedDelaySec: {drawn}; here each instant moves by one part of it that stays"
        notes.append(Note(Kind.CHANGED, said, "leave jitter out for the times as written"))
    return options, notes


def _work(name: str, service: Mapping[str, list[str]]) -> tuple[Program | Stub, list[Note]]:
    starts = service.get("ExecStart", [])
    notes = [
        Note(Kind.LOST, f"{key} of the service", "see definitions/README.md, or write a script")
        for key in _ELSEWHERE
        if service.get(key)
    ]
    if user := _last(service, "User"):
        queue = f'start a worker as {user} with a queue of its own, and give queue="{slug(user)}"'
        notes.append(Note(Kind.LOST, f"it runs as {user}; here as who started the worker", queue))
    if not starts:
        said = f"{name} is not among the files, or has no ExecStart"
        return Stub(f"the service {name}"), [*notes, Note(Kind.LOST, said, f"give {name} as well")]
    plain: dict[str, str] = {}
    for text in service.get("Environment", ()):
        pairs = (word.partition("=") for word in _words(text))
        plain |= {key: value for key, sign, value in pairs if sign}
    env, of_env = without_secrets(plain)
    commands = [each.lstrip("@-:+!|") for each in starts]
    if any("%" in each for each in commands):
        said = "specifiers such as %h and %i are replaced by systemd, and by nobody here"
        notes.append(Note(Kind.CHANGED, said, "write what they stand for"))
    folder = (_last(service, "WorkingDirectory") or "").lstrip("-") or None
    if len(commands) == 1 and "$" not in commands[0]:
        return Program(tuple(_words(commands[0])), env=env, cwd=folder), [*notes, *of_env]
    return Program(" && ".join(commands), True, env, folder), [*notes, *of_env]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _policy(service: Mapping[str, list[str]]) -> dict[str, Any]:
    longest = _last(service, "RuntimeMaxSec") or _last(service, "TimeoutStartSec")
    seconds = int(_length(longest or "0").total_seconds())
    return {"timeout": seconds or DAY_SECONDS}
