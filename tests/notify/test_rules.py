"""What each rule notices, when it is over, and what it says."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.engine.worker_steps import FAILED, RETURNED, Hands, rescue
from tests.notify.conftest import Alerting
from tests.notify.receivers import MailServer
from tests.support.factories import TESTER, a_job, a_schedule
from tick import alerts
from tick.define.alerts import Rule
from tick.engine.ledger.audit import Act
from tick.executors.claimed_run import ClaimedRun
from tick.notify import inputs
from tick.ops.actions import cancellation, retries, run_now, switches
from tick.policy.retry import AttemptEnd, AttemptOutcome
from tick.settings import Settings
from tick.store.tables import job_schedule


def hourly(alerting: Alerting, *rules: Rule, jobs: Sequence[str] = ("match-scores",)) -> Hands:
    """One schedule that fires each hour, with these rules; and a worker."""
    world = alerting.world
    world.settings = Settings(dead_after_seconds=10**6)  # nobody beats here
    schedule = a_schedule(name="Nightly", cron="0 * * * *", alerts=rules or None)
    world.define(schedule, jobs=[a_job(name) for name in jobs])
    world.enable()
    return Hands(world)


def fire(alerting: Alerting) -> None:
    """Tick at the next full hour, and at the minutes in between."""
    now = alerting.world.now
    hour = (now + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    alerting.world.tick(hour)


def end_all(hands: Hands, end: AttemptEnd = RETURNED) -> None:
    """Let the worker run what is ready, all to the same end."""
    while runs := hands.claim():
        hands.end(*runs, end=end)


def chained(alerting: Alerting) -> Hands:
    """The same with two jobs, of which the second depends on the first; it has fired."""
    hands = hourly(alerting)
    jobs = [a_job("match-scores"), a_job("mail", depends_on=["match-scores"])]
    alerting.world.define(a_schedule(name="Nightly", cron="0 * * * *"), jobs=jobs)
    fire(alerting)
    return hands


def retry_alone(alerting: Alerting) -> None:
    """Retry the first run, and leave out what was skipped because of it."""
    world = alerting.world
    act = Act(world.now, TESTER)
    retries.retry_run(world.database, act, world.runs()[0].id, world.registry, only=True)


def beating(alerting: Alerting) -> None:
    """Let the ticks be regular, so that nothing else is wrong."""
    alerting.tick_on(3)


def test_twenty_failing_jobs_of_one_sync_are_one_message_that_reads_well(
    alerting: Alerting, mail: MailServer
) -> None:
    hands = hourly(alerting, jobs=[f"job-{number:02}" for number in range(24)])
    fire(alerting)
    runs = hands.claim()
    gone = AttemptEnd(
        AttemptOutcome.RAISED, error_type="ConnectionError", error_message="no route to host"
    )
    hands.end(*runs[:18], end=gone)
    hands.end(*runs[18:20], end=FAILED)
    hands.end(*runs[20:])
    alerting.run_until_sent()
    assert mail.subjects == ["Nightly failed: 20 of 24 jobs"]
    assert mail.body().strip() == (
        "Nightly failed: 20 of 24 jobs\n\n"
        "Nightly of Sun 1 Mar 2026, 02:00 UTC failed. Of 24 jobs 4 succeeded, 20 failed.\n\n"
        "- job-00, job-01, job-02, job-03, job-04 and 13 more: ConnectionError: no route to host\n"
        "- job-18, job-19: ValueError: no"
    )


def test_the_fifth_failure_in_a_row_is_told_once_and_the_next_success_too(
    alerting: Alerting, mail: MailServer
) -> None:
    hands = hourly(alerting, alerts.Failed(after=5))
    for number in range(7):
        fire(alerting)
        end_all(hands, FAILED)
        alerting.run_until_sent()
        assert len(mail.mails) == (number >= 4)
    assert "for the 5th time in a row" in mail.body()
    fire(alerting)
    end_all(hands)
    alerting.run_until_sent()
    assert mail.subjects == ["Nightly failed", "Resolved: Nightly failed"]
    assert "succeeded again, 3 h" in mail.body()


def test_a_failure_mended_before_the_next_evaluation_is_still_reported(
    alerting: Alerting, mail: MailServer
) -> None:
    hands = hourly(alerting)
    fire(alerting)
    end_all(hands, FAILED)
    fire(alerting)
    end_all(hands)
    alerting.run_until_sent()
    alerting.run_until_sent()
    assert [row.rule for row in alerting.alerts()] == ["failed"]
    assert alerting.open() == []
    assert any("failed" in subject for subject in mail.subjects)


def test_a_manual_failure_is_nobodys_alert(alerting: Alerting) -> None:
    hands = hourly(alerting)
    run_now.run_schedule(alerting.world.database, Act(alerting.world.now, TESTER), "daily")
    end_all(hands, FAILED)
    alerting.run_until_sent()
    assert alerting.alerts() == []


def test_a_manual_retry_ends_the_alert_or_adds_none(
    alerting: Alerting,
) -> None:
    hands = hourly(alerting)
    world = alerting.world
    fire(alerting)
    end_all(hands, FAILED)
    alerting.run_until_sent()
    again = {"override_overlap": True}
    act, run_id = Act(world.now, TESTER), world.runs()[0].id
    retries.retry_run(world.database, act, run_id, world.registry, **again)
    end_all(hands, FAILED)
    alerting.run_until_sent()
    assert alerting.open() == ["failed"]
    retries.retry_run(world.database, act, run_id, world.registry, **again)
    end_all(hands)
    alerting.run_until_sent()
    assert (alerting.open(), len(alerting.alerts())) == ([], 1)


def test_a_failure_is_not_over_while_it_is_retried(alerting: Alerting, mail: MailServer) -> None:
    hands = hourly(alerting)
    world = alerting.world
    fire(alerting)
    end_all(hands, FAILED)
    alerting.run_until_sent()
    act = Act(world.now, TESTER)
    retries.retry_run(world.database, act, world.runs()[0].id, world.registry)
    alerting.run_until_sent()
    assert alerting.open() == ["failed"]
    end_all(hands)
    alerting.run_until_sent()
    assert mail.subjects == ["Nightly failed", "Resolved: Nightly failed"]


def test_a_retry_that_leaves_runs_out_does_not_end_the_alert(
    alerting: Alerting, mail: MailServer
) -> None:
    hands = chained(alerting)
    end_all(hands, FAILED)
    alerting.run_until_sent()
    retry_alone(alerting)
    end_all(hands)
    alerting.run_until_sent()
    assert alerting.open() == ["failed"]
    assert mail.subjects == ["Nightly failed: 1 of 2 jobs"]


def test_runs_left_out_of_a_retry_of_a_cancelled_run_are_named(
    alerting: Alerting, mail: MailServer
) -> None:
    hands = chained(alerting)
    world = alerting.world
    cancellation.cancel_run(world.database, Act(world.now, TESTER), world.runs()[0].id)
    retry_alone(alerting)
    end_all(hands)
    alerting.run_until_sent()
    assert mail.subjects == ["Nightly failed: 1 of 2 jobs was skipped, and left out of a retry"]


def test_a_cancelled_firing_that_fails_when_it_is_retried_is_told(alerting: Alerting) -> None:
    hands = hourly(alerting)
    world = alerting.world
    fire(alerting)
    (run,) = world.runs()
    cancellation.cancel_run(world.database, Act(world.now, TESTER), run.id)
    alerting.run_until_sent()
    assert alerting.alerts() == []
    retries.retry_run(world.database, Act(world.now, TESTER), run.id, world.registry)
    end_all(hands, FAILED)
    alerting.run_until_sent()
    assert alerting.open() == ["failed"]


def test_what_a_person_asked_for_has_no_deadline_to_miss(alerting: Alerting) -> None:
    hourly(alerting, alerts.Deadline(timedelta(minutes=10)))
    world = alerting.world
    switches.disable_schedule(world.database, Act(world.now, TESTER), "daily")
    world.now += timedelta(hours=5, minutes=30)
    act = Act(world.now, TESTER)
    switches.enable_schedule(world.database, act, "daily", catch_up_latest=True)
    world.tick(world.now)
    old = world.now.replace(minute=0) - timedelta(hours=2)
    run_now.run_slots(world.database, act, "daily", [old])
    alerting.run_until_sent()
    assert alerting.open() == []


def test_instants_that_no_tick_saw_are_told_with_how_many(
    alerting: Alerting, mail: MailServer
) -> None:
    hourly(alerting)
    alerting.world.tick(alerting.world.now + timedelta(hours=3, minutes=30))
    alerting.run_until_sent()
    assert alerting.open() == ["missed"]
    assert mail.subjects == ["Nightly missed 4 instants"]
    assert "Sun 1 Mar 2026, 02:00 UTC to Sun 1 Mar 2026, 05:00 UTC" in mail.body()
    assert "tick slot daily" in mail.body()


def test_events_expire_after_an_hour_without_a_message(
    alerting: Alerting, mail: MailServer
) -> None:
    hourly(alerting)
    alerting.world.tick(alerting.world.now + timedelta(hours=3, minutes=30))
    alerting.run_until_sent()
    fire(alerting)
    alerting.world.tick(alerting.world.now + timedelta(minutes=32))
    alerting.run_until_sent()
    assert "missed" not in alerting.open()
    assert [subject for subject in mail.subjects if "Resolved" in subject] == []


def test_a_firing_that_no_worker_takes_is_told_until_it_starts(alerting: Alerting) -> None:
    hands = hourly(alerting, alerts.LateStart(after=timedelta(minutes=5)))
    fire(alerting)
    alerting.tick_on(5)
    alerting.run_once()
    assert alerting.open() == []
    alerting.tick_on(1)
    alerting.run_once()
    assert alerting.open() == ["late-start"]
    end_all(hands)
    alerting.run_once()
    assert alerting.open() == []


def test_alerts_beyond_the_evaluated_ones_are_not_resolved(
    alerting: Alerting, monkeypatch: pytest.MonkeyPatch
) -> None:
    hourly(alerting, alerts.LateStart(after=timedelta(minutes=5)))
    fire(alerting)
    alerting.tick_on(6)
    alerting.run_once()
    monkeypatch.setattr(inputs, "_LIVE", inputs._LIVE.limit(0))
    alerting.run_once()
    assert alerting.open() == ["late-start"]


def usual(alerting: Alerting, hands: Hands, minutes: float) -> None:
    """Six firings that each take so long."""
    for _ in range(6):
        fire(alerting)
        run = claim_one(hands)
        alerting.tick_on(int(minutes))
        hands.end(run)


def claim_one(hands: Hands) -> ClaimedRun:
    """Claim the one run that is ready."""
    (run,) = hands.claim()
    return run


def test_three_times_the_usual_is_long(alerting: Alerting, mail: MailServer) -> None:
    hands = hourly(alerting)
    usual(alerting, hands, 4)
    fire(alerting)
    run = claim_one(hands)
    alerting.tick_on(12)
    alerting.run_once()
    assert alerting.open() == []
    alerting.tick_on(1)
    alerting.run_until_sent()
    assert mail.subjects == ["Nightly runs for 13 min"]
    assert "Usually it takes 4 min." in mail.body()
    hands.end(run)
    alerting.run_until_sent()
    assert mail.subjects[1:] == ["Resolved: Nightly runs for 13 min"]


def test_a_fixed_length_needs_no_history(alerting: Alerting) -> None:
    hands = hourly(alerting, alerts.RunsLong(than=timedelta(minutes=2)))
    fire(alerting)
    claim_one(hands)
    alerting.tick_on(3)
    alerting.run_once()
    assert alerting.open() == ["runs-long"]


def test_a_deadline_is_foreseen_before_it_passes(alerting: Alerting, mail: MailServer) -> None:
    hands = hourly(alerting, alerts.Deadline(after=timedelta(minutes=10)))
    usual(alerting, hands, 8)
    fire(alerting)
    alerting.tick_on(1)
    alerting.run_once()
    assert alerting.open() == []
    alerting.tick_on(2)
    claim_one(hands)
    alerting.run_until_sent()
    assert mail.subjects == ["Nightly will miss its deadline"]
    assert "08:10 UTC" in mail.body() and "08:11 UTC" in mail.body()


def test_a_schedule_that_never_succeeds_is_told_however_it_fails(alerting: Alerting) -> None:
    hands = hourly(alerting, alerts.NoSuccess(within=timedelta(hours=3)))
    fire(alerting)
    end_all(hands)
    for _ in range(3):
        fire(alerting)
        end_all(hands, FAILED)
    alerting.tick_on(1)
    alerting.run_once()
    assert alerting.open() == ["no-success"]
    fire(alerting)
    end_all(hands)
    alerting.run_once()
    assert alerting.open() == []


@pytest.mark.parametrize("state", ["off", "paused"])
def test_a_success_that_nobody_can_expect_is_not_missed(alerting: Alerting, state: str) -> None:
    hourly(alerting, alerts.NoSuccess(within=timedelta(hours=3)))
    world = alerting.world
    if state == "off":
        world.disable()
    else:
        act = Act(world.now, TESTER, reason="the database moves")
        switches.pause_schedule(world.database, act, "daily")
    alerting.tick_on(4 * 60, every=30)
    alerting.run_once()
    assert alerting.open() == []


def test_a_schedule_that_cannot_be_fired_is_told_until_somebody_resumes_it(
    alerting: Alerting,
) -> None:
    world = alerting.world
    beating(alerting)
    with world.database.write.begin() as connection:
        connection.execute(
            sa.update(job_schedule).values(
                state="ERROR", state_reason="firing failed 5 times: no.", state_at=world.now
            )
        )
    alerting.run_once()
    assert alerting.open() == ["error"]
    switches.resume_schedule(world.database, Act(world.now, TESTER), "daily")
    alerting.run_once()
    assert alerting.open() == []


def test_a_schedule_that_pauses_itself_is_told_until_somebody_resumes_it(
    alerting: Alerting, mail: MailServer
) -> None:
    hands, world = hourly(alerting), alerting.world
    world.define(a_schedule(name="Nightly", cron="0 * * * *", pause_after=1, alerts=()))
    fire(alerting)
    end_all(hands, FAILED)
    alerting.run_until_sent()
    assert (alerting.open(), mail.subjects) == (["paused"], ["Nightly has paused itself"])
    assert "its last firing failed, after which it pauses itself" in mail.body(0)
    switches.resume_schedule(world.database, Act(world.now, TESTER), "daily")
    alerting.run_until_sent()
    assert alerting.open() == []


def test_a_pause_by_a_person_is_no_alert(alerting: Alerting) -> None:
    hourly(alerting)
    beating(alerting)
    act = Act(alerting.world.now, TESTER, reason="the database moves")
    switches.pause_schedule(alerting.world.database, act, "daily")
    alerting.run_once()
    assert alerting.open() == []


def test_a_firing_whose_deadline_was_over_is_told_as_that(
    alerting: Alerting, mail: MailServer
) -> None:
    hourly(alerting)
    alerting.world.define(a_schedule(name="Nightly", cron="0 * * * *", deadline=60))
    fire(alerting)
    alerting.world.tick(alerting.world.now + timedelta(minutes=1))
    alerting.run_until_sent()
    assert mail.subjects == ["Nightly failed: its deadline was over"]


def test_a_schedule_that_is_removed_while_it_is_on_is_told_once(
    alerting: Alerting, mail: MailServer
) -> None:
    hourly(alerting)
    alerting.world.define(a_schedule("other"))
    alerting.run_until_sent()
    alerting.run_until_sent()
    assert mail.subjects == ["Nightly was removed while it was on"]


def test_a_worker_that_dies_is_told_once(alerting: Alerting, mail: MailServer) -> None:
    Hands(alerting.world)
    alerting.world.settings = Settings(dead_after_seconds=10**6)
    alerting.tick_on(3)
    rescue(alerting.world)
    alerting.run_until_sent()
    alerting.run_until_sent()
    assert len(mail.mails) == 1
    assert mail.subjects[0].startswith("A job worker on ")


def test_no_rules_means_no_alerts_of_the_schedule(alerting: Alerting) -> None:
    world = alerting.world
    world.define(a_schedule(cron="0 * * * *", alerts=()))
    hands = Hands(world)
    fire(alerting)
    end_all(hands, FAILED)
    alerting.run_until_sent()
    assert alerting.alerts() == []


def test_a_change_of_the_rules_alone_makes_no_new_version(alerting: Alerting) -> None:
    world = alerting.world
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
