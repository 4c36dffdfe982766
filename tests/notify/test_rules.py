"""What each rule notices, when it is over, and what it says."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import FAILED, RETURNED, Hands, rescue
from tests.notify.conftest import Telling
from tests.notify.receivers import MailServer
from tests.support.factories import TESTER, a_job, a_schedule
from tick import alerts
from tick.define.alerts import Rule
from tick.executors.claimed_run import ClaimedRun
from tick.notify import inputs
from tick.ops.actions import control, retries
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.settings import Settings
from tick.store.tables import job_schedule


def hourly(telling: Telling, *rules: Rule, jobs: Sequence[str] = ("match-scores",)) -> Hands:
    """One schedule that fires each hour, with these rules; and a worker."""
    world = telling.world
    world.settings = Settings(dead_after_seconds=10**6)  # nobody beats here
    schedule = a_schedule(name="Nightly", cron="0 * * * *", alerts=rules or None)
    world.define(schedule, jobs=[a_job(name) for name in jobs])
    world.enable()
    return Hands(world)


def fire(telling: Telling) -> None:
    """Tick at the next full hour, and at the minutes in between."""
    now = telling.world.now
    hour = (now + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    telling.world.tick(hour)


def end_all(hands: Hands, end: AttemptEnd = RETURNED) -> None:
    """Let the worker run what is ready, all to the same end."""
    while runs := hands.claim():
        hands.end(*runs, end=end)


def chained(telling: Telling) -> Hands:
    """The same with two jobs, of which the second depends on the first; it has fired."""
    hands = hourly(telling)
    jobs = [a_job("match-scores"), a_job("mail", depends_on=["match-scores"])]
    telling.world.define(a_schedule(name="Nightly", cron="0 * * * *"), jobs=jobs)
    fire(telling)
    return hands


def retry_alone(telling: Telling) -> None:
    """Retry the first run, and leave out what was skipped because of it."""
    world = telling.world
    again = {"now": world.now, "author": TESTER, "only": True}
    retries.retry_run(world.database, world.registry, world.runs()[0].id, **again)


def beating(telling: Telling) -> None:
    """Let the ticks be regular, so that nothing else is wrong."""
    telling.tick_on(3)


def test_twenty_failing_jobs_of_one_sync_are_one_message_that_reads_well(
    telling: Telling, mail: MailServer
) -> None:
    hands = hourly(telling, jobs=[f"job-{number:02}" for number in range(24)])
    fire(telling)
    runs = hands.claim()
    gone = AttemptEnd(
        AttemptOutcome.RAISED, error_type="ConnectionError", error_message="no route to host"
    )
    hands.end(*runs[:18], end=gone)
    hands.end(*runs[18:20], end=FAILED)
    hands.end(*runs[20:])
    telling.tell()
    assert mail.subjects == ["Nightly failed: 20 of 24 jobs"]
    assert mail.body().strip() == (
        "Nightly failed: 20 of 24 jobs\n\n"
        "Nightly of Sun 1 Mar 2026, 02:00 UTC failed. Of 24 jobs 4 succeeded, 20 failed.\n\n"
        "- job-00, job-01, job-02, job-03, job-04 and 13 more: ConnectionError: no route to host\n"
        "- job-18, job-19: ValueError: no"
    )


def test_the_fifth_failure_in_a_row_is_told_once_and_the_next_success_too(
    telling: Telling, mail: MailServer
) -> None:
    hands = hourly(telling, alerts.Failed(after=5))
    for number in range(7):
        fire(telling)
        end_all(hands, FAILED)
        telling.tell()
        assert len(mail.mails) == (number >= 4)
    assert "for the 5th time in a row" in mail.body()
    fire(telling)
    end_all(hands)
    telling.tell()
    assert mail.subjects == ["Nightly failed", "Resolved: Nightly failed"]
    assert "succeeded again, 3 h" in mail.body()


def test_a_failure_mended_before_the_next_evaluation_is_still_reported(
    telling: Telling, mail: MailServer
) -> None:
    hands = hourly(telling)
    fire(telling)
    end_all(hands, FAILED)
    fire(telling)
    end_all(hands)
    telling.tell()
    telling.tell()
    assert [row.rule for row in telling.alerts()] == ["failed"]
    assert telling.open() == []
    assert any("failed" in subject for subject in mail.subjects)


def test_a_manual_failure_is_nobodys_alert(telling: Telling) -> None:
    hands = hourly(telling)
    control.run_schedule(telling.world.database, "daily", now=telling.world.now, author=TESTER)
    end_all(hands, FAILED)
    telling.tell()
    assert telling.alerts() == []


def test_a_manual_retry_ends_the_alert_or_adds_none(
    telling: Telling,
) -> None:
    hands = hourly(telling)
    world = telling.world
    fire(telling)
    end_all(hands, FAILED)
    telling.tell()
    again = {"now": world.now, "author": TESTER, "override_overlap": True}
    retries.retry_run(world.database, world.registry, world.runs()[0].id, **again)
    end_all(hands, FAILED)
    telling.tell()
    assert telling.open() == ["failed"]
    retries.retry_run(world.database, world.registry, world.runs()[0].id, **again)
    end_all(hands)
    telling.tell()
    assert (telling.open(), len(telling.alerts())) == ([], 1)


def test_a_failure_is_not_over_while_it_is_retried(telling: Telling, mail: MailServer) -> None:
    hands = hourly(telling)
    world = telling.world
    fire(telling)
    end_all(hands, FAILED)
    telling.tell()
    again = {"now": world.now, "author": TESTER}
    retries.retry_run(world.database, world.registry, world.runs()[0].id, **again)
    telling.tell()
    assert telling.open() == ["failed"]
    end_all(hands)
    telling.tell()
    assert mail.subjects == ["Nightly failed", "Resolved: Nightly failed"]


def test_a_retry_that_leaves_runs_out_does_not_end_the_alert(
    telling: Telling, mail: MailServer
) -> None:
    hands = chained(telling)
    end_all(hands, FAILED)
    telling.tell()
    retry_alone(telling)
    end_all(hands)
    telling.tell()
    assert telling.open() == ["failed"]
    assert mail.subjects == ["Nightly failed: 1 of 2 jobs"]


def test_runs_left_out_of_a_retry_of_a_cancelled_run_are_named(
    telling: Telling, mail: MailServer
) -> None:
    hands = chained(telling)
    world = telling.world
    control.cancel_run(world.database, world.runs()[0].id, now=world.now, author=TESTER)
    retry_alone(telling)
    end_all(hands)
    telling.tell()
    assert mail.subjects == ["Nightly failed: 1 of 2 jobs was skipped, and left out of a retry"]


def test_a_cancelled_firing_that_fails_when_it_is_retried_is_told(telling: Telling) -> None:
    hands = hourly(telling)
    world = telling.world
    fire(telling)
    (run,) = world.runs()
    control.cancel_run(world.database, run.id, now=world.now, author=TESTER)
    telling.tell()
    assert telling.alerts() == []
    retries.retry_run(world.database, world.registry, run.id, now=world.now, author=TESTER)
    end_all(hands, FAILED)
    telling.tell()
    assert telling.open() == ["failed"]


def test_what_a_person_asked_for_has_no_deadline_to_miss(telling: Telling) -> None:
    hourly(telling, alerts.Deadline(timedelta(minutes=10)))
    world = telling.world
    control.disable_schedule(world.database, "daily", now=world.now, author=TESTER)
    world.now += timedelta(hours=5, minutes=30)
    asked = {"now": world.now, "author": TESTER}
    control.enable_schedule(world.database, "daily", **asked, catch_up_latest=True)
    world.tick(world.now)
    old = world.now.replace(minute=0) - timedelta(hours=2)
    control.run_slots(world.database, "daily", [old], **asked)
    telling.tell()
    assert telling.open() == []


def test_instants_that_no_tick_saw_are_told_with_how_many(
    telling: Telling, mail: MailServer
) -> None:
    hourly(telling)
    telling.world.tick(telling.world.now + timedelta(hours=3, minutes=30))
    telling.tell()
    assert telling.open() == ["missed"]
    assert mail.subjects == ["Nightly missed 4 instants"]
    assert "Sun 1 Mar 2026, 02:00 UTC to Sun 1 Mar 2026, 05:00 UTC" in mail.body()
    assert "tick slot daily" in mail.body()


def test_events_expire_after_an_hour_without_a_message(telling: Telling, mail: MailServer) -> None:
    hourly(telling)
    telling.world.tick(telling.world.now + timedelta(hours=3, minutes=30))
    telling.tell()
    fire(telling)
    telling.world.tick(telling.world.now + timedelta(minutes=32))
    telling.tell()
    assert "missed" not in telling.open()
    assert [subject for subject in mail.subjects if "Resolved" in subject] == []


def test_a_firing_that_no_worker_takes_is_told_until_it_starts(telling: Telling) -> None:
    hands = hourly(telling, alerts.LateStart(after=timedelta(minutes=5)))
    fire(telling)
    telling.tick_on(5)
    telling.round()
    assert telling.open() == []
    telling.tick_on(1)
    telling.round()
    assert telling.open() == ["late-start"]
    end_all(hands)
    telling.round()
    assert telling.open() == []


def test_alerts_beyond_the_evaluated_ones_are_not_resolved(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    hourly(telling, alerts.LateStart(after=timedelta(minutes=5)))
    fire(telling)
    telling.tick_on(6)
    telling.round()
    monkeypatch.setattr(inputs, "_LIVE", inputs._LIVE.limit(0))
    telling.round()
    assert telling.open() == ["late-start"]


def usual(telling: Telling, hands: Hands, minutes: float) -> None:
    """Six firings that each take so long."""
    for _ in range(6):
        fire(telling)
        run = claim_one(hands)
        telling.tick_on(int(minutes))
        hands.end(run)


def claim_one(hands: Hands) -> ClaimedRun:
    """Claim the one run that is ready."""
    (run,) = hands.claim()
    return run


def test_three_times_the_usual_is_long(telling: Telling, mail: MailServer) -> None:
    hands = hourly(telling)
    usual(telling, hands, 4)
    fire(telling)
    run = claim_one(hands)
    telling.tick_on(12)
    telling.round()
    assert telling.open() == []
    telling.tick_on(1)
    telling.tell()
    assert mail.subjects == ["Nightly runs for 13 min"]
    assert "Usually it takes 4 min." in mail.body()
    hands.end(run)
    telling.tell()
    assert mail.subjects[1:] == ["Resolved: Nightly runs for 13 min"]


def test_a_fixed_length_needs_no_history(telling: Telling) -> None:
    hands = hourly(telling, alerts.RunsLong(than=timedelta(minutes=2)))
    fire(telling)
    claim_one(hands)
    telling.tick_on(3)
    telling.round()
    assert telling.open() == ["runs-long"]


def test_a_deadline_is_foreseen_before_it_passes(telling: Telling, mail: MailServer) -> None:
    hands = hourly(telling, alerts.Deadline(after=timedelta(minutes=10)))
    usual(telling, hands, 8)
    fire(telling)
    telling.tick_on(1)
    telling.round()
    assert telling.open() == []
    telling.tick_on(2)
    claim_one(hands)
    telling.tell()
    assert mail.subjects == ["Nightly will miss its deadline"]
    assert "08:10 UTC" in mail.body() and "08:11 UTC" in mail.body()


def test_a_schedule_that_never_succeeds_is_told_however_it_fails(telling: Telling) -> None:
    hands = hourly(telling, alerts.NoSuccess(within=timedelta(hours=3)))
    fire(telling)
    end_all(hands)
    for _ in range(3):
        fire(telling)
        end_all(hands, FAILED)
    telling.tick_on(1)
    telling.round()
    assert telling.open() == ["no-success"]
    fire(telling)
    end_all(hands)
    telling.round()
    assert telling.open() == []


@pytest.mark.parametrize("state", ["off", "paused"])
def test_a_success_that_nobody_can_expect_is_not_missed(telling: Telling, state: str) -> None:
    hourly(telling, alerts.NoSuccess(within=timedelta(hours=3)))
    world = telling.world
    if state == "off":
        world.disable()
    else:
        why = {"now": world.now, "author": TESTER, "reason": "the database moves"}
        control.pause_schedule(world.database, "daily", **why)
    telling.tick_on(4 * 60, every=30)
    telling.round()
    assert telling.open() == []


def test_a_schedule_that_cannot_be_fired_is_told_until_somebody_resumes_it(
    telling: Telling,
) -> None:
    world = telling.world
    beating(telling)
    with world.database.write.begin() as connection:
        connection.execute(
            sa.update(job_schedule).values(
                state="ERROR", state_reason="firing failed 5 times: no.", state_at=world.now
            )
        )
    telling.round()
    assert telling.open() == ["error"]
    control.resume_schedule(world.database, "daily", now=world.now, author=TESTER)
    telling.round()
    assert telling.open() == []


def test_a_schedule_that_is_removed_while_it_is_on_is_told_once(
    telling: Telling, mail: MailServer
) -> None:
    hourly(telling)
    telling.world.define(a_schedule("other"))
    telling.tell()
    telling.tell()
    assert mail.subjects == ["Nightly was removed while it was on"]


def test_a_worker_that_dies_is_told_once(telling: Telling, mail: MailServer) -> None:
    Hands(telling.world)
    telling.world.settings = Settings(dead_after_seconds=10**6)
    telling.tick_on(3)
    rescue(telling.world)
    telling.tell()
    telling.tell()
    assert len(mail.mails) == 1
    assert mail.subjects[0].startswith("A job worker on ")


def test_no_rules_means_no_alerts_of_the_schedule(telling: Telling) -> None:
    world = telling.world
    world.define(a_schedule(cron="0 * * * *", alerts=()))
    hands = Hands(world)
    fire(telling)
    end_all(hands, FAILED)
    telling.tell()
    assert telling.alerts() == []


def test_a_change_of_the_rules_alone_makes_no_new_version(telling: Telling) -> None:
    world = telling.world
    before = world.schedule().version_id
    world.define(a_schedule(alerts=(alerts.Failed(after=2),)))
    assert world.schedule().version_id == before
    assert world.schedule().alerts["rules"] == [{"rule": "failed", "after": 2}]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([alerts.Failed()], "must be a tuple of rules"),
        (("failed",), "which is no rule"),
        ((alerts.Failed(after=0),), "after as a number from 1"),
        ((alerts.NoSuccess(within=timedelta(seconds=5)),), "at least a minute"),
        ((alerts.Failed(), alerts.Failed(after=3)), "more than once"),
    ],
)
def test_rules_that_make_no_sense_are_mistakes(rules: object, said: str) -> None:
    assert any(said in text for text in alerts.find_mistakes(rules))
