"""`tick call` calls any operation by its name, here and through a console."""

import pytest

from tests.cli.conftest import CommandLine
from tests.cli.test_remote import FarCommandLine, console, far  # noqa: F401  (fixtures)
from tick.interface.table import OPERATIONS

REPORT = "monthly-report"


@pytest.mark.parametrize("place", ["near", "far"])
def test_an_operation_is_called_with_what_it_takes(
    tick: CommandLine,
    far: FarCommandLine,  # noqa: F811
    place: str,
) -> None:
    line = far if place == "far" else tick
    assert line.json("call", "pause_queue", "queue=media", "reason=disk full") == {"changed": True}
    (queue,) = line.json("call", "list_queues")["items"]
    assert queue["paused_reason"] == "disk full"
    resumed = ("call", "resume_queue", "queue=media", f"revision={queue['revision']}")
    assert line.json(*resumed) == {"changed": True}
    paused = line.json(
        "call", "pause_schedule", f"schedule_id={REPORT}", "reason=a", "until=2100-01-01T00:00Z"
    )
    assert paused["state_until"] == "2100-01-01T00:00:00Z"
    started = line.json("call", "run_all_jobs", "params={}", "reason=audit")
    number = started["occurrence_id"]
    assert started["occurrence"] == f"/api/admin/occurrences/{number}"
    runs = line.json("call", "read_occurrence", f"occurrence_id={number}")["runs"]
    assert runs == line.json("occurrence", str(number))["runs"]


@pytest.mark.parametrize("place", ["near", "far"])
def test_many_schedules_are_resumed_at_once(
    tick: CommandLine,
    far: FarCommandLine,  # noqa: F811
    place: str,
) -> None:
    line = far if place == "far" else tick
    tick.good("enable", REPORT)
    tick.good("pause", REPORT, "--reason", "year end")
    found = line.json("call", "resume_schedules", f'schedule_ids=["{REPORT}", "yearly"]')
    assert found["done"] == [REPORT]
    assert list(found["refused"]) == ["yearly"]
    assert tick.json("audit")[0]["action"] == "schedules.resume"


def test_without_a_name_it_lists_every_operation(tick: CommandLine) -> None:
    listed = tick.json("call")
    assert [each["name"] for each in listed] == list(OPERATIONS)
    assert "pause_queue\tqueue.edit\tLet no run of a queue be claimed" in tick.good("call")


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        ("pause_queu", 2, "did you mean pause_queue?"),
        ("pause_queue media", 2, "write NAME=VALUE"),
        ("pause_queue reason=disk", 2, "takes queue as well"),
        ("pause_queue queue=media", 1, "body.reason: Field required"),
        ("pause_queue queue=media reason=5", 1, "body.reason: Input should be a valid string"),
        ("pause_queue queue=media raeson=disk", 1, "did you mean reason?"),
        ("read_run run_id=x", 1, "path.run_id: is no id"),
        ("list_runs status=FIALED", 1, "query.status"),
        ("create_schedule name=Late cron=monthly", 1, "not five: write"),
    ],
)
@pytest.mark.parametrize("place", ["near", "far"])
def test_a_call_that_does_not_fit_says_what_to_write(
    tick: CommandLine,
    far: FarCommandLine,  # noqa: F811
    call: str,
    status: int,
    said: str,
    place: str,
) -> None:
    line = far if place == "far" else tick
    assert said in line.bad("call", *call.split(), status=status)
