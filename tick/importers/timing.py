"""Our rule for an expression of another engine: the one whose instants are equal. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

from tick.cron import timetable
from tick.cron.dialects import Dialect
from tick.cron.dialects.by_day import Run, Span, ours_around, theirs_around
from tick.cron.dialects.plain_days import Plain, matching_days, plain
from tick.cron.fields import HOUR, MINUTE
from tick.cron.grammar import parse
from tick.cron.local_times import DEFAULT, Dst
from tick.cron.zone_data import Zone
from tick.cron.zones import as_zone
from tick.errors import InvalidCron
from tick.importers.day_fields import DayFields, day_fields, listed

# What says less comes first: it is taken where more makes no difference.
_CHOICES = (
    DEFAULT,
    Dst("skip", "first"),
    Dst("first_valid", "both"),
    Dst("first_valid", "second"),
    Dst("skip", "both"),
    Dst("skip", "second"),
)


@dataclass(frozen=True, slots=True)
class Ours:
    """Five fields of ours with the choices for clock changes; or an engine that reads `cron`."""

    cron: str
    dst: Dst = DEFAULT
    dialect: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The options of `Schedule` that say so."""
        given = {"dst_gap": self.dst.gap, "dst_fold": self.dst.fold}
        defaults = {"dst_gap": DEFAULT.gap, "dst_fold": DEFAULT.fold}
        named = {name: value for name, value in given.items() if value != defaults[name]}
        return {"cron": self.cron, **named, **({"dialect": self.dialect} if self.dialect else {})}


@dataclass(frozen=True, slots=True)
class Match:
    """The rule of ours that comes nearest; None, with the reason, where there is none.

    `second` is that of the minute at which it fires there.
    """

    ours: Ours | None
    why: str = ""
    second: int = 0
    never: bool = False


def match(engine: Dialect, expression: str, span: Span) -> Match:
    """Return our rule for an expression. Raises InvalidCron for what the engine refuses."""
    spec = engine.parse(expression)
    named = plain(spec)
    matching = matching_days(named.matches_day)
    if not named.times or 1 not in matching:
        return Match(None, "it names no time that ever comes", never=True)
    if len(named.seconds) > 1:
        return Match(None, "it fires several times a minute; ours fire on the minute")
    fields = day_fields(matching)
    if fields is None:
        return Match(None, "no five fields of ours name its days: both day fields must match there")
    second = named.seconds[0]
    best, fewest, runs = None, -1, span.runs(named)
    for ours in _candidates(_as_written(expression, named, matching), named, fields, span):
        differing = sum(_differing(engine, expression, ours, span, run, second) for run in runs)
        if best is None or differing < fewest:
            best, fewest = ours, differing
        if not differing:
            break
    why = "" if best else "its list is longer than the 100 characters of ours; make two schedules"
    return Match(best, why, second)


def _as_written(expression: str, named: Plain, matching: bytes) -> str | None:
    """Return the text itself, where it means the same here."""
    try:
        ours = plain(parse(expression))
    except InvalidCron:
        return None
    same = (ours.minutes, ours.hours) == (named.minutes, named.hours)
    return expression if same and matching_days(ours.matches_day) == matching else None


def _candidates(written: str | None, named: Plain, fields: DayFields, span: Span) -> Iterator[Ours]:
    minutes, hours = (
        dict.fromkeys((listed(of, values), listed(of, values, stars=False)))
        for of, values in ((MINUTE, named.minutes), (HOUR, named.hours))
    )
    texts = [" ".join((*each, *fields)) for each in product(minutes, hours)]
    for text in dict.fromkeys([written, *texts] if written else texts):
        if not _is_right(text, span.zone):
            continue
        yield Ours(text)
        if span.unsettled and not parse(text).follows_real_time:
            yield from (Ours(text, dst) for dst in _CHOICES[1:])


def _is_right(text: str, zone: str | Zone) -> bool:
    try:
        timetable.validate(text, as_zone(zone).name)
    except InvalidCron:
        return False
    return True


def _differing(
    engine: Dialect, expression: str, ours: Ours, span: Span, run: Run, second: int
) -> int:
    """Return how many instants around a clock change only one side has."""
    late = timedelta(seconds=second)
    theirs = {each - late for each in theirs_around(engine, expression, span, run)}
    return len(theirs.symmetric_difference(ours_around(ours.cron, ours.dst, span, run)))
