"""Crontabs as systemd-cron makes timers of them: days by AND, and mistakes of its own. Pure.

The rules are those of systemd-crontab-generator 1.15.19, as Debian 12 has it.
"""

from collections.abc import Callable, Iterator, Sequence

from tick.cron.grammar import quote
from tick.importers.commands import DAY_SECONDS, hints, without_secrets
from tick.importers.crontab import machine_zone
from tick.importers.crontab_lines import Line, lines_of
from tick.importers.entries import Choices, Entry, File, Found, Kind, Note, Program, Timing
from tick.importers.names import name_of_command

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
# It knows no October, so that November and December come a month early.
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "nov", "dec")
_SAME = {"midnight": "daily", "annually": "yearly", "anually": "yearly"}
_SAME |= {"biannually": "semi-annually", "bi-annually": "semi-annually"}
_SAME |= {"semiannually": "semi-annually"}
_DAYS_OF = {"daily": "*-*-*", "weekly": "Mon *-*-*", "monthly": "*-*-1", "yearly": "*-1-1"}
_DAYS_OF |= {"quarterly": "*-1,4,7,10-1", "semi-annually": "*-1,7-1"}
_FOR_THE_GENERATOR = {"MAILTO", "SHELL", "RANDOM_DELAY", "START_HOURS_RANGE", "DELAY"}
_FOR_THE_GENERATOR |= {"PERSISTENT", "BATCH", "RUN_PARTS"}
_YES = ("yes", "true", "1")


def read_systemd_cron(files: Sequence[File], choices: Choices) -> Found:
    """Return the entries of crontabs that systemd-cron runs."""
    zone = machine_zone(choices)
    lines = [line for file in files for line in lines_of(file.text, system=choices.system)]
    said = "each job here is killed after a day, there at no time"
    note = Note(Kind.CHANGED, said, "timeout= says how long is too long")
    return Found([_entry(line, zone) for line in lines], (note,))


def _entry(line: Line, zone: str) -> Entry:
    env, of_env = without_secrets(
        {name: of for name, of in line.variables.items() if name not in _FOR_THE_GENERATOR}
    )
    notes = [*hints(line.command), *of_env, *_of_surroundings(line)]
    calendar = None
    if not line.command:
        notes.append(Note(Kind.DEAD, "a command is missing, so the line never ran", "complete it"))
    else:
        calendar, of_times = _calendar(line)
        notes += of_times
    shell = line.variables.get("SHELL", "/bin/sh")
    command = " ".join(line.command.split())
    work = (
        Program(command, True, env)
        if shell == "/bin/sh"
        else Program((shell, "-c", command), env=env)
    )
    return Entry(
        line.number,
        line.text,
        name_of_command(line.command),
        work if line.command else None,
        Timing(zone, "systemd", calendar) if calendar else None,
        {"missed": "CATCH_UP"} if calendar and _is_persistent(line) else {},
        {"timeout": DAY_SECONDS},
        tuple(notes),
    )


def _is_persistent(line: Line) -> bool:
    chosen = line.variables.get("PERSISTENT", "auto").strip().lower()
    return chosen in _YES or (chosen in ("auto", "") and line.times.startswith("@"))


def _of_surroundings(line: Line) -> Iterator[Note]:
    if line.user and line.user != "root":
        queue = (
            f'start a worker as {line.user} with a queue of its own, and give queue="{line.user}"'
        )
        yield Note(Kind.LOST, f"it runs as {line.user}; here as whoever started the worker", queue)
    if "MAILTO" in line.variables:
        said = "MAILTO gets a mail when it fails"
        yield Note(Kind.LOST, said, "TICK_ALERT_URLS with the extra `alerts`")
    if line.command != " ".join(line.command.split()):
        yield Note(Kind.CARRIED, "several blanks in the command are one there, and here")
    if "%" in line.command:
        yield Note(Kind.CARRIED, "% is no standard input there, nor here", "printf … | command")
    if line.command.startswith(("[ -d /run/systemd/system ] ||", "test -d /run/systemd/system ||")):
        yield Note(Kind.DEAD, "systemd-cron leaves out what is for machines without systemd")


def _calendar(line: Line) -> tuple[str | None, list[Note]]:
    if line.times.startswith("@"):
        return _of_word(line)
    minutes, hours, dates, months, weekdays = line.times.split()
    notes = []
    fields = [
        _values(minutes, range(60), int),
        _values(hours, range(24), int),
        _values(dates, range(1, 32), int),
        _values(months, range(1, 13), _month),
    ]
    if not all(fields):
        said = f"{quote(line.times)}: a field is garbled to systemd-cron, so the line never ran"
        return None, [Note(Kind.DEAD, said, "say when it is meant")]
    days = ""
    if weekdays != "*":
        found = _values(weekdays, range(7), _weekday)
        days = ",".join(_WEEKDAYS[each] for each in found or []) + " "
        if not found:
            said = f"the weekday {quote(weekdays)} was garbled to it: it ran on every day"
            notes.append(Note(Kind.CHANGED, said, "write the weekdays that were meant"))
            days = ""
    if any(each[:3].lower() in ("nov", "dec") for each in months.replace("-", ",").split(",")):
        said = "systemd-cron knows no October: nov ran in October, dec in November"
        notes.append(Note(Kind.CHANGED, said, "write the month that was meant, as a number"))
    at, hour, dates, months = (
        "*" if text == "*" else ",".join(map(str, values or ()))
        for text, values in zip((minutes, hours, dates, months), fields, strict=True)
    )
    return f"{days}*-{months}-{dates} {hour}:{at}:00", notes


def _of_word(line: Line) -> tuple[str | None, list[Note]]:
    word = line.times[1:].lower()
    word = _SAME.get(word, word)
    delay, hour = (_number(line, name) for name in ("DELAY", "START_HOURS_RANGE"))
    if word == "reboot":
        call = f"tick run --job {name_of_command(line.command)}"
        note = Note(Kind.LOST, "@reboot is no time", f"have the machine call `{call}` at its start")
        return None, [note]
    if word in ("minutely", "hourly"):
        return (f"*-*-* *:{delay}:00" if word == "hourly" else "minutely"), []
    if word not in _DAYS_OF:
        said = f"systemd-cron knows no {quote(line.times)}, so the line never ran"
        return None, [Note(Kind.DEAD, said, "say when it is meant")]
    said = "@weekly is Monday to systemd-cron, and Sunday to every cron"
    notes = [Note(Kind.CARRIED, said)] if word == "weekly" else []
    return f"{_DAYS_OF[word]} {hour}:{delay:02}:00", notes


def _number(line: Line, name: str) -> int:
    text = line.variables.get(name, "0").partition("-")[0]
    return int(text) if text.isascii() and text.isdigit() else 0


def _values(text: str, values: range, number: Callable[[str], int]) -> list[int] | None:
    """Return what the field names; None if it is garbled."""
    shift = values[0]
    found: set[int] = set()
    try:
        for item in text.split(","):
            around, _, step_text = item.partition("/")
            step = int(step_text) if step_text else 1
            first, _, last = around.partition("-")
            if around == "*":
                found.update(values[::step])
            else:
                # As it counts: an end before its start holds nothing.
                start, end = number(first) - shift, number(last or first) - shift + 1
                found.update(values[start:end:step])
    except ValueError:
        return None
    return sorted(found) or None


def _month(text: str) -> int:
    return int(text) if text.isdigit() else _MONTHS.index(text.lower()[:3]) + 1


def _weekday(text: str) -> int:
    names = [name.lower() for name in _WEEKDAYS]
    return names.index(text[:3].lower()) if text[:3].lower() in names else int(text) % 7
