"""`tick conflicts`: where the coming week asks more of workers than they have slots for."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from tick.cli.client import call
from tick.cli.output import say, show, show_table
from tick.cli.parameters import as_json
from tick.interface.conflicts import MOST_SLOTS, read_conflicts
from tick.ops.queries.demand import ASSUMED_SECONDS, LEARNED_FROM
from tick.ops.reports.conflicts import Conflict, Conflicts, SharedJob
from tick.text import counted, length

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FROM = {
    "workers": "of all live workers",
    "given": "as --slots says",
    "assumed": "as one worker would have; none lives now",
}
_COLUMNS = {
    "first_at": "FIRST (UTC)",
    "times": "TIMES",
    "queue": "QUEUE",
    "wanted": "WANTED",
    "slots": "SLOTS",
    "wait": "WAIT",
    "meet": "SCHEDULES",
    "advice": "ADVICE",
}
_SHARED = {"first_at": "FIRST (UTC)", "times": "TIMES", "meet": "SCHEDULES", "both": "BOTH RUN"}
_MOST_JOBS = 5


@click.command()
@click.option(
    "--slots",
    type=click.IntRange(1, MOST_SLOTS),
    help="How many runs at once; without: what all live workers can run.",
)
@click.option("--timezone", default="UTC", show_default=True, help="Whose hours --hours shows.")
@click.option("--hours", is_flag=True, help="The load of each hour of the week instead.")
@as_json
def conflicts(slots: int | None, timezone: str, hours: bool) -> None:
    """Show where the coming week asks too much of workers.

    There, more is to run at once than they have slots for. The week is simulated by how long jobs
    usually took in the last 30 days.
    """
    found = call(read_conflicts, slots=slots, timezone=timezone)
    show(found, _tell_hours if hours else _tell)


def _tell(found: Conflicts) -> None:
    say(
        f"The week to {found.ends_at:%Y-%m-%d %H:%M} UTC, against "
        f"{counted(found.slots, 'slot')} {_FROM[found.slots_from]}:"
    )
    empty = "No more is to run at once than there are slots."
    show_table(_COLUMNS, [_row(each) for each in found.conflicts], empty)
    _tell_rest(found.more_conflicts)
    if found.shared_jobs:
        say("Schedules that run the same job at the same time:")
        show_table(_SHARED, [_shared(each) for each in found.shared_jobs], "")
        _tell_rest(found.more_shared_jobs)
    for each in found.too_long:
        say(
            f"{each.schedule_id} usually takes {length(each.usual_seconds)}: of its "
            f"{each.instants} instants {each.left_out} come while the one before still runs."
        )
    _tell_notes(found)


def _row(each: Conflict) -> Mapping[str, Any]:
    return {
        **vars(each),
        "queue": each.queue or "all",
        "wait": length(each.wait_seconds),
        "meet": _meet(each.schedules, each.others, runs_all=bool(each.with_all_jobs)),
        "advice": each.free_slot and each.free_slot.words,
    }


def _shared(each: SharedJob) -> Mapping[str, Any]:
    jobs = ", ".join(each.jobs[:_MOST_JOBS])
    more = each.jobs_count - min(len(each.jobs), _MOST_JOBS)
    meet = _meet(each.schedules, each.schedules_count - len(each.schedules), each.runs_all_jobs)
    return {**vars(each), "meet": meet, "both": jobs + (f" and {more} more" if more else "")}


def _meet(names: Sequence[str], more: int, runs_all: bool) -> str:
    if runs_all and len(names) > 1:
        others = counted(len(names) - 1 + more, "schedule")
        return f"{names[0]} (all jobs) and {others} of its jobs"
    return ", ".join(names) + (f" and {more} more" if more else "")


def _tell_rest(more: int) -> None:
    if more:
        say(f"And {more} more; --json has the hours, too.")


def _tell_notes(found: Conflicts) -> None:
    days = LEARNED_FROM.days
    for names, what in (
        (found.unserved_queues, "Queues that no live worker serves"),
        (found.by_timeout, f"Without a run in {days} days, taken to last as long as their timeout"),
        (found.by_default, f"Without a run in {days} days, taken to last {ASSUMED_SECONDS} s"),
        (found.left_out, "Left out, since they fire too often to be simulated"),
    ):
        if names:
            say(f"{what}: {', '.join(names)}.")


def _tell_hours(found: Conflicts) -> None:
    rows = [
        {
            "queue": load.queue or "all",
            "day": _DAYS[hour.weekday],
            "hour": f"{hour.hour:02}:00",
            "wanted": hour.wanted,
            "slots": load.slots,
            "used": f"{hour.used:.0%}",
            "over": "over" if hour.is_over else None,
        }
        for load in found.loads
        for hour in load.hours
        if hour.wanted
    ]
    heads = ("queue", "day", "hour", "wanted", "slots", "used", "over")
    show_table({name: name.upper() for name in heads}, rows, "Nothing is to come in this week.")
