"""Every list over fifty schedules and a million runs: light, quick, without reading them all."""

import re
import time
from datetime import datetime

import pytest
from sqlalchemy import event

from tests.webapp.crowd import fill
from tests.webapp.test_statements import MOST, about_data
from tests.webapp.test_weight import LISTS, MOST_OF_A_PAGE
from tests.webapp.visitor import Visitor
from tick.store.database import Database
from webapp import create_app

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]
RUNS = 1_000_000
SLOWEST_SECONDS = 3.0
PAGES = [
    *LISTS,
    "/runs?q=status:cancelled",
    "/runs?q=nowhere",
    "/runs?q=job:job-3+status:failed",
    "/runs?q=worker:nobody+trigger:manual",
    "/runs?q=until:30d",
    "/runs?before=500000",
    "/runs/bulk?do=retry&which=all&q=status:failed",
    "/audit?actor=person-3",
    "/schedules/schedule-07?day=2026-01-01",
    "/schedules/schedule-07?show=failed",
]
_SCANS = (re.compile(r"Seq Scan on job_run\b"), re.compile(r"SCAN job_run$", re.MULTILINE))


@pytest.fixture
def console(database: Database, now: datetime) -> Visitor:
    """Ada in front of it."""
    return Visitor(create_app(fill(database, now, RUNS).runtime)).log_in("ada")


def test_every_list_over_a_million_runs_is_light_and_scans_nothing(
    database: Database, console: Visitor, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [_look(database, console, path) for path in PAGES]
    with capsys.disabled():
        print(f"\n{database.url.get_backend_name()}", *found, sep="\n")


def _look(database: Database, console: Visitor, path: str) -> str:
    sent: list[tuple[str, object]] = []

    def note(_c: object, _u: object, statement: str, parameters: object, *_: object) -> None:
        sent.append((statement, parameters))

    event.listen(database.read, "before_cursor_execute", note)
    started = time.perf_counter()
    size = len(console.page(path).encode())
    took = time.perf_counter() - started
    event.remove(database.read, "before_cursor_execute", note)
    selects = [one for one in sent if about_data([one[0]])]
    assert len(selects) <= MOST, (path, *(statement[:120] for statement, _ in selects))
    assert size <= MOST_OF_A_PAGE, (path, size)
    assert took < SLOWEST_SECONDS, (path, took)
    for statement, parameters in selects:
        _check_plan(database, path, statement, parameters)
    return f"{took * 1000:7.0f} ms {size / 1024:6.1f} KiB {len(selects)} statements  {path}"


def _check_plan(database: Database, path: str, statement: str, parameters: object) -> None:
    """No step of the plan may read the whole table, unless it stops after a page."""
    kind = database.url.get_backend_name()
    explain = "EXPLAIN QUERY PLAN " if kind == "sqlite" else "EXPLAIN "
    with database.read.connect() as connection:
        rows = connection.exec_driver_sql(explain + statement, parameters).all()  # type: ignore[arg-type]
    plan = "\n".join(str(row[-1]) for row in rows)
    ends_early = "ORDER BY job_run.id DESC" in statement and "LIMIT" in statement
    assert ends_early or not any(scan.search(plan) for scan in _SCANS), (path, statement, plan)
    assert "count(*)" not in statement.lower() or "limit" in statement.lower(), (path, statement)
