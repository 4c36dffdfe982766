"""A run's log: search, permalinks, attempts, the stream and its places, lines to copy."""

import re
import shlex
from collections.abc import Callable
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.support.factories import TESTER, World
from tests.webapp.visitor import Visitor
from tick.engine.ledger.audit import Act
from tick.ops.access import users
from tick.ops.queries.logs import read_log
from tick.store.tables import job_log, job_run
from webapp import waiting
from webapp.pages import logs


def _log(world: World, *lines: str, run_id: int = 1, attempt: int = 1) -> None:
    rows = [
        {"run_id": run_id, "attempt": attempt, "at": world.now, "level": "info", "message": line}
        for line in lines
    ]
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(job_log), rows)


@pytest.fixture
def one_run(world: World, ada: Visitor) -> None:
    """Run 1, queued."""
    ada.post("/schedules/daily/run")


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream looks again at once."""
    monkeypatch.setattr(logs, "POLL_SECONDS", 0)


@pytest.mark.usefixtures("one_run")
def test_a_search_finds_lines_in_whatever_case_and_nothing_by_wildcard(
    world: World, ada: Visitor
) -> None:
    _log(world, "read 100% of it", "READ nothing", "wrote it")
    assert len(re.findall('class="log-line', ada.page("/runs/1?q=read"))) == 2
    assert len(re.findall('class="log-line', ada.page("/runs/1?q=%25"))) == 1
    assert "No such line" in ada.page("/runs/1?q=_") or "Waiting for more" in ada.page(
        "/runs/1?q=_"
    )
    assert "q=read" in ada.page("/runs/1?q=read").partition('data-stream="')[2].partition('"')[0]


@pytest.mark.usefixtures("one_run")
def test_a_log_that_is_not_whole_says_so_wherever_it_is_read(world: World, ada: Visitor) -> None:
    _log(world, "first", "last", run_id=2)
    assert "not whole" not in ada.page("/runs/2")
    _log(world, "first", "last")
    cut = {"run_id": 1, "attempt": 1, "at": world.now, "level": "warning", "message": "x"}
    with world.database.write.begin() as connection:
        for count in (90_000, 234):
            connection.execute(sa.insert(job_log), cut | {"fields": {"cut": count}})
        connection.execute(sa.insert(job_log), cut | {"fields": {"logger": "other"}})
        connection.execute(sa.update(job_run).values(status="SUCCESS", finished_at=world.now))
    told = "This log is not whole: 90,234 of its lines were cut."
    assert told in ada.page("/runs/1")
    assert ada.get("/runs/1/log.txt").get_data(as_text=True).startswith(told)
    found = " ".join(ada.page("/runs/1?q=50001").split())
    assert "searched 5 of 90,239 lines; 90,234 were cut." in found
    with world.database.read.connect() as connection:
        assert read_log(connection, 1).cut == 90_234


@pytest.mark.usefixtures("one_run")
def test_a_line_names_its_logger_unless_it_is_the_job_or_group(world: World, ada: Visitor) -> None:
    (run,) = world.rows(sa.select(job_run).where(job_run.c.id == 1))
    line = {"run_id": 1, "attempt": 1, "at": world.now, "level": "info", "message": "x"}
    own = [run.job_name, run.job_name.replace("-", "_"), f"definitions.{run.job_group}"]
    names = [*own, "urllib3.connectionpool", "urllib3.connectionpool", own[0]]
    with world.database.write.begin() as connection:
        for name in names:
            connection.execute(sa.insert(job_log), line | {"fields": {"logger": name}})
    page = ada.page("/runs/1")
    assert re.findall(r'class="log-fields"[^>]*>([^<]*)<', page) == ["urllib3.connectionpool"]


@pytest.mark.usefixtures("one_run")
def test_a_line_s_address_shows_it_wherever_it_stands(world: World, ada: Visitor) -> None:
    _log(world, *(f"line number {number}." for number in range(1, 2001)))
    page = ada.page("/runs/1?at=1000")
    assert 'id="L1000"' in page
    assert "/runs/1?at=1000#L1000" in page
    assert "line number 750." in page
    assert "line number 749." not in page
    assert "line number 1249." in page
    assert "line number 1250." not in page
    assert "data-stream" not in page
    later = re.search(r'href="(/runs/1\?at=\d+)#L\d+">Later', page)
    assert later
    assert "line number 1300." in ada.page(later[1])


@pytest.mark.usefixtures("one_run")
def test_attempts_are_told_apart(world: World, ada: Visitor) -> None:
    _log(world, "first try")
    _log(world, "second try", attempt=2)
    values = {"attempt": 2, "max_attempts": 3, "status": "RUNNING", "started_at": world.now}
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).where(job_run.c.id == 1).values(values))
    page = ada.page("/runs/1")
    assert re.findall(r'<p class="log-attempt">(.*?)</p>', page) == ["Attempt 1", "Attempt 2"]
    assert "Attempt 2 of 3" in page
    assert "log-attempt" not in ada.page("/runs/1/tail?after=1&attempt=2")


@pytest.mark.usefixtures("one_run", "no_waiting")
def test_a_log_holds_nothing_of_another_run(world: World, ada: Visitor) -> None:
    _log(world, "of the first")
    _log(world, "of the second", run_id=2)
    world.finish_runs()
    for path in ("", "?at=1", "/tail", "/stream", "/log.txt"):
        text = ada.get(f"/runs/1{path}").text
        assert "of the first" in text, path
        assert "of the second" not in text, path


@pytest.mark.usefixtures("one_run", "no_waiting")
def test_the_stream_gives_what_comes_and_ends_with_the_run(world: World, ada: Visitor) -> None:
    _log(world, "first", "second <b>")
    world.finish_runs()
    text = ada.get("/runs/1/stream?after=1").text
    assert "second &lt;b&gt;" in text
    assert "first" not in text
    assert text.startswith("id: 2\n")
    assert text.endswith("event: end\ndata:\n\n")
    again = ada.get("/runs/1/stream", Last_Event_ID="2").text
    assert again == "event: end\ndata:\n\n"


@pytest.mark.usefixtures("one_run", "no_waiting")
def test_a_stream_of_a_run_that_goes_on_comes_to_an_end_by_itself(ada: Visitor) -> None:
    text = ada.get("/runs/1/stream").text
    assert text == ":\n\n" * len(range(0, logs.MOST_POLLS, logs.POLLS_PER_BEAT))


@pytest.mark.usefixtures("one_run", "no_waiting")
def test_a_stream_ends_with_the_session_that_opened_it(world: World, ada: Visitor) -> None:
    response = ada.client.get("/runs/1/stream", buffered=False)
    events = iter(response.response)
    assert next(events)
    users.end_sessions(world.database, Act(world.now, TESTER), "ada")
    _log(world, "not for who has signed out")
    assert list(events) == []
    response.close()


@pytest.mark.usefixtures("one_run")
def test_the_tail_has_what_a_run_says_while_it_ends(
    ada: Visitor, last_words: Callable[[], None]
) -> None:
    last_words()
    answer = ada.get("/runs/1/tail")
    if answer.status_code == 204:  # by one snapshot it goes on: so the page asks again
        answer = ada.get("/runs/1/tail")
    assert "the last words" in answer.text


@pytest.mark.usefixtures("one_run", "no_waiting")
def test_the_stream_has_what_a_run_says_while_it_ends(
    ada: Visitor, last_words: Callable[[], None]
) -> None:
    response = ada.client.get("/runs/1/stream", buffered=False)
    last_words()
    text = response.text
    assert "the last words" in text
    assert text.endswith("event: end\ndata:\n\n")


@pytest.mark.usefixtures("one_run", "no_waiting")
def test_the_stream_says_once_that_an_attempt_begins(world: World, ada: Visitor) -> None:
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).values(status="RUNNING", attempt=2, max_attempts=3))
    response = ada.client.get("/runs/1/stream", buffered=False)
    events = iter(response.response)
    assert next(events) == b":\n\n"
    told = []
    for line in ("first", "second"):
        _log(world, line, attempt=2)
        told.append(bytes(next(events)).count(b"log-attempt"))
    response.close()
    assert told == [1, 0]


@pytest.mark.usefixtures("one_run")
def test_streams_are_counted_and_the_rest_is_polled(app: Flask, ada: Visitor) -> None:
    most = app.extensions["tick"].settings.log_streams
    open_ones = [ada.client.get("/runs/1/stream", buffered=False) for _ in range(most)]
    assert [response.status_code for response in open_ones] == [200] * most
    assert ada.client.get("/runs/1/stream").status_code == 204
    open_ones.pop().close()
    another = ada.client.get("/runs/1/stream", buffered=False)
    assert another.status_code == 200
    for response in (*open_ones, another):
        response.close()
    assert ada.get("/runs/4711/stream").status_code == 404


@pytest.mark.usefixtures("one_run")
def test_without_places_every_log_is_polled(app: Flask, ada: Visitor) -> None:
    waiting.init_app(app, 0)
    assert ada.get("/runs/1/stream").status_code == 204


@pytest.mark.usefixtures("one_run")
def test_a_long_log_is_downloaded_whole(world: World, ada: Visitor) -> None:
    _log(world, *(f"line {number}" for number in range(12_000)), "\x1b[31mred\x1b[0m")
    text = ada.get("/runs/1/log.txt").text
    assert len(text.splitlines()) == 12_001
    assert text.endswith(" red\n")


@pytest.mark.usefixtures("one_run")
def test_a_log_of_a_hundred_thousand_lines_stays_light(world: World, ada: Visitor) -> None:
    row = {"run_id": 1, "attempt": 1, "at": world.now, "level": "info", "message": "x" * 80}
    with world.database.write.begin() as connection:
        for _ in range(20):
            connection.execute(sa.insert(job_log), [row] * 5000)
    for path in ("/runs/1", "/runs/1?at=50000", "/runs/1?q=nothing", "/runs/1?before=3000"):
        assert len(ada.get(path).data) < 250 * 1024, path


@pytest.mark.usefixtures("one_run")
def test_a_run_is_copied_as_commands_that_a_shell_reads_back(world: World, ada: Visitor) -> None:
    params = {"names": ["it's <b>", 'a "b"']}
    with world.database.write.begin() as connection:
        connection.execute(sa.update(job_run).where(job_run.c.id == 1).values(params=params))
    page = ada.page("/runs/1")
    copies = page[page.index('id="copies"') :]
    codes = [unescape(text) for text in re.findall(r"<code>(.*?)</code>", copies)]
    words = shlex.split(codes[0])
    assert words[:4] == ["tick", "run", "--job", "content-features"]
    assert words[5] == '{"names": ["it\'s <b>", "a \\"b\\""]}'
    assert "curl -X POST" in codes[1]
    assert "/api/admin/jobs/content-features/run" in codes[1]


def test_a_log_s_page_can_be_left_unwrapped(ada: Visitor, failed_run: int) -> None:
    page = ada.page(f"/runs/{failed_run}?wrap=off&level=error")
    assert 'class="log unwrapped"' in page
    assert f"/runs/{failed_run}?wrap=off#log-title" in page


@pytest.mark.usefixtures("one_run")
def test_who_wants_no_news_gets_no_tail_that_asks(ada: Visitor) -> None:
    assert 'data-live="1" data-stream=' in ada.page("/runs/1")
    ada.post("/live", live="slow")
    page = ada.page("/runs/1")
    assert 'data-live="60"' in page
    assert "data-stream" not in page
    ada.post("/live", live="off")
    page = ada.page("/runs/1")
    assert "data-live" not in page
    assert "hx-get" not in page.partition('id="tail"')[2].partition("</div>")[0]
