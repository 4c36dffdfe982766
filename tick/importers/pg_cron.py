"""pg_cron: the calls of cron.schedule in SQL. Its parser is that of Debian's cron, in GMT. Pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta

from tick.importers.entries import Choices, Entry, File, Found, Kind, Note, Program, Timing
from tick.importers.names import slug

_CALL = re.compile(
    r"cron\.schedule\s*\(\s*(?:'(?P<name>(?:[^']|'')*)'\s*,\s*)?'(?P<when>(?:[^']|'')*)'\s*,\s*"
    r"(?:'(?P<quoted>(?:[^']|'')*)'|\$(?P<tag>\w*)\$(?P<dollar>.*?)\$(?P=tag)\$)\s*\)",
    re.DOTALL | re.IGNORECASE,
)
_SECONDS = re.compile(r"(\d+) seconds?\Z")


def read_pg_cron(files: Sequence[File], _choices: Choices) -> Found:
    """Return the calls of cron.schedule."""
    entries = [entry for file in files for entry in _entries(file)]
    said = "the database runs it itself, as the user who scheduled it"
    note = Note(Kind.CHANGED, said, "give workers PGHOST, PGUSER and PGPASSWORD for psql")
    return Found(entries, (note,) if entries else ())


def _entries(file: File) -> Iterator[Entry]:
    for found in _CALL.finditer(file.text):
        when = found["when"].replace("''", "'").strip()
        sql = (found["quoted"] or found["dollar"] or "").replace("''", "'").strip()
        name = slug((found["name"] or "").replace("''", "'") or sql[:40], "sql")
        line = file.text.count("\n", 0, found.start()) + 1
        argv = ("psql", "--set", "ON_ERROR_STOP=1", "--command", sql)
        seconds = _SECONDS.match(when)
        every = timedelta(seconds=int(seconds[1])) if seconds else None
        # `$` is the last day to it alone.
        last_day = when.split()[2:3] == ["$"]
        notes = [Note(Kind.CARRIED, "$ is the last day of the month")] if last_day else []
        timing = Timing("UTC", "debian-cron", when)
        if every is not None:
            timing = Timing(every=every)
        elif last_day:
            timing = Timing("UTC", "fugit", when.replace("$", "L"))
        yield Entry(line, found[0], name, Program(argv), timing, notes=tuple(notes))
