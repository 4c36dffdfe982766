"""Shapes for server-side SVG: sparklines, trends and lanes of instants. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import median

from tick.ops.queries.history import PastRow, RecentOccurrence
from webapp.badges import badge

SPARK_HEIGHT = 12
_SPARK_STEP, _SPARK_LEAST = 2, 2


def sparkline(recent: Sequence[RecentOccurrence]) -> dict[str, str]:
    """Return an SVG path by tone: a bar for each occurrence, higher if it took longer."""
    # Bars are strokes, each placed relative to the one before: a page shows fifty lines of thirty
    # bars, so every character counts.
    longest = max((mark.took_seconds or 0 for mark in recent), default=0) or 1
    paths: dict[str, str] = {}
    pens: dict[str, tuple[int, int]] = {}
    for place, mark in enumerate(recent):
        part = (mark.took_seconds or 0) / longest
        y = SPARK_HEIGHT - round(_SPARK_LEAST + part * (SPARK_HEIGHT - _SPARK_LEAST))
        tone, x = badge(mark.outcome).tone, place * _SPARK_STEP + 1
        last_x, last_y = pens.get(tone, (0, 0))
        paths[tone] = paths.get(tone, "") + f"m{x - last_x} {SPARK_HEIGHT - last_y}V{y}"
        pens[tone] = x, y
    return paths


TREND_WIDTH, TREND_HEIGHT = 600, 100


@dataclass(frozen=True)
class Trend:
    """Lengths from the oldest to the newest as bars: paths and counts by tone, and medians."""

    paths: Mapping[str, str]
    counts: Mapping[str, int]
    median_y: float
    median_seconds: float
    recent_seconds: float
    longest_seconds: float
    bar_pixels: int


def trend(past: Sequence[PastRow]) -> Trend | None:
    """Return the trend of what ran to an end, newest last; None for fewer than two."""
    lengths = [row.took_seconds or 0.0 for row in past]
    if len(lengths) < 2:
        return None
    longest, step = max(*lengths, 0.001), TREND_WIDTH / len(lengths)  # never divide by 0
    paths: dict[str, str] = {}
    for place, row in enumerate(past):
        height = max(round(lengths[place] / longest * TREND_HEIGHT), 2)
        bar = f"M{round((place + 0.5) * step)} {TREND_HEIGHT}v-{height}"
        tone = badge(row.outcome).tone
        paths[tone] = paths.get(tone, "") + bar
    middle = median(lengths)
    recent = median(lengths[-max(len(lengths) // 4, 1) :])
    median_y = round(TREND_HEIGHT * (1 - middle / longest), 1)
    bar_pixels = min(max(240 // len(lengths), 4), 24)
    counts = Counter(badge(row.outcome).tone for row in past)
    return Trend(paths, counts, median_y, middle, recent, max(lengths), bar_pixels)


LANE_WIDTH = 1000
LANE_HEIGHT = 14


def lane_path(instants: Iterable[datetime], start: datetime, end: datetime) -> str:
    """Return an SVG path of upright strokes, one for each instant from `start` to `end`."""
    span = (end - start).total_seconds()
    # A set: thousands of instants fall on at most LANE_WIDTH places.
    places = {round((at - start).total_seconds() / span * LANE_WIDTH) for at in instants}
    return "".join(f"M{place} 0v{LANE_HEIGHT}" for place in sorted(places))


def shade_path(spans: Iterable[tuple[datetime, datetime]], start: datetime, end: datetime) -> str:
    """Return an SVG path of rectangles over the parts of [start, end] that lie in the spans."""
    whole = (end - start).total_seconds()
    path = ""
    for span in spans:
        first, last = (min(max(at, start), end) for at in span)
        x, width = (
            round(part.total_seconds() / whole * LANE_WIDTH)
            for part in (first - start, last - first)
        )
        path += f"M{x} 0h{width}v{LANE_HEIGHT}h-{width}z" if width else ""
    return path


def axis(
    start: datetime, end: datetime, step: timedelta, zone: tzinfo
) -> list[tuple[float, datetime]]:
    """Return the full steps of a zone's wall clock inside (start, end), with places in percent."""
    # Counted from midnight on the wall clock: after a clock change marks stay on full hours.
    midnight = start.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    number = int((end - start) / step) + int(timedelta(days=1) / step) + 1
    marks = [(midnight + count * step).astimezone(UTC) for count in range(number + 1)]
    span = end - start
    return [(round((at - start) / span * 100, 2), at) for at in marks if start < at < end]
