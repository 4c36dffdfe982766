"""Calendars as written: the days that they have, and the mistakes that are told of them."""

from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.define.test_mistakes import mistakes, of_schedule
from tests.support.factories import a_job, a_schedule
from tick import Calendar
from tick.define.calendar_days import expand
from tick.define.registry import build_registry
from tick.errors import DefinitionsInvalid
from tick.policy.business_days import BusinessDays
from tick.policy.rule import Rule


def days(name: str, *calendars: Calendar) -> BusinessDays:
    """The days of one of the calendars."""
    found = expand(calendars)
    assert found.mistakes == []
    return found.days[name]


def wrong(name: str = "own", *others: Calendar, **parts: Any) -> str:
    """The one mistake of a calendar."""
    (text,) = expand([Calendar(name, source="tests:7", **parts), *others]).mistakes
    where = f"tests:7: calendar {name!r}: "
    assert text.startswith(where)
    return text.removeprefix(where)


def test_a_day_is_working_or_not_and_says_why() -> None:
    found = days("de-by", Calendar("de-by", country="DE", subdivision="BY"))
    assert found.why_off(date(2026, 1, 6)) == "Epiphany"
    assert found.why_off(date(2026, 1, 10)) == "weekend"
    assert found.why_off(date(2026, 1, 7)) is None


def test_names_do_not_follow_the_language_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    calendar = Calendar("de", country="DE", subdivision="national")
    said = set()
    for language in ("C", "C.UTF-8", "de_DE.UTF-8"):
        for name in ("LANG", "LC_ALL", "LANGUAGE"):
            monkeypatch.setenv(name, language)
        said.add(days("de", calendar).to_text())
    assert len(said) == 1
    assert "German Unity Day" in said.pop()


def test_own_dates_stand_beside_those_of_the_country_and_may_take_one_away() -> None:
    found = days(
        "plant",
        Calendar(
            "plant",
            country="DE",
            subdivision="DE-BY",
            dates={date(2026, 8, 14): "plant holiday"},
            working=["2026-01-06", "2026-01-10"],
            half_days={"2026-12-24": "13:00"},
        ),
    )
    assert found.why_off(date(2026, 8, 14)) == "plant holiday"
    assert found.is_working(date(2026, 1, 6)) and found.is_working(date(2026, 1, 10))
    assert found.closes_at(date(2026, 12, 24)) == time(13)


def test_catholic_bavaria_is_a_category() -> None:
    by = Calendar("by", country="DE", subdivision="BY", categories=["public", "catholic"])
    assert days("by", by).why_off(date(2028, 8, 15)) == "Assumption Day"


def test_what_a_calendar_is_made_from_names_the_holidays_that_it_leaves_out() -> None:
    by = Calendar("by", country="DE", subdivision="BY")
    both = Calendar("both", country="DE", subdivision="BY", categories=["public", "catholic"])
    made_from = expand([by, both, Calendar("hk", country="HK")]).made_from
    assert made_from["by"].endswith("DE BY without catholic")
    assert made_from["both"].endswith("DE BY")
    assert made_from["hk"].endswith("HK without optional")


def test_a_csv_file_lies_beside_the_module(tmp_path: Path) -> None:
    text = "date,name\n2026-08-10,shutdown\n# a remark\n\n2026-08-11\n"
    (tmp_path / "plant.csv").write_text(text, encoding="utf-8")
    found = days("own", Calendar("own", file="plant.csv", folder=str(tmp_path)))
    assert found.why_off(date(2026, 8, 10)) == "shutdown"
    assert found.why_off(date(2026, 8, 11)) == "holiday"


def test_events_of_an_ics_file_are_days_off(tmp_path: Path) -> None:
    lines = (
        "BEGIN:VCALENDAR,BEGIN:VEVENT,DTSTART;VALUE=DATE:20260810,DTEND;VALUE=DATE:20260812,"
        "SUMMARY:works hol\n iday,END:VEVENT,END:VCALENDAR"
    ).replace(",", "\r\n")
    (tmp_path / "plant.ics").write_bytes(lines.encode())
    found = days("own", Calendar("own", file="plant.ics", folder=str(tmp_path)))
    said = [found.why_off(date(2026, 8, day)) for day in (10, 11, 12)]
    assert said == ["works holiday", "works holiday", None]


def test_regions_are_asked_one_by_one_and_combined_by_a_named_rule() -> None:
    known = (
        Calendar("sa", country="SA"),
        Calendar("us", country="US", subdivision="national"),
        Calendar("both", all_of=["sa", "us"]),
        Calendar("either", any_of=["sa", "us"]),
    )
    both, either = days("both", *known), days("either", *known)
    friday, saturday, sunday, monday = (date(2026, 6, day) for day in (5, 6, 7, 8))
    assert [both.is_working(day) for day in (friday, saturday, sunday, monday)] == [0, 0, 0, 1]
    assert [either.is_working(day) for day in (friday, saturday, sunday, monday)] == [1, 0, 1, 1]
    thanksgiving = date(2026, 11, 26)
    assert both.why_off(thanksgiving) == "Thanksgiving Day"
    assert either.is_working(thanksgiving)


def test_a_worked_weekend_stays_one_in_a_combination() -> None:
    known = (Calendar("cn", country="CN"), Calendar("own", dates={"2026-03-02": "fair"}))
    both = days("both", *known, Calendar("both", any_of=["cn", "own"]))
    assert both.is_working(date(2026, 2, 14))
    assert both.until == "20261231"


def test_a_calendar_ends_where_its_author_says() -> None:
    found = days("own", Calendar("own", dates={"2026-08-10": "shutdown"}, until="2026-12-31"))
    assert found.doubt(date(2026, 12, 31)) is None
    assert found.doubt(date(2027, 1, 1)) == (
        "calendar own is known from 2020-01-01 to 2026-12-31: only the weekday decided"
    )


def test_a_day_that_hangs_on_the_moon_is_an_estimate() -> None:
    found = days("ae", Calendar("ae", country="AE"))
    assert found.why_off(date(2027, 3, 9)) == "Eid al-Fitr"
    assert found.doubt(date(2027, 3, 9)) == "calendar ae only estimates this day"


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({}, "names no days; give country, file, dates, all_of or any_of."),
        ({"country": "DX"}, "country 'DX' is not known; write two letters, as in 'DE'."),
        ({"country": "DE"}, "parts of DE have holidays of their own: choose a subdivision, one of"),
        ({"country": "DE", "subdivision": "by"}, "DE has no subdivision 'by' (did you mean 'BY'?)"),
        ({"country": "JP", "subdivision": "X"}, "JP has no subdivisions; leave subdivision out."),
        (
            {"country": "DE", "subdivision": "BY", "categories": ["bank"]},
            "DE has no holidays of category 'bank'; there are",
        ),
        ({"dates": {"10.8.2026": "x"}}, "'10.8.2026' is no date; write '2026-05-01'."),
        ({"weekend": ["fri", "satx", "??"]}, "is no list of weekdays: write ['fri', 'sat']."),
        ({"file": "none.csv"}, "file 'none.csv' can't be read: No such file or directory."),
        ({"all_of": ["de-by"]}, "combines unknown calendar 'de-by'."),
        ({"all_of": ["own"]}, "combines itself, by way of others; name other calendars."),
        (
            {"dates": {"2026-12-24": "x"}, "half_days": {"2026-12-23": "noon"}},
            "'noon' is no time of day; write '14:00'.",
        ),
    ],
)
def test_a_mistake_says_what_to_write(parts: dict[str, Any], said: str) -> None:
    assert said in wrong(**parts)


def test_all_mistakes_of_calendars_and_schedules_are_told_at_once() -> None:
    bad = [Calendar("Bad", dates={"2026-01-01": "x"}), Calendar("de", country="DE")]
    with pytest.raises(DefinitionsInvalid) as caught:
        build_registry([a_job("a")], [a_schedule(jitter=-1.0)], calendars=bad)
    assert len(caught.value.mistakes) == 2
    good = [Calendar("de-by", country="DE", subdivision="BY")]
    with pytest.raises(DefinitionsInvalid) as caught:
        build_registry([a_job("a")], [a_schedule(calendar="de-bx")], calendars=good)
    assert "calendar 'de-bx' is not defined (did you mean 'de-by'?)" in caught.value.mistakes[0]


def test_a_day_rule_needs_a_calendar_and_a_calendar_needs_cron() -> None:
    assert "day_rule has no effect without calendar" in of_schedule(day_rule="SKIP_HOLIDAYS")
    found = mistakes(a_schedule(calendar="own", day_rule="SOMETIMES"))
    assert any("'SOMETIMES' is none of ONLY_BUSINESS_DAYS," in text for text in found)
    found = mistakes(a_schedule(every=timedelta(days=1), calendar="own"))
    assert any("calendar has no effect without cron" in text for text in found)


def test_rules_without_a_calendar_are_written_as_ever_and_those_with_one_in_a_new_format() -> None:
    own = Calendar("own", dates={"2026-08-10": "shutdown"}, half_days={"2026-12-24": "13:00"})
    plain, with_one = (
        build_registry([a_job("a")], [a_schedule(**parts)], calendars=[own]).schedules["daily"]
        for parts in ({}, {"calendar": "own", "day_rule": "SKIP_HOLIDAYS"})
    )
    assert plain.rule().to_json() == '{"cron":"0 2 * * *","kind":"CRON"}'
    assert (plain.rule().format, with_one.rule().format) == (1, 2)
    assert Rule.from_json(with_one.rule().to_json()) == with_one.rule()
