"""What was really fired, and what fires here: equal, or marked exactly where it is not."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import pytest

from tests.cron.dialects.rows import Row, rows, texts
from tick.cron import timetable
from tick.cron.dialects.by_day import Span
from tick.importers.engines import engine
from tick.importers.proof import Proof, prove
from tick.importers.timing import Match, match

ENGINES = (
    "APScheduler",
    "busybox-crond",
    "celery",
    "cronie",
    "debian-cron",
    "fugit",
    "quartz",
    "robfig-cron",
    "systemd",
)
DAYS = timedelta(days=400)
# Days that five fields of ours can't name: both day fields at once, working days, years.
UNNAMED = {
    "APScheduler": 5,
    "busybox-crond": 1,
    "celery": 4,
    "cronie": 1,
    "debian-cron": 2,
    "fugit": 1,
    "quartz": 8,
    "robfig-cron": 1,
    "systemd": 2,
}


def proof_of(row: Row, found: Match, until: datetime) -> Proof:
    assert found.ours is not None
    return prove(engine(row.engine), row.expr, found.ours, Span(row.start, until, row.zone))


def is_told_right(row: Row, found: Match) -> bool:
    """Whether both sides are as measured and as our timetable says, and each difference marked."""
    fired = [at for at in map(datetime.fromisoformat, row.next) if at <= row.start + DAYS]
    until = fired[-1] if fired else row.start + DAYS
    proof = proof_of(row, found, until)
    assert found.ours is not None
    rule = found.ours
    ours = timetable.all_between(rule.cron, row.zone, row.start, until, dst=rule.dst)
    there = [each.at for each in proof.lines if each.there]
    here = [each.at for each in proof.lines if each.here]
    return (there, here) == (fired, ours) and proof.differing == len({*fired} ^ {*ours})


@pytest.mark.parametrize("name", ENGINES)
def test_each_row_fires_here_as_it_did_there_or_is_marked(name: str) -> None:
    measured = [row for row in rows() if row.engine == name and row.next]
    found = [(row, found_for(name, row.expr, row.zone, row.start.year)) for row in measured]
    wrong = [row for row, ours in found if ours.ours is not None and not is_told_right(row, ours)]
    assert wrong == []
    assert len({row.expr for row, ours in found if ours.ours is None}) <= UNNAMED[name]


@lru_cache(maxsize=512)
def found_for(name: str, expression: str, zone: str, year: int) -> Match:
    start = datetime(year, 1, 1, tzinfo=UTC)
    return match(engine(name), expression, Span(start, start + 2 * DAYS, zone))


@pytest.mark.parametrize(
    ("name", "expression", "options"),
    [
        ("busybox-crond", "30 2 * * *", {"dst_gap": "skip", "dst_fold": "both"}),
        ("busybox-crond", "0 0 */2 * *", {"cron": "0 0 2-30/2 * *"}),
        ("quartz", "0 30 2 ? * 2-6", {"cron": "30 2 * * 1-5"}),
        ("quartz", "0 30 2 * * ?", {"cron": "30 2 * * *", "dst_fold": "second"}),
        ("quartz", "0 0 9 ? * 6L", {"cron": "0 9 * * L5"}),
        ("APScheduler", "0 9 * * 0-4", {"cron": "0 9 * * 1-5"}),
        ("systemd", "Mon *-*-01..07 09:00", {"cron": "0 9 * * 1#1"}),
        ("fugit", "0 9 L * *", {"cron": "0 9 L * *"}),
        ("celery", "0 * * * *", {"cron": "0 0-23 * * *"}),
    ],
)
def test_a_rule_of_ours_is_found_for_what_is_written_otherwise(
    name: str, expression: str, options: dict[str, str]
) -> None:
    start = datetime.fromisoformat("2026-01-15T12:00:00Z")
    span = Span(start, start + DAYS, "Europe/Berlin")
    found = match(engine(name), expression, span)
    assert found.ours is not None
    assert found.ours.options.items() >= options.items()
    assert prove(engine(name), expression, found.ours, span).differing == 0


def test_a_year_of_minutes_is_compared_and_not_listed() -> None:
    start = datetime.fromisoformat("2026-01-15T12:00:00Z")
    span = Span(start, start + DAYS, "Europe/Berlin")
    found = match(engine("debian-cron"), "* * * * *", span)
    assert found.ours is not None
    proof = prove(engine("debian-cron"), "* * * * *", found.ours, span)
    assert (proof.there, proof.here, proof.differing) == (576000, 576000, 0)
    assert (len(proof.lines), proof.untold) == (200, 575800)


def test_what_differs_is_shown_before_what_is_equal() -> None:
    start = datetime.fromisoformat("2026-01-15T12:00:00Z")
    span = Span(start, start + DAYS, "Europe/Berlin")
    found = match(engine("celery"), "30 2 * * *", span)
    assert found.ours is not None
    proof = prove(engine("celery"), "30 2 * * *", found.ours, span)
    assert proof.differing == len([each for each in proof.lines if each.differs]) == 1
    assert texts([each.at for each in proof.lines if each.differs]) == ["2026-03-29T01:30:00Z"]
