"""The way back: schedules of ours as a crontab, CronJobs, timers or a calendar. Pure."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tick.cron.dialects.by_day import Span
from tick.cron.fields import LAST, Expression
from tick.cron.grammar import parse
from tick.errors import InvalidCron
from tick.importers.engines import engine
from tick.importers.proof import PROOF_DAYS, prove
from tick.importers.timing import Ours
from tick.policy import instants
from tick.policy.rule import Rule
from tick.states import MissedPolicy, OverlapPolicy, ScheduleKind

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_POLICIES = {OverlapPolicy.ALLOW: "Allow", OverlapPolicy.REPLACE: "Replace"}
_MOST_DATES = 400
_EVERYWHERE = "ledger, retries, timeouts, dependencies and alerts stay behind"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A schedule to be taken elsewhere: its id, rule, jobs, and the command of each job."""

    id: str
    rule: Rule
    commands: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Exported:
    """The text, and what is lost of which schedule."""

    text: str
    lost: tuple[str, ...]


def export(target: str, schedules: list[Outgoing], now: datetime) -> Exported:
    """Return the schedules as a `crontab`, as `k8s` manifests, as `systemd` units or as `ics`."""
    lost = [_EVERYWHERE]
    parts = [part for each in schedules for part in _WRITERS[target](each, now, lost)]
    if target == "ics":
        parts = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tick//export//EN", *parts]
        return Exported("\r\n".join([*parts, "END:VCALENDAR", ""]), tuple(lost))
    between = "---\n" if target == "k8s" else "\n" if target == "systemd" else ""
    return Exported(between.join(parts), tuple(lost))


def _five_fields(each: Outgoing, lost: list[str], target: str) -> str | None:
    """Return what the five fields of every cron say of it; None, and why, where they can't."""
    rule = each.rule
    if rule.kind is ScheduleKind.CRON and rule.dialect is None:
        fields = parse(rule.cron or "")
        if not fields.last_day and not fields.nth_weekdays:
            return " ".join(fields.texts)
        why = "the last day of a month and the nth weekday have no five fields there"
    elif rule.kind is ScheduleKind.INTERVAL and (minutes := _minutes(rule)):
        return minutes
    else:
        why = "it has no five fields: a dialect, a step, one instant, or an uneven length"
    lost.append(f"{each.id}: left out of the {target}; {why}")
    return None


def _minutes(rule: Rule) -> str | None:
    minutes = int(rule.every_seconds or 0) // 60
    if minutes and 60 % minutes == 0 and rule.every_seconds == minutes * 60 and not rule.anchor:
        return f"*/{minutes} * * * *" if minutes < 60 else "0 * * * *"
    return None


def _tell(each: Outgoing, lost: list[str], *, kept: frozenset[str] = frozenset()) -> None:
    rule = each.rule
    for name, is_given in (
        ("calendar", rule.calendar is not None),
        ("jitter", rule.offset_seconds > 0),
        ("starts_at, ends_at, max_runs", bool(rule.starts_at or rule.ends_at or rule.max_runs)),
        ("missed", rule.missed is not MissedPolicy.SKIP),
        ("overlap", rule.overlap is not OverlapPolicy.ALLOW),
    ):
        if is_given and name not in kept:
            lost.append(f"{each.id}: {name} is lost")


def _tell_instants(
    each: Outgoing, name: str, expression: str, now: datetime, lost: list[str]
) -> None:
    """Say how many of the next 400 days' instants will be others there."""
    if each.rule.kind is not ScheduleKind.CRON:
        return
    span = Span(now, now + timedelta(days=PROOF_DAYS), each.rule.timezone)
    try:
        proof = prove(engine(name), expression, Ours(each.rule.cron or "", each.rule.dst), span)
    except InvalidCron as error:
        lost.append(f"{each.id}: {error}")
        return
    if proof.differing:
        lost.append(
            f"{each.id}: {proof.differing} of the next {proof.here} instants are others there; "
            f"`tick cron next {expression!r} --tz {each.rule.timezone} --dialect {name}` shows them"
        )


def _crontab(each: Outgoing, now: datetime, lost: list[str]) -> Iterator[str]:
    fields = _five_fields(each, lost, "crontab")
    if fields is None:
        return
    _tell(each, lost)
    _tell_instants(each, "debian-cron", fields, now, lost)
    yield f"# {each.id} ({each.rule.timezone}: the clock of the machine must be in that zone)\n"
    for command in each.commands.values():
        line = " ".join(command.split("\n")).replace("%", r"\%")
        yield f"{fields} {line}\n"


def _k8s(each: Outgoing, now: datetime, lost: list[str]) -> Iterator[str]:
    fields = _five_fields(each, lost, "manifests")
    if fields is None:
        return
    _tell(each, lost, kept=frozenset({"overlap", "missed"}))
    _tell_instants(each, "robfig-cron", fields, now, lost)
    for job, command in each.commands.items():
        name = each.id if len(each.commands) == 1 else f"{each.id}-{job}"
        yield _manifest(name, fields, each.rule, command)


def _manifest(name: str, fields: str, rule: Rule, command: str) -> str:
    spec = [
        f"  schedule: {json.dumps(fields)}",
        f"  timeZone: {json.dumps(rule.timezone)}",
        f"  concurrencyPolicy: {_POLICIES.get(rule.overlap, 'Forbid')}",
        "  suspend: true",
    ]
    if rule.missed is MissedPolicy.SKIP:
        spec.append(f"  startingDeadlineSeconds: {int(rule.grace_seconds or 120)}")
    argv = json.dumps(["/bin/sh", "-c", command])
    return "\n".join(
        [
            "apiVersion: batch/v1",
            "kind: CronJob",
            f"metadata: {{name: {json.dumps(name.replace('_', '-').replace('.', '-'))}}}",
            "spec:",
            *spec,
            "  jobTemplate:",
            "    spec:",
            "      template:",
            "        spec:",
            "          restartPolicy: Never",
            "          containers:",
            f"            - {{name: job, image: IMAGE, command: {argv}}}\n",
        ]
    )


def _systemd(each: Outgoing, now: datetime, lost: list[str]) -> Iterator[str]:
    rule = each.rule
    if rule.kind is ScheduleKind.CRON and rule.dialect is None:
        when = [f"OnCalendar={text}" for text in _calendars(parse(rule.cron or ""), rule.timezone)]
        for text in when if len(when) == 1 else ():
            plain = text.removeprefix("OnCalendar=").removesuffix(f" {rule.timezone}")
            _tell_instants(each, "systemd", plain, now, lost)
    elif rule.kind is ScheduleKind.INTERVAL and rule.every_seconds:
        when = ["OnBootSec=0", f"OnUnitActiveSec={int(rule.every_seconds)}s"]
        lost.append(f"{each.id}: it counts from the start of the machine there")
    else:
        lost.append(f"{each.id}: left out of the units; it has no calendar expression")
        return
    _tell(each, lost, kept=frozenset({"overlap", "missed"}))
    if rule.missed is not MissedPolicy.SKIP:
        when.append("Persistent=true")
    yield "\n".join(
        [f"# {each.id}.timer", "[Timer]", *when, "", "[Install]", "WantedBy=timers.target\n"]
    )
    starts = [
        f"ExecStart=/bin/sh -c {shlex.quote(' '.join(command.split())).replace('%', '%%')}"
        for command in each.commands.values()
    ]
    yield "\n".join([f"# {each.id}.service", "[Service]", "Type=oneshot", *starts, ""])


def _calendars(fields: Expression, zone: str) -> Iterator[str]:
    """Yield the calendar expressions whose elapses are those of five fields, either day field."""
    at = f"{_numbers(fields.hours, 24)}:{_numbers(fields.minutes, 60)}:00 {zone}"
    month = _numbers(fields.months, 12)
    by_date = len(fields.days) < 31
    if by_date and fields.days:
        yield f"*-{month}-{_numbers(fields.days, 31)} {at}"
    if fields.last_day:
        yield f"*-{month}~01 {at}"
    for weekday, nth in fields.nth_weekdays:
        days = "~07/1" if nth == LAST else f"-{nth * 7 - 6:02}..{min(nth * 7, 31):02}"
        yield f"{_WEEKDAYS[weekday]} *-{month}{days} {at}"
    if 0 < len(fields.weekdays) < 7:
        yield f"{','.join(_WEEKDAYS[day] for day in fields.weekdays)} *-{month}-* {at}"
    elif not by_date and not fields.nth_weekdays:
        yield f"*-{month}-* {at}"


def _numbers(values: tuple[int, ...], size: int) -> str:
    return "*" if len(values) == size else ",".join(f"{value:02}" for value in values)


def _ics(each: Outgoing, now: datetime, lost: list[str]) -> Iterator[str]:
    found = instants.between(each.rule, now, now + timedelta(days=PROOF_DAYS), _MOST_DATES + 1)
    if not found:
        lost.append(f"{each.id}: left out of the calendar; it does not fire in {PROOF_DAYS} days")
        return
    if len(found) > _MOST_DATES:
        lost.append(f"{each.id}: only its first {_MOST_DATES} instants are in the calendar")
    texts = [f"{at:%Y%m%dT%H%M%SZ}" for at in found[:_MOST_DATES]]
    yield from ("BEGIN:VEVENT", f"UID:{each.id}@tick", f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}")
    yield from (f"DTSTART:{texts[0]}", "DURATION:PT1M", f"SUMMARY:{each.id}")
    # A line holds 75 octets at most; each date has one of its own.
    yield from (f"RDATE:{text}" for text in texts[1:])
    yield "END:VEVENT"


_WRITERS: Mapping[str, Any] = {"crontab": _crontab, "k8s": _k8s, "systemd": _systemd, "ics": _ics}
TARGETS = tuple(_WRITERS)
