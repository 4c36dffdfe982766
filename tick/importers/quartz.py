"""Triggers of Quartz in its XML, and Spring's: @Scheduled in Java, cron in XML. Pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from xml.etree import ElementTree as ET  # nosec B405

from tick.importers.crontab import machine_zone
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
from tick.importers.yaml_files import line_of

_SCHEDULED = re.compile(r"@Scheduled\s*\(((?:[^()\"]|\"(?:[^\"\\]|\\.)*\")*)\)")
_VALUE = re.compile(r"(\w+)\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[\w.+*\s-]+)")
_METHOD = re.compile(r"\b(\w+)\s*\([^()]*\)\s*(?:throws [\w.,\s]+)?\{")
_WORDS = {"@yearly": "0 0 0 1 1 *", "@annually": "0 0 0 1 1 *", "@monthly": "0 0 0 1 * *"}
_WORDS |= {"@weekly": "0 0 0 * * 0", "@daily": "0 0 0 * * *", "@midnight": "0 0 0 * * *"}
_WORDS |= {"@hourly": "0 0 * * * *"}
_NOT_MEASURED = Note(
    Kind.CARRIED,
    "what Spring does on the nights of a clock change was not measured; Quartz's rule stands in",
)


def read_quartz(files: Sequence[File], choices: Choices) -> Found:
    """Return the cron and simple triggers of Quartz's scheduling data, or of Spring's beans."""
    return Found([entry for file in files for entry in _of_xml(file, choices)])


def _tree(file: File) -> ET.Element:
    if "<!DOCTYPE" in file.text or "<!ENTITY" in file.text:
        raise ImportRefused(
            f"{file.name} declares a document type, by which XML can name other files: delete the "
            "<!DOCTYPE …> and try again."
        )
    try:
        # Without a document type there are no entities of its own.
        return ET.fromstring(file.text)  # noqa: S314  # nosec B314
    except (ET.ParseError, ValueError, RecursionError) as error:
        raise ImportRefused(f"{file.name} is no XML: {error}. Mend it, then try again.") from None


def _of_xml(file: File, choices: Choices) -> Iterator[Entry]:
    for element in _tree(file).iter():
        kind = _name(element.tag)
        if kind == "cron":
            values = {_name(each.tag): str(each.text or "").strip() for each in element}
            name = str(values.get("name") or values.get("job-name") or "trigger")
            expression = values.get("cron-expression", "")
            yield _trigger(file, name, values.get("job-name", name), expression, choices, values)
        elif kind == "bean":
            properties = _properties(element)
            if said := properties.get("cronExpression"):
                name = str(element.get("id") or "trigger")
                job = properties.get("jobDetail", name)
                yield _trigger(file, name, job, said, choices, properties)


def _properties(bean: ET.Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in bean:
        if _name(each.tag) == "property":
            inner = "".join(each.itertext()).strip()
            found[each.get("name", "")] = str(each.get("value") or each.get("ref") or inner)
    for key, value in bean.attrib.items():
        found.setdefault(re.sub(r"-(\w)", lambda m: m[1].upper(), _name(key)), value)
    return found


def _name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _trigger(
    file: File, name: str, job: str, expression: str, choices: Choices, values: dict[str, str]
) -> Entry:
    zone = values.get("time-zone") or values.get("timeZone") or machine_zone(choices)
    expression = " ".join(expression.split())
    misfire = values.get("misfire-instruction", "")
    smart = "DO_NOTHING" not in misfire
    return Entry(
        line_of(file.text, expression, name),
        f"{name}: {expression}",
        slug(name),
        Stub(f"the job {job}"),
        Timing(zone, "quartz", expression),
        {"overlap": "ALLOW", **({"missed": "CATCH_UP"} if smart else {})},
    )


def read_spring(files: Sequence[File], choices: Choices) -> Found:
    """Return what @Scheduled says in Java or Kotlin files."""
    entries = [entry for file in files for entry in _of_java(file, choices)]
    return Found(entries, (_NOT_MEASURED,) if entries else ())


def _of_java(file: File, choices: Choices) -> Iterator[Entry]:
    for found in _SCHEDULED.finditer(file.text):
        values = {key: value.strip() for key, value in _VALUE.findall(found[1])}
        method = _METHOD.search(file.text, found.end())
        name = method[1] if method else "scheduled"
        timing, notes = _timing(values, choices)
        yield Entry(
            file.text.count("\n", 0, found.start()) + 1,
            " ".join(found[0].split()),
            slug(name),
            Stub(f"the method {name}()"),
            timing,
            {},
            {},
            tuple(notes),
        )


def _timing(values: dict[str, str], choices: Choices) -> tuple[Timing | None, list[Note]]:
    if "cron" in values:
        text = values["cron"].strip('"')
        if "${" in text or not values["cron"].startswith('"'):
            said = f"cron is {text!r}, which a property or a constant holds"
            return None, [Note(Kind.LOST, said, "look it up, and write cron= by hand")]
        zone = values.get("zone", "").strip('"') or machine_zone(choices)
        return _of_spring(text, zone)
    for key in ("fixedRate", "fixedDelay", "fixedRateString", "fixedDelayString"):
        text = values.get(key, "").strip('"').rstrip("Ll").replace("_", "")
        if text.isdigit():
            unit = 1000.0 if "SECONDS" in values.get("timeUnit", "") else 1.0
            unit = 60000.0 if "MINUTES" in values.get("timeUnit", "") else unit
            unit = 3600000.0 if "HOURS" in values.get("timeUnit", "") else unit
            every = timedelta(milliseconds=min(int(text) * unit, 1e12))
            said = f"{key} counts from the start of the application; here from 1970"
            return Timing(every=every), [Note(Kind.CHANGED, said, "anchor= is the first instant")]
    return None, [Note(Kind.LOST, f"only the application tells {values}", "write it by hand")]


def _of_spring(text: str, zone: str) -> tuple[Timing | None, list[Note]]:
    if text == "-":
        return None, [Note(Kind.DEAD, "cron '-' switches it off", "leave it out")]
    fields = _WORDS.get(text.lower(), text).upper().split()
    if len(fields) != 6:
        return None, [Note(Kind.DEAD, f"Spring reads six fields, not {text!r}", "write six")]
    second, minute, hour, day, month, weekday = fields
    weekday = re.sub(r"(?<![\w#/-])(\d)|(?<=-)(\d)", _as_quartz, weekday)
    if day in ("*", "?"):
        day, weekday = ("*", "?") if weekday in ("*", "?") else ("?", weekday)
    elif weekday in ("*", "?"):
        weekday = "?"
    else:
        said = f"{text!r}: both day fields must match in Spring"
        return None, [Note(Kind.LOST, said, "more days, and the job's `when` picks them")]
    expression = " ".join((second, minute, hour, day, month, weekday))
    return Timing(zone, "quartz", expression), []


def _as_quartz(found: re.Match[str]) -> str:
    # Sunday is 0 or 7 to Spring, and 1 to Quartz.
    return str(int(found[0]) % 7 + 1)
