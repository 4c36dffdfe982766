"""Alerts for programs: what is wrong, who was told, what is muted."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from tests.support.factories import World
from tests.webapp.api.client import Program
from tick.store.tables import alert_mute


def test_the_open_alerts_are_listed_and_read(viewer: Program) -> None:
    (row,) = viewer.get("/alerts?state=open")["items"]
    assert (row["id"], row["rule"], row["resolved_at"]) == (1, "missed", None)
    assert viewer.get("/alerts?state=resolved")["items"] == []
    assert viewer.get("/alerts?rule=failed")["items"] == []
    detail = viewer.get("/alerts/1")
    assert (detail["alert"]["title"], detail["deliveries"]) == ("t", [])


def test_an_event_is_closed(admin: Program) -> None:
    assert admin.post("/alerts/1/close") == {"changed": True}
    assert admin.post("/alerts/1/close") == {"changed": False}
    assert admin.get("/alerts/1")["alert"]["closed_by"] == "token:deployer"


def test_a_mute_is_made_listed_and_ended(admin: Program, world: World, now: datetime) -> None:
    until = (now + timedelta(hours=1)).isoformat()
    body = {"schedule_id": "daily", "until": until, "reason": "we move"}
    response = admin.ask("POST", "/mutes", body)
    assert response.status_code == 201
    made = response.get_json()
    (row,) = admin.get("/mutes")["items"]
    assert (row["id"], row["schedule_id"], row["rule"]) == (made["mute_id"], "daily", None)
    assert admin.post(f"/mutes/{made['mute_id']}/end") == {"changed": True}
    assert admin.get("/mutes")["items"] == []
    assert [each.ended_by for each in world.rows(sa.select(alert_mute))] == ["token:deployer"]


def test_without_a_channel_a_test_tells_nobody(admin: Program) -> None:
    assert admin.post("/alerts/test") == {"items": []}
