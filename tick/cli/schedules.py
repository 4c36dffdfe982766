"""The commands on schedules: list, switch on, switch off."""

import click

from tick.cli.common import as_json, author, ready_runtime, show_json, show_table
from tick.ops import control
from tick.ops.queries import schedules as queries
from tick.ops.queries.schedules import ScheduleRow
from tick.states import ScheduleState


@click.command()
@as_json
def schedules(as_json: bool) -> None:
    """List the schedules with their last and next firing."""
    with ready_runtime() as runtime, runtime.database.read.connect() as connection:
        rows, after = [], None
        while True:
            page = queries.list_schedules(connection, after=after)
            rows += [_line(row) for row in page.rows]
            if (after := page.after) is None:
                break
    if as_json:
        show_json(rows)
        return
    columns = {
        "id": "ID",
        "enabled": "ENABLED",
        "state": "STATE",
        "when": "WHEN",
        "last_outcome": "LAST",
        "last_at": "AT",
        "next_run_at": "NEXT (UTC)",
    }
    show_table(columns, rows, "No schedules yet: `tick sync` brings them from the definitions.")


def _line(row: ScheduleRow) -> dict[str, object]:
    last = row.last
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "enabled": row.enabled,
        "state": row.state,
        "when": row.timing.words,
        "expression": row.timing.expression,
        "timezone": row.timing.timezone,
        "mode": row.mode,
        "last_outcome": last.outcome if last else None,
        "last_at": (last.scheduled_for or last.decided_at) if last else None,
        "last_runs": last.runs if last else None,
        "last_succeeded": last.succeeded if last else None,
        "next_run_at": row.next_run_at,
        "run_count": row.run_count,
        "failure_count": row.failure_count,
        "consecutive_failures": row.consecutive_failures,
        "version": row.version,
    }


@click.command()
@click.argument("schedule_id")
@click.option("--catch-up", is_flag=True, help="Also fire its most recent instant, once.")
def enable(schedule_id: str, catch_up: bool) -> None:
    """Switch a schedule on. It next fires at its first instant after now."""
    with ready_runtime() as runtime:
        changed = control.enable_schedule(
            runtime.database,
            schedule_id,
            now=runtime.now(),
            author=author(),
            catch_up_latest=catch_up,
        )
        with runtime.database.read.connect() as connection:
            row = queries.get_schedule(connection, schedule_id)
    said = "is on" if changed else "was on already"
    then = f"{row.next_run_at:%Y-%m-%d %H:%M} UTC" if row.next_run_at else "never"
    if row.state != ScheduleState.ACTIVE:
        then = f"not while it is {row.state}; `tick resume {schedule_id}` ends that"
    click.echo(f"{schedule_id} {said}; next: {then}")


@click.command()
@click.argument("schedule_id")
@click.option("--reason", help="Why; kept in the audit.")
def disable(schedule_id: str, reason: str | None) -> None:
    """Switch a schedule off. What runs already goes on."""
    with ready_runtime() as runtime:
        changed = control.disable_schedule(
            runtime.database, schedule_id, now=runtime.now(), author=author(), reason=reason
        )
    click.echo(f"{schedule_id} {'is off' if changed else 'was off already'}")
