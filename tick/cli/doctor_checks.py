"""What `tick doctor` looks at: each check takes what it judges and says what to do about it."""

import os
import re
import shutil
import sqlite3
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from tick import __version__
from tick.cron.zone_age import older_in_words
from tick.cron.zone_data import ZoneData
from tick.engine.ledger.environment import environment_mistake
from tick.errors import SettingsError
from tick.notify.channels import channels_of
from tick.ops.queries.health import SystemHealth
from tick.ops.queries.workers import Worker
from tick.ops.reports import days_off
from tick.ops.reports.deploy_plan import Plan
from tick.ops.reports.drift import Drift, count_moved
from tick.settings import PREFIX, Settings
from tick.text import counted, length
from tick.zone_sources import NEWEST, VARIABLE, Source

HOW_TO_MAKE_ONE = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
# What HOW_TO_MAKE_ONE makes has 43 characters, some 30 of them different.
STRONG_LENGTH, STRONG_VARIETY = 32, 10
SAFE_SQLITE = (3, 51, 3)
# Of the command line, and what a job's program is told.
_NO_SETTINGS = {"URL", "TOKEN", "RUN_ID", "ATTEMPT", "FENCING_TOKEN", "SCHEDULED_FOR"}
_SERVICE, _OF_SERVICES = "_SERVICE_HOST", ("_SERVICE_", "_PORT")
_KEYS = re.compile(r"(key|secret|token)")
MIB = 1024**2
LITTLE_SPACE, NO_SPACE = 1024 * MIB, 100 * MIB
SKEW_SEEN, SKEW_WRONG = timedelta(seconds=2), timedelta(seconds=30)


class Level(StrEnum):
    """How grave a finding is."""

    GOOD = "good"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class CheckResult:
    """What one check found; `advice` says what to do unless all is well."""

    check: str
    level: Level
    text: str
    advice: str | None = None


def good(check: str, text: str) -> CheckResult:
    """Return that there is nothing to complain of."""
    return CheckResult(check, Level.GOOD, text)


def warning(check: str, text: str, advice: str) -> CheckResult:
    """Return what works, and might not one day."""
    return CheckResult(check, Level.WARNING, text, advice)


def problem(check: str, text: str, advice: str) -> CheckResult:
    """Return what does not work."""
    return CheckResult(check, Level.PROBLEM, text, advice)


def check_names(variables: Collection[str]) -> Iterator[CheckResult]:
    """Check that each TICK_ variable is one that is read."""
    # A misspelt one has no effect, and nothing else would ever say so.
    known = {name.upper() for name in Settings.model_fields} | _NO_SETTINGS
    known |= {f"{name}_FILE" for name in known}
    # Kubernetes injects TICK_* variables if a Service is named `tick`.
    hosts = [name for name in variables if name.endswith(_SERVICE)]
    services = tuple(host.removesuffix(_SERVICE) + of for host in hosts for of in _OF_SERVICES)
    own = [name for name in variables if name.startswith(PREFIX) and not name.startswith(services)]
    given = {name.removeprefix(PREFIX) for name in own}
    for name in sorted(given - known):
        near = get_close_matches(name, sorted(known), 1)
        advice = f"Did you mean {PREFIX}{near[0]}?" if near else "The README lists what there is."
        yield warning("settings", f"Nothing reads {PREFIX}{name}.", advice)


def check_secrets(settings: Settings) -> Iterator[CheckResult]:
    """Check that the secrets are there, long and varied, and each used for one thing only."""
    named = {
        f"{PREFIX}{name.upper()}": value.get_secret_value()
        for name, value in settings
        if isinstance(value, SecretStr) and _KEYS.search(name)
    }
    weak = [name for name, value in named.items() if _is_weak(value)]
    for name in weak:
        text = f"{name} is short or repeats itself."
        yield warning("secrets", text, f"Make a new one: {HOW_TO_MAKE_ONE}.")
    shared = [name for name, value in named.items() if list(named.values()).count(value) > 1]
    if shared:
        text = f"{' and '.join(shared)} are the same."
        yield problem("secrets", text, "Whoever has one has the other: make one for each.")
    if settings.secret_key is None:
        advice = f"The console needs it; make one: {HOW_TO_MAKE_ONE}."
        yield warning("secrets", f"{PREFIX}SECRET_KEY is not set.", advice)
    if not weak and not shared and named:
        yield good("secrets", f"{len(named)} set, none weak.")


def _is_weak(value: str) -> bool:
    return len(value) < STRONG_LENGTH or len(set(value)) < STRONG_VARIETY


def check_files(secret_files: Mapping[str, Path], sqlite: Path | None) -> Iterator[CheckResult]:
    """Check that others may not read what is secret, and this user may write what it has to."""
    private = dict(secret_files)
    if sqlite is not None:
        private[f"{PREFIX}DATABASE_URL"] = sqlite
    for variable, path in private.items():
        # Not `path.exists()`: that raises where this user may not enter a folder above it.
        if os.path.exists(path) and stat.S_IMODE(path.stat().st_mode) & 0o007:
            text = f"Everybody on this machine may read {path} ({variable})."
            yield warning("files", text, f"chmod o= {path}")
    if sqlite is not None:
        yield from _check_writable(sqlite)


def _check_writable(sqlite: Path) -> Iterator[CheckResult]:
    needed = {
        sqlite.parent: "SQLite makes files beside its own: give this user the folder",
        sqlite: "Nothing fires nor runs before: give this user the file",
    }
    for path, advice in needed.items():
        if os.path.exists(path) and not os.access(path, os.W_OK):
            text = f"{path} can't be written to."
            yield problem("files", text, f"{advice}, and mount it for writing.")


def check_disk(folder: Path, usage: Callable[[Path], Any] = shutil.disk_usage) -> CheckResult:
    """Check that the database has room to grow."""
    free = usage(folder).free
    text = f"{free // MIB:,} MiB are free in {folder}."
    advice = "Make room, or keep less: TICK_KEEP_DAYS and `tick prune`."
    if free < NO_SPACE:
        return problem("disk", text, advice)
    return warning("disk", text, advice) if free < LITTLE_SPACE else good("disk", text)


def check_sqlite(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> CheckResult:
    """Check for the bug of SQLite that damages databases with several connections."""
    text = f"SQLite {'.'.join(map(str, version))}"
    if version >= SAFE_SQLITE:
        return good("sqlite", f"{text}.")
    safe = ".".join(map(str, SAFE_SQLITE))
    text = f"{text} can, very rarely, damage a database that several processes write to."
    return warning("sqlite", text, f"Use SQLite {safe} or later, or PostgreSQL.")


def check_clocks(skew: timedelta) -> CheckResult:
    """Compare this machine's clock with the database's."""
    text = f"This machine is {abs(skew.total_seconds()):.1f} s from the database."
    advice = "Let both keep time by NTP; ticks go by the database's clock."
    if abs(skew) >= SKEW_WRONG:
        return problem("clocks", text, advice)
    return warning("clocks", text, advice) if abs(skew) >= SKEW_SEEN else good("clocks", text)


def check_ticks(health: SystemHealth, now: datetime) -> Iterator[CheckResult]:
    """Check that something ticks as often as it used to, by a clock that is right."""
    trigger = "See that the trigger runs: `tick loop`, a timer, or POST /internal/tick."
    if health.ahead_to is not None:
        until = f"{health.ahead_to:%Y-%m-%d %H:%M} UTC"
        text = f"A clock was ahead: schedules are silent until {until}."
        advice = "Set the clock right, then run `tick resume --from-now --all`."
        yield problem("ticks", text, advice)
    if health.last_tick_at is None:
        yield problem("ticks", "Nothing has ever ticked.", trigger)
        return
    age = round((now - health.last_tick_at).total_seconds())
    usual = "too few ticks yet to know how often one comes"
    if health.learned:
        usual = f"usually one comes every {length(health.usual_seconds)}"
    text = f"The last tick was {length(age)} ago, by {health.last_tick_source}; {usual}."
    yield problem("ticks", text, trigger) if health.ticks_are_late(now) else good("ticks", text)
    if health.last_tick_error:
        text = f"The last tick met an error: {health.last_tick_error}"
        yield warning("ticks", text, "`tick now` tells more, and so does the trigger's log.")


def check_workers(living: Iterable[Worker], health: SystemHealth) -> Iterator[CheckResult]:
    """Check that something works, and that all of it is of one release."""
    start = "Start one with `tick worker`, or let the trigger work: `tick now --drain 50`."
    if not health.workers:
        waiting = f"{health.queued} runs wait" if health.queued else "nothing waits for one"
        level = problem if health.queued else warning
        yield level("workers", f"No worker lives; {waiting}.", start)
    else:
        yield good("workers", f"{health.workers} live.")
    others = sorted({row.version for row in living} - {__version__})
    if others:
        text = f"Some processes run version {', '.join(others)}, this is {__version__}."
        yield warning("workers", text, "End the deploy: restart them with this version.")


def check_channels(settings: Settings) -> CheckResult:
    """Check that somebody hears of what goes wrong."""
    channels = (settings.alert_urls, settings.webhook_urls, settings.ping_url)
    try:
        for channel in channels_of(settings):
            channel.check()
    except SettingsError as error:
        return problem("alerts", str(error), "Until then nothing that serves can start.")
    if any(channel is not None for channel in channels):
        return good("alerts", "A channel is set up; `tick alerts test` tries it.")
    advice = f"Set {PREFIX}ALERT_URLS or {PREFIX}WEBHOOK_URLS, then `tick alerts test`."
    return warning("alerts", "Nobody is told when something goes wrong.", advice)


def check_environment(mine: str, stored: str | None, named: Collection[str]) -> CheckResult:
    """Check that the database is of this environment, and that schedules know it.

    `named` are the environments that the definitions name.
    """
    if (mistake := environment_mistake(stored, mine)) is not None:
        return problem("environment", mistake, "Until then nothing ticks, syncs or works here.")
    if named and mine not in named and "*" not in named:
        text = f"{mine}; the definitions name {', '.join(sorted(named))}."
        return warning("environment", text, "If it is misspelt, mend TICK_ENVIRONMENT.")
    whose = "the database is its own" if stored else "the first sync gives the database to it"
    return good("environment", f"{mine}; {whose}.")


def check_synced(plan: Plan) -> CheckResult:
    """Check that the database holds what the definitions here say."""
    if not plan.changes:
        return good("definitions", "The database holds the same.")
    text = f"The database holds others: {len(plan.changes)} schedules differ."
    return warning("definitions", text, "`tick plan` shows how, `tick sync` brings them there.")


def check_drift(drift: Sequence[Drift]) -> Iterator[CheckResult]:
    """Check that no instant moves with what is new here though no definition changes."""
    for why, instants, schedules in count_moved(drift):
        of_them = f"{counted(instants, 'instant')} of {counted(schedules, 'schedule')}"
        text = f"Moved within the next twelve months, by {why}: {of_them}."
        advice = "`tick plan` lists them; the next tick of this release goes by what is new."
        yield warning("instants", text, advice)


def check_holidays(regions: Sequence[str]) -> Iterator[CheckResult]:
    """Check that Upcoming can name the holidays that TICK_HOLIDAYS asks for."""
    try:
        days_off.check(regions)
    except SettingsError as error:
        advice = "Until then the console shows none of its holidays."
        yield warning("holidays", str(error), advice)


def check_zones(
    used: Source, installed: Sequence[Source], schedules: Mapping[str, str], now: datetime
) -> Iterator[CheckResult]:
    """Check that the time zone data are of this year or the last, and the same everywhere here.

    `used` is where this process looks first, `installed` is what the machine has, in Python's
    order; `schedules` maps the id of each schedule to its zone.
    """
    text = f"Time zone data {used.version or 'of an unknown release'}, from {used.place}."
    if used.version is not None and int(used.version[:4]) >= now.year - 1:
        yield good("time zones", text)
    else:
        advice = "Governments change clocks: update the tzdata package, or the system's tzdata."
        yield warning("time zones", text, advice)
    for other in installed:
        differing = sorted(_differing(used, other, schedules))
        if other.version == used.version or not (differing or other is installed[0]):
            continue
        named = f"schedules that differ: {', '.join(differing)}" if differing else "none differs"
        text = f"{other.place} holds {other.version or 'an unknown release'}, too; {named}."
        is_newer = (other.version or "") > (used.version or "")
        advice = _CHOSEN_OLDER if is_newer else _PYTHON_READS_ANOTHER
        yield (warning if differing else good)("time zones", text, *([advice] if differing else []))


_CHOSEN_OLDER = f"{VARIABLE} chooses the older data; leave it out ({NEWEST}) to go by the newest."
_PYTHON_READS_ANOTHER = (
    f"Schedules go by what {VARIABLE} chooses. Code with Python's zoneinfo reads the first that "
    "it finds: bring the system's tzdata up to date, or set PYTHONTZPATH= (empty) to use the "
    "package."
)


def _differing(one: Source, other: Source, schedules: Mapping[str, str]) -> Iterator[str]:
    for schedule_id, zone in schedules.items():
        found = [ZoneData([source]).find(zone) for source in (one, other)]
        if found[0] != found[1]:
            yield schedule_id


def check_zone_data_in_force(older: Mapping[str, str | None]) -> Iterator[CheckResult]:
    """Check that schedules are not decided by newer time zone data than this process has."""
    if older:
        said = older_in_words(older)
        yield problem("time zones", said[:1].upper() + said[1:], "Until then this host skips them.")
