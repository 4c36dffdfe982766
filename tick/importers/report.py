"""What is told of an import: per entry what became of it, and the proof. Pure."""

from collections.abc import Container, Iterator, Sequence
from datetime import datetime
from typing import Any

from tick.cron.dialects.by_day import Span
from tick.define.steps import Step
from tick.importers.carry import Carried
from tick.importers.entries import Found, Kind, Note
from tick.importers.proof import MOST_LINES, Instant, Proof
from tick.text import counted, exact_length

_MOST_NUMBERS = 12
_MARKS = {(True, True): " ", (True, False): "-", (False, True): "+"}


def counts(found: Sequence[Carried]) -> dict[str, int]:
    """Return how many entries there are, and what became of them."""
    scheduled = [each for each in found if each.options is not None]
    return {
        "entries": len(found),
        "carried": sum(not each.is_changed for each in scheduled),
        "changed": sum(each.is_changed for each in scheduled),
        "refused": len(found) - len(scheduled),
        "differing": sum(each.proof.differing for each in found if each.proof),
    }


def in_words(source: str, found: Sequence[Carried], notes: Sequence[Note], span: Span) -> str:
    """Return the report as text."""
    number = counts(found)
    head = (
        f"{source}: {counted(number['entries'], 'entry', 'entries')}: {number['carried']} carried "
        f"over, {number['changed']} with changes, {number['refused']} without a schedule."
    )
    proof = (
        f"Instants of both sides from {span.start:%Y-%m-%d %H:%M} to {span.end:%Y-%m-%d %H:%M} "
        f"UTC: {number['differing']:,} differ."
    )
    common = _common(found)
    lines = [head, proof, *map(_note, notes)]
    lines += [f"{_note(note)} ({_lines(numbers)})" for note, numbers in common.items()]
    for each in found:
        lines += ["", *_entry(each, common.keys())]
    return "\n".join(lines)


def _common(found: Sequence[Carried]) -> dict[Note, list[int]]:
    """Return the notes on more than one entry, with their lines: each is told once."""
    lines: dict[Note, list[int]] = {}
    for each in found:
        for note in dict.fromkeys(each.all_notes):
            lines.setdefault(note, []).append(each.entry.line)
    return {note: numbers for note, numbers in lines.items() if len(numbers) > 1}


def _lines(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:_MOST_NUMBERS]))
    rest = len(numbers) - _MOST_NUMBERS
    return f"lines {shown} and {rest} more" if rest > 0 else f"lines {shown}"


def _entry(carried: Carried, told: Container[Note]) -> Iterator[str]:
    entry, proof = carried.entry, carried.proof
    when = "no schedule" if carried.options is None else _when(carried)
    yield f"line {entry.line}  {entry.name}: {when}"
    yield from (_note(note) for note in carried.all_notes if note not in told)
    if proof is not None and proof.differing:
        marked = [each for each in proof.lines if each.differs]
        yield from (f"  {_instant(each)}" for each in marked)
        if proof.differing > len(marked):
            yield f"  and {proof.differing - len(marked):,} more that differ"


def _when(carried: Carried) -> str:
    options = carried.options or {}
    timing = carried.entry.timing
    every = None if timing is None else timing.every
    if isinstance(every, Step):
        rule = f"every {every.in_words()}"
    elif every is not None:
        rule = f"every {exact_length(every)}"
    else:
        rule = next(f"{name} {options[name]!r}" for name in ("cron", "at") if name in options)
    others = {"dst_gap", "dst_fold", "dialect"} & options.keys()
    beside = "".join(f", {name} {options[name]}" for name in sorted(others))
    said = f"{rule} ({options.get('timezone', 'UTC')}){beside}"
    if carried.proof is None:
        return said
    there, here = carried.proof.there, carried.proof.here
    return f"{said}; {there:,} instants there, {here:,} here"


def _note(note: Note) -> str:
    instead = f" Instead: {note.instead}." if note.instead else ""
    return f"  {note.kind}: {note.text}.{instead}"


def proof_in_words(found: Sequence[Carried]) -> str:
    """Return for each entry its instants, marked: `-` is there only, `+` here only."""
    lines: list[str] = []
    for each in found:
        if each.proof is None:
            continue
        lines += ["", f"line {each.entry.line}  {each.entry.name}: {_when(each)}"]
        lines += [_instant(instant) for instant in each.proof.lines]
        if each.proof.untold:
            lines.append(f"and {each.proof.untold:,} more")
    legend = f"Instants (UTC): - there only, + here only. At most {MOST_LINES} an entry."
    return "\n".join([legend, *lines]) + "\n"


def _instant(instant: Instant) -> str:
    said = {"-": "  there only", "+": "  here only", " ": ""}
    mark = _MARKS[instant.there, instant.here]
    return f"{mark} {_text(instant.at)}{said[mark]}"


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def as_json(
    source: str, found: Sequence[Carried], all_of: Found, definitions: str
) -> dict[str, Any]:
    """Return the report as JSON values, the definitions in it."""
    return {
        "source": source,
        **counts(found),
        "notes": [_plain_note(note) for note in all_of.notes],
        "items": [_plain(each) for each in found],
        "definitions": definitions,
    }


def _plain(carried: Carried) -> dict[str, Any]:
    entry = carried.entry
    return {
        "line": entry.line,
        "text": entry.text,
        "name": entry.name,
        "schedule": None if carried.options is None else {**entry.options, **carried.options},
        "notes": [_plain_note(note) for note in carried.all_notes],
        "never_ran": any(note.kind is Kind.DEAD for note in carried.all_notes),
        "proof": carried.proof and _plain_proof(carried.proof),
    }


def _plain_note(note: Note) -> dict[str, str]:
    return {"kind": note.kind.value, "text": note.text, "instead": note.instead}


def _plain_proof(proof: Proof) -> dict[str, Any]:
    return {
        "there": proof.there,
        "here": proof.here,
        "differing": proof.differing,
        "untold": proof.untold,
        "instants": [
            {"at": _text(each.at), "there": each.there, "here": each.here} for each in proof.lines
        ],
    }
