"""`tick db`, `tick user`, `tick prune`: an installation's upkeep."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.cli.conftest import CommandLine
from tick.ops.access import users
from tick.store.database import Database
from tick.store.schema import REVISION
from tick.store.tables import audit_entry, job_log, job_run, occurrence, tick_log

GOOD = "a long enough password"


def test_db_upgrade_migrates_once(unmigrated_url: str, database: Database) -> None:
    tick = CommandLine(database, unmigrated_url)
    assert tick.good("db", "upgrade") == f"empty → {REVISION}\n"
    assert tick.good("db", "upgrade") == f"at {REVISION} already\n"
    assert tick("schedules").exit_code == 0


def test_user_create_prints_a_random_password_once(tick: CommandLine) -> None:
    first, second = tick.good("user", "create", "ada", "--role", "ADMIN").splitlines()
    assert first == "ada may sign in as ADMIN."
    password = second.removeprefix("Password (shown only now): ")
    assert log_in(tick, "ada", password) == "ADMIN"
    assert password not in str(tick.rows(sa.select(audit_entry)))


def test_user_create_takes_a_password_from_standard_input(tick: CommandLine) -> None:
    said = tick.good("user", "create", "ben", "--password-stdin", stdin=f"{GOOD}\n")
    assert said == "ben may sign in as VIEWER.\n"
    assert log_in(tick, "ben", GOOD) == "VIEWER"


@pytest.mark.parametrize("stdin", ["", "\n", "short\n"], ids=["nothing", "an empty line", "short"])
def test_a_weak_password_is_refused_and_not_repeated(tick: CommandLine, stdin: str) -> None:
    said = tick.bad("user", "create", "ben", "--password-stdin", stdin=stdin)
    assert str(users.passwords.MIN_PASSWORD) in said
    assert "short" not in said
    assert "no user 'ben'" in tick.bad("user", "password", "ben")


def test_a_name_is_taken_once(tick: CommandLine) -> None:
    tick.good("user", "create", "ada")
    assert "'Ada'" in tick.bad("user", "create", "Ada")


def test_user_create_knows_the_roles(tick: CommandLine) -> None:
    assert "'ADMIN'" in tick.bad("user", "create", "ada", "--role", "ROOT", status=2)


def test_user_password_puts_a_new_one_in_the_place_of_the_old(tick: CommandLine) -> None:
    tick.good("user", "create", "ada", "--password-stdin", stdin=GOOD)
    first, second = tick.good("user", "password", "ada").splitlines()
    assert first == "The password of ada is changed."
    assert log_in(tick, "ada", GOOD) is None
    assert log_in(tick, "ada", second.removeprefix("Password (shown only now): ")) == "VIEWER"


def test_a_user_is_changed_only_as_read_if_the_revision_is_given(tick: CommandLine) -> None:
    tick.good("user", "create", "ada")
    (read,) = tick.json("user", "list")
    as_read = ("--revision", read["revision"])
    tick.good("user", "role", "ada", "ADMIN", *as_read)
    for command in (["disable", "ada"], ["role", "ada", "VIEWER"], ["password", "ada"]):
        said = tick.bad("user", *command, *as_read)
        assert "ada is ADMIN and may sign in. Read it again, then decide." in said
    assert tick.json("user", "list")[0]["active"]


def test_user_password_from_standard_input(tick: CommandLine) -> None:
    tick.good("user", "create", "ada")
    said = tick.good("user", "password", "ada", "--password-stdin", stdin=f"{GOOD}\n")
    assert said == "The password of ada is changed.\n"
    assert log_in(tick, "ada", GOOD) == "VIEWER"


def test_prune_deletes_what_is_old_and_counts_it(tick: CommandLine) -> None:
    tick.good("run", "--group", "reports")
    tick.work()
    tick("now")
    age(tick, timedelta(days=31))
    tick.good("run", "--job", "fetch")
    assert tick.good("prune") == "Deleted: 1 of tick_log.\n"
    assert "1 of occurrence" in tick.good("prune", "--keep-days", "30")
    assert [run["status"] for run in tick.json("runs")] == ["QUEUED"]
    assert tick.rows(sa.select(job_log)) == []


def test_prune_keeps_as_long_as_the_setting_says(tick: CommandLine) -> None:
    tick.good("run", "--job", "fetch")
    tick.work()
    age(tick, timedelta(days=31))
    assert "1 of occurrence" in tick.good("prune", TICK_KEEP_DAYS="30")


def test_prune_refuses_to_keep_nothing(tick: CommandLine) -> None:
    assert "--keep-days" in tick.bad("prune", "--keep-days", "0", status=2)


def log_in(tick: CommandLine, name: str, password: str) -> str | None:
    """The role of whoever signs in so."""
    user = users.log_in(tick.database, name, password, now=datetime.now(UTC))
    return None if user is None else str(user.role)


def age(tick: CommandLine, by: timedelta) -> None:
    """Let everything have happened earlier."""
    then = datetime.now(UTC) - by
    with tick.database.write.begin() as connection:
        connection.execute(sa.update(occurrence).values(decided_at=then))
        connection.execute(sa.update(job_run).values(queued_at=then, finished_at=then))
        connection.execute(sa.update(tick_log).values(started_at=then))


def test_user_sign_out_ends_sessions_and_leaves_the_password(tick: CommandLine) -> None:
    tick.good("user", "create", "ada", "--password-stdin", stdin=f"{GOOD}\n")
    assert tick.good("user", "sign-out", "ada") == "ada is signed out everywhere.\n"
    assert log_in(tick, "ada", GOOD) == "VIEWER"
    assert "no user" in tick.bad("user", "sign-out", "nobody")
