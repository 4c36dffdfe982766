"""`tick export`: the definitions as another scheduler reads them, and what gets lost."""

import shlex

import click

from tick.cli.output import harmless, show_json
from tick.cli.parameters import OneOf, as_json, wants_json
from tick.define.registry import Registry, load_registry
from tick.importers.exports import TARGETS, Outgoing
from tick.importers.exports import export as exported
from tick.job_types.command import COMMAND
from tick.settings import where_definitions_are


@click.command("export")
@click.argument("target", type=OneOf(TARGETS), metavar="TARGET")
@click.argument("schedules", nargs=-1, metavar="[SCHEDULE]...")
@as_json
def export(target: str, schedules: tuple[str, ...]) -> None:
    """Write the schedules of the definitions for another scheduler.

    TARGET is crontab, k8s, systemd or ics. What gets lost is told on standard error. A job that is
    no command() is started by `tick run --job`.

    For example: tick export crontab
    """
    from tick.clock import now

    registry = load_registry(*where_definitions_are())
    chosen = schedules or tuple(registry.schedules)
    if unknown := set(chosen) - registry.schedules.keys():
        raise click.BadParameter(
            f"no schedule of the definitions is called {min(unknown)!r}; `tick check --json` lists "
            "them.",
            param_hint="'SCHEDULE'",
        )
    found = exported(target, [_outgoing(registry, each) for each in chosen], now())
    if wants_json():
        show_json({"text": found.text, "lost": found.lost})
        return
    click.echo(found.text, nl=False)
    for said in found.lost:
        click.echo(harmless(f"lost: {said}."), err=True)


def _outgoing(registry: Registry, schedule_id: str) -> Outgoing:
    schedule = registry.schedules[schedule_id]
    jobs = [registry.job(name) for name in registry.select(schedule.target()).jobs]
    return Outgoing(
        schedule_id, schedule.rule(), {job.name: _command(job.name, job.function) for job in jobs}
    )


def _command(name: str, function: object) -> str:
    order = getattr(function, COMMAND, None)
    if order is None:
        return f"tick run --job {name}"
    return order.argv if isinstance(order.argv, str) else shlex.join(order.argv)
