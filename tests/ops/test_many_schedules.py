"""One act on many schedules, by id or label, with one entry in the audit; and taking it back."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.engine.ledger.audit import Act
from tick.errors import NotFound, Refused
from tick.ops.actions import custom_schedules, many_schedules, switches
from tick.ops.actions.many_schedules import Chosen, SchedulesDone
from tick.ops.queries.audit import AuditFilter, list_audit
from tick.ops.queries.schedules import list_labels, list_schedules
from tick.ops.reports import why
from tick.store.tables import alert_mute, audit_entry, job_run, schedule_version

HOUR = timedelta(hours=1)
NIGHTLY = Chosen(label="nightly")


@pytest.fixture
def team(world: World) -> World:
    """Three schedules; two are of the night, one of those of finance too."""
    world.define(
        a_schedule("books", labels=("finance", "nightly")),
        a_schedule("daily", labels=("nightly",)),
        a_schedule("plain"),
        jobs=[a_job("match")],
    )
    return world


def act(team: World, reason: str | None = "year end") -> Act:
    return Act(team.now, TESTER, reason)


def entries(team: World) -> list[sa.Row[Any]]:
    many = audit_entry.c.action.startswith("schedules.")
    mine = sa.select(audit_entry).where(audit_entry.c.actor == TESTER.name, many)
    return team.rows(mine.order_by(audit_entry.c.id))


def undo(team: World, done: SchedulesDone) -> SchedulesDone:
    assert done.entry_id is not None
    return many_schedules.undo(team.database, act(team), done.entry_id)


def labelled(team: World, label: str) -> list[str]:
    with team.database.read.connect() as connection:
        return [row.id for row in list_schedules(connection, label=label).items]


def states(team: World) -> list[str]:
    return [team.schedule(id).state for id in ("books", "daily", "plain")]


def test_schedules_are_listed_by_label_and_labels_with_their_number(team: World) -> None:
    assert labelled(team, "nightly") == ["books", "daily"]
    assert labelled(team, "night") == []
    with team.database.read.connect() as connection:
        assert list_labels(connection) == {"finance": 1, "nightly": 2}


def test_a_label_acts_on_all_that_have_it_in_one_entry_that_names_them(team: World) -> None:
    found = many_schedules.enable_schedules(team.database, act(team, None), NIGHTLY)
    assert (found.done, found.unchanged, found.refused) == (("books", "daily"), (), {})
    assert not team.schedule("plain").enabled
    (entry,) = entries(team)
    assert (entry.id, entry.action, entry.subject) == (
        found.entry_id,
        "schedules.enable",
        "label nightly",
    )
    assert entry.before == {"books": {"enabled": False}, "daily": {"enabled": False}}
    assert entry.after == {"books": {"enabled": True}, "daily": {"enabled": True}}


def test_one_that_is_refused_stops_no_other_and_what_was_so_already_is_told(team: World) -> None:
    team.enable("daily")
    chosen = Chosen(("daily", "nowhere", "plain"))
    found = many_schedules.enable_schedules(team.database, act(team), chosen)
    assert (found.done, found.unchanged) == (("plain",), ("daily",))
    assert "No schedule is called 'nowhere'" in found.refused["nowhere"]
    assert list(entries(team)[-1].after) == ["plain"]


def test_what_changes_nothing_leaves_no_entry(team: World) -> None:
    found = many_schedules.disable_schedules(team.database, act(team), NIGHTLY)
    assert (found.done, found.unchanged, found.entry_id) == ((), ("books", "daily"), None)
    assert entries(team) == []


def test_a_label_that_none_has_and_too_many_are_refused(team: World) -> None:
    with pytest.raises(NotFound, match="No schedule has the label 'noon'"):
        many_schedules.disable_schedules(team.database, act(team), Chosen(label="noon"))
    many = Chosen([f"s{number}" for number in range(many_schedules.MOST_SCHEDULES + 1)])
    for chosen in (Chosen(), many):
        with pytest.raises(Refused, match="Choose 1 to 500 schedules at a time"):
            many_schedules.disable_schedules(team.database, act(team), chosen)


def test_the_history_of_each_member_holds_the_entry_and_no_other_does(team: World) -> None:
    team.enable("daily")
    team.now += HOUR
    many_schedules.pause_schedules(team.database, act(team), NIGHTLY)

    def actions(schedule_id: str) -> Sequence[str]:
        with team.database.read.connect() as connection:
            page = list_audit(connection, AuditFilter(subject=schedule_id))
        return [entry.action for entry in page.items]

    assert actions("daily") == ["schedules.pause", "schedule.enable", "schedule.add"]
    assert actions("plain") == ["schedule.add"]
    with team.database.read.connect() as connection:
        at = team.now.replace(hour=2, minute=0) + timedelta(days=1)
        told = why.explain(connection, "daily", at, team.now)
    assert any("schedules.pause by tester" in fact.text for fact in told.facts)


def test_undo_of_a_switch_leaves_what_was_so_before(team: World) -> None:
    team.enable("daily")
    done = many_schedules.enable_schedules(team.database, act(team), NIGHTLY)
    assert undo(team, done).done == ("books",)
    assert (team.schedule("books").enabled, team.schedule("daily").enabled) == (False, True)
    off = many_schedules.disable_schedules(team.database, act(team), NIGHTLY)
    undo(team, off)
    assert team.schedule("daily").enabled


def test_undo_of_a_pause_resumes_and_brings_back_the_pause_from_before(team: World) -> None:
    for name in ("books", "daily"):
        team.enable(name)
    until = team.now + 9 * HOUR
    earlier = Act(team.now, TESTER, "moving")
    switches.pause_schedule(team.database, earlier, "books", until=until)
    done = many_schedules.pause_schedules(team.database, act(team), NIGHTLY)
    assert team.schedule("books").state_reason == "year end"
    undo(team, done)
    assert states(team)[:2] == ["PAUSED", "ACTIVE"]
    books = team.schedule("books")
    assert (books.state_reason, books.state_until) == ("moving", until)


def test_undo_of_resuming_pauses_again_as_it_was(team: World) -> None:
    team.enable("daily")
    until = team.now + 9 * HOUR
    many_schedules.pause_schedules(team.database, act(team), Chosen(("daily",)), until=until)
    done = many_schedules.resume_schedules(team.database, act(team, None), Chosen(("daily",)))
    assert states(team)[1] == "ACTIVE"
    undo(team, done)
    row = team.schedule("daily")
    assert (row.state, row.state_reason, row.state_until) == ("PAUSED", "year end", until)


def test_undo_of_running_cancels_what_has_not_ended(team: World) -> None:
    done = many_schedules.run_schedules(team.database, act(team), NIGHTLY)
    assert [run.schedule_id for run in team.runs()] == ["books", "daily"]
    assert undo(team, done).done == ("books", "daily")
    assert {run.status for run in team.runs()} == {"CANCELLED"}
    assert [outcome for outcome, _, _ in team.ledger("daily")] == ["CANCELLED"]
    assert undo(team, done).unchanged == ("books", "daily")


def test_running_by_one_key_starts_each_once(team: World) -> None:
    again = Act(team.now, TESTER, key="a-key-of-ours")
    many_schedules.run_schedules(team.database, again, NIGHTLY)
    found = many_schedules.run_schedules(team.database, again, NIGHTLY)
    assert (found.done, found.unchanged) == ((), ("books", "daily"))
    assert len(team.rows(sa.select(job_run))) == 2


def test_undo_of_a_mute_ends_it(team: World) -> None:
    until = team.now + HOUR
    done = many_schedules.mute_schedules(team.database, act(team), NIGHTLY, until=until)
    assert undo(team, done).done == ("books", "daily")
    assert all(row.ended_at == team.now for row in team.rows(sa.select(alert_mute)))


def test_what_is_no_act_on_many_schedules_is_not_undone(team: World) -> None:
    team.enable("daily")
    entry = team.rows(sa.select(audit_entry).order_by(audit_entry.c.id.desc()))[0]
    with pytest.raises(Refused, match=r"is schedule.enable: it is none"):
        many_schedules.undo(team.database, act(team), entry.id)
    with pytest.raises(NotFound, match="There is no entry 999"):
        many_schedules.undo(team.database, act(team), 999)


def test_a_change_of_labels_makes_a_version_and_moves_no_instant(team: World) -> None:
    team.enable("daily")
    before = team.schedule("daily")
    team.define(a_schedule("daily", labels=("finance",)), jobs=[a_job("match")])
    after = team.schedule("daily")
    assert (after.labels, after.next_run_at) == (["finance"], before.next_run_at)
    assert after.version_id != before.version_id
    definitions = sa.select(schedule_version.c.definition).where(
        schedule_version.c.schedule_id == "daily"
    )
    found = [row.definition["labels"] for row in team.rows(definitions)]
    assert found == [["nightly"], ["finance"]]
    changes = sa.select(audit_entry).where(audit_entry.c.action == "schedule.change")
    (entry,) = team.rows(changes)
    assert (entry.before["labels"], entry.after["labels"]) == (["nightly"], ["finance"])


def test_a_schedule_by_hand_has_labels_too_and_a_sync_leaves_them(team: World) -> None:
    written = {"name": "Late", "cron": "0 3 * * *", "job": "match", "labels": ["nightly"]}
    custom_schedules.create_schedule(team.database, act(team), team.registry, written)
    assert labelled(team, "nightly") == ["books", "daily", "late"]
    team.define(a_schedule("plain"), jobs=[a_job("match")])
    edited = {"labels": None}
    custom_schedules.edit_schedule(team.database, act(team), "late", team.registry, edited)
    assert team.schedule("late").labels == []
