"""Cron expressions in plain words."""

from random import Random

import pytest

from tests.policy.cron_expressions import any_expression
from tick.errors import InvalidCron
from tick.policy import cron

PARIS = "Europe/Paris"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("*/15 * * * *", "Every 15 minutes"),
        ("30 2 * * *", "At 02:30"),
        ("@daily", "At 00:00"),
        ("0 14 * * mon-fri", "At 14:00, Monday through Friday"),
        ("*/40 * * * *", "At 0 and 40 minutes past the hour"),
        ("0 */5 * * *", "At 00:00, 05:00, 10:00, 15:00 and 20:00"),
        ("5-50/40 * * * *", "At 5 and 45 minutes past the hour"),
        ("1-59/2 * * * *", "Every 2 minutes, minutes 1 through 59 past the hour"),
        ("0 0 */10 * *", "At 00:00, on day 1, 11, 21, and 31 of the month"),
        (
            "0 0 1 */3 *",
            "At 00:00, on day 1 of the month, only in January, April, July, and October",
        ),
        ("0 0 13 * 5", "At 00:00, on day 13 of the month, or on Friday"),
        ("0 0 L * *", "At 00:00, on the last day of the month"),
        ("0 0 15,L * *", "At 00:00, on day 15 and the last day of the month"),
        ("0 0 * * 5#2,fri#4", "At 00:00, on the second Friday and the fourth Friday of the month"),
        ("0 0 * 3 l5", "At 00:00, only in March, on the last Friday of the month"),
        ("0 0 1-31 * *", "At 00:00"),
    ],
)
def test_expressions_are_described_truly_and_with_their_zone(expression: str, words: str) -> None:
    assert cron.describe(expression, PARIS) == f"{words} ({PARIS})"


def test_describing_checks_first() -> None:
    with pytest.raises(InvalidCron):
        cron.describe("0 0 31 2 *", PARIS)


def test_everything_that_is_accepted_can_be_described() -> None:
    random = Random("describe")
    for _ in range(300):
        assert cron.describe(any_expression(random), "UTC").endswith(" (UTC)")
