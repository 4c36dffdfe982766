"""The verdict on an ended attempt, and the pause before the next one."""

import pytest

from tick.policy.retry import AttemptEnd, AttemptOutcome, Backoff, RetryDecision, judge, retry_delay
from tick.states import RUN_MOVES, RunStatus

BACKOFF = Backoff(first_seconds=10, longest_seconds=60)


def verdict(
    how: AttemptOutcome, attempt: int = 1, max_attempts: int = 1, **left: object
) -> RetryDecision:
    return judge(
        AttemptEnd(how, **left),  # type: ignore[arg-type]
        run_id=7,
        attempt=attempt,
        max_attempts=max_attempts,
        backoff=BACKOFF,
    )


@pytest.mark.parametrize(
    ("how", "status"),
    [
        (AttemptOutcome.RETURNED, RunStatus.SUCCESS),
        (AttemptOutcome.RAISED, RunStatus.FAILED),
        (AttemptOutcome.TIMED_OUT, RunStatus.FAILED),
        (AttemptOutcome.DIED, RunStatus.FAILED),
        (AttemptOutcome.REFUSED, RunStatus.FAILED),
        (AttemptOutcome.ASKED_RETRY, RunStatus.FAILED),
        (AttemptOutcome.ASKED_CANCEL, RunStatus.CANCELLED),
        (AttemptOutcome.CANCELLED, RunStatus.CANCELLED),
        (AttemptOutcome.ASKED_SNOOZE, RunStatus.QUEUED),
        (AttemptOutcome.RELEASED, RunStatus.QUEUED),
    ],
)
def test_what_the_last_attempt_means(how: AttemptOutcome, status: RunStatus) -> None:
    assert verdict(how).status is status


@pytest.mark.parametrize("how", AttemptOutcome)
def test_every_verdict_is_an_allowed_move(how: AttemptOutcome) -> None:
    for attempt in (1, 2):
        assert (RunStatus.RUNNING, verdict(how, attempt, 2).status) in RUN_MOVES


@pytest.mark.parametrize(
    "how",
    [
        AttemptOutcome.RAISED,
        AttemptOutcome.TIMED_OUT,
        AttemptOutcome.DIED,
        AttemptOutcome.ASKED_RETRY,
    ],
)
def test_an_attempt_that_is_left_is_used(how: AttemptOutcome) -> None:
    assert verdict(how, attempt=1, max_attempts=2).status is RunStatus.QUEUED
    assert verdict(how, attempt=2, max_attempts=2).status is RunStatus.FAILED


def test_parameters_that_do_not_fit_are_not_tried_again() -> None:
    assert verdict(AttemptOutcome.REFUSED, attempt=1, max_attempts=5).status is RunStatus.FAILED


@pytest.mark.parametrize("how", [AttemptOutcome.ASKED_SNOOZE, AttemptOutcome.RELEASED])
def test_a_snooze_and_a_release_use_up_no_attempt(how: AttemptOutcome) -> None:
    given_back = verdict(how, in_seconds=30)
    assert (given_back.delay_seconds, given_back.gives_attempt_back) == (30, True)


def test_a_job_that_asks_for_a_retry_names_the_pause_itself() -> None:
    asked = verdict(AttemptOutcome.ASKED_RETRY, 1, 2, in_seconds=5, reason="busy")
    assert (asked.delay_seconds, asked.gives_attempt_back, asked.reason) == (5, False, "busy")


@pytest.mark.parametrize(
    ("attempt", "whole"), [(1, 10), (2, 20), (3, 40), (4, 60), (5, 60), (100, 60)]
)
def test_the_pause_doubles_up_to_its_limit(attempt: int, whole: float) -> None:
    assert whole / 2 <= retry_delay(BACKOFF, run_id=1, attempt=attempt) <= whole


def test_runs_that_failed_together_come_back_apart() -> None:
    pauses = {round(retry_delay(BACKOFF, run_id=run_id, attempt=1)) for run_id in range(100)}
    assert pauses >= {5, 6, 7, 8, 9, 10}


def test_the_pause_of_one_attempt_is_always_the_same() -> None:
    assert retry_delay(BACKOFF, run_id=1, attempt=2) == retry_delay(BACKOFF, run_id=1, attempt=2)
