"""Lengths of time in words. Pure."""

from datetime import timedelta

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def in_words(length: timedelta) -> str:
    """`1 day`, `26 hours`, `90 seconds`: in the largest unit that fits without a rest."""
    seconds = int(length.total_seconds())
    fits = (each for each in _UNITS if seconds >= each[0] and seconds % each[0] == 0)
    size, unit = next(fits, _UNITS[-1])
    number = seconds // size
    return f"{number} {unit}{'' if number == 1 else 's'}"
