"""`tick next`, `why`, `verify`, `slot`, `backfill`, `pause`, `resume`, `plan`, `simulate`."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.cli.conftest import CommandLine
from tick.cli.exit_status import ExitStatus
from tick.store.tables import job_schedule, occurrence, setting

REPORT = "monthly-report"


@pytest.fixture
def known_for_months(tick: CommandLine) -> CommandLine:
    """The report's schedule is known, switched on and without a tick since 100 days ago."""
    tick.good("enable", REPORT)
    since = datetime.now(UTC) - timedelta(days=100)
    with tick.database.write.begin() as connection:
        s = job_schedule.c
        connection.execute(
            sa.update(job_schedule)
            .where(s.id == REPORT)
            .values(decided_to=since, created_at=since, next_run_at=since)
        )
        connection.execute(
            sa.text("UPDATE schedule_version SET since = :since").bindparams(
                sa.bindparam("since", since, type_=s.created_at.type)
            )
        )
    tick.good("now")
    return tick


def missed(tick: CommandLine) -> sa.Row[tuple[datetime, int]]:
    o = occurrence.c
    (row,) = tick.rows(
        sa.select(o.scheduled_for, o["count"].label("many")).where(o.outcome == "MISSED")
    )
    return row


def test_next_lists_what_is_on_and_with_off_everything(tick: CommandLine) -> None:
    assert "tick enable" in tick("next").stderr
    tick.good("enable", REPORT)
    assert {row["schedule_id"] for row in tick.json("next")} == {REPORT}
    assert len(tick.json("next", "-n", "3", "--every", "--with-off")) == 3


def test_why_answers_in_a_sentence_and_with_facts(known_for_months: CommandLine) -> None:
    at = missed(known_for_months).scheduled_for.isoformat()
    said = known_for_months.good("why", REPORT, at)
    assert "did not fire (MISSED): no tick came in time" in said.splitlines()[0]
    assert "  tick after:" in said
    assert known_for_months.json("why", REPORT, at)["occurrence_id"] == 1
    assert "no ISO instant" in known_for_months.bad("why", REPORT, "yesterday", status=2)


def test_an_instant_on_another_clock_is_told_in_utc(tick: CommandLine) -> None:
    said = tick.good("why", REPORT, "2026-03-02T09:30+05:00")
    assert said.startswith(f"{REPORT} was not due at 2026-03-02 04:30:00 UTC")


def test_verify_proves_and_its_exit_status_tells(known_for_months: CommandLine) -> None:
    said = known_for_months.good("verify", "--from", "2020-01-01")
    assert said.splitlines()[-1] == "No duplicate and no unexplained gap."
    with known_for_months.database.write.begin() as connection:
        connection.execute(sa.delete(occurrence))
    result = known_for_months("verify", "--from", "2020-01-01")
    assert result.exit_code == 1
    assert "are missing in the ledger" in result.stdout


def test_a_slot_is_run_by_name_and_instant(known_for_months: CommandLine) -> None:
    at = missed(known_for_months).scheduled_for.isoformat()
    assert known_for_months.json("slot", REPORT, at) == {"occurrences": [1], "outcomes": []}
    assert "fired already" in known_for_months.bad("slot", REPORT, at)


def test_a_backfill_counts_and_asks_first(known_for_months: CommandLine) -> None:
    row = missed(known_for_months)
    window = ("--from", row.scheduled_for.isoformat(), "--to", "2100-01-01")
    refused = known_for_months("backfill", REPORT, *window, stdin="n\n")
    assert refused.exit_code == 1
    assert f"{row.many} instants would run, " in refused.stdout
    said = known_for_months.good("backfill", REPORT, *window, "--yes")
    assert "Backfill 1 is begun, and ticks work it off; " in said
    assert known_for_months.json("backfills", "show", "1")["total"] == row.many
    known_for_months.good("now")
    assert known_for_months.json("backfills", "show", "1")["queued"] > 0


def test_a_pause_has_a_reason_and_resume_says_what_passed(tick: CommandLine) -> None:
    tick.good("enable", REPORT)
    assert "--reason" in tick.bad("pause", REPORT, status=2)
    assert tick.good("pause", REPORT, "--reason", "year end") == (
        f"{REPORT} is paused until `tick resume {REPORT}`.\n"
    )
    assert tick.good("resume", REPORT).startswith(f"{REPORT} goes on; 0 instants passed")
    assert "nothing to resume" in tick.bad("resume", REPORT)


def test_plan_of_an_unchanged_project_changes_nothing_and_ends_with_0(tick: CommandLine) -> None:
    assert tick.good("plan") == "Nothing changes.\n"
    assert tick.json("plan")["changes_nothing"] is True


def test_a_plan_that_changes_something_ends_with_a_status_of_its_own(unsynced: CommandLine) -> None:
    result = unsynced("plan")
    assert result.exit_code == ExitStatus.CHANGES == 5
    assert f"{REPORT}: added, and switched off until somebody switches it on" in result.stdout
    assert result.stdout.splitlines()[-1] == "Nothing fires on deploy."


def test_a_plan_lists_what_a_newer_calculator_moves_and_the_doctor_counts_it(
    tick: CommandLine,
) -> None:
    tick.good("enable", REPORT)
    with tick.database.write.begin() as connection:
        mine = sa.select(job_schedule.c.next_run_at).where(job_schedule.c.id == REPORT)
        stored = connection.execute(mine).scalar_one() + timedelta(hours=1)
        connection.execute(sa.update(job_schedule).values(next_run_at=stored))
        its = sa.update(setting).where(setting.c.name == "calculator")
        connection.execute(its.values(value={"version": "rule 0, croniter 1.0"}))
    result = tick("plan")
    assert result.exit_code == ExitStatus.CHANGES
    counted, move, *_ = result.stdout.splitlines()
    assert counted.startswith("moved: 1 instant of 1 schedule within twelve months, by calculator ")
    assert move == f"  {REPORT}: {stored:%Y-%m-%d %H:%M} UTC → {stored:%Y-%m-%d} 00:00 UTC"
    assert "Moved within the next twelve months, by calculator" in tick("doctor").stdout


def test_simulate_shows_what_an_outage_would_do(tick: CommandLine) -> None:
    said = tick.good(
        "simulate",
        *("--from", "2026-01-31", "--to", "2026-04-02", "--tick-every", "5m"),
        *("--down", "2026-02-28T20:00Z..2026-03-01T06:00Z"),
    )
    assert f"2026-03-01 00:00 {REPORT} MISSED x1: no tick came in time" in said
    assert said.endswith("No duplicate and no unexplained gap.\n")
    assert "ends before it starts" in tick.bad(
        "simulate",
        *("--from", "2026-01-31", "--to", "2026-04-02", "--down", "2026-03-02..2026-03-01"),
        status=2,
    )
