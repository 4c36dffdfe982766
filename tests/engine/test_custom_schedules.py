"""Schedules that people make by hand, beside those in code."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.define.registry import build_registry
from tick.engine.ledger.audit import Act
from tick.engine.schedules.sync import sync
from tick.errors import DefinitionsInvalid, InvalidInput, Refused
from tick.ops.actions import custom_schedules, switches
from tick.store.tables import audit_entry, schedule_version

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NIGHTLY = {"name": "Nightly match", "cron": "0 2 * * *", "job": "match"}
JOBS = (a_job("match"), a_job("feed", group="feed"))


@pytest.fixture
def team(world: World) -> World:
    """A team with two jobs and one schedule in code."""
    world.define(a_schedule("daily"), jobs=JOBS)
    return world


def make(team: World, written: dict[str, Any] = NIGHTLY, **how: Any) -> str:
    act = Act(team.now, TESTER)
    return custom_schedules.create_schedule(team.database, act, team.registry, written, **how)


def edit(team: World, given: dict[str, Any], schedule_id: str = "nightly-match") -> bool:
    act = Act(team.now, TESTER)
    return custom_schedules.edit_schedule(team.database, act, schedule_id, team.registry, given)


def delete(team: World, schedule_id: str = "nightly-match") -> None:
    act = Act(team.now, TESTER)
    custom_schedules.delete_schedule(team.database, act, schedule_id, team.registry)


def restore(team: World) -> None:
    act = Act(team.now, TESTER)
    custom_schedules.restore_schedule(team.database, act, "nightly-match", team.registry)


def outcomes(team: World) -> list[str]:
    return [outcome for outcome, _, _ in team.ledger("nightly-match")]


def audited(team: World) -> list[str]:
    entries = sa.select(audit_entry.c.action).where(audit_entry.c.subject == "nightly-match")
    return [row.action for row in team.rows(entries.order_by(audit_entry.c.id))]


def numbers(team: World) -> list[int]:
    its = schedule_version.c.schedule_id == "nightly-match"
    found = sa.select(schedule_version.c.number).where(its).order_by(schedule_version.c.id)
    return [row.number for row in team.rows(found)]


def test_its_id_is_made_from_its_name_and_it_arrives_disabled(team: World) -> None:
    assert make(team) == "nightly-match"
    row = team.schedule("nightly-match")
    assert (row.source, row.enabled, row.next_run_at) == ("CUSTOM", False, None)
    assert audited(team) == ["schedule.add"]


def test_a_second_one_of_that_name_gets_a_number(team: World) -> None:
    assert [make(team), make(team), make(team)] == [
        "nightly-match",
        "nightly-match-2",
        "nightly-match-3",
    ]


def test_a_long_name_still_makes_an_id_of_fifty_characters(team: World) -> None:
    ids = [make(team, NIGHTLY | {"name": "x" * 120}) for _ in range(2)]
    assert [len(each) for each in ids] == [50, 50]


def test_made_enabled_it_fires_strictly_after_now(team: World) -> None:
    team.now = team.now + timedelta(minutes=1)  # an instant of its own
    make(team, enabled=True)
    team.tick()
    assert outcomes(team) == []
    assert team.schedule("nightly-match").next_run_at == team.now + DAY


def test_it_fires_as_one_in_code_does(team: World) -> None:
    make(team, NIGHTLY | {"params": {}}, enabled=True)
    team.tick(team.now + timedelta(minutes=1))
    assert outcomes(team) == ["QUEUED"]
    assert [run.job_name for run in team.runs()] == ["match"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (NIGHTLY | {"cron": "0 25 * * *"}, "hour '25'"),
        (NIGHTLY | {"job": "metch"}, "did you mean 'match'"),
        (NIGHTLY | {"every": 60.0}, "exactly one of cron, every and at"),
        (NIGHTLY | {"params": {"size": 3}}, "none of its jobs takes"),
        (NIGHTLY | {"ping_url": "https://example.org"}, "ping_url"),
        ({"cron": "0 2 * * *", "name": "!"}, "can't be made from this name"),
    ],
)
def test_a_mistake_is_told_as_for_one_in_code(
    team: World, written: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        make(team, written)


@pytest.mark.parametrize("taken", ["daily", "nightly-match"])
def test_an_id_that_is_taken_is_refused(team: World, taken: str) -> None:
    make(team)
    with pytest.raises(Refused, match="choose another id"):
        make(team, schedule_id=taken)


def test_a_sync_leaves_it_alone(team: World) -> None:
    make(team, enabled=True)
    team.define(a_schedule("other"), jobs=JOBS)
    row = team.schedule("nightly-match")
    assert (row.state, row.enabled, numbers(team)) == ("ACTIVE", True, [1])


def test_code_that_takes_its_id_is_a_mistake_that_names_both(team: World) -> None:
    make(team)
    with pytest.raises(DefinitionsInvalid, match=r"tests:1: .*'Nightly match', made by tester"):
        team.define(a_schedule("nightly-match"), jobs=JOBS)
    assert team.schedule("daily").state == "ACTIVE"


def test_code_may_take_the_id_of_one_that_was_deleted(team: World) -> None:
    make(team)
    delete(team)
    team.define(a_schedule("nightly-match"), jobs=JOBS)
    row = team.schedule("nightly-match")
    assert (row.source, row.state, row.enabled) == ("CODE", "ACTIVE", False)


def test_a_job_that_leaves_the_code_stops_it_and_brings_it_back(team: World) -> None:
    make(team, enabled=True)
    team.define(a_schedule("daily"), jobs=JOBS[1:])
    row = team.schedule("nightly-match")
    assert (row.state, row.next_run_at) == ("ERROR", None)
    assert "unknown job 'match'" in row.state_reason
    team.tick(team.now + HOUR)
    team.define(a_schedule("daily"), jobs=JOBS)
    row = team.schedule("nightly-match")
    assert (row.state, row.next_run_at) == ("ACTIVE", team.now - HOUR + timedelta(minutes=1) + DAY)
    assert outcomes(team) == ["SUPPRESSED"]


def test_a_pause_survives_the_absence_of_its_job(team: World) -> None:
    make(team, enabled=True)
    act = Act(team.now, TESTER, reason="moving house")
    switches.pause_schedule(team.database, act, "nightly-match")
    team.define(a_schedule("daily"), jobs=JOBS[1:])
    team.define(a_schedule("daily"), jobs=[a_job("rank")])
    team.define(a_schedule("daily"), jobs=JOBS)
    row = team.schedule("nightly-match")
    assert (row.state, row.state_reason, row.next_run_at) == ("PAUSED", "moving house", None)


def test_one_whose_job_is_gone_cannot_be_resumed(team: World) -> None:
    make(team, enabled=True)
    team.define(a_schedule("daily"), jobs=JOBS[1:])
    with pytest.raises(Refused, match="unknown job 'match'"):
        switches.resume_schedule(team.database, Act(team.now, TESTER), "nightly-match")


def test_a_new_job_of_its_group_joins_it(team: World) -> None:
    make(team, {"name": "Nightly match", "cron": "0 2 * * *", "job_group": "feed"}, enabled=True)
    team.define(a_schedule("daily"), jobs=(*JOBS, a_job("rank", group="feed")))
    team.tick(team.now + timedelta(minutes=1))
    of_it = [run.job_name for run in team.runs() if run.schedule_id == "nightly-match"]
    assert sorted(of_it) == ["feed", "rank"]
    assert numbers(team) == [1, 2]


def test_an_edit_settles_what_is_due_and_moves_the_rest(team: World) -> None:
    make(team, enabled=True)
    team.now += timedelta(minutes=2)  # its instant has come, and no tick
    assert edit(team, {"cron": "30 2 * * *"})
    assert outcomes(team) == ["QUEUED"]
    assert team.schedule("nightly-match").next_run_at == team.now + timedelta(minutes=29)


def test_an_edit_of_nothing_makes_no_version(team: World) -> None:
    make(team)
    assert not edit(team, {"cron": "0 2 * * *"})
    assert numbers(team) == [1]


def test_another_way_to_say_when_takes_the_place_of_the_old_one(team: World) -> None:
    make(team)
    assert edit(team, {"every": 3600.0, "job_group": "feed"})
    newest = team.rows(
        sa.select(schedule_version.c.rule, schedule_version.c.mode)
        .where(schedule_version.c.schedule_id == "nightly-match")
        .order_by(schedule_version.c.number.desc())
    )[0]
    assert '"kind":"INTERVAL"' in newest.rule
    assert newest.mode == "GROUP"


def test_words_are_edited_without_a_change_of_when_it_fires(team: World) -> None:
    make(team, enabled=True)
    before = team.schedule("nightly-match").next_run_at
    assert edit(team, {"description": "for the morning"})
    row = team.schedule("nightly-match")
    assert (row.description, row.next_run_at) == ("for the morning", before)


def test_one_in_code_is_neither_edited_nor_deleted(team: World) -> None:
    with pytest.raises(Refused, match="lives in code"):
        edit(team, {"cron": "0 3 * * *"}, "daily")
    with pytest.raises(Refused, match="lives in code"):
        delete(team, "daily")


def test_a_deleted_one_keeps_its_history_and_can_be_restored(team: World) -> None:
    make(team, enabled=True)
    team.tick(team.now + timedelta(minutes=1))
    delete(team)
    team.tick(team.now + DAY)
    row = team.schedule("nightly-match")
    assert (row.state, row.next_run_at, outcomes(team)) == ("REMOVED", None, ["QUEUED"])
    restore(team)
    row = team.schedule("nightly-match")
    assert (row.state, row.enabled, row.next_run_at) == ("ACTIVE", False, None)
    assert outcomes(team) == ["QUEUED", "SUPPRESSED"]


def test_an_older_process_may_not_write_while_a_deploy_is_under_way(team: World) -> None:
    older = build_registry(JOBS[:1], [a_schedule("daily")])
    with team.database.write.begin() as connection:
        sync(connection, older, now=team.now, author=TESTER, release="-")
        sync(connection, team.registry, now=team.now, author=TESTER, release="-")
    act = Act(team.now, TESTER)
    with pytest.raises(Refused, match="Newer definitions"):
        custom_schedules.create_schedule(team.database, act, older, NIGHTLY)


@pytest.mark.parametrize(
    ("written", "option"),
    [
        ({"cron": "61 2 * * *"}, "cron"),
        ({"timezone": "Europe/Pariss"}, "timezone"),
        ({"job": "mach"}, "job"),
        ({"job": None, "job_group": "fed"}, "job_group"),
        ({"job": None, "jobs": []}, "jobs"),
        ({"job": "match", "job_group": "feed"}, "mode"),
        ({"dst_gap": "jump"}, "dst_gap"),
        ({"params": {"x": 1}}, "params"),
        ({"starts_at": "2027-01-02T00:00:00Z", "ends_at": "2027-01-02T01:00:00Z"}, "ends_at"),
    ],
)
def test_a_mistake_names_the_option_that_it_is_about(
    team: World, written: dict[str, Any], option: str
) -> None:
    options = {name: value for name, value in (NIGHTLY | written).items() if value is not None}
    with pytest.raises(InvalidInput) as refused:
        make(team, options)
    assert [where for where, _ in refused.value.mistakes] == [f"body.{option}"]


def test_a_wrong_id_is_told_as_that(team: World) -> None:
    with pytest.raises(InvalidInput) as refused:
        make(team, schedule_id="Not An Id")
    assert refused.value.mistakes[0][0] == "body.id"


def test_one_that_was_deleted_goes_on_in_code_with_its_history(team: World) -> None:
    made = make(team, enabled=True)
    team.tick(team.now + timedelta(minutes=1))
    delete(team)
    team.define(a_schedule("daily"), a_schedule(made, job="match"))
    row = team.schedule(made)
    assert (row.source, row.state, row.enabled) == ("CODE", "ACTIVE", False)
    assert outcomes(team)[0] == "QUEUED"
