"""What is over is kept as long as runs are; what is open stays."""

from datetime import timedelta

import sqlalchemy as sa

from tests.notify.conftest import Alerting
from tests.notify.receivers import HttpReceiver
from tests.notify.test_rules import end_all, fire, hourly
from tests.support.factories import TESTER
from tick.engine.ledger.audit import Act
from tick.engine.statistics.prune import Keep, count_prunable, prune_all
from tick.ops.actions import alerts
from tick.settings import Settings
from tick.store.tables import alert, alert_attempt, alert_delivery, alert_mute

TABLES = (alert, alert_delivery, alert_attempt, alert_mute)


def test_alerts_go_with_their_messages_when_they_are_long_over(alerting: Alerting) -> None:
    world = alerting.world
    world.disable()
    alerting.tick_on(10)
    world.now += timedelta(seconds=181)
    alerting.run_until_sent()
    until = world.now + timedelta(hours=1)
    alerts.mute(world.database, Act(world.now, TESTER, reason="x"), until=until)
    assert prunable(alerting, days=91) == {"alert": 0, "alert_delivery": 0, "alert_mute": 1}
    alerting.tick_on(1)
    alerting.run_once()
    assert prunable(alerting, days=89) == {"alert": 0, "alert_delivery": 0, "alert_mute": 0}
    assert prunable(alerting, days=91)["alert"] == 1
    now = world.now + timedelta(days=91)
    gone, done = prune_all(world.database.write, now, Keep.of(Settings()))
    assert (gone["alert"], gone["alert_mute"], done) == (1, 1, True)
    assert [world.rows(sa.select(sa.func.count()).select_from(t))[0][0] for t in TABLES] == [0] * 4


def test_deliveries_to_a_removed_channel_are_pruned(
    all_channels: Alerting, hook: HttpReceiver
) -> None:
    hands = hourly(all_channels)
    hook.status = 500
    fire(all_channels)
    end_all(hands)
    all_channels.run_once()
    assert "OWED" in {row.status for row in all_channels.deliveries() if not row.alert_id}
    assert prunable(all_channels, days=89)["alert_delivery"] == 0
    now = all_channels.world.now + timedelta(days=91)
    gone, _ = prune_all(all_channels.world.database.write, now, Keep.of(Settings()))
    assert gone["alert_delivery"] == 1


def prunable(alerting: Alerting, days: int) -> dict[str, int]:
    """What of alerts a pruning would delete so many days later."""
    now = alerting.world.now + timedelta(days=days)
    with alerting.world.database.read.connect() as connection:
        found = count_prunable(connection, now, Keep.of(Settings()))
    return {name: count for name, count in found.items() if name.startswith("alert")}
