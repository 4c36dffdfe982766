"""Crontabs of Debian's cron, cronie and BusyBox's crond: user files and system files. Pure."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from tick.cron.grammar import quote
from tick.errors import InvalidCron
from tick.importers.commands import DAY_SECONDS, hints, with_standard_input, without_secrets
from tick.importers.crontab_lines import Line, lines_of
from tick.importers.engines import CRONIE_WITH_ZONE, engine
from tick.importers.entries import (
    Choices,
    Entry,
    File,
    Found,
    ImportRefused,
    Kind,
    Note,
    Program,
    Timing,
)
from tick.importers.names import name_of_command

_CRON_D_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
_FOR_THE_DAEMON = {"MAILTO", "MAILFROM", "SHELL", "CRON_TZ", "RANDOM_DELAY", "HOME"}
_FOR_THE_DAEMON |= {"CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING"}
_SHELL = "/bin/sh"


@dataclass(frozen=True, slots=True)
class Daemon:
    """How one daemon reads a table, beside the five fields."""

    engine: str
    # A wrong line: is the whole file ignored, or the line alone?
    loses_file: bool
    # The same for a last line that no newline ends; None: it is a line like others.
    loses_file_without_newline: bool | None
    percent: bool = True
    zone_variable: bool = False
    # The variables that reach a command; None is all.
    variables: frozenset[str] | None = None
    overlap: str = "ALLOW"


DEBIAN = Daemon("debian-cron", True, True)
CRONIE = Daemon("cronie", False, False, zone_variable=True)
_KNOWN_TO_BUSYBOX = frozenset({"SHELL", "PATH", "MAILTO"})
BUSYBOX = Daemon("busybox-crond", False, None, False, variables=_KNOWN_TO_BUSYBOX, overlap="SKIP")


def read_debian(files: Sequence[File], choices: Choices) -> Found:
    """Return the entries of tables of Debian's cron."""
    return read_crontabs(DEBIAN, files, choices)


def read_cronie(files: Sequence[File], choices: Choices) -> Found:
    """Return the entries of tables of cronie."""
    return read_crontabs(CRONIE, files, choices)


def read_busybox(files: Sequence[File], choices: Choices) -> Found:
    """Return the entries of tables of BusyBox's crond."""
    return read_crontabs(BUSYBOX, files, choices)


def machine_zone(choices: Choices) -> str:
    """Return the zone of the machine there. Raises ImportRefused where nobody gave it."""
    if choices.zone is None:
        raise ImportRefused(
            "These files follow the clock of their machine, whose time zone they do not name: give "
            "--tz ZONE. There, `timedatectl` or `cat /etc/timezone` says which."
        )
    return choices.zone


def read_crontabs(daemon: Daemon, files: Sequence[File], choices: Choices) -> Found:
    """Return the entries of tables of one daemon."""
    zone = machine_zone(choices)
    entries: list[Entry] = []
    for file in files:
        lines = [*lines_of(file.text, system=choices.system)]
        disabled = _why_disabled(daemon, file, lines, choices)
        unended = lines[-1].number if lines and _lacks_newline(daemon, file) else None
        for line in lines:
            entry = _entry(daemon, line, zone)
            if disabled:
                entry = _dead(entry, disabled)
            elif line.number == unended:
                entry = _dead(entry, "no newline ends this last line, so it was left out")
            entries.append(entry)
    return Found(entries, tuple(_of_all(entries)))


def _lacks_newline(daemon: Daemon, file: File) -> bool:
    return daemon.loses_file_without_newline is not None and not file.text.endswith("\n")


def _dead(entry: Entry, why: str) -> Entry:
    return replace(entry, notes=(*entry.notes, Note(Kind.DEAD, why, "see whether it is wanted")))


def _why_disabled(
    daemon: Daemon, file: File, lines: Sequence[Line], choices: Choices
) -> str | None:
    """Return what made the daemon ignore the whole file; None if nothing did."""
    path = PurePosixPath(file.name)
    unread = path.parent.name == "cron.d" and not _CRON_D_NAME.match(path.name)
    if daemon is DEBIAN and unread:
        return f"Debian's cron reads no file of /etc/cron.d with a name like {path.name!r}"
    if daemon.loses_file_without_newline and _lacks_newline(daemon, file):
        return "no newline ends its last line, so the whole file was ignored"
    if daemon.loses_file:
        for line in lines:
            if why := _why_wrong(daemon, line, choices.system):
                return f"line {line.number} disabled the whole file: {why}"
    return None


def _why_wrong(daemon: Daemon, line: Line, system: bool) -> str | None:
    if not line.command:
        return f"{quote(line.text)} has no command" + (" after the user" if system else "")
    if line.times == "@reboot":
        return None
    try:
        engine(daemon.engine).parse(line.times)
    except InvalidCron as error:
        return str(error)
    return None


def _entry(daemon: Daemon, line: Line, zone: str) -> Entry:
    if not line.command:
        note = Note(Kind.DEAD, "a command is missing, so the line never ran", "complete it")
        return Entry(line.number, line.text, "nothing", None, None, notes=(note,))
    work, notes = _program(daemon, line)
    timing = Timing(zone, daemon.engine, line.times)
    if daemon.zone_variable and line.variables.get("CRON_TZ"):
        timing = Timing(line.variables["CRON_TZ"], CRONIE_WITH_ZONE.name, line.times)
        said = f"CRON_TZ={timing.zone}: such a line is never made up for in spring, and fires twice"
        notes.append(Note(Kind.CARRIED, f"{said} in a repeated hour"))
    return Entry(
        line.number,
        line.text,
        name_of_command(line.command),
        work,
        None if line.times == "@reboot" else timing,
        {"overlap": daemon.overlap} if daemon.overlap != "SKIP" else {},
        {"timeout": DAY_SECONDS},
        tuple([*notes, *_of_times(line), *_of_surroundings(daemon, line)]),
    )


def _of_times(line: Line) -> Iterator[Note]:
    if line.times == "@reboot":
        call = f"tick run --job {name_of_command(line.command)}"
        yield Note(Kind.LOST, "@reboot is no time", f"have the machine call `{call}` at its start")


def _program(daemon: Daemon, line: Line) -> tuple[Program, list[Note]]:
    command, notes = line.command, [*hints(line.command)]
    if daemon.percent:
        command, given = with_standard_input(command)
        if given is not None:
            command = f"printf '%s' {shlex.quote(given)} | {{ {command}\n}}"
            said = "what follows % is standard input, which here comes from printf"
            notes.append(Note(Kind.CHANGED, said, "a small script of your own reads better"))
    elif "%" in command:
        notes.append(Note(Kind.CARRIED, "% means nothing special there, nor here"))
    passed = {
        name: value
        for name, value in line.variables.items()
        if name not in _FOR_THE_DAEMON and (not daemon.variables or name in daemon.variables)
    }
    env, of_env = without_secrets(passed)
    home = line.variables.get("HOME") if daemon.variables is None else None
    if home:
        env["HOME"] = home
    shell = line.variables.get("SHELL", _SHELL)
    if shell in (_SHELL, "sh"):
        return Program(command, True, env, home), [*notes, *of_env]
    notes.append(Note(Kind.CARRIED, f"SHELL={shell} is the program that is started"))
    return Program((shell, "-c", command), False, env, home), [*notes, *of_env]


def _of_surroundings(daemon: Daemon, line: Line) -> Iterator[Note]:
    variables = line.variables
    if line.user is not None and line.user != "root":
        yield Note(
            Kind.LOST,
            f"it runs as {line.user}; here it runs as whoever started the worker",
            f'start a worker as {line.user} with a queue of its own, and give queue="{line.user}"',
        )
    if mail := variables.get("MAILTO"):
        yield Note(Kind.LOST, f"MAILTO={mail} got what it prints", _INSTEAD_OF_MAIL)
    if delay := variables.get("RANDOM_DELAY"):
        said = f"RANDOM_DELAY={delay} is drawn anew at each start of the daemon"
        if daemon.zone_variable:
            yield Note(Kind.LOST, said, "jitter= moves every instant by a part that stays")
    ignored = variables.keys() - (daemon.variables or variables.keys())
    if ignored:
        names = ", ".join(sorted(ignored))
        yield Note(Kind.DEAD, f"{names}: BusyBox's crond sets no such variable", "see above")
    if daemon is DEBIAN and "CRON_TZ" in variables:
        said = "CRON_TZ is no more than a variable to Debian's cron: it fires by the machine's zone"
        yield Note(Kind.CARRIED, said, "timezone= says another one, if that was meant")
    if daemon is DEBIAN and not line.times.startswith("@") and re.search("[~#]", line.times):
        said = "Debian's cron reads no ~ and no #, and leaves out the rest of such a field"
        yield Note(Kind.CHANGED, said, "write what was meant: H(0-30) for 0~30; 1#1 is fine here")


_INSTEAD_OF_MAIL = "alerts: TICK_ALERT_URLS with the extra `alerts`, and `tick doctor` tries them"


def _of_all(entries: Sequence[Entry]) -> Iterator[Note]:
    if not entries:
        return
    said = "cron starts a command in the user's home folder, with PATH=/usr/bin:/bin"
    yield Note(Kind.CHANGED, f"{said}; a worker, with what it was started with", "cwd=, env=")
    said = "cron mails what a command prints to the owner of the table, or to MAILTO"
    yield Note(Kind.CHANGED, f"{said}; here it is the run's log", _INSTEAD_OF_MAIL)
    said = "cron lets a command run for ever; each job here is killed after a day"
    yield Note(Kind.CHANGED, said, "timeout= says how long is too long")
