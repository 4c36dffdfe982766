"""Lengths of time, numbers of things and long texts, in the words that every reader gets. Pure."""

from datetime import timedelta

_STEPS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_WORD = 30


def length(taken: float | timedelta) -> str:
    """Return the words for a measured length: `0.4 s`, `12 s`, `3 min 5 s`, `2 d 4 h`."""
    # Below 0 between two clocks that differ.
    seconds = max(taken.total_seconds() if isinstance(taken, timedelta) else taken, 0.0)
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    for size, unit, lesser, lesser_unit in _STEPS:
        if whole >= size:
            rest = whole % size // lesser
            return f"{whole // size} {unit}" + (f" {rest} {lesser_unit}" if rest else "")
    return f"{whole} s"


def exact_length(chosen: timedelta) -> str:
    """Return the words for a length that somebody chose: `1 day`, `26 hours`, `90 seconds`."""
    # In the largest unit in which it is whole, so that nothing of a setting is rounded away.
    seconds = int(chosen.total_seconds())
    fits = (each for each in _UNITS if seconds >= each[0] and seconds % each[0] == 0)
    size, unit = next(fits, _UNITS[-1])
    return counted(seconds // size, unit)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return `1 run` or `1,200 runs`; `plural` if that is not the noun and s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def excerpt(text: str, most: int) -> str:
    """Return the first line of a text; a long one ends after a whole word, and in `…`."""
    line = text.partition("\n")[0]
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    whole = cut if line[most - 1].isspace() else cut.rpartition(" ")[0]
    # A word without an end near the limit, such as an address, is cut within it.
    return f"{whole.rstrip(' ,;:') if len(cut) - len(whole) <= _WORD else cut}…"
