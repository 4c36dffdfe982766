"""YAML of sidekiq-cron, GoodJob and Solid Queue, whose times fugit reads. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tick.cron.zones import check_zone
from tick.errors import InvalidCron
from tick.importers.crontab import machine_zone
from tick.importers.entries import Choices, Entry, File, Found, Kind, Note, Stub, Timing
from tick.importers.names import slug
from tick.importers.yaml_files import at, documents, line_of

_TIMES = ("cron", "schedule")
_ENVIRONMENTS = ("production", "staging", "development", "test", "default", "shared")


def read_ruby(files: Sequence[File], choices: Choices) -> Found:
    """Return the entries of the files: names with `cron` or `schedule`, by environment or not."""
    return Found([e for file in files for doc in documents(file) for e in _of(doc, file, choices)])


def _of(document: Any, file: File, choices: Choices) -> Iterator[Entry]:
    entries = document if isinstance(document, Mapping) else {}
    chosen = next((entries[name] for name in _ENVIRONMENTS if _is_group(entries.get(name))), None)
    for name, item in (chosen or entries).items():
        if isinstance(item, Mapping) and any(isinstance(item.get(key), str) for key in _TIMES):
            yield _entry(str(name), item, file, choices)


def _is_group(value: Any) -> bool:
    return isinstance(value, Mapping) and not any(key in value for key in _TIMES)


def _entry(name: str, item: Mapping[str, Any], file: File, choices: Choices) -> Entry:
    text = next(str(item[key]) for key in _TIMES if isinstance(item.get(key), str))
    fields, zone = _zone_apart(text)
    notes = []
    timing = None
    if (len(fields.split()) in (5, 6) and not fields[0].isalpha()) or fields.startswith("@"):
        timing = Timing(zone or machine_zone(choices), "fugit", fields)
    else:
        said = f"{text!r} is said in words, which only fugit understands"
        notes.append(Note(Kind.LOST, said, "`Fugit.parse(…).original` there names the five fields"))
    work = at(item, "class") or at(item, "command") or name
    with_values = f" with {item['args']!r}" if item.get("args") else ""
    queue = item.get("queue")
    if str(item.get("status", "")) == "disabled":
        notes.append(Note(Kind.CARRIED, "it is disabled; each schedule arrives switched off"))
    return Entry(
        line_of(file.text, f"{name}:"),
        f"{name}: {text}",
        slug(name),
        Stub(f"the job {work}{with_values}"),
        timing,
        {"overlap": "ALLOW"},
        {"queue": slug(str(queue))} if queue else {},
        tuple(notes),
    )


def _zone_apart(text: str) -> tuple[str, str | None]:
    fields, _, last = text.strip().rpartition(" ")
    try:
        check_zone(last)
    except InvalidCron:
        return text.strip(), None
    return (fields, last) if fields else (text.strip(), None)
