"""Instants, lengths and states in words."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask, g

from tests.support.factories import World, a_schedule
from tests.webapp.conftest import JOBS
from tests.webapp.visitor import Visitor
from tick.ops.queries.history import RecentOccurrence
from tick.states import Outcome, RunStatus
from webapp.badges import BADGES, badge
from webapp.drawing.charts import sparkline
from webapp.presentation import (
    ago,
    bounded,
    duration,
    exact,
    first_line,
    pretty,
    spark_words,
    with_code,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (-12, "12 s ago"),
        (90, "in 1 min"),
        (-3599, "59 min ago"),
        (-3600, "1 h ago"),
        (47 * 3600, "in 47 h"),
        (48 * 3600, "in 2 d"),
    ],
)
def test_how_long_ago(seconds: int, words: str) -> None:
    assert ago(NOW + timedelta(seconds=seconds), NOW) == words


def test_a_length_that_nobody_knows_is_a_dash() -> None:
    assert (duration(None), duration(185)) == ("-", "3 min 5 s")


def test_an_instant_names_its_zone_and_another_year() -> None:
    with Flask(__name__).test_request_context():
        g.now = NOW
        assert exact(NOW) == "Tue 24 Nov, 12:00 UTC"
        assert exact(NOW, "Europe/Berlin") == "Tue 24 Nov, 13:00 CET"
        assert exact(NOW.replace(year=2027, second=5)) == "Wed 24 Nov 2027, 12:00:05 UTC"
        assert exact(NOW, "Mars/Olympus") == "Tue 24 Nov, 12:00 UTC"


def test_every_state_has_a_look_of_its_own_beside_its_colour() -> None:
    assert set(BADGES) == set(Outcome) | set(RunStatus)
    assert len({face.word for face in BADGES.values()}) == len(BADGES)
    assert badge("FROM_THE_FUTURE").word == "Unknown"


def test_small_texts() -> None:
    assert bounded(7) == "7"
    assert bounded(1001) == "1000+"
    assert first_line("one\ntwo") == "one"
    assert len(first_line("x" * 999)) == 140
    assert (
        with_code("call `tick now` & <wait>, `")
        == "call <code>tick now</code> &amp; &lt;wait&gt;, `"
    )
    assert pretty('{"a":1}') == '{\n  "a": 1\n}'
    assert pretty("no json") == "no json"


def test_a_sparkline_has_a_path_for_each_tone_and_stays_in_its_frame() -> None:
    marks = [
        RecentOccurrence(number, outcome, NOW, took)
        for number, (outcome, took) in enumerate(
            [("MISSED", None), ("SUCCESS", 0.0), ("FAILED", 3.0), ("SUCCESS", 9.0)]
        )
    ]
    assert sparkline(marks) == {
        "warn": "m1 12V10",
        "good": "m3 12V10m4 2V0",
        "bad": "m5 12V7",
    }
    assert sparkline([]) == {}
    assert spark_words(marks) == "2 of 4 good"
    assert spark_words([]) == ""


def test_instants_are_shown_in_the_zone_that_somebody_chose(world: World, ada: Visitor) -> None:
    world.define(a_schedule("daily", timezone="Asia/Tokyo"), jobs=JOBS)
    assert "02:00 JST" in ada.page("/schedules/daily")
    ada.post("/zone", zone="utc")
    assert "17:00 UTC" in ada.page("/schedules/daily")
    ada.post("/zone", zone="mine")
    assert "02:00 JST" in ada.page("/schedules/daily")  # until the browser has said its own
    ada.client.set_cookie("browser_zone", "Asia/Kolkata")
    assert "22:30 IST" in ada.page("/schedules/daily")
    ada.client.set_cookie("browser_zone", "../../etc/passwd")
    assert "17:00 UTC" in ada.page("/schedules/daily")
    ada.post("/zone", zone="nonsense")
    assert "02:00 JST" in ada.page("/schedules/daily")


def test_single_keys_can_be_turned_off(ada: Visitor) -> None:
    assert "data-keys" in ada.page("/schedules")
    assert "Turn single keys off" in ada.page("/keys?next=/runs")
    ada.post("/keys", keys="off")
    assert "data-keys" not in ada.page("/schedules")
    ada.post("/keys", keys="on")
    assert "data-keys" in ada.page("/schedules")


def test_the_theme_is_remembered_and_sent_at_once(stranger: Visitor) -> None:
    stranger.get("/login")
    stranger.post("/theme", theme="dark", next="/login")
    assert 'data-bs-theme="dark"' in stranger.page("/login")
    stranger.post("/theme", theme='"><script>', next="/login")
    assert 'data-theme="auto"' in stranger.page("/login")
