"""Every action is listed here with its audit entry: a new one without a row fails."""

import importlib
import pkgutil
from collections.abc import Callable
from datetime import datetime, timedelta
from types import CodeType
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

import tick.ops
from tests.support.factories import TESTER, World, a_schedule, a_worker
from tick.ops.access import identities, tokens, users
from tick.ops.access.identities import ExternalIdentity
from tick.ops.act import Act, action
from tick.ops.actions import (
    alerts,
    backfill,
    batches,
    calendars,
    cancellation,
    clock_ahead,
    custom_schedules,
    environments,
    many_schedules,
    pins,
    retries,
    run_now,
    switches,
    windows,
    workers_and_queues,
)
from tick.ops.actions.many_schedules import Chosen
from tick.states import Role
from tick.store.database import Database
from tick.store.tables import alert, audit_entry, job_schedule, worker_instance

DAY = timedelta(days=1)
PASSWORD = "correct horse battery"
WRITTEN = {"name": "Late", "cron": "0 3 * * *"}
PLANT = {"dates": {"2027-03-01": "Founders' Day"}}
HASH = "$argon2id$not-read-here"
ADA = ExternalIdentity("https://issuer", "7", "Ada", Role.VIEWER)


def act(world: World, reason: str | None = "because") -> Act:
    """Somebody acts now."""
    return Act(world.now, TESTER, reason=reason)


def on(world: World) -> None:
    """The schedule is on."""
    world.enable()


def all_on(world: World) -> None:
    """All schedules are on, by one act."""
    many_schedules.enable_schedules(world.database, act(world), DAILY)


def paused(world: World) -> None:
    """The schedule is on, and paused."""
    world.enable()
    switches.pause_schedule(world.database, act(world), "daily")


def calendar_by_hand(world: World) -> None:
    """There is a calendar that was made by hand."""
    calendars.make_calendar(world.database, act(world), "plant", world.registry, PLANT)


def calendar_deleted(world: World) -> None:
    """A calendar by hand was deleted."""
    calendar_by_hand(world)
    calendars.delete_calendar(world.database, act(world), "plant", world.registry)


def backfilled(world: World) -> None:
    """A backfill is to be worked off."""
    start = world.now - DAY
    backfill.start_backfill(world.database, act(world), "daily", start=start, end=world.now)


def backfill_paused(world: World) -> None:
    """It is paused."""
    backfilled(world)
    backfill.pause_backfill(world.database, act(world), 1)


def queue_paused(world: World) -> None:
    """The queue is paused."""
    workers_and_queues.pause_queue(world.database, act(world), "default")


def stopped(world: World) -> None:
    """The scheduler is stopped."""
    windows.stop_scheduler(world.database, act(world))


def window_planned(world: World) -> None:
    """A window is planned for tomorrow."""
    world.plan_window(world.now + DAY, world.now + 2 * DAY)


def missed(world: World) -> None:
    """Yesterday's instant was suppressed."""
    world.enable()
    world.tick()
    switches.pause_schedule(world.database, act(world), "daily")
    world.now += DAY
    switches.resume_schedule(world.database, act(world), "daily")


def queued(world: World) -> None:
    """One run waits."""
    run_now.run_schedule(world.database, act(world), "daily")


def failed(world: World) -> None:
    """One run has failed."""
    queued(world)
    world.finish_runs("FAILED")


def ahead(world: World) -> None:
    """The cursor lies in the future."""
    world.enable()
    write(world, sa.update(job_schedule).values(decided_to=world.now + DAY))


def ticked_ahead(world: World) -> None:
    """A tick from tomorrow stands in the log."""
    world.tick(world.now + DAY)
    world.now -= DAY


def at_work(world: World) -> None:
    """A worker is there."""
    write(world, sa.insert(worker_instance).values(**a_worker(world.now)))


def alerted(world: World) -> None:
    """An alert is open that has no end of its own."""
    values = {"key": "missed:daily", "rule": "missed", "title": "2 missed", "message": "at night"}
    write(world, sa.insert(alert).values(**values, at=world.now, expires_at=world.now + DAY))


def muted(world: World) -> None:
    """Everything is muted."""
    alerts.mute(world.database, act(world), until=world.now + DAY)


def ada(world: World) -> None:
    """Ada has an account."""
    users._insert_user(world.database, act(world), "ada", HASH, Role.ADMIN)


def ada_of_provider(world: World) -> None:
    """Ada has signed in by a provider, and has another role now."""
    admin = ExternalIdentity(ADA.issuer, ADA.subject, ADA.name, Role.ADMIN)
    identities.find_or_create_user(world.database, act(world), admin)


def a_token(world: World) -> None:
    """There is a token."""
    tokens.create_token(world.database, act(world), "ci", Role.VIEWER, days=1)


def by_hand(world: World) -> None:
    """A schedule was made by hand."""
    custom_schedules.create_schedule(world.database, act(world), world.registry, WRITTEN)


def deleted(world: World) -> None:
    """It was deleted again."""
    by_hand(world)
    custom_schedules.delete_schedule(world.database, act(world), "late", world.registry)


def edited(world: World) -> None:
    """It was edited."""
    by_hand(world)
    given = {"cron": "0 4 * * *"}
    custom_schedules.edit_schedule(world.database, act(world), "late", world.registry, given)


def pinned(world: World) -> None:
    """It is pinned to its first version."""
    edited(world)
    pins.pin_schedule(world.database, act(world), "late", world.registry, 1)


def write(world: World, statement: sa.Insert | sa.Update | sa.Delete) -> None:
    """Write to the world's database."""
    with world.database.write.begin() as connection:
        connection.execute(statement)


def entries(world: World) -> list[sa.Row[Any]]:
    """The audit, in order."""
    return world.rows(sa.select(audit_entry).order_by(audit_entry.c.id))


class Entry(NamedTuple):
    """An audit entry as the table below expects it."""

    action: str
    subject: str
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    reason: str | None = "because"


class Case(NamedTuple):
    """An action, the world it is done in, how it is done, and its entry."""

    given: Callable[[World], None] | None
    do: Callable[[World, Database, Act], object]
    entry: Entry


NOW = datetime.fromisoformat("2026-03-01T01:59:00+00:00")
TOMORROW, THEN = (NOW + DAY).isoformat(), (NOW + 2 * DAY).isoformat()
PAUSED = {"state": "PAUSED", "reason": "because", "until": None}
DAILY = Chosen(("daily",))
OFF, ON = {"daily": {"enabled": False}}, {"daily": {"enabled": True}}
LATEST = "its latest instant was asked for"
CASES = {
    "alerts.mute": Case(
        None,
        lambda w, db, a: alerts.mute(db, a, schedule_id="daily", until=w.now + DAY),
        Entry(
            "alert.mute",
            "1",
            None,
            {"mute": 1, "schedule_id": "daily", "rule": None, "until": TOMORROW},
        ),
    ),
    "alerts.unmute": Case(
        muted, lambda w, db, a: alerts.unmute(db, a, 1), Entry("alert.unmute", "1")
    ),
    "alerts.close": Case(
        alerted,
        lambda w, db, a: alerts.close(db, a, 1),
        Entry("alert.close", "1", {"title": "2 missed"}),
    ),
    "alerts.note_test": Case(
        None, lambda w, db, a: alerts.note_test(db, a), Entry("alert.test", "channels")
    ),
    "backfill.start_backfill": Case(
        None,
        lambda w, db, a: backfill.start_backfill(db, a, "daily", start=w.now - DAY, end=w.now),
        Entry(
            "backfill.start",
            "daily",
            None,
            {
                "backfill": 1,
                "starts_at": (NOW - DAY).isoformat(),
                "ends_at": NOW.isoformat(),
                "instants": 1,
                "overlap": "WAIT",
                "max_parallel": 1,
            },
        ),
    ),
    "backfill.pause_backfill": Case(
        backfilled,
        lambda w, db, a: backfill.pause_backfill(db, a, 1),
        Entry(
            "backfill.pause", "1", {"state": "RUNNING"}, {"state": "PAUSED", "schedule_id": "daily"}
        ),
    ),
    "backfill.resume_backfill": Case(
        backfill_paused,
        lambda w, db, a: backfill.resume_backfill(db, a, 1),
        Entry(
            "backfill.resume",
            "1",
            {"state": "PAUSED"},
            {"state": "RUNNING", "schedule_id": "daily"},
        ),
    ),
    "backfill._cancel": Case(
        backfilled,
        lambda w, db, a: backfill.cancel_backfill(db, a, 1),
        Entry(
            "backfill.cancel",
            "1",
            {"state": "RUNNING"},
            {"state": "CANCELLED", "schedule_id": "daily", "runs": 0},
        ),
    ),
    "batches._record_cancel": Case(
        queued,
        lambda w, db, a: batches.cancel_runs(db, a, [1]),
        Entry("runs.cancel", "1 runs", None, {"runs": [1]}),
    ),
    "batches._record_retry": Case(
        failed,
        lambda w, db, a: batches.retry_runs(db, a, [1], w.registry),
        Entry("runs.retry", "1 runs", None, {"runs": [1]}),
    ),
    "cancellation._cancel_run": Case(
        queued,
        lambda w, db, a: cancellation.cancel_run(db, a, 1),
        Entry("run.cancel", "1", {"status": "QUEUED"}),
    ),
    "cancellation._cancel_occurrence": Case(
        queued,
        lambda w, db, a: cancellation.cancel_occurrence(db, a, 1),
        Entry("occurrence.cancel", "1", {"state": "QUEUED"}, {"runs": 1}),
    ),
    "clock_ahead.resume_from_now": Case(
        ahead,
        lambda w, db, a: clock_ahead.resume_from_now(db, a, "daily"),
        Entry(
            "schedule.resume_from_now",
            "daily",
            {"decided_to": TOMORROW},
            {"decided_to": NOW.isoformat(), "instants_taken_back": 0, "runs_released": 0},
            "a clock was ahead",
        ),
    ),
    "clock_ahead._forget_future_ticks": Case(
        ticked_ahead,
        lambda w, db, a: clock_ahead.resume_all_from_now(db, a),
        Entry(
            "scheduler.forget_future_ticks", "scheduler", None, {"ticks": 1}, "a clock was ahead"
        ),
    ),
    "custom_schedules._create": Case(
        None,
        lambda w, db, a: custom_schedules.create_schedule(db, a, w.registry, WRITTEN),
        Entry("schedule.add", "late", None, {"name": "Late", "description": ""}),
    ),
    "custom_schedules.edit_schedule": Case(
        by_hand,
        lambda w, db, a: custom_schedules.edit_schedule(
            db, a, "late", w.registry, {"cron": "0 4 * * *"}
        ),
        Entry(
            "schedule.change",
            "late",
            {"written": WRITTEN},
            {"written": WRITTEN | {"cron": "0 4 * * *"}},
        ),
    ),
    "custom_schedules.delete_schedule": Case(
        by_hand,
        lambda w, db, a: custom_schedules.delete_schedule(db, a, "late", w.registry),
        Entry("schedule.delete", "late", {"enabled": False, "written": WRITTEN}),
    ),
    "custom_schedules.restore_schedule": Case(
        deleted,
        lambda w, db, a: custom_schedules.restore_schedule(db, a, "late", w.registry),
        Entry("schedule.restore", "late"),
    ),
    "calendars._make": Case(
        None,
        lambda w, db, a: calendars.make_calendar(db, a, "plant", w.registry, PLANT),
        Entry("calendar.add", "plant", None, PLANT),
    ),
    "calendars.edit_calendar": Case(
        calendar_by_hand,
        lambda w, db, a: calendars.edit_calendar(db, a, "plant", w.registry, {"weekend": ["fri"]}),
        Entry("calendar.change", "plant", {}, {"weekend": ["fri"]}),
    ),
    "calendars.delete_calendar": Case(
        calendar_by_hand,
        lambda w, db, a: calendars.delete_calendar(db, a, "plant", w.registry),
        Entry("calendar.delete", "plant", PLANT),
    ),
    "calendars.restore_calendar": Case(
        calendar_deleted,
        lambda w, db, a: calendars.restore_calendar(db, a, "plant", w.registry),
        Entry("calendar.restore", "plant"),
    ),
    "environments._change": Case(
        on,
        lambda w, db, a: environments.change_environment(
            db, a, "staging", old="production", dead_after_seconds=90
        ),
        Entry(
            "environment.change",
            "database",
            {"environment": "production"},
            {"environment": "staging", "switched_off": ["daily"], "cancelled": 0},
        ),
    ),
    "identities._create": Case(
        None,
        lambda w, db, a: identities.find_or_create_user(db, a, ADA),
        Entry("user.create", "Ada", None, {"role": "VIEWER", "external_id": "https://issuer 7"}),
    ),
    "identities._sign_in": Case(
        ada_of_provider,
        lambda w, db, a: identities.find_or_create_user(db, a, ADA),
        Entry("user.role", "Ada", {"role": "ADMIN"}, {"role": "VIEWER"}),
    ),
    "many_schedules.enable_schedules": Case(
        None,
        lambda w, db, a: many_schedules.enable_schedules(db, a, DAILY),
        Entry("schedules.enable", "1 schedule", OFF, ON),
    ),
    "many_schedules.disable_schedules": Case(
        on,
        lambda w, db, a: many_schedules.disable_schedules(db, a, DAILY),
        Entry("schedules.disable", "1 schedule", ON, OFF),
    ),
    "many_schedules.pause_schedules": Case(
        on,
        lambda w, db, a: many_schedules.pause_schedules(db, a, DAILY),
        Entry(
            "schedules.pause",
            "1 schedule",
            {"daily": {"state": "ACTIVE"}},
            {"daily": {"state": "PAUSED", "until": None}},
        ),
    ),
    "many_schedules.resume_schedules": Case(
        paused,
        lambda w, db, a: many_schedules.resume_schedules(db, a, DAILY),
        Entry("schedules.resume", "1 schedule", {"daily": PAUSED}, {"daily": {"state": "ACTIVE"}}),
    ),
    "many_schedules.run_schedules": Case(
        None,
        lambda w, db, a: many_schedules.run_schedules(db, a, DAILY),
        Entry("schedules.run", "1 schedule", None, {"daily": {"occurrence": 1, "jobs": 1}}),
    ),
    "many_schedules.mute_schedules": Case(
        None,
        lambda w, db, a: many_schedules.mute_schedules(db, a, DAILY, until=w.now + DAY),
        Entry(
            "schedules.mute",
            "1 schedule",
            None,
            {"daily": {"mute": 1, "schedule_id": "daily", "rule": None, "until": TOMORROW}},
        ),
    ),
    "many_schedules._undo": Case(
        all_on,
        lambda w, db, a: many_schedules.undo(db, a, entries(w)[-1].id),
        Entry("schedules.undo", "entry 3", ON, OFF),
    ),
    "pins.pin_schedule": Case(
        edited,
        lambda w, db, a: pins.pin_schedule(db, a, "late", w.registry, 1),
        Entry("schedule.pin", "late", {"version": 2}, {"pinned_to": 1}),
    ),
    "pins.unpin_schedule": Case(
        pinned,
        lambda w, db, a: pins.unpin_schedule(db, a, "late", w.registry),
        Entry("schedule.unpin", "late", {"pinned_to": 1}, {"version": 2}),
    ),
    "retries.retry_run": Case(
        failed,
        lambda w, db, a: retries.retry_run(db, a, 1, w.registry),
        Entry("run.retry", "1", {"state": "FAILED"}, {"runs": [1]}),
    ),
    "retries.retry_occurrence": Case(
        failed,
        lambda w, db, a: retries.retry_occurrence(db, a, 1, w.registry),
        Entry("occurrence.retry", "1", {"state": "FAILED"}, {"runs": [1]}),
    ),
    "run_now.run_schedule": Case(
        None,
        lambda w, db, a: run_now.run_schedule(db, a, "daily"),
        Entry("schedule.run", "daily", None, {"occurrence": 1, "jobs": 1}),
    ),
    "run_now.run_slots": Case(
        missed,
        lambda w, db, a: run_now.run_slots(db, a, "daily", [NOW + timedelta(minutes=1)]),
        Entry(
            "schedule.run_slots",
            "daily",
            None,
            {"instants": ["2026-03-01T02:00:00+00:00"], "occurrences": [1]},
        ),
    ),
    "run_now._run_jobs": Case(
        None,
        lambda w, db, a: run_now.run_job(db, a, "match-scores", w.registry),
        Entry("jobs.run", "job match-scores", None, {"occurrence": 1, "jobs": 1}),
    ),
    "switches.enable_schedule": Case(
        None,
        lambda w, db, a: switches.enable_schedule(db, a, "daily", catch_up_latest=True),
        Entry("schedule.enable", "daily", {"enabled": False}, {"enabled": True}, LATEST),
    ),
    "switches.disable_schedule": Case(
        on,
        lambda w, db, a: switches.disable_schedule(db, a, "daily"),
        Entry("schedule.disable", "daily", {"enabled": True}, {"enabled": False}),
    ),
    "switches.pause_schedule": Case(
        on,
        lambda w, db, a: switches.pause_schedule(db, a, "daily", until=w.now + DAY),
        Entry(
            "schedule.pause",
            "daily",
            {"state": "ACTIVE"},
            {"state": "PAUSED", "until": TOMORROW},
        ),
    ),
    "switches.resume_schedule": Case(
        paused,
        lambda w, db, a: switches.resume_schedule(db, a, "daily"),
        Entry("schedule.resume", "daily", PAUSED, {"state": "ACTIVE"}),
    ),
    "tokens.create_token": Case(
        None,
        lambda w, db, a: tokens.create_token(db, a, "ci", Role.VIEWER, days=1),
        Entry(
            "token.create",
            "1",
            None,
            {"name": "ci", "role": "VIEWER", "scope": "api", "expires_at": TOMORROW},
        ),
    ),
    "tokens.revoke_token": Case(
        a_token,
        lambda w, db, a: tokens.revoke_token(db, a, 1),
        Entry("token.revoke", "1", {"name": "ci"}),
    ),
    "users._insert_user": Case(
        None,
        lambda w, db, a: users.create_user(db, a, "ada", PASSWORD, Role.ADMIN),
        Entry("user.create", "ada", None, {"role": "ADMIN"}),
    ),
    "users._replace_hash": Case(
        ada,
        lambda w, db, a: users.set_password(db, a, "ada", PASSWORD),
        Entry("user.password", "ada", {}, {}),
    ),
    "users.end_sessions": Case(
        ada,
        lambda w, db, a: users.end_sessions(db, a, "ADA"),
        Entry("user.sign-out", "ada", {}, {}),
    ),
    "users.set_role": Case(
        ada,
        lambda w, db, a: users.set_role(db, a, "ada", Role.VIEWER),
        Entry("user.role", "ada", {"role": "ADMIN"}, {"role": "VIEWER"}),
    ),
    "users.set_active": Case(
        ada,
        lambda w, db, a: users.set_active(db, a, "ada", False),
        Entry("user.active", "ada", {"active": True}, {"active": False}),
    ),
    "windows.stop_scheduler": Case(
        None, lambda w, db, a: windows.stop_scheduler(db, a), Entry("scheduler.stop", "scheduler")
    ),
    "windows.start_scheduler": Case(
        stopped,
        lambda w, db, a: windows.start_scheduler(db, a),
        Entry("scheduler.start", "scheduler"),
    ),
    "windows.add_window": Case(
        None,
        lambda w, db, a: windows.add_window(db, a, starts_at=w.now + DAY, ends_at=w.now + 2 * DAY),
        Entry("window.add", "1", None, {"starts_at": TOMORROW, "ends_at": THEN}),
    ),
    "windows.end_window": Case(
        window_planned,
        lambda w, db, a: windows.end_window(db, a, 1),
        Entry("window.end", "1", {"ends_at": THEN}),
    ),
    "workers_and_queues.drain_worker": Case(
        at_work,
        lambda w, db, a: workers_and_queues.drain_worker(db, a, "c0ffee"),
        Entry("worker.drain", "c0ffee", {"status": "RUNNING"}),
    ),
    "workers_and_queues.pause_queue": Case(
        None,
        lambda w, db, a: workers_and_queues.pause_queue(db, a, "default"),
        Entry("queue.pause", "default"),
    ),
    "workers_and_queues.resume_queue": Case(
        queue_paused,
        lambda w, db, a: workers_and_queues.resume_queue(db, a, "default"),
        Entry("queue.resume", "default"),
    ),
}


def code_of(function: object) -> CodeType | None:
    """The code of a function; all that `@action` returns share one."""
    return getattr(function, "__code__", None)


@action("nothing.do", subject="nothing")
def _do_nothing(change: object) -> None:
    """An action without a check of revisions."""


def declared() -> set[str]:
    """Every action of the package, as `module.function`."""
    found = set()
    for module in pkgutil.walk_packages(tick.ops.__path__, "tick.ops."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if code_of(value) is code_of(_do_nothing):
                found.add(f"{value.__module__.rpartition('.')[2]}.{name}")
    return found


@pytest.fixture
def daily(world: World) -> World:
    """One schedule of one job, off."""
    world.define(a_schedule(overlap="ALLOW"))
    return world


def test_every_action_is_listed_with_its_audit_entry() -> None:
    assert declared() == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_an_action_writes_one_audit_entry_in_its_own_words(daily: World, name: str) -> None:
    case = CASES[name]
    if case.given is not None:
        case.given(daily)
    before = len(entries(daily))
    case.do(daily, daily.database, act(daily))
    (row,) = entries(daily)[before:]
    assert Entry(row.action, row.subject, row.before, row.after, row.reason) == case.entry
    assert (row.at, row.actor) == (daily.now, TESTER.name)


def test_an_action_that_knows_no_revision_refuses_one_and_does_nothing(daily: World) -> None:
    with pytest.raises(TypeError, match=r"nothing\.do knows no revision"):
        _do_nothing(daily.database, Act(daily.now, TESTER, revision="1234"))
    queued(daily)
    before = entries(daily)
    with pytest.raises(TypeError, match=r"run\.cancel knows no revision"):
        cancellation._cancel_run(daily.database, Act(daily.now, TESTER, revision="1234"), 1)
    assert daily.runs()[0].status == "QUEUED"
    assert entries(daily) == before
