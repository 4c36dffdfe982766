"""`tick alerts …`: what is wrong, who was told, what is muted."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.cli.conftest import CommandLine
from tests.notify.receivers import HttpReceiver, http_receiver
from tick import clock
from tick.engine.ledger.tick_log import TickRow, record_tick
from tick.notify.dispatcher import NotificationDispatcher
from tick.runtime import Runtime
from tick.settings import Settings
from tick.store.tables import audit_entry

SECRET = "a webhook secret for tests"


@pytest.fixture
def hook() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def silent(tick: CommandLine) -> CommandLine:
    """The last tick came ten minutes ago, and somebody has noticed."""
    at = clock.now() - timedelta(minutes=10)
    row = TickRow("one", "cron", at, at, 0.1, 0, 0, 0, 0, 0, None, False, None)
    with tick.database.write.begin() as connection:
        record_tick(connection, row)
    NotificationDispatcher(Runtime(Settings(), tick.database)).run_once()
    return tick


def test_a_system_that_is_well_says_so(tick: CommandLine) -> None:
    result = tick("alerts", "list")
    assert (result.exit_code, "Nothing is wrong" in result.output) == (0, True)


def test_what_is_wrong_is_listed_and_is_the_exit_status(silent: CommandLine) -> None:
    result = silent("alerts", "list")
    assert result.exit_code == 1
    assert "The scheduler does not tick" in result.stdout
    assert "The scheduler does not tick" in silent.good("alerts", "list", "--all")
    assert silent("alerts", "list", "--rule", "failed").exit_code == 0


def test_an_alert_says_who_was_told(silent: CommandLine) -> None:
    said = silent.good("alerts", "show", "1")
    assert "by cron" in said
    assert silent.json("alerts", "show", "1")["deliveries"] == []
    assert "There is no alert 7" in silent.bad("alerts", "show", "7")


def test_a_mute_has_a_reason_and_an_end_and_can_be_ended(silent: CommandLine) -> None:
    said = silent.good("alerts", "mute", "--rule", "silent", "--for", "2h", "--reason", "we move")
    assert "tick alerts unmute 1" in said
    assert "we move" in silent.good("alerts", "mutes")
    assert silent.json("alerts", "list", "--all")[0]["muted"] is True
    assert silent.good("alerts", "unmute", "1") == "Mute 1 is over.\n"
    assert silent.good("alerts", "unmute", "1") == "Mute 1 was over.\n"
    actions = [row.action for row in silent.rows(sa.select(audit_entry.c.action))]
    assert {"alert.mute", "alert.unmute"} <= set(actions)


def test_a_mute_without_an_end_is_refused(silent: CommandLine) -> None:
    assert "--for or --until" in silent.bad("alerts", "mute", "--reason", "x", status=2)


def test_what_ends_by_itself_is_not_closed_by_hand(silent: CommandLine) -> None:
    assert "ends by itself" in silent.bad("alerts", "close", "1")


def test_every_channel_is_tested(tick: CommandLine, hook: HttpReceiver) -> None:
    settings = {"TICK_WEBHOOK_URLS": hook.url, "TICK_WEBHOOK_SECRET": SECRET}
    result = tick("alerts", "test", **settings)
    assert (result.exit_code, "took it" in result.stdout) == (0, True)
    hook.status = 500
    result = tick("alerts", "test", **settings)
    assert result.exit_code == 1
    assert "500 Internal Server Error" in result.stdout


def test_without_a_channel_the_test_says_what_to_set(tick: CommandLine) -> None:
    result = tick("alerts", "test")
    assert result.exit_code == 1
    assert "TICK_ALERT_URLS" in result.output


def test_a_tick_from_the_command_line_tells_what_it_finds(
    silent: CommandLine, hook: HttpReceiver
) -> None:
    settings = {"TICK_WEBHOOK_URLS": hook.url, "TICK_WEBHOOK_SECRET": SECRET}
    silent.good("now", **settings)
    kinds = [b"alert.resolved" in request.body for request in hook.requests]
    assert kinds == [False, True]
