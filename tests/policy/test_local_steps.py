"""Steps in local days: counted from their anchor, and right beside every clock change."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest

from tick.cron.zones import periods_from
from tick.define.schedules import Schedule
from tick.define.steps import Step, days, months, weeks
from tick.policy import instants
from tick.policy.instants import just_before
from tick.policy.rule import Rule

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo")
CHOICES = (("first_valid", "first"), ("skip", "second"), ("first_valid", "both"))


def rule_of(
    every: Step,
    zone: str = "UTC",
    anchor: date | None = None,
    gap: str | None = None,
    fold: str | None = None,
) -> Rule:
    """The rule of a schedule with these steps."""
    schedule = Schedule(id="s", name="S", every=every, anchor=anchor, timezone=zone, job="a")
    return replace(schedule, dst_gap=gap, dst_fold=fold).rule()


def said(found: list[datetime], zone: str) -> list[str]:
    """Instants as the clock of the zone shows them."""
    return [f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" for at in found]


def first(rule: Rule, number: int, after: str = "1970-01-01") -> list[str]:
    """The first instants on the clock of the rule's zone."""
    start = datetime.fromisoformat(after).replace(tzinfo=ZoneInfo(rule.timezone))
    return said(instants.between(rule, just_before(start), None, number), rule.timezone)


def is_step(day: date, every: Step, anchor: date) -> bool:
    """Whether a day is one of the steps, asked of each day by itself."""
    if every.unit == "days":
        return (day - anchor).days % every.number == 0
    if every.unit == "weeks":
        return (day - anchor).days % (7 * every.number) == 0
    passed = (day.year - anchor.year) * 12 + day.month - anchor.month
    is_last = (day + DAY).month != day.month
    right_day = day.day == anchor.day or (is_last and day.day < anchor.day)
    return passed % every.number == 0 and right_day


def walked(
    every: Step, zone: str, anchor: date, start: date, end: date, gap: str, fold: str
) -> Iterator[datetime]:
    """Every instant from the days [start, end), found by walking day by day."""
    at, day = time.fromisoformat(every.at), start
    while day < end:
        if day >= anchor and is_step(day, every, anchor):
            yield from shown_at(datetime.combine(day, at), zone, gap, fold)
        day += DAY


def shown_at(wall: datetime, zone: str, gap: str, fold: str) -> Iterator[datetime]:
    """Every instant that a wall time of the zone means."""
    tz = ZoneInfo(zone)
    both = [wall.replace(tzinfo=tz, fold=n).astimezone(UTC) for n in (0, 1)]
    shown = [each.astimezone(tz).replace(tzinfo=None) == wall for each in both]
    if both[0] == both[1]:
        yield both[0]
    elif all(shown):
        yield from {"first": both[:1], "second": both[1:], "both": both}[fold]
    elif gap == "first_valid":
        # In the gap: minute by minute to the first one that the clock shows.
        instant = both[1]
        while instant.astimezone(tz).replace(tzinfo=None) < wall:
            instant += MINUTE
        yield instant


def changes(zone: str, start: datetime, end: datetime) -> list[datetime]:
    """The clock changes of a zone between two naive instants in UTC."""
    found = [period.start for period in periods_from(zone, start) if start < period.start]
    return [at for at in found if at < end]


def test_every_second_day_has_the_same_time_of_day_through_a_clock_change() -> None:
    rule = rule_of(days(2, at="09:00"), "Europe/Berlin", date(2027, 3, 25))
    assert first(rule, 3) == ["2027-03-25 09:00", "2027-03-27 09:00", "2027-03-29 09:00"]
    found = instants.between(rule, instants.EPOCH, None, 3)
    assert [after - before for before, after in pairwise(found)] == [
        timedelta(hours=48),
        timedelta(hours=47),
    ]


def test_months_from_the_31st_end_each_month_and_come_back_to_the_31st() -> None:
    rule = rule_of(months(1, at="18:00"), "Europe/Berlin", date(2027, 1, 31))
    assert first(rule, 5) == [
        *("2027-01-31 18:00", "2027-02-28 18:00", "2027-03-31 18:00", "2027-04-30 18:00"),
        "2027-05-31 18:00",
    ]
    assert first(rule, 1, "2028-02-01") == ["2028-02-29 18:00"]
    years = rule_of(months(12), "UTC", date(2024, 2, 29))
    assert first(years, 5)[-2:] == ["2027-02-28 00:00", "2028-02-29 00:00"]


def test_every_second_week_goes_on_through_a_year_of_53_weeks() -> None:
    rule = rule_of(weeks(2, on="mon", at="09:00"), "Europe/Berlin", date(2026, 12, 1))
    found = first(rule, 4)
    assert found == ["2026-12-07 09:00", "2026-12-21 09:00", "2027-01-04 09:00", "2027-01-18 09:00"]
    assert date(2026, 12, 28).isocalendar().week == 53


def test_without_an_anchor_weeks_begin_on_monday_and_months_on_the_first() -> None:
    assert first(rule_of(weeks(1)), 2) == ["1970-01-05 00:00", "1970-01-12 00:00"]
    assert first(rule_of(months(3)), 2) == ["1970-01-01 00:00", "1970-04-01 00:00"]
    assert first(rule_of(months(1, on=31, at="18:00")), 2) == [
        *("1970-01-31 18:00", "1970-02-28 18:00"),
    ]


def test_the_first_step_is_the_first_such_day_on_or_after_the_anchor() -> None:
    anchor = date(2027, 2, 16)
    assert first(rule_of(weeks(2), anchor=anchor), 1) == ["2027-02-16 00:00"]
    assert first(rule_of(weeks(2, on="mon"), anchor=anchor), 1) == ["2027-02-22 00:00"]
    assert first(rule_of(months(1, on=15), anchor=anchor), 1) == ["2027-03-15 00:00"]
    assert first(rule_of(months(1, on=31), anchor=anchor), 1) == ["2027-02-28 00:00"]
    december = date(2027, 12, 20)
    assert first(rule_of(months(2, on=5), anchor=december), 1) == ["2028-01-05 00:00"]


@pytest.mark.parametrize("zone", ZONES)
def test_beside_every_clock_change_each_way_to_ask_agrees_with_a_walk(zone: str) -> None:
    for change in changes(zone, datetime(2024, 1, 1), datetime(2028, 1, 1)):
        night = change.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()
        start, end = night - 2 * DAY, night + 3 * DAY
        for at in ("00:00", "00:30", "01:00", "01:45", "02:00", "02:30", "23:30"):
            monthly = months(1, on=night.day, at=at)
            for every, anchor in ((days(1, at=at), start), (monthly, night)):
                for gap, fold in CHOICES:
                    expected = list(walked(every, zone, anchor, start, end, gap, fold))
                    check(rule_of(every, zone, anchor, gap, fold), expected, start, end)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", (29, 30, 31))
def test_years_of_steps_agree_with_a_walk(zone: str, day: int) -> None:
    anchor, start, end = date(2024, 1, day), date(2024, 1, 1), date(2029, 1, 1)
    for every in (days(13, at="00:30"), weeks(5), months(1, at="02:30"), months(5)):
        gap, fold = CHOICES[day % 3]
        expected = list(walked(every, zone, anchor, start, end, gap, fold))
        check(rule_of(every, zone, anchor, gap, fold), expected, start, end)


def check(rule: Rule, expected: list[datetime], start: date, end: date) -> None:
    """Compare every way to ask for the instants of the days [start, end)."""
    midnight = [datetime.combine(day, time(), ZoneInfo(rule.timezone)) for day in (start, end)]
    after, until = just_before(midnight[0].astimezone(UTC)), just_before(midnight[1])
    assert instants.between(rule, after, until, 9999) == expected
    assert instants.all_between(rule, after, until) == expected
    assert instants.count(rule, after, until) == len(expected)
    assert instants.latest_until(rule, after, until) == (expected[-1] if expected else None)
    for index, at in islice(enumerate(expected), 3):
        assert instants.first_after(rule, just_before(at)) == at
        assert instants.nth(rule, after, until, index) == at
        assert instants.latest_until(rule, after, at) == at
        assert instants.is_instant(rule, at)


def test_a_day_that_a_zone_leaves_out_has_no_step() -> None:
    # Samoa had no 30 December 2011.
    rule = rule_of(days(1, at="09:00"), "Pacific/Apia")
    assert first(rule, 2, "2011-12-29") == ["2011-12-29 09:00", "2011-12-31 09:00"]


def test_steps_are_found_in_a_moment_however_far_the_anchor_is() -> None:
    rule = rule_of(days(1, at="09:00"), "Europe/Berlin")
    at = instants.first_after(rule, datetime(2199, 6, 1, tzinfo=UTC))
    assert at == datetime(2199, 6, 1, 7, tzinfo=UTC)
    assert instants.count(rule, instants.EPOCH, datetime(2026, 1, 1, tzinfo=UTC)) == 20454


def test_a_rule_with_steps_travels_as_json_in_a_format_that_older_releases_leave_alone() -> None:
    rule = rule_of(months(2, at="07:05"), "Africa/Cairo", date(2027, 1, 30))
    assert Rule.from_json(rule.to_json()) == rule
    assert rule.format == 2
    assert '"step":{"at":"07:05","first":"2027-01-30","month_day":30,"months":2}' in rule.to_json()
    plain = Schedule(id="s", name="S", every=timedelta(days=2), job="a").rule()
    assert (plain.format, "step" in plain.to_json()) == (1, False)
