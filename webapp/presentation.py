"""Filters and globals of templates: instants, lengths and states in words, and the page's frame."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, get_flashed_messages, request, url_for
from markupsafe import Markup, escape

from tick.ops.queries.courses import minute_of
from tick.ops.queries.health import COUNT_UP_TO
from tick.ops.queries.history import RecentOccurrence
from tick.ops.queries.runs import Run
from tick.states import Role
from tick.text import counted, excerpt, length
from webapp import badges, forms, links, services
from webapp.access.permissions import may
from webapp.drawing import charts, graphs
from webapp.drawing.clock_changes import clock_change, find_zone
from webapp.drawing.log_text import log_html, logger_beyond

LIVE = {"on": "as it happens", "slow": "each minute", "off": "not by itself"}
_SLOW_SECONDS = 60
ZONES = {"schedule": "the schedule's zone", "utc": "UTC", "mine": "my zone"}
# What a browser may remember; the first of each is the default.
CHOICES = {
    "theme": ("auto", "light", "dark"),
    "zone": tuple(ZONES),
    "live": tuple(LIVE),
    "keys": ("on", "off"),
}
_LINE = 140
_CODE = re.compile("`([^`\n]+)`")
_STEPS = ((86400 * 2, 86400, "d"), (3600, 3600, "h"), (60, 60, "min"), (0, 1, "s"))


def init_app(app: Flask) -> None:
    """Install the filters and globals of templates, where they are called as they are here."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    instants = (ago, axis_label, clock, clock_change, clock_minute, day, exact, holiday, iso)
    texts = (compact, counted, duration, first_line, log_html, logger_beyond, pretty, with_code)
    others = (bounded, charts.lane_path, graphs.nested, minute_of, older_url, spark_words)
    app.jinja_env.filters.update(_by_name(*instants, *texts, *others))
    app.jinja_env.tests.update(collides=lambda instant, minutes: minute_of(instant) in minutes)
    urls = (asset, in_dialog, in_place, links.current_path, links.current_url, log_url)
    choices = (keys_act, live_choice, shown_zone, zone_choice)
    shown = (badges.badge, charts.sparkline, services.page_status, toasts, badges.worker_badge)
    more = (forms.new_key, links.query_args, live, may, services.now)
    which = (services.environment, services.wrong_environment)
    app.jinja_env.globals.update(_by_name(*urls, *choices, *shown, *more, *which))
    app.jinja_env.globals.update(live_choices=LIVE, zones=ZONES)
    app.context_processor(lambda: {"theme": theme(), "Role": Role})


def _by_name(*functions: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    return {function.__name__: function for function in functions}


def theme() -> str:
    """Return the theme that this browser chose; auto follows the system."""
    return _remembered("theme")


def keys_act() -> bool:
    """Return whether single keys act in this browser."""
    return _remembered("keys") == "on"


def live_choice() -> str:
    """Return how often this browser polls; a key of LIVE."""
    return _remembered("live")


def zone_choice() -> str:
    """Return in which zone this browser shows instants; a key of ZONES."""
    return _remembered("zone")


def _remembered(name: str) -> str:
    chosen = request.cookies.get(name, "")
    return chosen if chosen in CHOICES[name] else CHOICES[name][0]


def shown_zone(zone: str = "UTC") -> str:
    """Return the zone to show an instant in whose own is `zone`."""
    choice = zone_choice()
    if choice == "utc":
        return "UTC"
    # static/app.js sets it: a server does not know where its reader is.
    mine = request.cookies.get("browser_zone", "")
    return find_zone(mine).key if choice == "mine" and mine else zone


def toasts() -> list[dict[str, Any]]:
    """Return the messages of the last action, once."""
    found: list[Any] = get_flashed_messages(with_categories=True)
    return [{"tone": tone, **message} for tone, message in found]


def ago(instant: datetime, now: datetime | None = None) -> str:
    """Return `12 s ago` or `in 5 h`."""
    # As static/app.js words it while the page stays open; so does `duration`.
    seconds = (instant - (now or services.now())).total_seconds()
    length = abs(seconds)
    if length < 1:
        return "now"
    size, unit = next((size, unit) for least, size, unit in _STEPS if length >= least)
    text = f"{int(length // size)} {unit}"
    return f"in {text}" if seconds > 0 else f"{text} ago"


def duration(seconds: float | None) -> str:
    """Return a length in words."""
    return "-" if seconds is None else length(seconds)


def exact(instant: datetime, zone: str = "UTC") -> str:
    """Return `Tue 24 Nov, 02:00 UTC`; with seconds where there are some, the year if another."""
    local = _shown(instant, zone)
    year = "" if local.year == services.now().astimezone(local.tzinfo).year else f" {local.year}"
    time = f"{local:%H:%M:%S}" if local.second or local.microsecond else f"{local:%H:%M}"
    return f"{local:%a} {local.day} {local:%b}{year}, {time} {local.tzname()}"


def day(instant: datetime, zone: str = "UTC") -> str:
    """Return `Sun 25 Oct`."""
    local = instant.astimezone(find_zone(zone))
    return f"{local:%a} {local.day} {local:%b}"


def holiday(instant: datetime, zone: str = "UTC") -> str | None:
    """Return the public holiday that the instant falls on, on the reader's calendar."""
    return services.holiday_on(_shown(instant, zone).date())


def axis_label(instant: datetime, span: str) -> str:
    """Return the time of day; the day at midnight, or where a span of days is shown."""
    local = _shown(instant)
    return day(local, shown_zone()) if span == "7d" or not local.hour else f"{local:%H:%M}"


def clock(instant: datetime) -> str:
    """Return `02:00:03.250`, for lines of a log."""
    local = _shown(instant)
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def clock_minute(instant: datetime) -> str:
    """Return `02:00`, for places where the day is clear."""
    return f"{_shown(instant):%H:%M}"


def _shown(instant: datetime, zone: str = "UTC") -> datetime:
    return instant.astimezone(find_zone(shown_zone(zone)))


def iso(instant: datetime) -> str:
    """Return `2026-11-24T02:00:00Z`, for machines."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def pretty(value: Any) -> str:
    """Return JSON for people; text that is no JSON stays as it is."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def compact(value: Any) -> str:
    """Return JSON on one line."""
    return json.dumps(value, ensure_ascii=False, default=str)


def first_line(text: str) -> str:
    """Return the first line, cut where a table would suffer."""
    return excerpt(text, _LINE)


def with_code(text: str) -> Markup:
    """Return a text as HTML, with code for what stands between backticks."""
    parts = _CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def bounded(count: int) -> str:
    """Return a count, or `1000+` where the database was asked to stop counting."""
    return f"{COUNT_UP_TO}+" if count > COUNT_UP_TO else str(count)


def spark_words(recent: Sequence[RecentOccurrence]) -> str:
    """Return what a sparkline comes to, such as `28 of 30 good`."""
    # Only tones that judge: what was paused or forbidden neither went well nor badly.
    tones = Counter(badges.badge(mark.outcome).tone for mark in recent)
    judged = sum(tones[tone] for tone in ("good", "bad", "warn"))
    return f"{tones['good']} of {judged} good" if judged else ""


def older_url(before: int) -> str:
    """Return this page's URL, continued below an id."""
    return f"{links.current_path()}?{urlencode({**request.args.to_dict(), 'before': before})}"


def log_url(run: Run, endpoint: str = "runs.show", **changes: Any) -> str:
    """Return the URL of a run's log with the filter of this request, but for `changes`."""
    kept = {name: request.args.get(name) or None for name in ("level", "q", "wrap")}
    return url_for(endpoint, run_id=run.id, **(kept | changes))


def in_place(url: str) -> Markup:
    """Return the attributes of a form that acts, by htmx or by the browser alone."""
    # Either way the server answers 303 to a page; htmx morphs this page into that one, so that
    # focus and scroll position stay.
    return Markup(
        'method="post" action="{0}" hx-post="{0}" hx-target="#page" hx-select="#page" '
        'hx-swap="outerMorph"'
    ).format(url)


def in_dialog(url: str) -> Markup:
    """Return the attributes of a form that asks first, in a dialog or on a page of its own."""
    return Markup(
        'method="get" action="{0}" hx-get="{0}" hx-target="#dialog" hx-select="#confirm" '
        'hx-swap="innerHTML"'
    ).format(url)


def live(tag: str, seconds: int) -> Markup:
    """Return the attributes of a region that polls itself; static/app.js sets the pace."""
    if live_choice() == "off":
        # No attributes at all: what cannot poll does not poll by mistake.
        return Markup("")
    if live_choice() == "slow":
        seconds = max(seconds, _SLOW_SECONDS)
    return Markup(
        'hx-get="{}" hx-trigger="live" hx-select="#live" hx-swap="outerMorph" hx-ptag="{}" '
        'data-live="{}"'
    ).format(links.current_url(), tag, seconds)


def asset(name: str) -> str:
    """Return the URL of a static file."""
    # It changes with the file, so that browsers may keep it for a year.
    return url_for("static", filename=name, v=_fingerprint(name))


@cache
def _fingerprint(name: str) -> str:
    path = Path(__file__).parent / "static" / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10] if path.exists() else "missing"
