"""Celery beat: the dictionary in Python, and what django-celery-beat dumps. Pure."""

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tick.importers.entries import (
    Choices,
    Entry,
    File,
    Found,
    ImportRefused,
    Kind,
    Note,
    Stub,
    Timing,
)
from tick.importers.names import slug
from tick.importers.python_files import (
    Called,
    Unknown,
    assignments,
    length_of,
    tree_of,
    value_of,
    written,
)
from tick.importers.yaml_files import line_of

_SCHEDULES = {"beat_schedule", "CELERY_BEAT_SCHEDULE", "CELERYBEAT_SCHEDULE"}
_ZONES = {"timezone", "CELERY_TIMEZONE"}
_FIELDS = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
_INSTEAD = (
    "A store of beat (celerybeat-schedule) is pickled and never opened: give the file with "
    "beat_schedule, or `manage.py dumpdata django_celery_beat` as source django-celery-beat."
)
_DROPPED = Note(
    Kind.CHANGED,
    "beat only sends a message, and a worker of Celery runs the task",
    "write the task's work into the stub, or let it call `task.delay()`",
)


def read_celery(files: Sequence[File], choices: Choices) -> Found:
    """Return the entries of beat_schedule, and of add_periodic_task."""
    entries: list[Entry] = []
    for file in files:
        tree = tree_of(file, _INSTEAD)
        zone = choices.zone or _zone(tree)
        for name, node in assignments(tree):
            if name in _SCHEDULES and isinstance(node, ast.Dict):
                entries += _of_dictionary(node, zone)
        entries += _of_calls(tree, zone)
    return Found(entries, (_DROPPED,) if entries else ())


def _zone(tree: ast.Module) -> str:
    found = [value_of(node) for name, node in assignments(tree) if name in _ZONES]
    # Celery's own default.
    return next((each for each in found if isinstance(each, str)), "UTC")


def _of_dictionary(node: ast.Dict, zone: str) -> Iterator[Entry]:
    for key, value in zip(node.keys, node.values, strict=True):
        if key is None:
            continue
        name, item = value_of(key), value_of(value)
        text = f"{written(key)}: {written(value)}"
        if isinstance(item, Called) and item.name == "dict":
            item = item.options
        if not isinstance(item, Mapping):
            note = Note(Kind.LOST, "its entry is not written out here", "write it by hand")
            yield Entry(key.lineno, text, slug(str(name)), None, None, notes=(note,))
            continue
        said = str(item.get("task") if isinstance(item.get("task"), str) else name)
        yield _entry(key.lineno, text, str(name), said, item, zone)


def _of_calls(tree: ast.Module, zone: str) -> Iterator[Entry]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        call = value_of(node)
        if call.name == "add_periodic_task" and len(call.args) > 1:
            task = call.args[1]
            name = call.options.get("name")
            said = task.text if isinstance(task, Called | Unknown) else str(task)
            item = {"schedule": call.args[0], **call.options}
            known = name if isinstance(name, str) else said.partition(".s(")[0]
            yield _entry(node.lineno, call.text, known, said, item, zone)


def _entry(line: int, text: str, name: str, task: str, item: Mapping[str, Any], zone: str) -> Entry:
    timing, notes = _timing(item.get("schedule"), zone)
    options = item.get("options")
    given = {**(options if isinstance(options, Mapping) else {}), **item}
    with_values = [f"{k}={item[k]!r}" for k in ("args", "kwargs") if item.get(k)]
    policy = {}
    if isinstance(queue := given.get("queue"), str):
        policy["queue"] = slug(queue)
    if given.get("expires") is not None:
        said = f"expires {given['expires']!r}: the message is dropped when it waits for longer"
        notes.append(Note(Kind.LOST, said, "nothing waits in a broker; grace= bounds lateness"))
    return Entry(
        line,
        text,
        slug(name),
        Stub(" ".join(["the task", task, *with_values])),
        timing,
        {"overlap": "ALLOW"},
        policy,
        tuple(notes),
    )


def _timing(value: Any, zone: str) -> tuple[Timing | None, list[Note]]:
    if isinstance(value, Called) and value.name == "crontab":
        return _crontab(value, zone)
    if isinstance(value, Called) and value.name == "schedule":
        value = value.options.get("run_every", value.args[0] if value.args else None)
    every = length_of(value)
    if every is not None:
        return Timing(every=every), [_counted()]
    if isinstance(value, Called) and value.name == "solar":
        note = Note(Kind.LOST, "sunrise and the like", "a fixed time, or a job that asks the sun")
        return None, [note]
    said = value.text if isinstance(value, Called | Unknown) else repr(value)
    return None, [Note(Kind.LOST, f"only running the file tells {said}", "write cron= by hand")]


def _counted() -> Note:
    said = "beat counts from the last run that it remembers; here it counts from 1970"
    return Note(Kind.CHANGED, said, "anchor= is the first instant")


def _crontab(value: Called, zone: str) -> tuple[Timing | None, list[Note]]:
    given = dict(zip(_FIELDS, value.args, strict=False)) | dict(value.options)
    texts = {name: _field(given.get(name, "*")) for name in _FIELDS}
    if any(text is None for text in texts.values()):
        note = Note(Kind.LOST, f"only running the file tells {value.text}", "write cron= by hand")
        return None, [note]
    minute, hour, weekday, day, month = (str(texts[name]) for name in _FIELDS)
    notes = []
    if "minute" not in given and hour != "*":
        said = "without minute it fires at each minute of that hour, there as here"
        notes.append(Note(Kind.CARRIED, said, "minute=0 was perhaps meant"))
    return Timing(zone, "celery", " ".join((minute, hour, day, month, weekday))), notes


def _field(value: Any) -> str | None:
    if isinstance(value, list) and all(isinstance(each, int | str) for each in value):
        return ",".join(map(str, value))
    return "".join(str(value).split()) if isinstance(value, int | str) else None


def read_django(files: Sequence[File], choices: Choices) -> Found:
    """Return the entries of `manage.py dumpdata django_celery_beat`."""
    entries: list[Entry] = []
    for file in files:
        rows = _rows(file)
        entries += [
            _of_row(rows, fields, file, choices)
            for (model, _), fields in rows.items()
            # The task of celery itself, which cleans up its results, is one as well.
            if model == "periodictask"
        ]
    return Found(entries, (_DROPPED,) if entries else ())


def _rows(file: File) -> dict[tuple[str, Any], Mapping[str, Any]]:
    try:
        found = json.loads(file.text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise ImportRefused(
            f"{file.name} is no dump; `manage.py dumpdata django_celery_beat > beat.json` makes "
            "one."
        )
    rows = {}
    for row in found:
        model = str(row.get("model", "")) if isinstance(row, dict) else ""
        if model.startswith("django_celery_beat.") and isinstance(row.get("fields"), dict):
            rows[model.partition(".")[2], str(row.get("pk"))] = row["fields"]
    return rows


def _of_row(
    rows: Mapping[tuple[str, Any], Mapping[str, Any]],
    fields: Mapping[str, Any],
    file: File,
    choices: Choices,
) -> Entry:
    name = str(fields.get("name", "task"))
    timing, notes = _timing_of_row(rows, fields, choices)
    if not fields.get("enabled", True):
        notes.append(Note(Kind.CARRIED, "it is not enabled; each schedule arrives switched off"))
    if fields.get("expires"):
        said = f"expires {fields['expires']}"
        notes.append(Note(Kind.LOST, said, "ends_at= is the last instant"))
    values = [f"{k}={fields[k]}" for k in ("args", "kwargs") if fields.get(k) not in (*_EMPTY,)]
    options = {"overlap": "ALLOW"} if timing and timing.at is None else {}
    if fields.get("one_off") and timing and timing.at is None:
        options |= {"max_runs": 1}  # type: ignore[dict-item]
    return Entry(
        line_of(file.text, f'"{name}"'),
        f"{name}: {fields.get('task')}",
        slug(name),
        Stub(" ".join(["the task", str(fields.get("task")), *values])),
        timing,
        options,
        {"queue": slug(str(fields["queue"]))} if fields.get("queue") else {},
        tuple(notes),
    )


_EMPTY = (None, "", "[]", "{}")
_PERIODS = ("days", "hours", "minutes", "seconds", "microseconds")


def _timing_of_row(
    rows: Mapping[tuple[str, Any], Mapping[str, Any]], fields: Mapping[str, Any], choices: Choices
) -> tuple[Timing | None, list[Note]]:
    def other(kind: str, model: str) -> Mapping[str, Any] | None:
        return rows.get((model, str(fields.get(kind)))) if fields.get(kind) is not None else None

    if crontab := other("crontab", "crontabschedule"):
        given = [_field(crontab.get(name, "*")) or "*" for name in _FIELDS]
        minute, hour, weekday, day, month = given
        zone = choices.zone or str(crontab.get("timezone") or "UTC")
        return Timing(zone, "celery", " ".join((minute, hour, day, month, weekday))), []
    if interval := other("interval", "intervalschedule"):
        period, every = interval.get("period"), interval.get("every")
        if period in _PERIODS and isinstance(every, int) and 0 < every < 10**9:
            return Timing(every=timedelta(**{str(period): every})), [_counted()]
    if clocked := other("clocked", "clockedschedule"):
        try:
            at = datetime.fromisoformat(str(clocked.get("clocked_time")))
        except ValueError:
            at = None
        if at is not None and at.tzinfo is not None:
            return Timing(at=at), []
    instead = "give the dump of the whole app, or write cron= by hand"
    return None, [Note(Kind.LOST, "its schedule is not in the dump, or follows the sun", instead)]
