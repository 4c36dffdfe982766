"""The page of the load: a square for each hour of the week, and the conflicts."""

import re

from tests.support.factories import World, a_job, a_schedule
from tests.webapp.visitor import Visitor
from tick.ops.reports.conflicts import HourLoad, PoolLoad
from webapp.drawing import heat


def _meet_at_two(world: World) -> None:
    jobs = [a_job("load"), a_job("mail")]
    world.define(
        *(a_schedule(job.name, mode="SINGLE_JOB", job=job.name) for job in jobs), jobs=jobs
    )
    for job in jobs:
        world.enable(job.name)


def test_hours_with_too_much_are_marked_by_a_sign_beside_their_colour(
    world: World, ada: Visitor
) -> None:
    _meet_at_two(world)
    page = ada.page("/load?slots=1")
    rows = re.findall(r'<tr><th scope="row">(\d\d):00</th>(.*?)</tr>', page, re.DOTALL)
    assert [hour for hour, _ in rows] == [f"{hour:02}" for hour in range(24)]
    assert [hour for hour, squares in rows if "heat-over" in squares] == ["02"]
    assert rows[2][1].count(", too many") == 7
    assert 'title="Mon 02:00: 2 at once of 1 slot' in page


def test_a_conflict_names_who_meets_and_what_would_help(world: World, ada: Visitor) -> None:
    _meet_at_two(world)
    page = ada.page("/load?slots=1")
    assert "Move load to 02:05, 5 minutes later" in page
    assert "2 of 1" in page
    assert "so taken to last 60 s: load, mail." in page
    assert "No more is to run at once than there are slots" in ada.page("/load?slots=2")


def test_without_a_worker_it_says_what_is_assumed(ada: Visitor) -> None:
    assert "No worker lives now" in ada.page("/load")
    assert "No worker lives now" not in ada.page("/load?slots=3")


def test_a_number_of_slots_that_is_none_is_told(ada: Visitor) -> None:
    said = ada.get("/load?slots=0")
    assert said.status_code == 422 and "a number from 1 to 10,000" in said.text


def test_an_hour_that_the_clocks_leave_out_has_no_square() -> None:
    hours = [
        HourLoad(weekday=0, hour=hour, wanted=hour, used=0, quarters=(0,) * 4, is_over=hour > 4)
        for hour in (0, 1, 3, 9)
    ]
    rows = heat.rows(PoolLoad(queue=None, slots=4, hours=tuple(hours)))
    first = [squares[0] for _, squares in rows]
    assert [square and square.level for square in first[:4]] == [0, 1, None, 3]
    assert first[9] is not None and first[9].level == heat.LEVELS
