"""Following a log: a question that finds nothing new waits, but not for long and not too many."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.support.factories import World
from tests.webapp.api.client import Program
from tick.store.tables import job_log, job_run


class Naps:
    """Counts the pauses of a request that waits; something may happen in the third."""

    def __init__(self) -> None:
        self.taken = 0
        self.in_the_third: Callable[[], None] = lambda: None

    def sleep(self, _seconds: float) -> None:
        self.taken += 1
        if self.taken == 3:
            self.in_the_third()


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> Naps:
    naps = Naps()
    monkeypatch.setattr("webapp.api.binding.time", naps)
    return naps


def test_without_news_the_answer_comes_when_the_time_is_over(
    viewer: Program, run_id: int, naps: Naps
) -> None:
    page = viewer.get(f"/runs/{run_id}/logs?after=0&wait=7")
    assert (page["items"], naps.taken) == ([], 7)
    assert page["next"].endswith("wait=7&after=0")


def test_a_new_line_ends_the_waiting(
    world: World, viewer: Program, run_id: int, naps: Naps
) -> None:
    def say_something() -> None:
        values = {
            "run_id": run_id,
            "attempt": 1,
            "at": world.now,
            "level": "info",
            "message": "news",
        }
        with world.database.write.begin() as connection:
            connection.execute(sa.insert(job_log).values(values))

    naps.in_the_third = say_something
    page = viewer.get(f"/runs/{run_id}/logs?after=0&wait=30")
    assert [line["message"] for line in page["items"]] == ["news"]
    assert naps.taken == 3


def test_the_end_of_the_run_ends_the_waiting(
    world: World, viewer: Program, run_id: int, naps: Naps
) -> None:
    def end() -> None:
        with world.database.write.begin() as connection:
            connection.execute(
                sa.update(job_run)
                .where(job_run.c.id == run_id)
                .values(status="CANCELLED", finished_at=world.now)
            )

    naps.in_the_third = end
    page = viewer.get(f"/runs/{run_id}/logs?after=0&wait=30")
    assert (page["next"], page["status"], naps.taken) == (None, "CANCELLED", 3)


def test_nothing_is_lost_that_a_run_says_while_it_ends(
    viewer: Program, run_id: int, last_words: Callable[[], None]
) -> None:
    last_words()
    said, place = [], f"/runs/{run_id}/logs?after=0"
    while place:
        page = viewer.get(place)
        said += [line["message"] for line in page["items"]]
        place = page["next"]
    assert said == ["the last words"]


def test_where_too_many_wait_the_answer_comes_at_once(
    viewer: Program, run_id: int, naps: Naps
) -> None:
    places = viewer.app.extensions["log_streams"]
    while places.acquire(blocking=False):
        pass
    for _ in range(2):
        assert viewer.get(f"/runs/{run_id}/logs?after=0&wait=30")["items"] == []
    assert naps.taken == 0


def test_the_place_is_given_back(viewer: Program, run_id: int, naps: Naps) -> None:
    for _ in range(20):
        naps.taken = 0
        viewer.get(f"/runs/{run_id}/logs?after=0&wait=1")
        assert naps.taken == 1


def test_nobody_waits_for_long(viewer: Program, run_id: int) -> None:
    assert viewer.refused(422, "GET", f"/runs/{run_id}/logs?wait=31").mistakes
