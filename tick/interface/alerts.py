"""Alerts: what is wrong, who was told, what is muted."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tick.define.alerts import NAMES
from tick.interface.inputs import Body, Id, Instant, Name, Nothing, Query, Reason, continued_at
from tick.interface.operation import Context, Resource
from tick.interface.permissions import Permission
from tick.ops.actions import alerts
from tick.ops.queries import alerts as queries
from tick.ops.queries.alerts import AlertDetail, AlertList, Mute
from tick.ops.queries.nearest import choose_from
from tick.ops.schemas import Changed, ChannelTest, ChannelTests, Muted, Page

resource = Resource("alerts", "What is wrong, who was told of it, and what is muted.")


def _rule(name: str) -> str:
    # Refused, since of a rule that there is not, nothing would seem to be wrong.
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
def list_alerts(context: Context, query: AlertQuery) -> AlertList:
    """List alerts, newest first."""
    page = context.read(
        queries.list_alerts,
        context.now,
        open=None if query.state is None else query.state == "open",
        rule=query.rule,
        schedule_id=query.schedule,
        before=query.before,
    )
    return continued_at(page, "before")


@resource.get("/alerts/<id:alert>")
def read_alert(context: Context, alert: Id) -> AlertDetail:
    """Read an alert, and each attempt to tell of it."""
    return context.read(queries.get_alert, alert, context.now)


@resource.post("/alerts/<id:alert>/close", Permission.ALERT_CLOSE)
def close_alert(context: Context, alert: Id, body: Nothing) -> Changed:
    """Call an alert settled that has no end of its own."""
    return Changed(changed=alerts.close(context.database, context.act(), alert))


@resource.post("/alerts/test", Permission.ALERT_TEST)
def test_channels(context: Context, body: Nothing) -> ChannelTests:
    """Send a test message to every channel."""
    # Not for everyone who lists alerts: it brings the libraries of all channels.
    from tick.notify.dispatcher import NotificationDispatcher

    found = NotificationDispatcher(context.runtime).test(context.author)
    items = tuple(ChannelTest(channel=name, error=error) for name, error in found.items())
    return ChannelTests(items=items)


@resource.get("/mutes")
def list_mutes(context: Context) -> MuteList:
    """List what is muted, by whom and why."""
    return MuteList(items=context.read(queries.list_mutes, context.now))


@resource.post("/mutes", Permission.ALERT_MUTE, status=201)
def add_mute(context: Context, body: AddMute) -> Muted:
    """Send nothing of some alerts for a while; what is still wrong then is told then."""
    mute_id = alerts.mute(
        context.database,
        context.act(reason=body.reason),
        schedule_id=body.schedule_id,
        rule=body.rule,
        until=body.until,
    )
    return Muted(mute_id=mute_id)


@resource.post("/mutes/<id:mute>/end", Permission.ALERT_MUTE)
def end_mute(context: Context, mute: Id, body: Nothing, revision: str | None) -> Changed:
    """End a mute before its time."""
    act = context.act(revision=revision)
    return Changed(changed=alerts.unmute(context.database, act, mute))
