"""Logs as JSON: one object a line, with the ids that join them."""

import json
import logging
from datetime import UTC, datetime

import pytest

from tests.support.factories import World, a_schedule
from tick.telemetry.logs import JsonLines, bound

TWO = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


def line(caplog: pytest.LogCaptureFixture) -> dict[str, object]:
    text = JsonLines().format(caplog.records[-1])
    assert "\n" not in text
    found: dict[str, object] = json.loads(text)
    return found


def test_a_line_says_when_how_serious_and_what(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("tick.somewhere").warning("run %d\nwas lost", 7, extra={"run_id": 7})
    found = line(caplog)
    assert found["level"] == "warning"
    assert found["logger"] == "tick.somewhere"
    assert found["message"] == "run 7\nwas lost"
    assert found["run_id"] == 7
    assert datetime.fromisoformat(str(found["at"])).tzinfo is not None


def test_what_is_bound_goes_with_every_line_of_the_block(caplog: pytest.LogCaptureFixture) -> None:
    with bound(tick_id="c0ffee"):
        logging.getLogger("tick").warning("inside")
        assert line(caplog)["tick_id"] == "c0ffee"
    logging.getLogger("tick").warning("outside")
    assert "tick_id" not in line(caplog)


def test_an_exception_is_told_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise KeyError("tempo")
    except KeyError:
        logging.getLogger("tick").exception("it failed")
    assert "KeyError: 'tempo'" in str(line(caplog)["error"])


def test_the_lines_of_a_tick_carry_its_id(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.define(a_schedule())
    world.enable()
    formatted: list[str] = []
    handler = logging.Handler()
    handler.setFormatter(JsonLines())
    handler.emit = lambda record: formatted.append(handler.format(record))  # type: ignore[method-assign]
    logger = logging.getLogger("tick")
    logger.addHandler(handler)

    def fail(*_: object, **__: object) -> None:
        raise ValueError("a bad plan")

    monkeypatch.setattr("tick.ticks.firing_loop.fire_due", fail)
    result = world.tick(TWO)
    logger.removeHandler(handler)
    assert formatted
    assert {json.loads(text)["tick_id"] for text in formatted} == {result.tick_id}
