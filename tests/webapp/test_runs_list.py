"""Finding runs among many, and doing the same to many."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import World
from tests.webapp.visitor import Visitor, location
from tick.errors import InvalidFilter
from tick.interface.permissions import ROLES, Permission
from tick.ops.queries import id_ranges, runs
from tick.ops.queries.runs import RunFilter
from tick.states import Role, RunStatus, Trigger
from tick.store.tables import audit_entry, job_run
from webapp.pages import bulk
from webapp.run_search import read_search

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NAMED = r'<a class="name" href="/runs/(\d+)">'


def _found(page: str) -> list[int]:
    return [int(number) for number in re.findall(NAMED, page)]


def _set(world: World, run_id: int, **values: object) -> None:
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).where(job_run.c.id == run_id).values(**values))


@pytest.fixture
def three_runs(world: World, ada: Visitor) -> World:
    """Runs 1 to 3 of one occurrence: failed, skipped because of it, cancelled."""
    ada.post("/schedules/daily/run")
    _set(world, 1, status="FAILED", attempt=1, error_type="Timeout", error_message="50% of it")
    _set(world, 2, status="SKIPPED", reason="content-features failed")
    _set(world, 3, status="CANCELLED", attempt=1)
    return world


def test_a_line_of_qualifiers_means_the_same_as_the_fields() -> None:
    line = 'status:failed trigger:MANUAL job:"match scores" since:24h until:2026-11-24T11:00 late'
    read = read_search(line, {"group": "matching", "status": "queued"}, now=NOW, zone=UTC)
    assert read == RunFilter(
        status=RunStatus.FAILED,
        trigger=Trigger.MANUAL,
        job="match scores",
        group="matching",
        since=NOW - timedelta(hours=24),
        until=NOW - timedelta(hours=1),
        text="late",
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("status:broken", "it is one of queued, running"),
        ("status:runing", "did you mean running? it is one of queued"),
        ("stauts:failed", "There is no stauts: to search by; did you mean status? use"),
        ("a" * 101, "at most 100 characters"),
        ("job:" + "a" * 101, "at most 100 characters"),
        ("colour:red", "There is no colour: to search by; use status, trigger"),
        ("since:yesterday", "write 30m, 24h, 7d"),
        ("since:99999w", "write 30m, 24h, 7d"),
        ("until:0001-01-01", "write 30m, 24h, 7d"),
        ("until:9999-12-31T23:59", "write 30m, 24h, 7d"),
    ],
)
def test_what_is_not_understood_is_said_with_what_would_be(line: str, told: str) -> None:
    with pytest.raises(InvalidFilter) as raised:
        read_search(line, {}, now=NOW, zone=UTC)
    (mistake,) = raised.value.mistakes
    assert told in mistake


@pytest.mark.parametrize("line", ['"', '"open', "KeyError: 'x'", "a" * 100, "::", ":", "job:"])
def test_any_other_line_is_words(line: str) -> None:
    read = read_search(line, {}, now=NOW, zone=UTC)
    assert set(read.set_parts) <= {"text"}


def test_one_box_finds_by_state_job_time_and_words(three_runs: World, ada: Visitor) -> None:
    for query, found in (
        ("q=status:failed", [1]),
        ("q=status:failed+job:match-scores", []),
        ("q=timeout", [1]),
        ("q=50%25", [1]),
        ("q=5_%25", []),
        ("q=FEATURES", [2, 1]),
        ("q=since:1h", [3, 2, 1]),
        ("q=until:1h", []),
        ("q=worker:nobody", []),
        ("since=1h&status=CANCELLED", [3]),
        ("q=status:skipped&status=FAILED", [2]),
    ):
        assert _found(ada.page(f"/runs?{query}")) == found, query


def test_an_address_to_share_holds_only_what_was_asked(ada: Visitor) -> None:
    assert location_of(ada, "/runs?q=&status=FAILED&job=") == "/runs?status=FAILED"


def location_of(visitor: Visitor, path: str) -> str:
    """Where a page sends its visitor on to."""
    response = visitor.get(path)
    assert response.status_code == 302
    return str(response.headers["Location"])


def test_a_rare_run_is_found_a_stretch_at_a_time(
    world: World, ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        ada.post("/schedules/daily/run", key=f"press-{number:08d}")
        world.finish_runs()
    _set(world, 2, worker_id=None, status="CANCELLED", job_group="rare")
    monkeypatch.setattr(id_ranges, "SEARCHED", 6)
    monkeypatch.setattr(runs, "SEARCHED", 6)
    page = ada.page("/runs?group=rare")
    assert "Searched 6 runs, down to run 7." in page
    older = re.search(r'href="(/runs\?group=rare&amp;before=7)"', page)
    assert older
    page = ada.page("/runs?group=rare&before=7")
    assert _found(page) == [2]
    assert "Search older runs" not in page


def test_the_first_run_of_an_instant_is_found_by_halving(world: World, ada: Visitor) -> None:
    for number in range(5):
        ada.post("/schedules/daily/run", key=f"press-{number:08d}")
        world.finish_runs()
    first = world.now - timedelta(days=50)
    for number in range(1, 16):
        _set(world, number, queued_at=first + timedelta(days=number))
    with world.database.write.begin() as connection:
        connection.execute(sa.delete(job_run).where(job_run.c.id.in_([1, 6, 7])))
    with world.database.read.connect() as connection:
        for since, until in ((0, 99), (3, 9), (6, 6), (7, 8), (15, 15), (16, 99), (0, 1)):
            chosen = RunFilter(
                since=first + timedelta(days=since), until=first + timedelta(days=until, hours=1)
            )
            ids = [run.id for run in runs.list_runs(connection, chosen).items]
            there = set(range(since, until + 1)) & set(range(2, 16)) - {6, 7}
            assert ids == sorted(there, reverse=True), (since, until)


def test_a_search_goes_on_below_the_last_run_that_was_shown(three_runs: World) -> None:
    matching = RunFilter(group="matching")
    with three_runs.database.read.connect() as connection:
        found = [runs.list_runs(connection, matching, before=before).items for before in (4, 3, 2)]
    assert [[run.id for run in rows] for rows in found] == [[3, 2], [2], []]


def test_a_time_begins_with_its_first_instant_and_ends_before_its_last(three_runs: World) -> None:
    at = three_runs.runs()[0].queued_at
    with three_runs.database.read.connect() as connection:
        found = {
            name: len(runs.list_runs(connection, RunFilter(**{name: at})).items)
            for name in ("since", "until")
        }
    assert found == {"since": 3, "until": 0}


def test_the_chosen_runs_are_retried_after_a_preview(three_runs: World, ada: Visitor) -> None:
    preview = ada.page("/runs/bulk?do=retry&which=chosen&run=1&run=2&next=/runs?status=FAILED")
    assert "Retry 2 runs?" in preview
    assert three_runs.runs()[0].status == "FAILED"
    sent = ada.press(preview, "/runs/bulk/retry")
    assert location(sent) == "/runs?status=FAILED"
    assert "2 runs: in the queue again." in ada.page("/runs")
    assert [run.status for run in three_runs.runs()] == ["QUEUED", "QUEUED", "CANCELLED"]


def test_a_preview_shows_as_many_runs_as_a_batch_takes_of_those_that_fit(
    three_runs: World, ada: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST_IN_BATCH", 2)
    for _ in range(3):
        ada.post("/jobs/match-scores/run")  # newer, and not to be retried
    preview = ada.page("/runs/bulk?do=retry&which=all")
    assert "Retry 2 runs?" in preview
    assert 'name="runs" value="3,2"' in preview


def test_all_that_match_are_cancelled_and_one_entry_says_so(world: World, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    ada.post("/jobs/match-scores/run")
    preview = ada.page("/runs/bulk?do=cancel&which=all&q=group:matching&next=/runs")
    assert "Cancel 3 runs?" in preview
    ada.press(preview, "/runs/bulk/cancel")
    assert [run.status for run in world.runs()] == ["QUEUED", *["CANCELLED"] * 3]
    (entry,) = world.rows(sa.select(audit_entry).where(audit_entry.c.action == "runs.cancel"))
    assert (entry.actor, entry.subject, entry.after) == ("ada", "3 runs", {"runs": [2, 3, 4]})


def test_what_was_refused_is_told_with_its_reason(three_runs: World, ada: Visitor) -> None:
    _set(three_runs, 2, reason="nobody needs it")
    ada.page("/runs")
    ada.post("/runs/bulk/retry", runs="1,3", reason="the partner is back")
    page = ada.page("/runs")
    assert "1 run: in the queue again." in page
    assert "Not done to 1 run. Run 3 waits for match-scores" in page
    (entry,) = three_runs.rows(sa.select(audit_entry).where(audit_entry.c.action == "runs.retry"))
    assert entry.reason == "the partner is back"


def test_occurrences_of_one_schedule_are_retried_together_if_asked(
    world: World, ada: Visitor
) -> None:
    for number in range(2):
        ada.post("/schedules/daily/run", key=f"press-{number:08d}")
        world.finish_runs("FAILED")
    preview = ada.page("/runs/bulk?do=retry&which=all&next=/runs")
    assert "Retry 6 runs?" in preview
    assert 'name="override_overlap" checked' in preview
    ada.page("/runs")
    ada.post("/runs/bulk/retry", runs="1,2,3,4,5,6")
    assert "is still running (occurrence 1)" in ada.page("/runs")
    ada.post("/runs/bulk/retry", runs="4,5,6", override_overlap="on")
    assert {run.status for run in world.runs()} == {"QUEUED"}


def test_a_batch_that_makes_no_sense_is_refused(ada: Visitor) -> None:
    assert "Nothing to retry" in ada.page("/runs/bulk?do=retry&which=chosen")
    assert ada.get("/runs/bulk?do=nothing").status_code == 422
    assert ada.post("/runs/bulk/retry", runs="1,x").status_code == 400
    ada.post("/runs/bulk/retry", runs="")
    assert "Choose 1 to 1000 runs at a time" in ada.page("/runs")
    ada.post("/runs/bulk/cancel", runs=",".join(str(number) for number in range(1, 1100)))
    assert "these are 1099" in ada.page("/runs")


@pytest.mark.usefixtures("three_runs")
@pytest.mark.parametrize(("verb", "other"), [("cancel", "retry"), ("retry", "cancel")])
def test_each_thing_done_to_many_runs_needs_its_own_permission(
    vic: Visitor, monkeypatch: pytest.MonkeyPatch, verb: str, other: str
) -> None:
    monkeypatch.setitem(ROLES, Role.VIEWER, {Permission.READ, Permission(f"run.{verb}")})
    page = vic.page("/runs")
    assert f'name="do" value="{verb}"' in page
    assert f'name="do" value="{other}"' not in page
    assert vic.get(f"/runs/bulk?do={verb}&which=all").status_code == 200
    assert vic.get(f"/runs/bulk?do={other}&which=all").status_code == 403
    assert vic.post(f"/runs/bulk/{verb}", runs="1").status_code == 303
    assert vic.post(f"/runs/bulk/{other}", runs="1").status_code == 403


def test_a_viewer_has_nothing_to_tick(vic: Visitor, ada: Visitor) -> None:
    ada.post("/schedules/daily/run")
    page = vic.page("/runs")
    assert 'type="checkbox"' not in page
    assert "/runs/bulk" not in page
