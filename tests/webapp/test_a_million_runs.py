"""Every list over fifty schedules and a million runs: light, quick, without reading them all."""

import re
import time
from datetime import datetime

import pytest

from tests.support.plans import Sent, recorded
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
    with recorded(database) as sent:
        started = time.perf_counter()
        size = len(console.page(path).encode())
        took = time.perf_counter() - started
    selects = about_data(sent)
    assert len(selects) <= MOST, (path, *(each.statement[:120] for each in selects))
    assert size <= MOST_OF_A_PAGE, (path, size)
    assert took < SLOWEST_SECONDS, (path, took)
    for each in selects:
        _check_plan(database, path, each)
    return f"{took * 1000:7.0f} ms {size / 1024:6.1f} KiB {len(selects)} statements  {path}"


def _check_plan(database: Database, path: str, sent: Sent) -> None:
    """No step of the plan may read the whole table, unless it stops after a page."""
    kind, statement = database.url.get_backend_name(), sent.statement
    explain = "EXPLAIN QUERY PLAN " if kind == "sqlite" else "EXPLAIN "
    with database.read.connect() as connection:
        rows = connection.exec_driver_sql(explain + statement, sent.parameters).all()
    plan = "\n".join(str(row[-1]) for row in rows)
    ends_early = "ORDER BY job_run.id DESC" in statement and "LIMIT" in statement
    assert ends_early or not any(scan.search(plan) for scan in _SCANS), (path, statement, plan)
    assert "count(*)" not in statement.lower() or "limit" in statement.lower(), (path, statement)
