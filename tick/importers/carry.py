"""What becomes of one entry here: its rule, what is to be said, and the proof. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from typing import Any

from tick.cron.dialects import Dialect
from tick.cron.dialects.by_day import Span
from tick.cron.dialects.times import dialect_times
from tick.cron.grammar import parse, quote
from tick.define.steps import Step
from tick.errors import InvalidCron
from tick.importers.engines import engine
from tick.importers.entries import Entry, Kind, Note, Timing
from tick.importers.proof import Proof, prove
from tick.importers.timing import Match, Ours, match

_DRAWN = re.compile(r"(\d*)~(\d*)")
_SHORTEST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Carried:
    """An entry with the options of our schedule (None: there is no schedule), and the proof."""

    entry: Entry
    options: Mapping[str, Any] | None
    proof: Proof | None = None
    notes: tuple[Note, ...] = field(default=())

    @property
    def all_notes(self) -> tuple[Note, ...]:
        """What is to be said of the entry, and of its times."""
        return (*self.entry.notes, *self.notes)

    @property
    def is_changed(self) -> bool:
        """Whether something of it is otherwise here, or is missing."""
        return any(note.kind is not Kind.CARRIED for note in self.all_notes)


def carry(entry: Entry, span: Span) -> Carried:
    """Return what becomes of an entry; `span` is that of the proof, in any zone."""
    timing = entry.timing
    if timing is None or entry.work is None:
        return Carried(entry, None)
    if timing.at is not None:
        return Carried(entry, {"at": timing.at.astimezone(UTC).isoformat()})
    if timing.every is not None:
        return _every(entry, timing.every, timing.zone)
    if timing.engine is None:
        return Carried(entry, None)
    asked = engine(timing.engine)
    drawn = asked.random(timing.expression)
    if drawn is not None:
        return _drawn(entry, timing, drawn)
    return _expression(entry, timing, asked, replace(span, zone=timing.zone))


def _every(entry: Entry, every: timedelta | Step, zone: str) -> Carried:
    if isinstance(every, Step):
        return Carried(entry, {"every": every.to_plain(), **_zoned(zone)})
    if every < _SHORTEST:
        note = Note(
            Kind.LOST,
            f"every {every.total_seconds():g} seconds is more often than ours fire",
            "let one run a minute repeat the work inside, or keep a process running",
        )
        return Carried(entry, None, notes=(note,))
    return Carried(entry, {"every": every.total_seconds()})


def _zoned(zone: str) -> dict[str, str]:
    return {} if zone == "UTC" else {"timezone": zone}


def _drawn(entry: Entry, timing: Timing, drawn: str) -> Carried:
    ours = " ".join(_slot(text) for text in timing.expression.split())
    note = Note(
        Kind.CHANGED,
        f"it draws a new value whenever its table is loaded ({drawn}); here it is a fixed one of "
        "that range, made from the id",
        f"nothing, or write the value that you want in place of {ours!r}",
    )
    return Carried(entry, {"cron": ours, **_zoned(timing.zone)}, notes=(note,))


def _slot(text: str) -> str:
    found = _DRAWN.fullmatch(text)
    if found is None:
        return text
    return f"H({found[1]}-{found[2]})" if found[1] and found[2] else "H"


def _expression(entry: Entry, timing: Timing, asked: Dialect, span: Span) -> Carried:
    try:
        found = match(asked, timing.expression, span)
    except InvalidCron as error:
        return Carried(entry, None, notes=(Note(Kind.DEAD, str(error)),))
    proof = None
    if found.ours is not None:
        proof = prove(asked, timing.expression, found.ours, span)
    notes: list[Note] = []
    if found.ours is None or proof is None or (proof.differing and not found.second):
        as_there = _as_there(timing, asked, span)
        if as_there is not None:
            notes.append(_why_dialect(timing, asked, found, proof))
            found, proof = Match(as_there), prove(asked, timing.expression, as_there, span)
    if found.ours is None or proof is None:
        return Carried(entry, None, notes=(_why_not(timing, found),))
    notes += _differences(proof, found)
    if found.ours.cron != timing.expression:
        notes.append(Note(Kind.CARRIED, f"{timing.expression!r} is written {found.ours.cron!r}"))
    options = {**found.ours.options, **_zoned(timing.zone)}
    return Carried(entry, options, proof, tuple(notes))


def _as_there(timing: Timing, asked: Dialect, span: Span) -> Ours | None:
    """Return the rule that asks the engine itself; None where it can't be fired to the minute."""
    try:
        dialect_times(asked.name, timing.expression, span.zone)
    except InvalidCron:
        return None
    return Ours(timing.expression, dialect=asked.name)


def _why_dialect(timing: Timing, asked: Dialect, found: Match, proof: Proof | None) -> Note:
    name = asked.name
    if proof is None or found.ours is None:
        said = f"{timing.expression!r}: {found.why}; dialect={name!r} names them as {name} does"
        return Note(Kind.CARRIED, said)
    ours = ", ".join(f"{key}={value!r}" for key, value in found.ours.options.items())
    said = (
        f"by our rule {proof.differing} of {max(proof.there, proof.here)} instants would differ, "
        f"beside clock changes; dialect={name!r} keeps them"
    )
    return Note(Kind.CARRIED, said, f"{ours} without dialect, unless those matter")


def _why_not(timing: Timing, found: Match) -> Note:
    said = quote(timing.expression)
    if found.never:
        return Note(Kind.DEAD, f"{said}: {found.why}", _what_is_right(timing.expression))
    instead = "make it due on more days, and let the job's `when` pick them"
    return Note(Kind.LOST, f"{said}: {found.why}", instead)


def _what_is_right(expression: str) -> str:
    try:
        parse(expression)
    except InvalidCron as error:
        return f"what was meant ({error})"
    return "leave it out, or say when it is meant"


def _differences(proof: Proof, found: Match) -> list[Note]:
    if not proof.differing:
        return []
    if found.second:
        said = f"it fires at second {found.second} there, on the minute here"
        return [Note(Kind.CHANGED, said, "nothing, unless those seconds matter")]
    said = f"{proof.differing} instants of {max(proof.there, proof.here)} differ, see the proof"
    return [Note(Kind.CHANGED, said, "see whether those nights matter")]
