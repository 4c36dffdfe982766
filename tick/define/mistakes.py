"""Every mistake that definitions can hold, each told with file and fix. Pure."""

import inspect
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum

from tick.define import alerts
from tick.define.jobs import JobDefinition
from tick.define.schedules import Schedule
from tick.errors import InvalidCron
from tick.policy import cron, instants
from tick.policy.graph import Edge, find_cycle
from tick.states import Isolation, MissedPolicy, Mode, OverlapPolicy, Unique
from tick.utc import is_skipped

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")
_MAX_NAME = 100
_MAX_TITLE = 200
_MAX_ID = 50
_MOST_SECONDS = 10 * 366 * 24 * 3600
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_PING_URL = re.compile(r"(https?://[^\s/?#]+\S*|secret:\w+)\Z")
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
_UNSTORABLE_IN_JSON = re.compile(r"(?<!\\)(?:\\\\)*\\u0000|[\ud800-\udfff]")


def find(jobs: list[JobDefinition], schedules: list[Schedule]) -> list[str]:
    """All mistakes, in the order of the files they are in."""
    return sorted(
        [
            *_in_names(jobs, schedules),
            *_in_jobs(jobs),
            *_in_dependencies(jobs),
            *(text for schedule in schedules for text in _in_schedule(schedule, jobs)),
            *_in_renames(schedules),
        ]
    )


def why_unstorable(value: object) -> str | None:
    """What keeps a value from being stored as JSON by every database; None if nothing does."""
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        return f"cannot be stored as JSON ({error}); use plain values"
    if _UNSTORABLE_IN_JSON.search(text):
        return "cannot hold a NUL or half a character, which no database stores; remove it"
    return None


def _in_names(jobs: list[JobDefinition], schedules: list[Schedule]) -> Iterator[str]:
    things = [("job", job.name, job.source, _MAX_NAME) for job in jobs]
    things += [("schedule", item.id, item.source, _MAX_ID) for item in schedules]
    for what, name, source, longest in things:
        if isinstance(name, str) and (not _NAME.match(name) or len(name) > longest):
            yield (
                f"{source}: {what} {name!r}: use lower-case letters, digits, dots and dashes, "
                f"at most {longest} characters."
            )
    twice = Counter((what, name) for what, name, _, _ in things)
    for what, name, source, _ in things:
        if twice[what, name] > 1:
            yield f"{source}: {what} {name!r} is defined more than once; rename all but one."


def _in_jobs(jobs: list[JobDefinition]) -> Iterator[str]:
    for job in jobs:
        where = f"{job.source}: job {job.name!r}"
        if not _NAME.match(job.group) or len(job.group) > _MAX_ID:
            yield f"{where}: group {job.group!r} must be lower-case letters, digits and dashes."
        if job.timeout_seconds <= 0:
            yield f"{where}: timeout must be more than 0 seconds."
        for name in ("timeout", "backoff", "max_backoff"):
            yield from (
                f"{where}: {t}" for t in _in_length(name, getattr(job, f"{name}_seconds"), 0)
            )
        if not 0 <= job.retries <= 100:
            yield f"{where}: retries must be between 0 and 100."
        if job.max_concurrent is not None and job.max_concurrent < 1:
            yield f"{where}: max_concurrent must be at least 1; leave it out for no limit."
        yield from (f"{where}: {text}" for text in _none_of("isolation", job.isolation, Isolation))
        if job.unique is not None:
            yield from (f"{where}: {text}" for text in _none_of("unique", job.unique, Unique))
        if job.when is not None and not _takes_nothing(job.when):
            yield f"{where}: when must be a function that can be called without arguments."
        yield from (f"{where}: {text}" for text in job.mistakes)
        if strangers := sorted(job.tolerates - set(job.depends_on)):
            yield f"{where}: tolerates {strangers[0]!r}, which its depends_on lacks; add it there."


def _takes_nothing(function: Callable[[], object]) -> bool:
    try:
        inspect.signature(function).bind()
    except (TypeError, ValueError):
        return False
    return True


def _in_dependencies(jobs: list[JobDefinition]) -> Iterator[str]:
    known = [job.name for job in jobs]
    for job in jobs:
        for name in job.depends_on:
            if name not in known:
                yield (
                    f"{job.source}: job {job.name!r} depends on unknown job {name!r}"
                    f"{_did_you_mean(name, known)}."
                )
    cycle = find_cycle(Edge(job.name, name) for job in jobs for name in job.depends_on)
    if cycle:
        first = cycle.partition(" → ")[0]
        source = next(job.source for job in jobs if job.name == first)
        yield f"{source}: jobs wait for each other: {cycle}; remove one of these dependencies."


def find_in_timing(schedule: Schedule) -> list[str]:
    """What keeps a schedule from having instants, each with file and fix."""
    found = [*_in_texts(schedule)]
    found += [] if found else [*_in_choices(schedule), *_in_timing(schedule)]
    found += _in_numbers(schedule)
    return [f"{_where(schedule)}: {text}" for text in found or _in_bounds(schedule)]


def _in_schedule(schedule: Schedule, jobs: list[JobDefinition]) -> Iterator[str]:
    yield from find_in_timing(schedule)
    found = [*_in_params(schedule.params), *_in_alerts(schedule), *_in_target(schedule, jobs)]
    yield from (f"{_where(schedule)}: {text}" for text in found)


def _where(schedule: Schedule) -> str:
    return f"{schedule.source}: schedule {schedule.id!r}"


def _in_alerts(schedule: Schedule) -> Iterator[str]:
    if schedule.alerts is not None:
        yield from alerts.find_mistakes(schedule.alerts)
    if schedule.ping_url is not None and not _PING_URL.match(str(schedule.ping_url)):
        yield "ping_url must be a URL, or secret:NAME for one in the variable NAME."


def _in_renames(schedules: list[Schedule]) -> Iterator[str]:
    ids = {schedule.id for schedule in schedules}
    renamed = Counter(schedule.renamed_from for schedule in schedules)
    for schedule in schedules:
        where = _where(schedule)
        if schedule.renamed_from is None:
            continue
        if schedule.renamed_from in ids:
            yield f"{where}: renamed_from {schedule.renamed_from!r} is still defined; remove one."
        elif renamed[schedule.renamed_from] > 1:
            yield f"{where}: another schedule is renamed_from {schedule.renamed_from!r} as well."


def _in_choices(schedule: Schedule) -> Iterator[str]:
    for name, value, enum in (
        ("mode", schedule.mode, Mode),
        ("missed", schedule.missed, MissedPolicy),
        ("overlap", schedule.overlap, OverlapPolicy),
    ):
        yield from _none_of(name, value, enum)
    try:
        cron.Dst(gap=schedule.dst_gap, fold=schedule.dst_fold)
    except InvalidCron as error:
        yield str(error)


def _none_of(name: str, value: object, enum: type[StrEnum]) -> Iterator[str]:
    if value not in list(enum):
        yield f"{name} {value!r} is none of {', '.join(enum)}."


def _in_texts(schedule: Schedule) -> Iterator[str]:
    for name in ("id", "name", "description", "timezone", "cron"):
        value = getattr(schedule, name)
        if name == "cron" and value is None:
            continue
        if not isinstance(value, str):
            yield f"{name} must be a text, not {value!r}."
        elif _UNSTORABLE.search(value):
            yield f"{name} holds a NUL or half a character, which no database stores; remove it."


def _in_numbers(schedule: Schedule) -> Iterator[str]:
    if isinstance(schedule.name, str) and len(schedule.name) > _MAX_TITLE:
        yield f"name has {len(schedule.name)} characters; at most {_MAX_TITLE} are kept."
    if schedule.grace is not None:
        yield from _in_length("grace", schedule.grace, 0)
    yield from _in_length("max_catch_up_age", schedule.max_catch_up_age, 1)
    jitter = [*_in_length("jitter", schedule.jitter, 0)]
    yield from jitter or (["jitter must be whole seconds."] if schedule.jitter % 1 else [])
    for name in ("max_runs", "max_catch_up_runs"):
        value = getattr(schedule, name)
        if name == "max_runs" and value is None:
            continue
        if not isinstance(value, int):
            yield f"{name} must be a whole number, not {value!r}."
        elif value < 1:
            yield f"{name} must be at least 1."


def _in_length(name: str, seconds: object, least: int) -> Iterator[str]:
    if not isinstance(seconds, int | float):
        yield f"{name} must be a number of seconds, not {seconds!r}."
    elif seconds < least:
        yield f"{name} must be at least {least}."
    elif not seconds <= _MOST_SECONDS:  # not a number is in no order
        yield f"{name} must be at most {_MOST_SECONDS} seconds, ten years."


def _in_params(params: object) -> Iterator[str]:
    if not isinstance(params, Mapping):
        yield f"params cannot be stored as JSON by name: write a dict, not {params!r}."
    elif why := why_unstorable(dict(params)):
        yield f"params {why}."


def _in_timing(schedule: Schedule) -> Iterator[str]:
    given = [name for name in ("cron", "every", "at") if getattr(schedule, name) is not None]
    if len(given) != 1:
        said = " and ".join(given) or "nothing"
        yield f"says when by {said}; give exactly one of cron, every and at."
        return
    if schedule.every is not None:
        yield from _in_interval(schedule.every)
    for name in ("at", "anchor", "starts_at", "ends_at"):
        value = getattr(schedule, name)
        if value is not None and not isinstance(value, datetime):
            yield f"{name} must be a datetime, not {value!r}."
            return
        if value is not None and value.tzinfo is None:
            yield f"{name} needs a time zone: write datetime(…, tzinfo=UTC)."
            return
        if value is not None and not _FIRST <= value <= _LAST:
            yield f"{name} lies outside of the years 1 to 9999 in UTC; move it, or leave it out."
            return
        if value is not None and is_skipped(value):
            wall = f"{value:%Y-%m-%d %H:%M} in {value.tzinfo}"
            yield f"{name} is {wall}, which the clocks skip; write a time that there is."
            return
    if schedule.anchor is not None and schedule.every is None:
        yield "anchor is where an interval starts; give every, or leave it out."
    yield from _in_cron(schedule)


def _in_interval(every: object) -> Iterator[str]:
    if not isinstance(every, timedelta):
        yield f"every must be a timedelta, not {every!r}."
    elif every < timedelta(minutes=1):
        yield "every must be at least a minute."
    else:
        yield from _in_length("every", every.total_seconds(), 60)


def _in_cron(schedule: Schedule) -> Iterator[str]:
    try:
        cron.validate(cron.resolve(schedule.cron or "@daily", schedule.id), schedule.timezone)
    except InvalidCron as error:
        yield str(error)
        return


def _in_bounds(schedule: Schedule) -> Iterator[str]:
    """To be asked when nothing else of its timing is wrong: only then has it a rule."""
    if instants.first_after(schedule.rule(), instants.EPOCH) is None:
        yield "has no instant between starts_at and ends_at; move one of them."


def _in_target(schedule: Schedule, jobs: list[JobDefinition]) -> Iterator[str]:
    if schedule.mode == Mode.GROUP:
        yield from _in_group(schedule.job_group, {job.group: None for job in jobs})
    elif schedule.mode == Mode.SINGLE_JOB:
        yield from _in_list([schedule.job] if schedule.job else [], "job", jobs)
    elif schedule.mode == Mode.CUSTOM:
        yield from _in_list(schedule.jobs, "jobs", jobs)
    elif not jobs:
        yield "runs all jobs, and there are none; define one with @job."


def _in_group(group: str | None, known: Mapping[str, None]) -> Iterator[str]:
    if group is None:
        yield "mode GROUP needs job_group."
    elif group not in known:
        yield (
            f"group {group!r} is empty: no job is in it{_did_you_mean(group, known)}; "
            "add a job to it or name another group."
        )


def _in_list(names: Iterable[str], field: str, jobs: list[JobDefinition]) -> Iterator[str]:
    known = [job.name for job in jobs]
    names = list(names)
    if not names:
        yield f"names no job: set {field}."
    for name in names:
        if name not in known:
            yield f"{field} names unknown job {name!r}{_did_you_mean(name, known)}."


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
