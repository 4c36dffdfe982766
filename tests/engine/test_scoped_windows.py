"""Windows for labels and windows in code: what they hold, and what happens to them meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER, World, a_job, a_schedule
from tick.define.calendars import Calendar
from tick.define.schedules import Schedule
from tick.define.windows import Window
from tick.engine.ledger.audit import Act
from tick.engine.ledger.windows import Scope, end_of_window, weekly
from tick.engine.schedules.mutes import quiet_in_windows
from tick.errors import DefinitionsInvalid, NotFound, Refused
from tick.ops.actions import switches, windows
from tick.ops.reports import why
from tick.ops.reports.deploy_plan import plan_deploy
from tick.ops.reports.verify import verify
from tick.settings import Settings
from tick.states import AfterWindow
from tick.store.tables import alert, audit_entry, maintenance_window, occurrence
from tick.ticks.simulation import simulate as simulate_registry

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SUNDAY = datetime(2026, 3, 1, tzinfo=UTC)
JOBS = (a_job("a"),)
_w, _o = maintenance_window.c, occurrence.c


def books(**parts: Any) -> Schedule:
    parts.setdefault("labels", ("finance",))
    return a_schedule("books", cron="30 * * * *", **parts)


@pytest.fixture
def team(world: World) -> World:
    """Two schedules that fire each half hour past, one of finance."""
    world.now = SUNDAY
    world.define(books(), a_schedule("other", cron="30 * * * *"), jobs=JOBS)
    world.enable("books")
    world.enable("other")
    return world


def plan(world: World, hours: float, then: AfterWindow = AfterWindow.SKIP, **given: Any) -> int:
    given.setdefault("scope", Scope(label="finance"))
    act = Act(world.now, TESTER, reason="new disks")
    times = {"starts_at": world.now, "ends_at": world.now + hours * HOUR}
    return windows.add_window(world.database, act, then=then, **times, **given)


def tick_to(world: World, hours: float) -> None:
    """Tick each hour, at half past, up to so many hours after midnight."""
    while (following := world.now.replace(minute=30) + HOUR * (world.now.minute >= 30)) <= (
        SUNDAY + hours * HOUR
    ):
        world.tick(following)
        world.finish_runs()


def outcomes(world: World, schedule_id: str) -> list[str]:
    return [outcome for outcome, _, _ in world.ledger(schedule_id)]


def held(world: World, schedule_id: str = "books") -> list[tuple[Any, ...]]:
    columns = (_o.outcome, _o.held_by, _o.held_until)
    query = sa.select(*columns).where(_o.schedule_id == schedule_id).order_by(_o.scheduled_for)
    return [tuple(row) for row in world.rows(query)]


def is_proven(world: World) -> bool:
    proof = verify(world.database, SUNDAY - HOUR, world.now)
    assert proof.violations == ()
    return proof.ok


def explained(world: World, at: datetime) -> why.Why:
    with world.database.read.connect() as connection:
        return why.explain(connection, "books", at, world.now)


def test_a_window_of_a_label_closes_for_those_that_have_it_alone(team: World) -> None:
    plan(team, 2)
    tick_to(team, 3)
    assert outcomes(team, "books") == ["BLACKOUT", "BLACKOUT", "SUCCESS"]
    assert outcomes(team, "other") == ["SUCCESS"] * 3
    assert "of label finance" in explained(team, SUNDAY + HOUR / 2).sentence
    assert is_proven(team)


def test_a_window_of_a_label_is_over_to_the_releases_before(team: World) -> None:
    plan(team, 2)
    (row,) = team.rows(sa.select(maintenance_window))
    assert (row.ends_at, row.over_at, row.until_at) == (SUNDAY, SUNDAY, SUNDAY + 2 * HOUR)
    end_window(team, row.id, SUNDAY + HOUR)
    (row,) = team.rows(sa.select(maintenance_window))
    assert (row.ends_at, row.over_at, row.until_at) == (SUNDAY, SUNDAY, SUNDAY + HOUR)


def end_window(world: World, window_id: int, at: datetime) -> None:
    windows.end_window(world.database, Act(at, TESTER), window_id)


def test_the_same_window_of_a_label_asked_for_again_is_the_one_that_is_there(team: World) -> None:
    times = {"starts_at": None, "ends_at": None, "scope": Scope(label="finance")}
    recurs = weekly("Sun 02:00-04:00", "Europe/Berlin")
    for minutes in (0, 1):
        act = Act(team.now + timedelta(minutes=minutes), TESTER, reason="backups")
        assert windows.add_window(team.database, act, recurs=recurs, **times) == 1


def test_a_window_is_for_a_schedule_or_for_a_label(team: World) -> None:
    with pytest.raises(Refused, match="name one of them"):
        plan(team, 2, scope=Scope("books", "finance"))
    with pytest.raises(Refused, match="write a label in lower-case"):
        plan(team, 2, scope=Scope(label="Much money"))
    with pytest.raises(NotFound):
        plan(team, 2, scope=Scope("nobody"))


def test_what_a_window_of_a_label_holds_fires_after_it_once(team: World) -> None:
    plan(team, 3, AfterWindow.RUN)
    tick_to(team, 3)
    assert held(team) == []
    team.tick(SUNDAY + 3 * HOUR)
    until = SUNDAY + 3 * HOUR
    assert held(team) == [("COALESCED", "WINDOW", until), ("QUEUED", "WINDOW", until)]
    assert is_proven(team)


def test_why_names_who_held_an_instant_and_until_when(team: World) -> None:
    plan(team, 2, AfterWindow.RUN)
    tick_to(team, 2)
    team.tick(SUNDAY + 2 * HOUR)
    told = explained(team, SUNDAY + 1.5 * HOUR)
    assert "It was held until 2026-03-01 02:00:00 UTC by a maintenance window" in told.sentence
    assert ("held by", "WINDOW until 2026-03-01 02:00:00 UTC") in [
        (fact.name, fact.text) for fact in told.facts
    ]


def test_losing_the_label_lets_go_what_its_window_held_up_to_then(team: World) -> None:
    plan(team, 9, AfterWindow.RUN)
    tick_to(team, 3)
    assert held(team) == []
    team.now = SUNDAY + 2.75 * HOUR
    team.define(books(labels=()), a_schedule("other", cron="30 * * * *"), jobs=JOBS)
    team.tick(SUNDAY + 2.76 * HOUR)
    lost_at = SUNDAY + 2.75 * HOUR
    assert held(team) == [("COALESCED", "WINDOW", lost_at), ("QUEUED", "WINDOW", lost_at)]
    team.finish_runs()
    tick_to(team, 5)
    assert outcomes(team, "books")[2:] == ["SUCCESS", "SUCCESS"]
    assert is_proven(team)


def test_a_label_that_comes_meanwhile_closes_from_then_on(team: World) -> None:
    plan(team, 5)
    tick_to(team, 2)
    team.now = SUNDAY + 2 * HOUR
    other = a_schedule("other", cron="30 * * * *", labels=("finance",))
    team.define(books(), other, jobs=JOBS)
    tick_to(team, 6)
    assert outcomes(team, "other") == ["SUCCESS"] * 2 + ["BLACKOUT"] * 3 + ["SUCCESS"]
    assert is_proven(team)


def test_a_window_that_holds_and_ends_early_lets_its_instants_go_with_that_end(
    team: World,
) -> None:
    number = plan(team, 9, AfterWindow.RUN)
    tick_to(team, 2)
    end_window(team, number, SUNDAY + 1.75 * HOUR)
    team.tick(SUNDAY + 1.76 * HOUR)
    assert held(team)[-1] == ("QUEUED", "WINDOW", SUNDAY + 1.75 * HOUR)
    assert is_proven(team)


def test_what_is_paused_in_a_window_stays_suppressed_after_it(team: World) -> None:
    plan(team, 3, AfterWindow.RUN)
    tick_to(team, 1)
    team.now = SUNDAY + HOUR
    switches.pause_schedule(team.database, Act(team.now, TESTER, "year end"), "books")
    tick_to(team, 2)
    team.now = SUNDAY + 2 * HOUR
    switches.resume_schedule(team.database, Act(team.now, TESTER), "books")
    tick_to(team, 3)
    team.tick(SUNDAY + 3 * HOUR)
    # Those from before the pause and in it are its; the one after it was held, and fires.
    assert outcomes(team, "books") == ["SUPPRESSED", "QUEUED"]
    assert is_proven(team)


def test_a_renamed_schedule_takes_its_recurring_window_and_its_labels_along(team: World) -> None:
    act = Act(team.now, TESTER, reason="backups")
    recurs = weekly("00:00-02:00", "UTC")
    given = {"starts_at": None, "ends_at": None, "recurs": recurs, "scope": Scope("books")}
    windows.add_window(team.database, act, **given)
    tick_to(team, 1)
    team.define(
        a_schedule("ledger", cron="30 * * * *", renamed_from="books", labels=("finance",)),
        a_schedule("other", cron="30 * * * *"),
        jobs=JOBS,
    )
    tick_to(team, 3)
    assert outcomes(team, "ledger") == ["BLACKOUT", "BLACKOUT", "SUCCESS"]
    assert team.schedule("ledger").labels == ["finance"]
    assert is_proven(team)


def test_a_calendar_drops_its_instants_in_a_window_that_holds_as_well(world: World) -> None:
    monday = world.now = SUNDAY + DAY
    world.calendars = (Calendar("ours", dates={"2026-03-03": "founders' day"}),)
    daily = a_schedule("books", cron="30 1 * * *", calendar="ours", labels=("finance",))
    world.define(daily, jobs=JOBS)
    world.enable("books")
    plan(world, 60, AfterWindow.RUN)
    world.tick(monday + 60 * HOUR)
    assert [row[0] for row in held(world)] == ["COALESCED", "BLACKOUT", "QUEUED"]
    assert held(world)[1][1:] == (None, None)
    assert is_proven(world)


def test_what_the_storm_brake_leaves_of_a_window_is_still_held_by_it(team: World) -> None:
    tick_to(team, 1)
    team.now = SUNDAY + HOUR
    plan(team, 1, AfterWindow.RUN, scope=Scope())
    tick_to(team, 2)
    left = SUNDAY + 2 * HOUR
    team.settings = Settings(max_runs_per_tick=1)
    for minutes in (0, 1):  # one run a tick: the other schedule's firing waits for the next
        assert team.tick(left + timedelta(minutes=minutes)).runs == 1
    rows = held(team)[1:] + held(team, "other")[1:]
    assert rows == [("QUEUED", "WINDOW", left)] * 2


def test_an_alert_about_time_waits_while_a_window_of_its_schedule_lasts(team: World) -> None:
    plan(team, 2)
    rows = [("books", "missed"), ("books", "failed"), ("other", "missed")]
    with team.database.write.begin() as connection:
        for number, (schedule_id, rule) in enumerate(rows):
            values = {"key": str(number), "rule": rule, "schedule_id": schedule_id}
            said = {"title": "x", "message": "y", "at": SUNDAY}
            connection.execute(sa.insert(alert).values(**values, **said))
    with team.database.read.connect() as connection:
        quiet = quiet_in_windows(connection, SUNDAY + HOUR)
        assert quiet is not None
        waits = connection.execute(sa.select(alert.c.key).where(quiet)).scalars().all()
        assert waits == ["0"]
        assert quiet_in_windows(connection, SUNDAY + 2 * HOUR) is None


def nightly(**parts: Any) -> Window:
    parts.setdefault("weekly", "Sun 02:00-04:00")
    parts.setdefault("labels", ("finance",))
    return Window("maintenance", **parts, timezone="Europe/Berlin", source="tests:1")


def define(world: World, *planned: Window) -> None:
    world.define(books(), a_schedule("other", cron="30 * * * *"), jobs=JOBS, windows=planned)


def in_force(world: World) -> list[tuple[Any, ...]]:
    columns = (_w.name, _w.schedule_id, _w.label, _w.cron, _w.end_cron, _w.timezone)
    query = sa.select(*columns).where(end_of_window > world.now).order_by(_w.id)
    return [tuple(row) for row in world.rows(query)]


def test_a_window_in_code_is_opened_by_a_sync_once_and_ends_with_its_removal(team: World) -> None:
    define(team, nightly())
    row = ("maintenance", None, "finance", "0 2 * * 0", "0 4 * * 0", "Europe/Berlin")
    assert in_force(team) == [row]
    team.now += HOUR / 4
    define(team, nightly())
    assert len(team.rows(sa.select(maintenance_window))) == 1
    tick_to(team, 4)  # 02:00 to 04:00 in Berlin is 01:00 to 03:00
    assert outcomes(team, "books") == ["SUCCESS", "BLACKOUT", "BLACKOUT", "SUCCESS"]
    define(team)
    team.now += timedelta(minutes=1)
    assert in_force(team) == []
    actions = sa.select(audit_entry.c.action).where(audit_entry.c.action.startswith("window."))
    assert [entry.action for entry in team.rows(actions)] == ["window.add", "window.end"]
    assert is_proven(team)


def test_a_window_in_code_that_changes_ends_and_opens_anew(team: World) -> None:
    define(team, nightly())
    team.now += HOUR
    define(team, nightly(then="run", labels=(), schedules=("books", "other")))
    team.now += timedelta(minutes=1)
    assert [(row[1], row[2]) for row in in_force(team)] == [("books", None), ("other", None)]
    assert len(team.rows(sa.select(maintenance_window))) == 3


def test_a_window_in_code_is_not_ended_by_hand_nor_the_same_as_one_that_is(team: World) -> None:
    define(team, nightly())
    with pytest.raises(Refused, match="Window 1 lives in code: take `Window\\('maintenance'"):
        end_window(team, 1, team.now)
    act = Act(team.now, TESTER, reason="planned in the definitions")
    recurs = weekly("Sun 02:00-04:00", "Europe/Berlin")
    given = {"starts_at": None, "ends_at": None, "scope": Scope(label="finance")}
    assert windows.add_window(team.database, act, recurs=recurs, **given) == 2


def test_a_plan_shows_what_becomes_of_windows_in_code(team: World) -> None:
    def planned() -> list[tuple[str, str, str]]:
        with team.database.read.connect() as connection:
            found = plan_deploy(connection, team.registry, team.now)
        return [(each.name, each.what, each.words) for each in found.windows]

    assert planned() == []
    team.windows = (nightly(),)
    words = "Sun 02:00-04:00 (Europe/Berlin): label finance do not fire"
    assert planned() == [("maintenance", "added", words)]
    define(team, nightly())
    assert planned() == []
    team.windows = (nightly(then="run"),)
    assert planned()[0][1] == "changed"
    team.windows = ()
    assert planned() == [("maintenance", "removed", "")]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"weekly": "at night"}, "no time of the week"),
        ({"weekly": None}, "say when: weekly="),
        ({"weekly": None, "cron": "0 2 * * 0"}, "give both"),
        ({"cron": "0 2 * * 0"}, "leave out cron and length"),
        ({"weekly": None, "cron": "0 * * * *", "length": HOUR}, "begins again before it ends"),
        ({"weekly": "00:00-24:00"}, "begins again before it ends"),
        ({"schedules": ("book",)}, "which is not defined (did you mean 'books'?)"),
        ({"labels": "finance"}, "labels is the text 'finance'"),
        ({"then": "later"}, "then 'later' is none of"),
        ({"reason": " "}, "reason says why"),
        ({"starts_at": datetime(2026, 3, 1)}, "must be a datetime with a time zone"),
        ({"starts_at": SUNDAY, "ends_at": SUNDAY}, "ends_at must be later"),
    ],
)
def test_a_mistake_in_a_window_is_told_with_its_place(
    team: World, parts: dict[str, Any], said: str
) -> None:
    with pytest.raises(DefinitionsInvalid) as refused:
        define(team, nightly(**parts))
    assert "tests:1: window 'maintenance': " in str(refused.value)
    assert said in str(refused.value)


def test_a_window_by_the_clock_ends_by_it_when_the_clocks_change(world: World) -> None:
    spring = datetime(2026, 3, 29, tzinfo=UTC)
    often = a_schedule("books", cron="*/30 * * * *", labels=("finance",))
    world.jobs, world.schedules, world.windows = JOBS, (often,), (nightly(),)
    for day, closed in ((spring, 2), (datetime(2026, 10, 25, tzinfo=UTC), 6)):
        found = simulate_registry(world.registry, day - HOUR, day + 6 * HOUR)
        assert found.verified.ok
        count = sum(line.count for line in found.lines if line.outcome == "BLACKOUT")
        assert count == closed


def test_a_simulation_goes_by_the_windows_in_code(world: World) -> None:
    world.jobs, world.schedules = JOBS, (books(),)
    world.windows = (nightly(then="run"),)
    found = simulate_registry(world.registry, SUNDAY, SUNDAY + 7 * DAY)
    assert found.verified.ok
    assert {line.outcome for line in found.lines} == {"SUCCESS", "COALESCED"}


def test_a_proof_finds_what_no_window_explains(team: World) -> None:
    plan(team, 2)
    tick_to(team, 3)
    assert is_proven(team)

    def violations(statement: sa.Update) -> list[str]:
        with team.database.write.begin() as connection:
            connection.execute(statement)
        found = verify(team.database, SUNDAY - HOUR, team.now)
        return [each.message for each in found.violations]

    rows = sa.update(occurrence).where(_o.schedule_id == "books")
    late = _o.scheduled_for > SUNDAY + 2 * HOUR
    fired = rows.where(late).values(outcome="BLACKOUT", reason_kind="WINDOW", runs=0)
    assert any("is BLACKOUT for a window, and none" in each for each in violations(fired))
    kept = rows.where(late).values(
        outcome="SUCCESS", reason_kind=None, held_by="WINDOW", held_until=SUNDAY + HOUR
    )
    assert any("when no window of it ended" in each for each in violations(kept))
    other = sa.update(maintenance_window).values(label=None, schedule_id="other")
    assert any("although at 2026-03-01 00:30:00 UTC a window" in each for each in violations(other))


def test_a_schedule_without_scoped_windows_pays_no_look_at_labels(team: World) -> None:
    seen: list[str] = []
    sa.event.listen(
        team.database.write, "before_cursor_execute", lambda *given: seen.append(given[2])
    )
    team.tick(SUNDAY + HOUR / 2)
    assert seen
    assert not any("SELECT job_schedule.id, job_schedule.labels" in each for each in seen)
