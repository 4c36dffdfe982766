"""Business days equal official lists, which come from another source than the library does."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.define.official_holidays import OFFICIAL, Official
from tests.support.factories import a_job, a_schedule
from tick import Calendar
from tick.define.registry import build_registry
from tick.policy import instants
from tick.policy.closed_times import closed_at, list_ahead
from tick.policy.day_rules import doubt_at
from tick.policy.rule import Rule

YEARS = range(2024, 2029)


def rule_of(region: Official) -> Rule:
    """Business days at 02:00 in the region."""
    calendar = Calendar("its", country=region.country, subdivision=region.subdivision)
    schedule = a_schedule(calendar="its")
    registry = build_registry([a_job("a")], [schedule], calendars=[calendar])
    return registry.schedules["daily"].rule()


def fires(rule: Rule, year: int) -> list[date]:
    """The days of a year on which the rule fires."""
    start = datetime(year, 1, 1, tzinfo=UTC)
    found = instants.between(rule, start, datetime(year + 1, 1, 1, tzinfo=UTC), 400)
    return [at.date() for at in found if closed_at(rule, (), at) is None]


@pytest.mark.parametrize("region", OFFICIAL, ids=lambda it: f"{it.country}-{it.subdivision}")
def test_business_days_at_two_are_those_of_the_official_list(region: Official) -> None:
    rule = rule_of(region)
    for year in region.off:
        days = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]
        plain = {day for day in days if day.year == year and day.weekday() < 5}
        expected = plain - region.days(year) | region.worked_days(year)
        assert fires(rule, year) == sorted(expected), (year, region.source)


def test_years_that_no_government_has_announced_are_marked() -> None:
    regions = {(it.country, it.subdivision): it for it in OFFICIAL}
    for year in YEARS:
        at = datetime(year, 6, 3, 2, tzinfo=UTC)
        said = doubt_at(rule_of(regions["CN", None]), at)
        known = year in regions["CN", None].off
        assert (said is None) is known
        assert known or "known from 2020-01-01 to 2026-12-31" in str(said)
        assert doubt_at(rule_of(regions["DE", "BY"]), at) is None


def test_a_list_of_what_is_to_come_names_holidays_and_leaves_out_weekends() -> None:
    regions = {(it.country, it.subdivision): it for it in OFFICIAL}
    rule = rule_of(regions["GB", "ENG"])
    eve = datetime(2026, 12, 24, tzinfo=UTC)
    found = list_ahead(rule, eve, None, 4)
    assert [at.day for at in found] == [24, 25, 26, 28]
    said = [closed and closed.in_words() for closed in (closed_at(rule, (), at) for at in found)]
    assert said == [
        None,
        "calendar its: Christmas Day",
        "calendar its: Boxing Day",
        "calendar its: Boxing Day (observed)",
    ]
