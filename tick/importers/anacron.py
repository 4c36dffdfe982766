"""Anacrontabs: periods of days, made up for when the machine was off. Pure."""

import re
from collections.abc import Sequence

from tick.cron.grammar import quote
from tick.define.steps import Step
from tick.importers.commands import DAY_SECONDS, hints, without_secrets
from tick.importers.crontab import machine_zone
from tick.importers.entries import Choices, Entry, File, Found, Kind, Note, Program, Timing
from tick.importers.names import slug

_VARIABLE = re.compile(r"(\w+)\s*=\s*(.*)\Z")
_LINE = re.compile(r"(\S+)\s+(\d+)\s+(\S+)\s+(.+)\Z")
_WORDS = {"@daily": Step("days", 1), "@weekly": Step("weeks", 1), "@monthly": Step("months", 1)}
_WORDS |= {"@yearly": Step("months", 12), "@annually": Step("months", 12)}
_FOR_ANACRON = {"SHELL", "MAILTO", "RANDOM_DELAY", "START_HOURS_RANGE", "PREFERRED_HOUR"}
_MOST_DAYS = 3660


def read_anacron(files: Sequence[File], choices: Choices) -> Found:
    """Return the entries of anacrontabs."""
    zone = machine_zone(choices)
    entries = [entry for file in files for entry in _entries(file, zone)]
    said = "anacron has no instants: it runs what was not run for so many days, whenever it is up"
    instead = 'a fixed time each day, with missed="CATCH_UP" for when nothing ticked'
    return Found(entries, (Note(Kind.CHANGED, said, instead),))


def _entries(file: File, zone: str) -> list[Entry]:
    variables: dict[str, str] = {}
    found = []
    for number, raw in enumerate(file.text.split("\n"), 1):
        text = raw.strip()
        if not text or text.startswith("#"):
            continue
        if set_one := _VARIABLE.match(text):
            variables[set_one[1]] = set_one[2].strip("'\"")
        else:
            found.append(_entry(number, text, variables, zone))
    return found


def _entry(number: int, text: str, variables: dict[str, str], zone: str) -> Entry:
    match = _LINE.match(text)
    step = match and _step(match[1])
    if match is None or step is None:
        note = Note(
            Kind.DEAD,
            f"{quote(text)} is no line of anacron, so it never ran",
            "write period, delay in minutes, name and command",
        )
        return Entry(number, text, "nothing", None, None, notes=(note,))
    env, notes = without_secrets(
        {name: of for name, of in variables.items() if name not in _FOR_ANACRON}
    )
    if "RANDOM_DELAY" in variables:
        said = f"up to {variables['RANDOM_DELAY']} more minutes are drawn at random"
        notes.append(Note(Kind.LOST, said, "jitter= moves every instant by a part that stays"))
    at = _time(variables.get("START_HOURS_RANGE", "0"), int(match[2]))
    return Entry(
        number,
        text,
        slug(match[3]),
        Program(match[4], True, env),
        Timing(zone, every=Step(step.unit, step.number, at)),
        {"missed": "CATCH_UP"},
        {"timeout": DAY_SECONDS},
        (*notes, *hints(match[4])),
    )


def _step(period: str) -> Step | None:
    if period.isascii() and period.isdigit() and 1 <= int(period) <= _MOST_DAYS:
        return Step("days", int(period))
    return _WORDS.get(period)


def _time(hours: str, delay: int) -> str:
    first = hours.partition("-")[0]
    start = int(first) * 60 if first.isascii() and first.isdigit() else 0
    return "{:02}:{:02}".format(*divmod((start + delay) % 1440, 60))
