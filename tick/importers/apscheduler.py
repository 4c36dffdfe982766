"""APScheduler: what a file adds by add_job, scheduled_job and their triggers. Pure."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tick.cron.zones import check_zone
from tick.errors import InvalidCron
from tick.importers.crontab import machine_zone
from tick.importers.entries import Choices, Entry, File, Found, Kind, Note, Stub, Timing
from tick.importers.names import slug
from tick.importers.python_files import Called, Unknown, instant_of, tree_of, value_of

_FIELDS = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")
_LEAST = {"month": "1", "day": "1", "hour": "0", "minute": "0", "second": "0"}
_TRIGGERS = {"CronTrigger": "cron", "IntervalTrigger": "interval", "DateTrigger": "date"}
_LENGTHS = ("weeks", "days", "hours", "minutes", "seconds")
_INSTEAD = (
    "A job store of APScheduler is pickled and never opened: give the files that call add_job, or "
    "write down what `scheduler.print_jobs()` says."
)
_SHORT_SECONDS = 120
_Timed = tuple[Timing | None, dict[str, Any], list[Note]]


def read_apscheduler(files: Sequence[File], choices: Choices) -> Found:
    """Return the jobs that the files add."""
    entries = [entry for file in files for entry in _entries(file, choices)]
    return Found(sorted(entries, key=lambda each: each.line))


def _entries(file: File, choices: Choices) -> Iterator[Entry]:
    tree = tree_of(file, _INSTEAD)
    zone = choices.zone or _zone(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                call = value_of(decorator)
                if isinstance(call, Called) and call.name == "scheduled_job":
                    yield _entry(decorator.lineno, call, call.args, node.name, zone, choices)
        elif isinstance(node, ast.Call):
            call = value_of(node)
            if call.name == "add_job":
                args = call.args
                work = args[0] if args else call.options.get("func")
                yield _entry(node.lineno, call, args[1:], _said(work), zone, choices)


def _zone(tree: ast.Module) -> str | None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            call = value_of(node)
            zone = call.options.get("timezone")
            if call.name.endswith("Scheduler") and _zone_name(zone):
                return _zone_name(zone)
    return None


def _zone_name(value: Any) -> str | None:
    if isinstance(value, Called) and value.name in ("ZoneInfo", "timezone") and value.args:
        value = value.args[0]
    try:
        check_zone(value)
    except InvalidCron:
        return None
    return str(value)


def _said(work: Any) -> str:
    return work.text if isinstance(work, Called | Unknown) else str(work)


def _entry(
    line: int,
    call: Called,
    args: Sequence[Any],
    work: str,
    zone: str | None,
    choices: Choices,
) -> Entry:
    given = dict(call.options)
    trigger = args[0] if args else given.pop("trigger", "date")
    if isinstance(trigger, Called):
        kind = "cron" if trigger.name == "from_crontab" else _TRIGGERS.get(trigger.name, "")
        values = dict(trigger.options)
    else:
        kind, values = str(trigger), given
    own = _zone_name(values.get("timezone"))
    where = own or zone or machine_zone(choices)
    if isinstance(trigger, Called) and trigger.name == "from_crontab":
        timed = _of_text(trigger, where)
    else:
        timed = _READERS.get(kind, _of_others)(values, where)
    timing, options, notes = timed
    name = next((given[key] for key in ("id", "name") if isinstance(given.get(key), str)), work)
    more, of_job = _of_job(given) if timing and timing.at is None else ({}, [])
    return Entry(
        line,
        call.text,
        slug(name.rpartition(":")[2].rpartition(".")[2]),
        Stub(" ".join(["the function", work, *_with_values(given)])),
        timing,
        {**more, **options},
        {},
        tuple([*notes, *of_job]),
    )


def _with_values(given: Mapping[str, Any]) -> list[str]:
    return [f"{key}={given[key]!r}" for key in ("args", "kwargs") if given.get(key)]


def _of_job(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    options: dict[str, Any] = {}
    if isinstance(most := given.get("max_instances"), int) and most > 1:
        options["overlap"] = "ALLOW"
    late = given.get("misfire_grace_time", 1)
    notes = []
    if isinstance(late, int) and late > _SHORT_SECONDS:
        options["grace"] = late
    elif "misfire_grace_time" in given:
        said = f"misfire_grace_time {_said(late)}: here what is later than grace is MISSED"
        notes.append(Note(Kind.CARRIED, said))
    return options, notes


def _of_text(trigger: Called, zone: str) -> _Timed:
    text = trigger.args[0] if trigger.args else None
    if not isinstance(text, str):
        return _of_others(trigger.options, zone)
    return Timing(zone, "APScheduler", text), {}, []


def _of_cron(values: Mapping[str, Any], zone: str) -> _Timed:
    given = {name: values[name] for name in _FIELDS if values.get(name) is not None}
    if not given or any(not isinstance(each, str | int) for each in given.values()):
        return _of_others(values, zone)
    fields, left = {}, dict(given)
    for name in _FIELDS:
        # What is finer than the finest that was given has its least value, not a star.
        is_finer = not left
        fields[name] = (
            str(left.pop(name)) if name in left else _LEAST.get(name) if is_finer else "*"
        )
    if any(fields[name] not in ("*", None) for name in ("year", "week")):
        said = "a year or a week of the year is no field of ours"
        return None, {}, [Note(Kind.LOST, said, "starts_at=, ends_at=, or every=weeks(…)")]
    if " " in fields["day"].strip():  # type: ignore[union-attr]
        said = f"day {fields['day']!r} is the nth weekday of a month"
        return (
            None,
            {},
            [Note(Kind.LOST, said, "write 1#2 for the second Monday, L5 for last Friday")],
        )
    texts = ["".join((fields[name] or "*").split()) for name in ("minute", "hour", "day", "month")]
    texts.append("".join((fields["day_of_week"] or "*").split()))
    options, notes = _bounds(values, zone)
    if fields["second"] != "0":
        said = f"second {fields['second']!r}; ours fire on the minute"
        if not (fields["second"] or "").isdigit():
            instead = "let one run a minute repeat the work inside"
            return None, {}, [Note(Kind.LOST, said, instead)]
        notes.append(Note(Kind.CHANGED, said, "nothing, unless those seconds matter"))
    return Timing(zone, "APScheduler", " ".join(texts)), options, notes


def _of_interval(values: Mapping[str, Any], zone: str) -> _Timed:
    given = {name: values[name] for name in _LENGTHS if values.get(name)}
    if any(not isinstance(each, int | float) or abs(each) > 1e6 for each in given.values()):
        return _of_others(values, zone)
    options, notes = _bounds(values, zone)
    if "starts_at" in options:
        options["anchor"] = options.pop("starts_at")
    else:
        said = "it counts from the start of the scheduler; here from 1970"
        notes.append(Note(Kind.CHANGED, said, "anchor= is the first instant"))
    return Timing(every=timedelta(**given) or timedelta(seconds=1)), options, notes


def _of_date(values: Mapping[str, Any], zone: str) -> _Timed:
    at = _instant(values.get("run_date"), zone)
    return _of_others(values, zone) if at is None else (Timing(at=at), {}, [])


def _of_others(values: Mapping[str, Any], _zone: str) -> _Timed:
    said = ", ".join(f"{name}={_said(value)}" for name, value in values.items()) or "its trigger"
    return None, {}, [Note(Kind.LOST, f"only running the file tells {said}", "write it by hand")]


_READERS = {"cron": _of_cron, "interval": _of_interval, "date": _of_date}


def _bounds(values: Mapping[str, Any], zone: str) -> tuple[dict[str, Any], list[Note]]:
    options: dict[str, Any] = {}
    for key, option in (("start_date", "starts_at"), ("end_date", "ends_at")):
        at = _instant(values.get(key), zone)
        if at is not None:
            options[option] = at.isoformat()
    notes = []
    if isinstance(jitter := values.get("jitter"), int) and jitter > 1:
        options["jitter"] = jitter
        said = f"jitter {jitter} is drawn anew each time; here each instant moves by one part of it"
        notes.append(Note(Kind.CHANGED, said, "leave jitter out for the times as they are written"))
    return options, notes


def _instant(value: Any, zone: str) -> datetime | None:
    from datetime import UTC

    at = instant_of(value)
    if at is None:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
