"""Business days, last days and nearest weekdays of a month, beside a walk from day to day."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from tests.policy.test_local_steps import CHOICES, DAY, ZONES, changes, check, first, shown_at
from tick import Schedule, business_day, last_day, last_weekday, months, nearest_weekday
from tick.cron.timetable import validate
from tick.define.month_days import as_call, as_written
from tick.define.steps import Step, step_from_plain, step_from_words
from tick.errors import InvalidCron
from tick.policy import instants
from tick.policy.business_days import BusinessDays
from tick.policy.clock_changes import changes_ahead
from tick.policy.day_rules import doubt_at
from tick.policy.month_steps import MonthDay
from tick.policy.rule import Rule

# Fridays and Saturdays are off; May begins with a week of holidays, and one Friday is worked.
PLANT = BusinessDays(
    "plant",
    first="20240101",
    until="20281231",
    weekend=(4, 5),
    holidays=(
        (
            "Spring",
            " ".join(f"{year}050{day}" for year in range(2024, 2029) for day in range(1, 8)),
        ),
    ),
    make_up_days="20270108",
    estimated="20270201",
)
EACH = (
    *(business_day(number) for number in (1, 2, 3, 15, 21, 23, -1, -2, -22)),
    *(last_day(), last_day(-3), last_day(-28), last_day(-30), last_weekday()),
    *(nearest_weekday(day) for day in (1, 2, 15, 28, 29, 30, 31)),
)


def rule_of(
    every: Step, zone: str = "UTC", anchor: date | None = None, days: BusinessDays | None = None
) -> Rule:
    """The rule of a schedule with this step, by the calendar of these days."""
    named = None if days is None else days.calendar
    schedule = Schedule(
        id="s", name="S", every=every, anchor=anchor, timezone=zone, job="a", calendar=named
    )
    return replace(schedule, business_days=days).rule()


def is_day(day: date, on: str, days: BusinessDays | None) -> bool:
    """Whether a day is the one that is meant, by looking at all days of its month."""
    whole = [day.replace(day=1) + number * DAY for number in range(31)]
    whole = [each for each in whole if each.month == day.month]
    weekdays = [each for each in whole if each.weekday() < 5]
    working = weekdays if days is None else [each for each in whole if days.is_working(each)]
    wanted = MonthDay.from_text(on).number
    if on.startswith("business day"):
        ordered = working if wanted > 0 else working[::-1]
        return day in working and ordered.index(day) + 1 == abs(wanted)
    if on.startswith("last day"):
        return len(whole) - day.day == -wanted
    if on == "last weekday":
        return day == weekdays[-1]
    return len(whole) >= wanted and day == min(weekdays, key=lambda each: abs(each.day - wanted))


def walked(
    every: Step,
    days: BusinessDays | None,
    zone: str,
    anchor: date,
    end: date,
    choice: tuple[str, str],
) -> Iterator[datetime]:
    """Every instant from the anchor to the end, found by walking day by day."""
    day = anchor
    while day < end:
        passed = (day.year - anchor.year) * 12 + day.month - anchor.month
        if passed % every.number == 0 and is_day(day, str(every.on), days):
            yield from shown_at(datetime.combine(day, time.fromisoformat(every.at)), zone, *choice)
        day += DAY


@pytest.mark.parametrize("on", EACH)
@pytest.mark.parametrize("days", [None, PLANT], ids=["weekdays", "calendar"])
def test_years_of_such_days_agree_with_a_walk(on: str, days: BusinessDays | None) -> None:
    place = EACH.index(on) + (days is not None)
    number, zone = (1, 2, 1, 12)[place % 4], ZONES[place % 3]
    start = date(2024, 1, 1) + place * 17 * DAY
    every = months(number, on=on, at="02:30")
    expected = list(walked(every, days, zone, start, date(2029, 1, 1), CHOICES[0]))
    check(rule_of(every, zone, start, days), expected, date(2023, 12, 1), date(2029, 1, 1))


@pytest.mark.parametrize("zone", ZONES)
def test_beside_every_clock_change_each_way_to_ask_agrees_with_a_walk(zone: str) -> None:
    for change in changes(zone, datetime(2024, 1, 1), datetime(2028, 1, 1)):
        night = change.replace(tzinfo=UTC).date()
        begin, end = night - 3 * DAY, night + 4 * DAY
        for on in (each for each in EACH if is_day(night, each, None)):
            for at in ("00:00", "00:30", "02:30"):
                for gap, fold in CHOICES:
                    every = months(1, on=on, at=at)
                    rule = replace(rule_of(every, zone, begin), gap=gap, fold=fold)
                    expected = list(walked(every, None, zone, begin, end, (gap, fold)))
                    check(rule, expected, begin, end)


def test_days_that_other_crons_name_are_those_of_quartz() -> None:
    # Friday 14 May for a Saturday, the 3rd for Saturday the 1st, and never into another month.
    assert first(rule_of(months(on=nearest_weekday(15))), 1, "2027-05-01") == ["2027-05-14 00:00"]
    assert first(rule_of(months(on=nearest_weekday(1))), 1, "2027-05-01") == ["2027-05-03 00:00"]
    assert first(rule_of(months(on=nearest_weekday(31))), 1, "2027-10-01") == ["2027-10-29 00:00"]
    assert first(rule_of(months(on=last_weekday())), 1, "2027-10-01") == ["2027-10-29 00:00"]
    assert first(rule_of(months(on=last_day(-3))), 2, "2028-02-01") == [
        *("2028-02-26 00:00", "2028-03-28 00:00"),
    ]


def test_months_without_such_a_day_are_left_out_and_told_ahead() -> None:
    rule = rule_of(months(on=last_day(-29), at="06:00"), "Europe/Berlin")
    assert first(rule, 2, "2027-01-15") == ["2027-03-02 06:00", "2027-04-01 06:00"]
    start = datetime(2027, 1, 15, tzinfo=UTC)
    said = list(changes_ahead(rule, start, start + timedelta(days=300)))
    assert said == [
        (
            datetime(2027, 1, 31, 23, tzinfo=UTC),
            "February 2027 has no such day: it does not fire in that month",
        )
    ]
    ended = replace(rule, ends_at=datetime(2027, 1, 20, tzinfo=UTC))
    assert list(changes_ahead(ended, start, start + timedelta(days=300))) == []


def test_clock_changes_and_months_left_out_are_told_in_order() -> None:
    rule = rule_of(months(on=nearest_weekday(31), at="00:30"), "Africa/Cairo")
    found = list(
        changes_ahead(rule, datetime(2026, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC))
    )
    assert [at for at, _ in found] == sorted(at for at, _ in found)
    assert {said.partition(":")[0] for _, said in found} > {"February 2026 has no such day"}
    assert any("the clock" in said for _, said in found) or len(found) == 5 * 5


def test_a_rule_that_has_never_such_a_day_ends_its_search() -> None:
    rule = rule_of(months(12, on=last_day(-30)), anchor=date(2027, 2, 1))
    assert instants.first_after(rule, instants.EPOCH) is None
    assert instants.latest_until(rule, instants.EPOCH, datetime(2199, 1, 1, tzinfo=UTC)) is None
    assert instants.count(rule, instants.EPOCH, datetime(2199, 1, 1, tzinfo=UTC)) == 0


def test_months_are_counted_from_that_of_the_anchor_whatever_the_calendar_says() -> None:
    every = months(2, on=business_day(1))
    assert first(rule_of(every, anchor=date(2027, 1, 20)), 2) == [
        *("2027-03-01 00:00", "2027-05-03 00:00"),
    ]
    by_plant = rule_of(every, anchor=date(2027, 1, 20), days=PLANT)
    assert first(by_plant, 2) == ["2027-03-01 00:00", "2027-05-09 00:00"]


def test_a_business_day_is_in_doubt_if_one_that_it_is_counted_by_is() -> None:
    third = rule_of(months(on=business_day(3)), days=PLANT)
    (at,) = instants.between(third, datetime(2027, 2, 1, tzinfo=UTC), None, 1)
    assert at.date() == date(2027, 2, 3)
    assert doubt_at(third, at) == "calendar plant only estimates this day"
    last = rule_of(months(on=business_day(-1)), days=PLANT)
    (at,) = instants.between(last, datetime(2027, 2, 1, tzinfo=UTC), None, 1)
    assert doubt_at(last, at) is None
    assert "only the weekday decided" in str(doubt_at(last, datetime(2029, 1, 31, tzinfo=UTC)))


def test_a_rule_travels_as_json_in_a_format_that_older_releases_leave_alone() -> None:
    rule = rule_of(months(2, on="3rd business day", at="07:05"), days=PLANT)
    assert Rule.from_json(rule.to_json()) == rule
    assert rule.format == 3
    step = '"step":{"at":"07:05","first":"1970-01-01","months":2,"on":"business day 3"}'
    assert step in rule.to_json()
    weekday = rule_of(months(on=last_weekday()), days=PLANT)
    assert Rule.from_json(weekday.to_json()) == weekday


@pytest.mark.parametrize("step", ['{"first":"2027-01-01","at":"02:00","months":1,"on":"soon"}'])
def test_a_day_that_this_release_does_not_know_is_no_rule(step: str) -> None:
    with pytest.raises(ValueError, match="soon"):
        Rule.from_json(f'{{"kind":"INTERVAL","step":{step}}}')


@pytest.mark.parametrize(
    ("spelled", "on"),
    [
        *(
            ("L", "last day"),
            ("L-3", "last day -3"),
            ("lw", "last weekday"),
            ("15W", "nearest weekday 15"),
        ),
        *(("3rd Business Day", "business day 3"), ("the last business day", "business day -1")),
        *(("business day -2", "business day -2"), ("the last weekday", "last weekday"), ("31", 31)),
    ],
)
def test_each_spelling_of_a_day_means_the_same(spelled: str, on: str | int) -> None:
    step = step_from_words(f"3 months on {spelled} at 18:00")
    assert step is not None
    assert (step.on, step) == (on, months(3, on=spelled, at="18:00"))
    assert step_from_words(step.in_words()) == step
    assert step_from_plain(step.to_plain()) == step
    assert step_from_plain({"months": 3, "on": spelled, "at": "18:00"}) == step


@pytest.mark.parametrize("item", ["LW", "15W", "L-3", "1W", "L-30"])
def test_what_cron_refuses_names_a_step_that_means_it(item: str) -> None:
    with pytest.raises(InvalidCron) as refusal:
        validate(f"0 2 {item} * *", "UTC")
    said, on = str(refusal.value), as_written(item)
    assert f"'month on {on}' by hand, every=months(1, on={as_call(on)}) in code" in said
    assert step_from_words(f"month on {on}") == months(1, on=on)
