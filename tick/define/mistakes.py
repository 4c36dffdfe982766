"""Every mistake that definitions can hold, each told with file and fix. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from tick.define import alerts, environments
from tick.define.calendar_days import ExpandedCalendars, with_days
from tick.define.job_mistakes import in_job
from tick.define.jobs import JobDefinition
from tick.define.labels import in_labels
from tick.define.schedules import Schedule
from tick.define.target_mistakes import in_target
from tick.define.timing_mistakes import find_in_timing, where_is
from tick.define.wrong_values import NAME, did_you_mean
from tick.policy.graph import find_cycle

_MAX_NAME = 100
MAX_ID = 50
_PING_URL = re.compile(r"(https?://[^\s/?#]+\S*|secret:\w+)\Z")
_PLACE = re.compile(r"(.*?):(\d+): ")


def find(
    jobs: Sequence[JobDefinition],
    schedules: Sequence[Schedule],
    calendars: ExpandedCalendars | None = None,
) -> list[str]:
    """Return all mistakes, in the order of their files and lines."""
    found = [
        *_in_names(jobs, schedules),
        *(f"{job.source}: job {job.name!r}: {text}" for job in jobs for text in in_job(job)),
        *_in_dependencies(jobs),
        *(text for schedule in schedules for text in _in_schedule(schedule, jobs, calendars)),
        *_in_renames(schedules),
    ]
    return sorted(found, key=_by_place)


def find_in_one(
    schedule: Schedule,
    jobs: Sequence[JobDefinition],
    calendars: ExpandedCalendars | None = None,
) -> list[str]:
    """The mistakes of one schedule beside jobs that are known to be right, without its place."""
    place = f"{where_is(schedule)}: "
    found = [*_in_names((), [schedule]), *_in_schedule(schedule, jobs, calendars)]
    return [text.removeprefix(place).removeprefix(f"{schedule.source}: ") for text in found]


def _by_place(text: str) -> tuple[str, int, str]:
    # The line as a number: as text, 10 would come before 9.
    place = _PLACE.match(text)
    return (place[1], int(place[2]), text) if place else (text, 0, text)


def _in_names(jobs: Iterable[JobDefinition], schedules: Iterable[Schedule]) -> Iterator[str]:
    things: list[tuple[str, object, str, int]] = []
    things += [("job", job.name, job.source, _MAX_NAME) for job in jobs]
    things += [("schedule", item.id, item.source, MAX_ID) for item in schedules]
    for what, name, source, longest in things:
        # Other types are reported with the values of the job or the schedule.
        if isinstance(name, str) and (not NAME.match(name) or len(name) > longest):
            yield (
                f"{source}: {what} {name!r}: use lower-case letters, digits, dots and dashes, "
                f"at most {longest} characters."
            )
    twice = Counter((what, str(name)) for what, name, _, _ in things)
    for what, name, source, _ in things:
        if twice[what, str(name)] > 1:
            yield f"{source}: {what} {name!r} is defined more than once; rename all but one."


def _in_dependencies(jobs: Sequence[JobDefinition]) -> Iterator[str]:
    known = [job.name for job in jobs]
    for job in jobs:
        for name in job.depends_on:
            if name not in known:
                yield (
                    f"{job.source}: job {job.name!r} depends on unknown job {name!r}"
                    f"{did_you_mean(name, known)}."
                )
    if cycle := find_cycle(edge for job in jobs for edge in job.edges):
        first = cycle.partition(" → ")[0]
        source = next(job.source for job in jobs if job.name == first)
        yield f"{source}: jobs wait for each other: {cycle}; remove one of these dependencies."


def _in_schedule(
    schedule: Schedule, jobs: Sequence[JobDefinition], calendars: ExpandedCalendars | None
) -> Iterator[str]:
    place = where_is(schedule)
    if wrong := list(environments.find_mistakes(schedule)):
        yield from (f"{place}: {text}" for text in wrong)
        schedule = replace(schedule, environments=None)
    # Wherever this is read: whoever deploys to one environment must not break another.
    found = {
        name: list(_in_variant(variant, jobs, calendars))
        for name, variant in environments.variants(schedule).items()
    }
    shared = [
        text for text in next(iter(found.values())) if all(text in of for of in found.values())
    ]
    yield from shared
    for name, texts in found.items():
        own = (text.removeprefix(f"{place}: ") for text in texts if text not in shared)
        yield from (f"{place}: in environment {name!r}: {text}" for text in own)


def _in_variant(
    schedule: Schedule, jobs: Sequence[JobDefinition], calendars: ExpandedCalendars | None
) -> Iterator[str]:
    if calendars is not None:
        schedule = with_days(schedule, calendars)
    yield from find_in_timing(schedule)
    found = [*in_calendar(schedule, calendars), *_in_alerts(schedule)]
    found += [*in_labels(schedule.labels), *in_target(schedule, jobs)]
    yield from (f"{where_is(schedule)}: {text}" for text in found)


def in_calendar(schedule: Schedule, calendars: ExpandedCalendars | None) -> Iterator[str]:
    """Yield that the schedule's calendar is not defined, if it is not."""
    if schedule.calendar is None or schedule.business_days is not None:
        return
    wrong = None if calendars is None else calendars.by_hand.get(schedule.calendar)
    if wrong is not None:
        yield f"calendar {schedule.calendar!r}, made by hand, {wrong}"
        return
    near = did_you_mean(schedule.calendar, [] if calendars is None else calendars.days)
    yield (
        f"calendar {schedule.calendar!r} is not defined{near}; "
        f"write `Calendar({schedule.calendar!r}, …)` at the top of a module of the definitions."
    )


def _in_alerts(schedule: Schedule) -> Iterator[str]:
    if schedule.alerts is not None:
        yield from alerts.find_mistakes(schedule.alerts)
    if schedule.ping_url is not None and not _PING_URL.match(str(schedule.ping_url)):
        yield "ping_url must be a URL, or secret:NAME for one in the variable NAME."


def _in_renames(schedules: Sequence[Schedule]) -> Iterator[str]:
    ids = {schedule.id for schedule in schedules}
    renamed = Counter(str(schedule.renamed_from) for schedule in schedules)
    for schedule in schedules:
        where = where_is(schedule)
        if schedule.renamed_from is None:
            continue
        if schedule.renamed_from in ids:
            yield f"{where}: renamed_from {schedule.renamed_from!r} is still defined; remove one."
        elif renamed[str(schedule.renamed_from)] > 1:
            yield f"{where}: another schedule is renamed_from {schedule.renamed_from!r} as well."
