"""The fields of the form of a calendar, and the options of `Calendar` that they mean.

Texts are kept as somebody typed them, so that a form comes back as it was sent.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

from tick.define.calendars_by_hand import MOST_FILE, OPTIONS, dates_in

WEEKDAYS = {"mon": "Mon", "tue": "Tue", "wed": "Wed", "thu": "Thu", "fri": "Fri"} | {
    "sat": "Sat",
    "sun": "Sun",
}
COMBINES = {
    "": ("Of its own", "The days below, and those of a country."),
    "all_of": ("Works if all do", "A business day is one in all of those ticked."),
    "any_of": ("Works if any does", "A business day is one in any of those ticked."),
}
_LINE = re.compile(r"(\d{4}-\d{2}-\d{2})[\s,;]*(.*)\Z")
_TEXTS = ("country", "subdivision", "until")
_ENDINGS = (".csv", ".ics")


@dataclass
class CalendarFields:
    """The content of the form: texts by the name of the field, and what is ticked."""

    texts: dict[str, str] = field(default_factory=dict)
    weekend: tuple[str, ...] = ()
    members: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        """Return what stands in a field."""
        return self.texts.get(name, "")


def sent(form: MultiDict[str, str]) -> CalendarFields:
    """Return the fields of a form that was sent."""
    texts = {name: text.strip().replace("\r\n", "\n") for name, text in form.items()}
    return CalendarFields(texts, tuple(form.getlist("weekend")), tuple(form.getlist("members")))


def shown(written: Mapping[str, Any]) -> CalendarFields:
    """Return the fields of a form for a calendar as it was written."""
    texts = {name: str(written.get(name) or "") for name in _TEXTS}
    texts["categories"] = ", ".join(written.get("categories", ()))
    texts["dates"] = _lines(written.get("dates", {}))
    texts["half_days"] = _lines(written.get("half_days", {}))
    texts["working"] = "\n".join(written.get("working", ()))
    texts["combines"] = next((name for name in ("all_of", "any_of") if written.get(name)), "")
    members = (*written.get("all_of", ()), *written.get("any_of", ()))
    return CalendarFields(texts, tuple(written.get("weekend", ())), members)


def meant(
    fields: CalendarFields, upload: FileStorage | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the options that the fields mean (None: not given), and the mistakes by field."""
    options: dict[str, Any] = dict.fromkeys(OPTIONS)
    options |= {name: fields.text(name) or None for name in _TEXTS}
    options["categories"] = _words(fields.text("categories"))
    options["weekend"] = list(fields.weekend)
    if fields.text("combines") in ("all_of", "any_of"):
        options[fields.text("combines")] = list(fields.members)
    mistakes: dict[str, str] = {}
    readers: dict[str, Callable[[], Any]] = {
        "dates": lambda: _dates(fields.text("dates")),
        "file": lambda: {} if upload is None else _uploaded(upload),
        "half_days": lambda: dict(_read_lines(fields.text("half_days"))),
        "working": lambda: [day for day, _ in _read_lines(fields.text("working"))],
    }
    for name, read in readers.items():
        try:
            options[name] = read()
        except ValueError as error:
            mistakes[name] = str(error)
    # What stands in the field is what one sees, so it counts for more than a file.
    options["dates"] = (options.pop("file", None) or {}) | (options["dates"] or {})
    if fields.text("combines") and not fields.members:
        mistakes["members"] = "tick the calendars that it combines"
    return options, mistakes


def _dates(text: str) -> dict[str, str]:
    if text[:15].upper() == "BEGIN:VCALENDAR":
        return dates_in(text, "ics")
    return {day: name or "holiday" for day, name in _read_lines(text)}


def _uploaded(upload: FileStorage) -> dict[str, str]:
    name = (upload.filename or "").lower()
    if not name:
        return {}
    if not name.endswith(_ENDINGS):
        raise ValueError("its name must end with .csv or .ics")
    content = upload.read(MOST_FILE + 1)
    if len(content) > MOST_FILE:
        raise ValueError(
            f"it has more than {MOST_FILE} bytes; leave out years, or `tick calendar edit --file`"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text; save it as such") from None
    return dates_in(text, name[-3:])


def _read_lines(text: str) -> Iterable[tuple[str, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        if (found := _LINE.match(line.strip())) is None:
            said = line.strip()[:20]
            raise ValueError(f"line {number} begins with {said!r}, no date: 2026-05-01")
        yield found[1], found[2].strip()[:100]


def _lines(values: Mapping[str, str]) -> str:
    return "\n".join(f"{day} {name}" for day, name in sorted(values.items()))


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]
