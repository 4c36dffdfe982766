"""Alerts: what is wrong, who was told, what is muted."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tick.define.alerts import NAMES
from tick.ops.actions import alerts
from tick.ops.queries import alerts as queries
from tick.ops.queries.alerts import AlertDetail, AlertList, Mute
from tick.ops.queries.nearest import choose_from
from tick.ops.schemas.alerts import ChannelTest, ChannelTests, Muted
from tick.ops.schemas.work import Changed
from webapp import dispatcher
from webapp.api import caller
from webapp.api.models import Body, Id, Instant, Name, Nothing, Page, Query, Reason, with_address
from webapp.api.operations import Resource
from webapp.services import now, reading, runtime

resource = Resource("alerts", "What is wrong, who was told of it, and what is muted.")


def _rule(name: str) -> str:
    """The name of a rule: by one that there is not, nothing would seem to be wrong."""
    if name not in NAMES:
        raise ValueError(choose_from(name, NAMES))
    return name


Rule = Annotated[Name, AfterValidator(_rule)]


class MuteList(Page[Mute]):
    """The mutes that last."""


class AlertQuery(Query):
    """Which alerts."""

    state: Literal["open", "resolved"] | None = None
    rule: Rule | None = None
    schedule: Name | None = None
    before: Id | None = Field(None, description="only those with a lower id: use `next`")


class AddMute(Body):
    """Of what nothing is to be sent until an instant, within 30 days; of anything if left out."""

    schedule_id: Name | None = None
    rule: Name | None = None
    until: Instant
    reason: Reason


@resource.get("/alerts")
def list_alerts(query: AlertQuery) -> AlertList:
    """List alerts, newest first."""
    with reading() as connection:
        page = queries.list_alerts(
            connection,
            now(),
            open=None if query.state is None else query.state == "open",
            rule=query.rule,
            schedule_id=query.schedule,
            before=query.before,
        )
    return with_address(page, "before")


@resource.get("/alerts/<id:alert>")
def read_alert(alert: Id) -> AlertDetail:
    """Read an alert, and each attempt to tell of it."""
    with reading() as connection:
        return queries.get_alert(connection, alert, now())


@resource.post("/alerts/<id:alert>/close")
def close_alert(alert: Id, body: Nothing) -> Changed:
    """Call an alert settled that has no end of its own."""
    changed = alerts.close(runtime().database, alert, now=now(), author=caller.author())
    return Changed(changed=changed)


@resource.post("/alerts/test")
def test_channels(body: Nothing) -> ChannelTests:
    """Send a test message to every channel."""
    found = dispatcher.test_channels(caller.author())
    items = tuple(ChannelTest(channel=name, error=error) for name, error in found.items())
    return ChannelTests(items=items)


@resource.get("/mutes")
def list_mutes() -> MuteList:
    """List what is muted, by whom and why."""
    with reading() as connection:
        return MuteList(items=queries.list_mutes(connection, now()))


@resource.post("/mutes", status=201)
def add_mute(body: AddMute) -> Muted:
    """Send nothing of some alerts for a while; what is still wrong then is told then."""
    mute_id = alerts.mute(
        runtime().database,
        schedule_id=body.schedule_id,
        rule=body.rule,
        until=body.until,
        reason=body.reason,
        now=now(),
        author=caller.author(),
    )
    return Muted(mute_id=mute_id)


@resource.post("/mutes/<id:mute>/end")
def end_mute(mute: Id, body: Nothing, match: str | None) -> Changed:
    """End a mute before its time."""
    changed = alerts.unmute(
        runtime().database, mute, now=now(), author=caller.author(), expected=match
    )
    return Changed(changed=changed)
