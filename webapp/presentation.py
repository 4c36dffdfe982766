"""What templates say it with: instants, lengths, states and JSON in words, and the page's frame."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, get_flashed_messages, request, url_for
from markupsafe import Markup, escape

from tick.ops.queries.courses import minute_of
from tick.ops.queries.health import COUNT_UP_TO
from tick.ops.queries.runs import Run
from tick.ops.queries.schedules import RecentOccurrence
from tick.states import Role
from tick.text import counted, excerpt, length
from webapp import badges, forms, links, services
from webapp.access.permissions import may
from webapp.drawing import charts, graphs
from webapp.drawing.clock_changes import clock_change, find_zone
from webapp.drawing.log_text import log_html, logger_beyond

THEMES = ("auto", "light", "dark")
KEYS = ("on", "off")
LIVE = {"on": "as it happens", "slow": "each minute", "off": "not by itself"}
_SLOW_SECONDS = 60
ZONES = {"schedule": "the schedule's zone", "utc": "UTC", "mine": "my zone"}
_LINE = 140
_CODE = re.compile("`([^`\n]+)`")
_STEPS = ((86400 * 2, 86400, "d"), (3600, 3600, "h"), (60, 60, "min"), (0, 1, "s"))


def init_app(app: Flask) -> None:
    """Install filters and globals."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        ago=ago,
        axis_label=axis_label,
        bounded=bounded,
        clock=clock,
        clock_change=clock_change,
        clock_minute=clock_minute,
        compact=compact,
        counted=counted,
        day=day,
        duration=duration,
        exact=exact,
        first_line=first_line,
        holiday=holiday,
        iso=iso,
        lane_path=charts.lane_path,
        log_html=log_html,
        logger_beyond=logger_beyond,
        minute_of=minute_of,
        nested=graphs.nested,
        older_url=older_url,
        pretty=pretty,
        spark_words=spark_words,
        with_code=with_code,
    )
    app.jinja_env.tests.update(collides=lambda instant, minutes: minute_of(instant) in minutes)
    app.jinja_env.globals.update(
        asset=asset,
        query_args=links.query_args,
        current_url=links.current_url,
        in_dialog=in_dialog,
        keys_act=keys_act,
        in_place=in_place,
        live=live,
        live_choice=live_choice,
        live_choices=LIVE,
        log_url=log_url,
        badge=badges.badge,
        may=may,
        new_key=forms.new_key,
        now=services.now,
        sparkline=charts.sparkline,
        shown_zone=shown_zone,
        page_status=services.page_status,
        current_path=links.current_path,
        toasts=toasts,
        worker_badge=badges.worker_badge,
        zone_choice=zone_choice,
        zones=ZONES,
    )
    app.context_processor(lambda: {"theme": theme(), "Role": Role})


def theme() -> str:
    """The theme that this browser chose; auto follows the system."""
    chosen = request.cookies.get("theme", "auto")
    return chosen if chosen in THEMES else "auto"


def keys_act() -> bool:
    """Whether single keys act in this browser."""
    return request.cookies.get("keys") != "off"


def live_choice() -> str:
    """How often this browser wants news; a key of LIVE."""
    chosen = request.cookies.get("live", "")
    return chosen if chosen in LIVE else next(iter(LIVE))


def zone_choice() -> str:
    """In which zone this browser wants to read instants; a key of ZONES."""
    chosen = request.cookies.get("zone", "")
    return chosen if chosen in ZONES else next(iter(ZONES))


def shown_zone(zone: str = "UTC") -> str:
    """The zone to show an instant in whose own is `zone`; static/app.js sets the browser's."""
    choice = zone_choice()
    if choice == "utc":
        return "UTC"
    mine = request.cookies.get("browser_zone", "")
    return find_zone(mine).key if choice == "mine" and mine else zone


def toasts() -> list[dict[str, Any]]:
    """What the last action has to say, for once."""
    found: list[Any] = get_flashed_messages(with_categories=True)
    return [{"tone": tone, **message} for tone, message in found]


def ago(instant: datetime, now: datetime | None = None) -> str:
    """`12 s ago`, `in 5 h`. static/app.js says the same while the page stays open."""
    seconds = (instant - (now or services.now())).total_seconds()
    length = abs(seconds)
    if length < 1:
        return "now"
    size, unit = next((size, unit) for least, size, unit in _STEPS if length >= least)
    text = f"{int(length // size)} {unit}"
    return f"in {text}" if seconds > 0 else f"{text} ago"


def duration(seconds: float | None) -> str:
    """The words for a length; static/app.js says the same while the page stays open."""
    return "-" if seconds is None else length(seconds)


def exact(instant: datetime, zone: str = "UTC") -> str:
    """`Tue 24 Nov, 02:00 UTC`; seconds where there are some, the year where it is another."""
    local = instant.astimezone(find_zone(shown_zone(zone)))
    year = "" if local.year == services.now().astimezone(local.tzinfo).year else f" {local.year}"
    time = f"{local:%H:%M:%S}" if local.second or local.microsecond else f"{local:%H:%M}"
    return f"{local:%a} {local.day} {local:%b}{year}, {time} {local.tzname()}"


def day(instant: datetime, zone: str = "UTC") -> str:
    """`Sun 25 Oct`."""
    local = instant.astimezone(find_zone(zone))
    return f"{local:%a} {local.day} {local:%b}"


def holiday(instant: datetime, zone: str = "UTC") -> str | None:
    """The public holiday that the instant falls on, on the calendar of whoever looks."""
    return services.holiday_on(instant.astimezone(find_zone(shown_zone(zone))).date())


def axis_label(instant: datetime, span: str) -> str:
    """The time of day, or the day where that is midnight or a span of days is shown."""
    local = instant.astimezone(find_zone(shown_zone()))
    return day(local, shown_zone()) if span == "7d" or not local.hour else f"{local:%H:%M}"


def clock(instant: datetime) -> str:
    """`02:00:03.250`: for lines of a log."""
    local = instant.astimezone(find_zone(shown_zone()))
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def clock_minute(instant: datetime) -> str:
    """`02:00`: where the day is clear."""
    return f"{instant.astimezone(find_zone(shown_zone())):%H:%M}"


def iso(instant: datetime) -> str:
    """`2026-11-24T02:00:00Z`: for machines."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def pretty(value: Any) -> str:
    """JSON for people; text that is no JSON stays as it is."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def compact(value: Any) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False, default=str)


def first_line(text: str) -> str:
    """The first line, cut where a table would suffer."""
    return excerpt(text, _LINE)


def with_code(text: str) -> Markup:
    """A text as HTML; what stands between backticks in it as code."""
    parts = _CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def bounded(count: int) -> str:
    """A count as the database was asked for it: `1000+` where counting stopped."""
    return f"{COUNT_UP_TO}+" if count > COUNT_UP_TO else str(count)


def spark_words(recent: Sequence[RecentOccurrence]) -> str:
    """What a sparkline comes to: `28 of 30 good`. What nobody wanted to run does not count."""
    tones = Counter(badges.badge(mark.outcome).tone for mark in recent)
    judged = sum(tones[tone] for tone in ("good", "bad", "warn"))
    return f"{tones['good']} of {judged} good" if judged else ""


def older_url(before: int) -> str:
    """This page's address, continued below an id."""
    return f"{links.current_path()}?{urlencode({**request.args.to_dict(), 'before': before})}"


def log_url(run: Run, endpoint: str = "runs.show", **changes: Any) -> str:
    """An address of a run's log that keeps the filter of this request, but for `changes`."""
    kept = {name: request.args.get(name) or None for name in ("level", "q", "wrap")}
    return url_for(endpoint, run_id=run.id, **(kept | changes))


def in_place(url: str) -> Markup:
    """Attributes of a form that acts: posted by htmx, or by the browser where there is none.

    Either way the server answers 303 to a page; htmx then morphs this page into that one, so
    that focus and scroll position stay.
    """
    return Markup(
        'method="post" action="{0}" hx-post="{0}" hx-target="#page" hx-select="#page" '
        'hx-swap="outerMorph"'
    ).format(url)


def in_dialog(url: str) -> Markup:
    """Attributes of a form that asks first: in a dialog, or on a page where there is none."""
    return Markup(
        'method="get" action="{0}" hx-get="{0}" hx-target="#dialog" hx-select="#confirm" '
        'hx-swap="innerHTML"'
    ).format(url)


def live(tag: str, seconds: int) -> Markup:
    """Attributes of a region that asks for itself again; static/app.js says when.

    None for somebody who does not want that: what never asks cannot ask by mistake.
    """
    if live_choice() == "off":
        return Markup("")
    if live_choice() == "slow":
        seconds = max(seconds, _SLOW_SECONDS)
    return Markup(
        'hx-get="{}" hx-trigger="live" hx-select="#live" hx-swap="outerMorph" hx-ptag="{}" '
        'data-live="{}"'
    ).format(links.current_url(), tag, seconds)


def asset(name: str) -> str:
    """URL of a static file; it changes with the file, so that browsers may keep it for a year."""
    return url_for("static", filename=name, v=_fingerprint(name))


@cache
def _fingerprint(name: str) -> str:
    path = Path(__file__).parent / "static" / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10] if path.exists() else "missing"
