"""Runs, occurrences, logs and jobs, as people read them."""

import re
from datetime import timedelta

import sqlalchemy as sa

from tests.support.factories import World, a_schedule
from tests.webapp.visitor import Visitor, location
from tick.store.tables import job_log, job_run


def _log(world: World, run_id: int, *lines: str, level: str = "info") -> None:
    rows = [
        {"run_id": run_id, "attempt": 1, "at": world.now, "level": level, "message": line}
        for line in lines
    ]
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(job_log), rows)


def _set(world: World, run_id: int, **values: object) -> None:
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).where(job_run.c.id == run_id).values(**values))


def test_an_occurrence_lists_its_runs_in_order_and_who_waits_for_whom(
    world: World, ada: Visitor
) -> None:
    ada.post("/schedules/daily/run")
    page = ada.page("/occurrences/1")
    names = re.findall(r'<a class="name" href="/runs/\d+">([^<]+)</a>', page)
    assert names == ["content-features", "match-scores", "compatibility"]
    assert "waits for a worker" in page
    assert re.search(r'waits for <a href="/runs/2">match-scores</a>', page)
    assert "0 of 3" in page


def test_a_run_says_what_holds_for_it_and_who_decided_that(world: World, ada: Visitor) -> None:
    limited = a_schedule("limited", job="match-scores", timeout=600, priority=5, deadline=3600)
    world.define(limited, jobs=world.jobs)
    ada.post("/schedules/limited/run")
    page = re.sub(r"\s+", " ", ada.page("/runs/1"))
    assert "timeout 10 min, as its schedule says" in page
    assert "1 attempt, as its job says" in page
    assert "priority 5, as its schedule says" in page
    assert "its firing ends by" in page
    assert "Has to end by" in ada.page("/occurrences/1")


def test_a_failed_run_shows_its_traceback(ada: Visitor, failed_run: int) -> None:
    page = ada.page(f"/runs/{failed_run}")
    assert "KeyError" in page
    assert "Traceback (most recent call last):" in page
    assert "KeyError: &#39;tempo&#39;" in ada.page("/runs")


def test_the_filter_lives_in_the_address(ada: Visitor, failed_run: int) -> None:
    for query, found in (
        ("status=FAILED", 1),
        ("status=QUEUED", 2),
        ("job=match-scores", 1),
        ("group=matching", 2),
        ("schedule=daily&status=QUEUED&trigger=MANUAL", 2),
        ("trigger=CRON", 0),
        ("before=2", 1),
    ):
        page = ada.page(f"/runs?{query}")
        assert len(re.findall(r'<a class="name" href="/runs/', page)) == found, query
        assert found or "No run matches" in page


def test_older_runs_keep_the_filter(world: World, ada: Visitor) -> None:
    for number in range(18):
        ada.post("/schedules/daily/run", key=f"press-{number:08d}")
        world.finish_runs()
    page = ada.page("/runs?status=SUCCESS")
    older = re.search(r'href="(/runs\?status=SUCCESS&amp;before=\d+)"', page)
    assert older
    assert len(re.findall('<a class="name"', ada.page(older[1].replace("&amp;", "&")))) == 4


def test_a_log_is_shown_from_its_end_and_leads_upwards(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    _log(world, 1, *(f"line number {number}." for number in range(1, 701)))
    page = ada.page("/runs/1")
    assert "line number 700." in page
    assert "line number 200." not in page
    earlier = re.search(r'href="(/runs/1\?before=\d+)#log-title"', page)
    assert earlier
    assert "line number 1." in ada.page(earlier[1])


def test_a_log_can_be_cut_down_to_a_level(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    _log(world, 1, "all is well")
    _log(world, 1, "all is lost", level="error")
    page = ada.page("/runs/1?level=error")
    assert "all is lost" in page
    assert "all is well" not in page


def test_the_tail_gives_what_came_since_and_where_to_go_on(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    _log(world, 1, "first")
    assert ada.get("/runs/1/tail?after=1").status_code == 204
    _log(world, 1, "second")
    tail = ada.page("/runs/1/tail?after=1")
    assert "second" in tail
    assert "first" not in tail
    assert "/runs/1/tail?after=2" in tail


def test_the_tail_ends_after_the_last_line_of_a_run_that_ended(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    _log(world, 1, "the last words")
    world.finish_runs()
    assert "/tail?after=1" in ada.page("/runs/1/tail?after=0")
    assert "hx-get" not in ada.page("/runs/1/tail?after=1")
    assert "data-live" not in ada.page("/runs/1")


def test_a_log_can_be_downloaded_as_it_is(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    _log(world, 1, "a <b> & c", "over\nlines")
    response = ada.get("/runs/1/log.txt")
    assert response.content_type == "text/plain; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    assert "INFO      a <b> & c\n" in response.text


def test_a_queued_run_can_be_cancelled_and_an_ended_one_says_so(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    ada.press(ada.page("/runs/3"), "/runs/3/cancel")
    assert world.runs()[2].status == "CANCELLED"
    assert location(ada.post("/runs/3/cancel")) == "/runs/3"
    assert "has ended as CANCELLED" in ada.page("/runs/3")


def test_times_that_went_backwards_show_as_zero(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    early = world.now - timedelta(hours=1)
    _set(world, 1, status="FAILED", started_at=world.now, finished_at=early, queued_at=world.now)
    for path in ("/runs", "/runs/1", "/occurrences/1"):
        assert not re.search(r">-\d", ada.page(path))


def test_what_was_pruned_is_a_page_that_says_so(ada: Visitor) -> None:
    for path in ("/runs/4711", "/occurrences/4711", "/runs/4711/log.txt"):
        response = ada.get(path)
        assert response.status_code == 404
        assert "may have been pruned" in response.text


def test_empty_pages_say_what_to_do_next(ada: Visitor) -> None:
    assert "tick run --all" in ada.page("/runs")
