"""A schedule's rule and target in plain words, whatever state they are in. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

from tick.cron import timetable
from tick.cron.zone_data import Zone, ZoneData, current
from tick.define import alerts
from tick.errors import InvalidCron
from tick.ops.schemas import Schema
from tick.policy import instants
from tick.policy.closed_times import first_firing_after, list_ahead
from tick.policy.instants import just_before
from tick.policy.local_steps import step_in_words
from tick.policy.rule import Rule
from tick.policy.target import Target
from tick.states import DayRule, Mode, ScheduleKind
from tick.text import counted, exact_length

# What stored JSON of another release, or of a zone that vanished, may raise.
_UNREADABLE = (InvalidCron, ValueError, TypeError, KeyError, AttributeError)


class Timing(Schema):
    """When a schedule fires, in words; `mistake` if its rule can no longer be read."""

    words: str
    expression: str | None
    timezone: str
    mistake: str | None

    @property
    def with_zone(self) -> str:
        """The words, with the zone if a clock other than UTC's, or an expression, says when."""
        by_a_clock = self.expression is not None or self.timezone != "UTC"
        return f"{self.words} ({self.timezone})" if by_a_clock else self.words


class Selected(Schema):
    """What a schedule runs: in words, and the jobs in dependency order."""

    words: str
    jobs: tuple[str, ...]


# Every page describes the same few rules again.
@lru_cache(maxsize=4096)
def describe_timing(rule_text: str | None) -> Timing:
    """Describe a version's rule; a broken one gives a `mistake` and raises nothing."""
    try:
        rule = _read(rule_text)
        return Timing(
            words=_words(rule), expression=rule.cron, timezone=rule.timezone, mistake=None
        )
    except _UNREADABLE as error:
        return Timing(words="Cannot be read", expression=None, timezone="UTC", mistake=str(error))


@lru_cache(maxsize=4096)
def describe_target(mode: str | None, target_text: str | None) -> Selected:
    """Describe a version's target; a broken one raises nothing."""
    try:
        jobs = Target.from_json(target_text or "").jobs
    except _UNREADABLE:
        return Selected(words="Cannot be read", jobs=())
    names = tuple(job.name for job in jobs)
    if mode == Mode.GROUP and jobs:
        words = f"Group {jobs[0].group}, {counted(len(jobs), 'job')}"
    elif mode == Mode.SINGLE_JOB and jobs:
        words = f"Job {jobs[0].name}"
    else:
        words = f"All {len(jobs)} jobs" if mode == Mode.ALL_JOBS else _chosen(names)
    return Selected(words=words, jobs=names)


def next_instants(
    rule_text: str | None,
    now: datetime,
    count: int,
    until: datetime | None = None,
    zone: Zone | None = None,
) -> list[datetime]:
    """Return the next `count` nominal instants in (now, until]; none if the rule is broken.

    `zone` are the zone data to use instead of this process's.
    """
    try:
        return list_ahead(replace(_read(rule_text), zone=zone), now, until, count)
    except _UNREADABLE:
        return []


def next_firing(rule_text: str | None, marked: datetime | None) -> datetime | None:
    """Return the first instant from `marked` on, the next that is due, that no calendar drops."""
    if marked is None or rule_text is None or '"calendar":' not in rule_text:
        return marked
    return _next_firing(rule_text, marked, current())


@lru_cache(maxsize=4096)
def _next_firing(rule_text: str, marked: datetime, _data: ZoneData) -> datetime | None:
    # `_data` is a part of the key: newer zone data may give other instants.
    try:
        return first_firing_after(Rule.from_json(rule_text), just_before(marked))
    except _UNREADABLE:
        return marked


def describe_alert(rule: alerts.Rule) -> str:
    """Describe when an alert rule speaks: `it failed 3 times in a row`."""
    match rule:
        case alerts.Failed(after):
            return "it failed" if after == 1 else f"it failed {after} times in a row"
        case alerts.Missed():
            return "an instant was missed"
        case alerts.Held():
            return "an instant is held back by the storm brake"
        case alerts.LateStart(after):
            return f"nothing has started {exact_length(after)} after its firing"
        case alerts.RunsLong(None, factor):
            return f"it runs for more than {factor:g} times its usual longest"
        case alerts.RunsLong(timedelta() as than):
            return f"it runs for more than {exact_length(than)}"
        case alerts.NoSuccess(within):
            return f"it has had no success for {exact_length(within)}"
        case alerts.Deadline(after):
            return f"it will not have ended {exact_length(after)} after its instant"
    return rule.NAME


def _read(rule_text: str | None) -> Rule:
    if rule_text is None:
        raise ValueError("the schedule has no version yet; `tick sync` stores one")
    return Rule.from_json(rule_text)


def _words(rule: Rule) -> str:
    said = _words_without_calendar(rule)
    # A step on a business day names its calendar itself.
    if rule.calendar is None or getattr(rule.step, "calendar", None) is not None:
        return said
    return f"{said}, {_DAY_RULES[rule.day_rule]} of {rule.calendar.calendar}"


def _words_without_calendar(rule: Rule) -> str:
    if rule.dialect is not None:
        return f"As {rule.dialect} fires {rule.cron}"
    if rule.kind is ScheduleKind.CRON:
        said = timetable.describe(rule.cron or "", rule.timezone)
        return said.removesuffix(f" ({rule.timezone})")
    if rule.step is not None:
        return step_in_words(rule.step)
    if rule.kind is ScheduleKind.INTERVAL:
        return _every(rule)
    return f"Once, at {rule.at:%Y-%m-%d %H:%M} UTC" if rule.at else "Once"


_DAY_RULES = {
    DayRule.ONLY_BUSINESS_DAYS: "only on business days",
    DayRule.SKIP_HOLIDAYS: "not on holidays",
    DayRule.ONLY_HOLIDAYS: "only on holidays",
    DayRule.NEXT_BUSINESS_DAY: "or on the next business day",
    DayRule.PREVIOUS_BUSINESS_DAY: "or on the business day before",
    DayRule.MODIFIED_FOLLOWING: "or on the next business day of the month, else the one before",
}


def _every(rule: Rule) -> str:
    """Describe an interval by its length and the instant from which its steps are counted."""
    length = timedelta(seconds=rule.every_seconds or 0)
    said = f"Every {exact_length(length).removeprefix('1 ')}"
    # Steps of less than a day that begin with the epoch are seen from the full hours.
    if rule.anchor is None and length < timedelta(days=1):
        return said
    return f"{said}, counted from {rule.anchor or instants.EPOCH:%Y-%m-%d %H:%M} UTC"


def _chosen(names: tuple[str, ...]) -> str:
    return ", ".join(names) if 0 < len(names) <= 2 else counted(len(names), "chosen job")
