"""How long an answer takes tells nobody whether a secret, or a name, was nearly right."""

import time
from collections.abc import Callable
from statistics import median

import pytest
from flask import Flask

from tests.support.factories import World
from tests.webapp.scenes import SETTINGS
from tick.ops.access import users
from webapp.machines import trigger_auth

SECRET = "a trigger secret for tests"


def compare(one: Callable[[], object], other: Callable[[], object], count: int) -> float:
    """How many times as long the first takes as the second: medians of calls in turns."""
    took: tuple[list[int], list[int]] = ([], [])
    for number in range(2 * count):
        start = time.perf_counter_ns()
        (one if number % 2 else other)()
        took[number % 2].append(time.perf_counter_ns() - start)
    return median(took[1]) / median(took[0])


@pytest.mark.parametrize("wrong", [SECRET[:-1] + "z", "z" + SECRET[1:], "z", SECRET[:-1]])
def test_a_wrong_secret_takes_as_long_as_the_right_one(app: Flask, wrong: str) -> None:
    def offer(text: str) -> Callable[[], object]:
        return lambda: trigger_auth._holds_a_secret(SETTINGS, text.encode())

    with app.test_request_context():
        assert 0.9 < compare(offer(wrong), offer(SECRET), 5_000) < 1.1


def test_an_unknown_name_takes_as_long_as_a_known_one(real_hashes: None, world: World) -> None:
    def try_as(name: str) -> Callable[[], object]:
        return lambda: users.log_in(world.database, name, "a guess at it", now=world.now)

    assert 0.8 < compare(try_as("nobody"), try_as("ada"), 30) < 1.25
