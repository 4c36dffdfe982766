"""`tick doctor`: everything that an installation needs, looked at in one go."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from tick import clock
from tick.cli import doctor_checks as checks
from tick.cli.database_checks import check_pages, check_sessions
from tick.cli.doctor_checks import CheckResult, Level, good, problem
from tick.cli.exit_status import ExitStatus
from tick.cli.output import say, show_json
from tick.cli.parameters import as_json, wants_json
from tick.cron.zone_data import current
from tick.define.environments import differences
from tick.define.registry import Registry, load_registry
from tick.engine.ledger.environment import stored_environment
from tick.engine.schedules.zone_changes import older_zones
from tick.environment import secret_files, variables
from tick.errors import TickError
from tick.ops.queries.health import read_health, read_page_status
from tick.ops.queries.workers import list_living
from tick.ops.reports.deploy_plan import plan_deploy
from tick.runtime import Runtime, open_runtime
from tick.settings import Settings, load_settings
from tick.store.database import Database
from tick.store.outages import sentence
from tick.store.schema import REVISION, check_schema
from tick.text import counted
from tick.zone_sources import system_sources

MARKS = {Level.GOOD: "✓", Level.WARNING: "!", Level.PROBLEM: "✗"}


@click.command()
@as_json
def doctor() -> None:
    """Check an installation and say what to do.

    Looks at settings, secrets, definitions, database, clocks, disk, ticks and workers. Exit status
    1 when something does not work; warnings alone leave it 0.
    """
    found = list(examine())
    if wants_json():
        show_json([vars(finding) for finding in found])
    else:
        for finding in found:
            say(f"{MARKS[finding.level]} {finding.check + ':':12} {finding.text}")
            if finding.advice:
                click.echo(f"{'':15}→ {finding.advice}")
    if any(finding.level is Level.PROBLEM for finding in found):
        raise SystemExit(ExitStatus.FAILED)


def examine() -> Iterator[CheckResult]:
    """Yield every finding; what can't be looked at because of an earlier one is left out."""
    try:
        settings = load_settings()
    except TickError as error:
        yield problem("settings", str(error), "Mend the variable; the README lists them all.")
        return
    yield good("settings", "Each can be read.")
    yield from checks.check_names(variables())
    yield from checks.check_secrets(settings)
    yield from checks.check_holidays(settings.holidays)
    registry = None
    try:
        registry = load_registry(settings.definitions, settings.environment)
        jobs, schedules = len(registry.jobs), len(registry.schedules)
        yield good("definitions", f"{counted(jobs, 'job')}, {counted(schedules, 'schedule')}.")
    except TickError as error:
        yield problem("definitions", str(error), "Mend them; `tick check` lists all mistakes.")
    # Without definitions as well: which data the machine has is a matter of its own.
    defined = registry.schedules.values() if registry is not None else ()
    zones = {schedule.id: schedule.timezone for schedule in defined}
    used = current().sources[0]
    yield from checks.check_zones(used, system_sources(), zones, clock.now())
    yield from _examine_database(settings, registry)


def _examine_database(settings: Settings, registry: Registry | None) -> Iterator[CheckResult]:
    try:
        with open_runtime(settings) as runtime:
            yield from _examine_files(runtime.database)
            check_schema(runtime.database)
            kind = runtime.database.url.get_backend_name()
            yield good("database", f"{kind}, reachable, at revision {REVISION} or later.")
            yield from check_sessions(runtime.database)
            if (pages := check_pages(runtime.database)) is not None:
                yield pages
            yield from _examine_life(runtime, registry)
    except TickError as error:
        yield problem("database", str(error), "Nothing works without it.")
    except SQLAlchemyError as error:
        yield problem("database", f"It fails: {sentence(error)}", "Nothing works without it.")


def _examine_files(database: Database) -> Iterator[CheckResult]:
    is_sqlite = database.url.get_backend_name() == "sqlite"
    path = Path(database.url.database or "") if is_sqlite else None
    yield from checks.check_files(secret_files(), path)
    if path is not None and path.absolute().parent.is_dir():
        yield checks.check_disk(path.absolute().parent)
        yield checks.check_sqlite()


def _examine_life(runtime: Runtime, registry: Registry | None) -> Iterator[CheckResult]:
    yield checks.check_clocks(_skew(runtime))
    now, dead_after = runtime.now(), runtime.settings.dead_after_seconds
    with runtime.database.read.connect() as connection:
        health = read_health(connection, now, read_page_status(connection, now, dead_after))
        living = list_living(connection, now, dead_after)
        plan = None if registry is None else plan_deploy(connection, registry, now)
        stored = stored_environment(connection)
        older = {known.zone: known.version for known in older_zones(connection)}
    defined = set() if registry is None else _named_in(registry)
    yield checks.check_environment(runtime.settings.environment, stored, defined)
    if plan is not None:
        yield checks.check_synced(plan)
        yield from checks.check_drift(plan.drift)
    yield from checks.check_zone_data_in_force(older)
    yield from checks.check_ticks(health, now)
    yield from checks.check_workers(living, health)
    yield checks.check_channels(runtime.settings)


def _named_in(registry: Registry) -> set[str]:
    """Return the environments that schedules name."""
    named = {name for there in registry.elsewhere.values() for name in there}
    return named.union(*(differences(each) or () for each in registry.schedules.values()))


def _skew(runtime: Runtime) -> timedelta:
    """Return how far the database's clock is ahead of this machine's."""
    before = clock.now()
    there = runtime.now()
    # Half the way there and back is left out: the answer is taken for that of the middle.
    return there - before - (clock.now() - before) / 2
