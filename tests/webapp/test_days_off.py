"""Weekends and public holidays, as Upcoming and a schedule's page show them."""

import re
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support.factories import World, a_schedule
from tests.webapp.conftest import JOBS
from tests.webapp.visitor import Visitor
from tick import Calendar
from tick.errors import SettingsError
from tick.ops.reports import days_off
from webapp import create_app
from webapp.drawing.charts import shade_path
from webapp.drawing.days_off import FreeDay, bounds, days_between, free_days, usual_weekend

NOON = datetime(2026, 12, 24, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CHRISTMAS = date(2026, 12, 25)


def test_weekends_are_free_and_holidays_have_a_name() -> None:
    days = days_between(NOON, NOON + 3 * DAY, UTC)
    found = free_days(days, lambda day: "Christmas Day" if day == CHRISTMAS else usual_weekend(day))
    assert [day.words for day in found] == [
        "Fri 25 Dec: Christmas Day",
        "Sat 26 Dec: weekend",
        "Sun 27 Dec: weekend",
    ]


def test_only_what_is_seen_of_a_free_day_is_greyed() -> None:
    free = [bounds(FreeDay(day, None), UTC) for day in (CHRISTMAS, CHRISTMAS + DAY)]
    assert shade_path(free, NOON, NOON + 2 * DAY) == "M250 0h500v14h-500zM750 0h250v14h-250z"
    assert shade_path(free, NOON + 5 * DAY, NOON + 6 * DAY) == ""


def test_a_holiday_is_named_with_the_regions_that_have_it() -> None:
    assert days_off.holiday_on(("DE", "US"), CHRISTMAS) == "Christmas Day (DE), Christmas Day (US)"
    assert days_off.holiday_on(("DE", "DE-BY"), date(2026, 1, 6)) == "Epiphany (DE-BY)"
    assert days_off.holiday_on(("DE",), date(2026, 12, 23)) is None
    assert days_off.holiday_on((), CHRISTMAS) is None


def test_a_weekend_is_that_of_the_regions_and_not_saturday_and_sunday_everywhere() -> None:
    week = [date(2026, 3, 2) + number * DAY for number in range(7)]  # from a Monday

    def off(*regions: str) -> list[str]:
        return [f"{day:%a}" for day in week if days_off.why_off(regions, day)]

    assert off() == off("DE") == off("XX") == ["Sat", "Sun"]
    assert off("SA") == ["Fri", "Sat"]
    assert off("SA", "DE") == ["Sat"]
    # A Saturday that China works, and a holiday that such days make up for.
    assert days_off.why_off(("CN",), date(2026, 2, 14)) is None
    assert days_off.why_off(("CN",), date(2026, 2, 16)) == "Chinese New Year's Eve (CN)"


@pytest.mark.parametrize(
    "region", ["XX", "DE-QQ", "DE-", "Bavaria", "NYSE", "registry", "utils", ""]
)
def test_a_region_that_nobody_knows_is_refused_and_has_no_holidays(region: str) -> None:
    with pytest.raises(SettingsError, match="write a country by its two letters"):
        days_off.check((region,))
    assert days_off.holiday_on((region, "DE"), CHRISTMAS) == "Christmas Day (DE)"


def test_the_console_starts_with_a_region_that_nobody_knows_and_logs_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.settings = world.settings.model_copy(update={"holidays": ("XX",)})
    world.enable("daily")
    page = Visitor(create_app(world.runtime)).log_in("ada").page("/upcoming?span=7d")
    assert ": weekend" in page
    assert "no holidays are known of 'XX'" in caplog.text


def test_without_the_library_one_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "holidays", None)
    days_off._of_year.cache_clear()
    with pytest.raises(SettingsError, match=r"pip install 'job-schedule-manager\[holidays\]'"):
        days_off.check(("DE",))
    days_off.check(())


@pytest.fixture
def console(world: World) -> Visitor:
    """Ada, in a company that keeps the holidays of Bavaria; one schedule fires at Christmas."""
    world.define(a_schedule("yearly", cron="0 2 25 12 *"), jobs=JOBS)
    world.enable("yearly")
    world.settings = world.settings.model_copy(update={"holidays": ("DE-BY",)})
    return Visitor(create_app(world.runtime)).log_in("ada")


@pytest.fixture
def christmas(now: datetime) -> date:
    """The next one that is still to come."""
    this_year = date(now.year, 12, 25)
    return this_year if now.date() < this_year else date(now.year + 1, 12, 25)


def test_upcoming_names_holidays_and_greys_them(console: Visitor, christmas: date) -> None:
    page = console.page(f"/upcoming?span=7d&from={christmas}")
    assert f"{christmas:%a} 25 Dec: Christmas Day (DE-BY), " in page
    assert " 26 Dec: Second Day of Christmas (DE-BY), " in page
    assert '<path class="lane-free" d="M' in page
    assert page.count('<span class="chip">Christmas Day (DE-BY)</span>') == 1


def test_the_month_names_them_in_the_square_and_below(console: Visitor, christmas: date) -> None:
    page = console.page(f"/upcoming?span=month&month={christmas:%Y-%m}")
    assert f"{christmas:%a} 25 Dec: 1 firing, Christmas Day (DE-BY)" in page
    assert "25 Dec Christmas Day (DE-BY), 26 Dec Second Day of Christmas (DE-BY)" in page
    holidays = {christmas, christmas + DAY}
    weekends = {date(christmas.year, 12, day) for day in range(1, 32)}
    free = holidays | {day for day in weekends if day.weekday() > 4}
    assert len(re.findall(r'class="(?:today )?free"', page)) == len(free)


def test_the_next_runs_of_a_schedule_say_which_are_on_a_holiday(console: Visitor) -> None:
    page = console.page("/schedules/yearly")
    assert page.count('<span class="chip">Christmas Day (DE-BY)</span>') == 10


def test_without_the_setting_only_weekends_are_greyed(world: World, ada: Visitor) -> None:
    world.enable("daily")
    page = ada.page("/upcoming?span=7d")
    assert page.count(": weekend") in (2, 3)
    assert "weekend or holiday" not in ada.page("/upcoming?span=month")


FRIDAYS = Calendar("gulf", weekend=["fri", "sat"], dates={"2027-03-03": "Founders' Day"})


@pytest.fixture
def gulf(world: World) -> Visitor:
    """Ada, with a schedule by a calendar of Fridays and Saturdays, and one without any."""
    world.calendars = [FRIDAYS]
    world.define(
        a_schedule("gulf-report", cron="0 9 * * *", calendar="gulf", timezone="Asia/Riyadh"),
        a_schedule("plain", cron="0 9 * * *"),
        jobs=JOBS,
    )
    world.enable("gulf-report")
    return Visitor(create_app(world.runtime)).log_in("ada")


def test_each_lane_greys_the_days_off_of_its_own_calendar(gulf: Visitor, world: World) -> None:
    page = gulf.page("/upcoming?span=7d")
    assert "gulf: " in page
    assert len(re.findall(r"(?:Fri|Sat) \d+ \w+: weekend", page)) in (2, 3)
    assert not re.findall(r"Sun \d+ \w+: weekend", page)
    world.enable("plain")
    both = gulf.page("/upcoming?span=7d")
    assert re.findall(r"Sun \d+ \w+: weekend", both)
    paths = set(re.findall(r'class="lane-free" d="([^"]+)"', both))
    assert len(paths) == 2


def test_the_month_shows_the_calendar_of_all_that_fires_or_the_one_that_is_chosen(
    gulf: Visitor, world: World
) -> None:
    assert "gulf: weekend" in gulf.page("/upcoming?span=month")
    assert "gulf: weekend" not in gulf.page("/upcoming?span=month&days=")
    world.enable("plain")
    assert "gulf: weekend" not in gulf.page("/upcoming?span=month")
    assert "gulf: weekend" in gulf.page("/upcoming?span=month&days=gulf")
    # A step to the next month keeps the choice.
    assert re.search(
        r"span=month&amp;month=[0-9-]+&amp;days=gulf", gulf.page("/upcoming?span=month&days=gulf")
    )
    assert gulf.page("/upcoming?span=month&days=unheard-of")


def test_the_days_of_a_schedule_say_which_are_off_by_its_calendar(gulf: Visitor) -> None:
    page = gulf.page("/schedules/gulf-report")
    assert page.count('<td class="free" title="weekend">') == 26
    assert "off by its calendar" in page
    assert "off by its calendar" not in gulf.page("/schedules/plain")
