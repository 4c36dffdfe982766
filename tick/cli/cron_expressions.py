"""`tick cron`: when expressions fire, ours and those of other schedulers."""

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

import click

from tick.cli.output import local, show_json, show_line
from tick.cli.parameters import INSTANT, OneOf, as_json, count_option, wants_json
from tick.cron import timetable
from tick.cron.dialects import NAMES, dialect
from tick.cron.dialects.comparison import MOST_CHARACTERS, compare_line
from tick.cron.grammar import parse
from tick.cron.hashed_slots import resolve
from tick.cron.words import either_day


@click.group()
def cron() -> None:
    """Try cron expressions."""


@cron.command("next")
@click.argument("expression")
@click.option("--tz", default="UTC", show_default=True, help="Time zone, such as Europe/Paris.")
@click.option("--id", "schedule_id", help="The schedule, whose id decides where an H is.")
@click.option("--after", type=INSTANT, help="Instants later than this one; default: now.")
@click.option(
    "--dialect",
    "engine",
    type=OneOf(NAMES),
    metavar="ENGINE",
    help="What that scheduler does with it, such as cronie.",
)
@count_option(5, 1000, "How many instants.")
@as_json
def next_(
    expression: str,
    tz: str,
    schedule_id: str | None,
    after: datetime | None,
    engine: str | None,
    count: int,
) -> None:
    """Show when EXPRESSION fires next, strictly after an instant.

    For example: tick cron next '30 2 * * *' --tz Europe/Paris
    """
    from tick.clock import now

    # Worked out here, not by the operation `preview_runs`: it needs neither console nor database.
    start = after or now()
    if engine:
        if schedule_id:
            raise click.UsageError("--id places our H, which --dialect does not have: leave it out")
        _tell_dialect(engine, expression, tz, start, count)
        return
    if schedule_id:
        expression = resolve(expression, schedule_id)
    times = timetable.next_times(expression, tz, start, count)
    words, note = timetable.describe(expression, tz), either_day(parse(expression))
    if wants_json():
        show_json({"words": words, "note": note, "next": times})
        return
    click.echo(words)
    if note:
        click.echo(f"Note: {note}.")
    _tell_times(times, tz)


def _tell_dialect(engine: str, expression: str, tz: str, start: datetime, count: int) -> None:
    asked = dialect(engine)
    times, drawn = asked.next_times(expression, tz, start, count), asked.random(expression)
    if wants_json():
        about = {"dialect": engine, "version": asked.version}
        show_json({**about, "random": drawn is not None, "range": drawn, "next": times})
        return
    click.echo(f"As {engine} {asked.version} fires it ({tz})")
    if drawn:
        click.echo(f"Note: it draws a value at random, {drawn}; shown is the earliest.")
    if not times:
        click.echo("It never fires.")
    _tell_times(times, tz)


def _tell_times(times: list[datetime], tz: str) -> None:
    for time in times:
        click.echo(f"{time:%Y-%m-%dT%H:%M:%SZ}  {local(time, tz)}")


@cron.command()
@click.option(
    "--batch",
    "lines",
    type=click.File("rb"),
    required=True,
    metavar="FILE",
    help="JSON lines with engine, expr, zone and after; - for standard input.",
)
def compare(lines: BinaryIO) -> None:
    """Show what other schedulers do, beside our rule.

    Each line of FILE is answered by a line of JSON, in order. It has `next`, that engine's next ten
    instants after `after`, `ours` and `differs`; or `error`.

    For example: tick cron compare --batch -
    """
    for line in _bounded(lines):
        show_line(compare_line(line))


def _bounded(lines: BinaryIO) -> Iterator[bytes]:
    """Yield the lines without their ends; of one that is too long, as much as shows that."""
    most = MOST_CHARACTERS + 2
    while line := lines.readline(most):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = lines.readline(most)
        yield line.rstrip(b"\r\n")
