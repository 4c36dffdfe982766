"""Where a schedule exists, and what differs there."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.factories import a_job, a_schedule
from tick.define.as_code import as_code, imports_of
from tick.define.registry import Registry, build_registry
from tick.define.schedules import Schedule
from tick.define.written import differences_to_plain, from_plain, to_plain
from tick.errors import DefinitionsInvalid

JOBS = (a_job("match"), a_job("feed", group="feed"))
BOTH: dict[str, dict[str, Any]] = {"production": {}, "staging": {"cron": "0 3 * * *"}}


def registry(*schedules: Schedule, environment: str = "production") -> Registry:
    return build_registry(JOBS, schedules, environment=environment)


def mistakes(*schedules: Schedule) -> list[str]:
    with pytest.raises(DefinitionsInvalid) as caught:
        registry(*schedules)
    return [text.partition("schedule 'daily': ")[2] for text in caught.value.mistakes]


def test_without_a_word_a_schedule_exists_everywhere() -> None:
    assert list(registry(a_schedule(), environment="staging").schedules) == ["daily"]


def test_a_schedule_exists_where_its_list_says() -> None:
    daily = a_schedule(environments=["production", "demo"])
    assert list(registry(daily).schedules) == ["daily"]
    there = registry(daily, environment="staging")
    assert there.schedules == {}
    assert there.elsewhere == {"daily": ("production", "demo")}


def test_what_differs_holds_in_its_environment_alone() -> None:
    daily = a_schedule(environments=BOTH, timezone="Europe/Berlin")
    assert registry(daily).schedules["daily"].cron == "0 2 * * *"
    there = registry(daily, environment="staging").schedules["daily"]
    assert (there.cron, there.timezone, there.id) == ("0 3 * * *", "Europe/Berlin", "daily")
    assert registry(daily, environment="demo").schedules == {}


def test_a_star_stands_for_all_that_are_not_named() -> None:
    daily = a_schedule(environments={"*": {}, "staging": {"overlap": "ALLOW"}})
    assert registry(daily, environment="demo").schedules["daily"].overlap == "SKIP"
    assert registry(daily, environment="staging").schedules["daily"].overlap == "ALLOW"


def test_another_way_to_say_when_or_what_takes_the_place_of_the_usual_one() -> None:
    differing = {"every": timedelta(hours=6), "job": "match", "timezone": None}
    daily = a_schedule(
        environments={"production": {}, "staging": differing},
        timezone="Europe/Berlin",
        job_group="feed",
    )
    there = registry(daily, environment="staging").schedules["daily"]
    assert (there.cron, there.every, there.timezone) == (None, timedelta(hours=6), "UTC")
    assert (there.job, there.job_group) == ("match", None)


@pytest.mark.parametrize(
    ("environments", "said"),
    [
        ("production", "environments must be names, such as"),
        ([], "names none, so it would exist nowhere"),
        ({}, "names none, so it would exist nowhere"),
        (["Production"], "'Production' is no name; use lower-case letters"),
        (["*"], "'*' is no name"),
        ({"*": {}}, "environments has no effect with '*' alone"),
        ({"staging": None}, "environments['staging'] must be a mapping from options"),
        (
            {"staging": {"corn": "0 3 * * *"}},
            "corn is no option of a schedule (did you mean 'cron'?)",
        ),
        ({"staging": {"id": "other"}}, "id can't differ between environments"),
        ({"staging": {"cron": "0 2 * * *"}}, "cron is what it is everywhere; leave it out"),
        ({"staging": {"grace": None}}, "grace is what it is everywhere; leave it out"),
    ],
)
def test_a_mistake_says_what_to_write_instead(environments: Any, said: str) -> None:
    (found,) = mistakes(a_schedule(environments=environments))
    assert said in found


def test_what_is_wrong_in_another_environment_is_told_here() -> None:
    daily = a_schedule(environments={"production": {}, "staging": {"cron": "0 25 * * *"}})
    (found,) = mistakes(daily)
    assert found.startswith("in environment 'staging': hour '25': out of range")


def test_an_option_without_effect_in_one_environment_is_told() -> None:
    differing = {"every": timedelta(hours=6)}
    daily = a_schedule(environments={"production": {}, "staging": differing}, timezone="Asia/Tokyo")
    (found,) = mistakes(daily)
    assert found.startswith("in environment 'staging': timezone has no effect beside every")


def test_what_is_wrong_everywhere_is_told_once() -> None:
    (found,) = mistakes(a_schedule(job="mtach", environments=BOTH))
    assert "in environment" not in found


def test_the_digest_of_definitions_without_environments_is_what_it_was() -> None:
    assert registry(a_schedule()).digest == registry(a_schedule(), environment="staging").digest
    assert registry(a_schedule()).digest != registry(a_schedule(environments=BOTH)).digest


def test_what_was_written_comes_back_from_an_environment_that_differs() -> None:
    written = {
        "name": "Daily",
        "cron": "0 2 * * *",
        "environments": {"production": {}, "staging": {"every": {"days": 2, "at": "09:00"}}},
    }
    schedule = from_plain("daily", written, source="custom")
    there = registry(schedule, environment="staging").schedules["daily"]
    assert there.cron is None
    assert to_plain(there) == written
    assert differences_to_plain(there) == written["environments"]


def test_an_address_that_may_be_a_secret_is_not_told() -> None:
    pinged = {"production": {"ping_url": "https://hc.example/0b1f"}, "staging": {}}
    assert differences_to_plain(a_schedule(environments=pinged)) == {
        "production": {"ping_url": "***"},
        "staging": {},
    }


def test_it_is_shown_as_code() -> None:
    written = {
        "name": "Daily",
        "cron": "0 2 * * *",
        "environments": {
            "production": {},
            "staging": {"every": 21600.0, "starts_at": "2027-01-01T00:00:00+00:00"},
        },
    }
    code = as_code("daily", written)
    assert (
        '    environments={"production": {}, "staging": {"every": timedelta(hours=6), '
        '"starts_at": datetime(2027, 1, 1, 0, 0, tzinfo=UTC)}},' in code
    )
    assert imports_of(code).startswith("from datetime import UTC, datetime, timedelta")
    assert 'environments=["production"]' in as_code("daily", {"environments": ["production"]})
