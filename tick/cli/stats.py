"""`tick stats`: how often things go well, on time, and in what time."""

from typing import Any, Literal

import click

from tick.cli.client import open_client
from tick.cli.completion import name_option
from tick.cli.name_check import check_names
from tick.cli.output import show_json, show_table
from tick.cli.parameters import OneOf, as_json, wants_json
from tick.interface.stats import read_statistics
from tick.ops.reports.rates import FiringFigures, Lengths, RunFigures
from tick.ops.reports.statistics import Statistics, Window
from tick.text import length

_RATES = {"good": "GOOD", "failed": "FAILED", "rate": "RATE"}
_LENGTHS = {"p50": "P50", "p95": "P95", "trend": "TREND"}


@click.command()
@click.option(
    "--window",
    type=OneOf([each.value for each in Window]),
    default="30d",
    show_default=True,
    help="How far it looks back.",
)
@click.option("--timezone", default="UTC", show_default=True, help="Whose days are counted.")
@name_option("job", "The runs of this job, nothing else.")
@name_option("schedule", "The instants of this schedule, nothing else.")
@as_json
def stats(job: str | None, schedule: str | None, **span: str) -> None:
    """Show how often things go well, on time, and in what time."""
    with open_client() as client:
        found = client.call(read_statistics, job=job, schedule=schedule, **span)
        if not found.jobs and not found.schedules:
            check_names(client, job=job, schedule=schedule)
    if wants_json():
        show_json(found)
        return
    click.echo(f"Since {found.start:%Y-%m-%d %H:%M} UTC:")
    if not job:
        _tell_schedules(found)
    if not schedule:
        _tell_jobs(found)


def _tell_schedules(found: Statistics) -> None:
    firings, failed = found.firings, found.last_day.firings.failed
    click.echo(
        f"{firings.fired} firings, {_percent(firings.success_rate) or '-'} good, "
        f"{_percent(firings.on_time_rate) or '-'} on time, {firings.missed} missed; "
        f"{failed} failed in the last 24 hours."
    )
    punctual = {"on_time": "ON TIME", "missed": "MISSED", "late": "LATE P95"}
    columns = {"schedule_id": "SCHEDULE", **_RATES, **punctual, **_LENGTHS}
    rows = [
        _row(each, each.trend)
        | {
            "schedule_id": each.schedule_id or "(none)",
            "on_time": _percent(each.on_time_rate),
            "missed": each.missed,
            "late": _quantile(each.late, "p95"),
        }
        for each in found.schedules
    ]
    show_table(columns, rows, "Nothing fired in this window.")


def _tell_jobs(found: Statistics) -> None:
    runs, failed = found.runs, found.last_day.runs.failed
    click.echo(
        f"{runs.succeeded + runs.failed} runs, {_percent(runs.success_rate) or '-'} good; "
        f"{failed} failed in the last 24 hours, {length(runs.lost_seconds)} lost in this window."
    )
    columns = {"job": "JOB", **_RATES, "waited": "WAIT P95", **_LENGTHS, "lost": "LOST"}
    rows = [
        _row(each, each.trend)
        | {
            "job": each.job_name,
            "waited": _quantile(each.waited, "p95"),
            "lost": length(each.lost_seconds) if each.lost_seconds else None,
        }
        for each in found.jobs
    ]
    show_table(columns, rows, "No run ended in this window.")


def _row(figures: RunFigures | FiringFigures, trend: float | None) -> dict[str, Any]:
    return {
        "good": figures.succeeded,
        "failed": figures.failed,
        "rate": _percent(figures.success_rate),
        "p50": _quantile(figures.took, "p50"),
        "p95": _quantile(figures.took, "p95"),
        "trend": None if trend is None else f"{trend:+.0%}",
    }


def _percent(part: float | None) -> str | None:
    return None if part is None else f"{part:.1%}"


def _quantile(lengths: Lengths, part: Literal["p50", "p95"]) -> str | None:
    seconds = lengths.p50 if part == "p50" else lengths.p95
    return None if seconds is None else lengths.hedge(part) + length(seconds)
