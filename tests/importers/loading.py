"""Imports in a test: what is read, what is written, and whether that is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import ModuleType

from tick.cron.dialects.by_day import Span
from tick.define.registry import Registry, _instances, _jobs, build_registry
from tick.define.schedules import Schedule
from tick.importers.carry import Carried, carry
from tick.importers.definitions_file import definitions_of
from tick.importers.entries import Choices, File, Found
from tick.importers.sources import read

START = datetime(2026, 1, 15, 12, tzinfo=UTC)
SPAN = Span(START, START + timedelta(days=400), "UTC")


@dataclass(frozen=True)
class Imported:
    """What came of files of one source."""

    found: Found
    carried: list[Carried]
    text: str

    @property
    def registry(self) -> Registry:
        """The definitions as `tick check` loads them; it raises for every mistake."""
        module = ModuleType("imported")
        exec(self.text, vars(module))  # noqa: S102
        return build_registry(_jobs([module]), _instances([module], Schedule))

    def schedule(self, schedule_id: str) -> Schedule:
        return self.registry.schedules[schedule_id]

    def notes(self, line: int) -> list[str]:
        """What is said of the entry of a line."""
        (entry,) = (each for each in self.carried if each.entry.line == line)
        return [f"{note.kind}: {note.text} | {note.instead}" for note in entry.all_notes]

    def says(self, line: int, *words: str) -> bool:
        """Whether one note on the line has all the words."""
        return any(all(word in note for word in words) for note in self.notes(line))


def imported(
    source: str,
    text: str | Mapping[str, str],
    zone: str | None = "Europe/Berlin",
    *,
    system: bool = False,
    name: str = "crontab",
) -> Imported:
    """Bring a text, or several files, here."""
    files = {name: text} if isinstance(text, str) else text
    found = read(source, [File(*each) for each in files.items()], Choices(zone, system))
    carried = [carry(entry, SPAN) for entry in found.entries]
    return Imported(found, carried, definitions_of(source, carried, "imported"))
