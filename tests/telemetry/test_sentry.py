"""A run that failed is an event with tags; nothing else is sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from tests.support.factories import World, a_job, a_schedule
from tick.store.tables import job_run
from tick.telemetry import Telemetry
from tick.telemetry.sentry import Failures, sentry_client
from tick.ticks.tick import run_tick

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


class Sent(Transport):
    """Keeps what would have been sent."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.events += [dict(item.payload.json or {}) for item in envelope.items]


@pytest.fixture
def sent() -> Sent:
    return Sent()


def tick(world: World, sent: Sent) -> None:
    client = sentry_client("http://key@127.0.0.1/1", sent)
    runtime = world.runtime
    vars(runtime)["telemetry"] = Telemetry([Failures(client)])
    run_tick(runtime, world.now, source="test")


def test_a_failure_is_sent_once_with_tags_to_find_it_by(world: World, sent: Sent) -> None:
    world.define(a_schedule(), jobs=[a_job("fetch"), a_job("mail")])
    world.enable()
    world.tick(TWO)
    world.finish_runs()
    failed = {"status": "FAILED", "error_type": "KeyError", "error_message": "'tempo'"}
    with world.database.write.begin() as connection:
        connection.execute(
            sa.update(job_run).where(job_run.c.job_name == "fetch").values(**failed, counted=False)
        )
    world.now += timedelta(minutes=1)
    tick(world, sent)
    tick(world, sent)
    (event,) = sent.events
    run = next(run for run in world.runs() if run.job_name == "fetch")
    assert event["tags"]["run_id"] == str(run.id)
    assert event["tags"]["job"] == "fetch"
    assert event["tags"]["schedule_id"] == "daily"
    assert event["fingerprint"] == ["fetch", "KeyError"]
    assert event["exception"]["values"][0]["type"] == "KeyError"
    assert "server_name" not in event or not event["server_name"]
