"""Deny by default: who may use which route of the API is what the table says."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from pydantic import BaseModel

from tests.support.factories import TESTER, World
from tests.webapp.api.client import Program
from tests.webapp.visitor import Visitor
from tick.engine.ledger.audit import Act
from tick.interface.operation import Operation
from tick.interface.permissions import ROLES
from tick.interface.table import OPERATIONS
from tick.ops.actions import backfill
from tick.ops.actions.calendars import make_calendar
from tick.states import Role
from tick.store.tables import audit_entry
from webapp.access.permissions import PUBLIC
from webapp.problem import Problem

PLACES = {
    "schedule_id": "daily",
    "job_name": "match-scores",
    "group": "matching",
    "queue": "media",
    "name": "plant",
}
QUERIES = {
    "explain": "?at=2026-03-01T02:00:00Z",
    "size_backfill": "?since=2026-03-01T02:00:00Z",
    "plan_backfill": "?since=2026-03-01T02:00:00Z&until=2026-03-02T02:00:00Z",
}
BODIES = {
    "pin_schedule": {"version": 1, "reason": "the newer one waits"},
    "add_window": {
        "starts_at": "2098-12-01T00:00:00Z",
        "ends_at": "2099-01-01T00:00:00Z",
        "reason": "maintenance",
    },
    "stop_scheduler": {"reason": "maintenance"},
    "add_mute": {"until": "2099-01-01T00:00:00Z", "reason": "maintenance"},
    "cancel_runs": {"run_ids": [1]},
    "retry_runs": {"run_ids": [1]},
    "pause_schedule": {"reason": "maintenance"},
    "pause_queue": {"reason": "maintenance"},
    "create_schedule": {"name": "Nightly", "cron": "0 2 * * *"},
    "create_calendar": {"name": "gulf", "weekend": ["fri"]},
    "preview_runs": {"expression": "0 2 * * *"},
    "resume_schedules": {"schedule_ids": ["daily"]},
    "enable_schedules": {"schedule_ids": ["daily"]},
    "disable_schedules": {"schedule_ids": ["daily"]},
    "pause_schedules": {"schedule_ids": ["daily"], "reason": "maintenance"},
    "trigger_schedules": {"schedule_ids": ["daily"]},
    "mute_schedules": {
        "schedule_ids": ["daily"],
        "until": "2099-01-01T00:00:00Z",
        "reason": "maintenance",
    },
    "start_backfill": {"since": "2026-02-01T00:00:00Z"},
    "run_slots": {"scheduled_for": ["2026-03-01T02:00:00Z"]},
    "validate_cron": {"expression": "0 2 * * *"},
}


@pytest.fixture(autouse=True)
def plant(world: World) -> None:
    """There is a calendar by hand."""
    act, days = Act(world.now, TESTER), {"weekend": ["fri"]}
    make_calendar(world.database, act, "plant", world.registry, days)


def ask(program: Program, name: str) -> tuple[int, Problem | None]:
    """The status that a well-meant request ends with, and the problem if it is one."""
    operation = OPERATIONS[name]
    path = operation.place(lambda id: str(PLACES.get(id, 1)))
    response = program.ask(operation.method, path + QUERIES.get(name, ""), BODIES.get(name))
    if response.status_code < 400:
        return response.status_code, None
    return response.status_code, Problem.model_validate_json(response.data)


def may(role: Role, operation: Operation[BaseModel]) -> bool:
    """Whether the role holds the permission that the operation needs."""
    return operation.needs in ROLES[role]


def test_every_route_is_in_the_table(app: Flask) -> None:
    routes = {rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")}
    public = {name for name in PUBLIC if name.startswith("api.")}
    assert routes == public | {f"api.{name}" for name in OPERATIONS}


def test_what_only_reads_needs_a_viewer_and_what_acts_an_admin() -> None:
    computes = {"validate_cron", "preview_runs"}
    reads = {name for name, each in OPERATIONS.items() if each.method == "GET"} | computes
    assert {name for name, each in OPERATIONS.items() if each.reads} == reads
    assert {name for name, each in OPERATIONS.items() if may(Role.VIEWER, each)} == reads
    assert all(may(Role.ADMIN, each) for each in OPERATIONS.values())


@pytest.mark.parametrize("who", ["nobody", "expired", "revoked"])
def test_without_a_usable_token_every_route_answers_401(
    who: str, request: pytest.FixtureRequest, world: World
) -> None:
    program: Program = request.getfixturevalue(who)
    before = entries(world)
    assert {name: ask(program, name)[0] for name in OPERATIONS} == dict.fromkeys(OPERATIONS, 401)
    assert entries(world) == before


@pytest.fixture
def backfill_id(world: World) -> int:
    """A backfill that is to be worked off."""
    start, act = world.now - timedelta(days=9), Act(world.now, TESTER)
    return backfill.start_backfill(world.database, act, "daily", start=start, end=world.now)


def test_a_viewers_token_reads_everything_and_acts_nowhere(
    viewer: Program, world: World, run_id: int, backfill_id: int
) -> None:
    before = entries(world)
    statuses = {name: ask(viewer, name)[0] for name in OPERATIONS}
    acts = {name for name, each in OPERATIONS.items() if not each.reads}
    assert statuses == {name: 403 if name in acts else 200 for name in OPERATIONS}
    assert entries(world) == before


def test_an_admins_token_is_refused_nowhere_for_its_role(
    admin: Program, run_id: int, backfill_id: int
) -> None:
    statuses = {name: ask(admin, name)[0] for name in OPERATIONS}
    assert set(statuses.values()) <= {200, 201, 202, 404, 409}, statuses
    assert {name for name, status in statuses.items() if status == 404} == {
        "drain_worker",
        "end_mute",
    }


def test_every_change_by_a_token_is_in_the_audit_with_its_request(
    admin: Program, world: World, run_id: int
) -> None:
    before = entries(world)
    for name in OPERATIONS:
        ask(admin, name)
    a = audit_entry.c
    mine = sa.select(a.action, a.request_id).where(a.actor == "token:deployer", a.id > before)
    found = world.rows(mine)
    assert {row.action for row in found} >= {
        "schedule.enable",
        "schedule.disable",
        "schedule.pause",
        "schedule.resume",
        "jobs.run",
        "occurrence.cancel",
        "queue.pause",
        "queue.resume",
    }
    assert all(row.request_id for row in found)


def test_a_session_opens_nothing(app: Flask, ada: Visitor) -> None:
    for name, operation in OPERATIONS.items():
        path = "/api/admin" + operation.place(lambda _: "1")
        response = ada.client.open(path, method=operation.method)
        assert response.status_code == 401, name


def test_a_token_opens_no_page_of_the_console(admin: Program) -> None:
    response = admin.client.get("/schedules", headers=admin.headers)
    assert response.status_code == 303


def test_a_route_that_is_in_no_table_is_closed_to_everyone(
    app: Flask, admin: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(OPERATIONS, "list_runs")
    response = admin.client.get("/api/admin/runs", headers=admin.headers)
    assert response.status_code == 403


def entries(world: World) -> int:
    """How many changes the audit holds."""
    return len(world.rows(sa.select(audit_entry.c.id)))
