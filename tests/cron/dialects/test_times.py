"""A schedule that fires as another engine does: the same instants, whoever asks and from where."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.cron.dialects.rows import Row, rows, texts
from tick.cron import local_times
from tick.cron.dialects.times import choices, dialect_times
from tick.errors import InvalidCron

BERLIN = "Europe/Berlin"
SPRING = datetime(2026, 3, 1, tzinfo=UTC)


def is_fired(row: Row) -> bool:
    """Whether the instants of a row come, one after the other; those of seconds never do."""
    try:
        times = dialect_times(row.engine, row.expr, row.zone)
    except InvalidCron:
        return False
    # Zones have a calendar until 2199 here.
    wanted = [each for each in row.next if each < "2200"]
    return texts(local_times.next_times(times, row.start, len(wanted))) == wanted


@pytest.mark.parametrize("engine", choices())
def test_the_measured_instants_are_fired(engine: str) -> None:
    measured = [row for row in rows() if row.engine == engine and row.next]
    left = [row for row in measured if not is_fired(row)]
    assert {row.expr for row in left} == UNFIRED.get(engine, set())


# Seconds, and years.
UNFIRED = {"quartz": {"0/20 0 0 1 * ?", "0 0 12 1 1 ? 2099", "0 0 12 1 1 ? 2027-2030"}}


@pytest.mark.parametrize(
    ("engine", "expression"),
    [("robfig-cron", "*/40 1-3 * * *"), ("quartz", "0 30 2 * * ?"), ("celery", "30 2 * * *")],
)
def test_forwards_backwards_and_counted_it_is_one_set(engine: str, expression: str) -> None:
    times = dialect_times(engine, expression, BERLIN)
    end = SPRING + timedelta(days=300)
    listed = local_times.times_between(times, SPRING, end, 10_000)
    assert local_times.count_between(times, SPRING, end) == len(listed)
    at = listed[0]
    for following in listed[1:]:
        assert local_times.next_times(times, at, 1) == [following]
        assert local_times.previous_time(times, following - timedelta(seconds=1)) == at
        at = following


@pytest.mark.parametrize(
    ("engine", "expression", "said"),
    [
        ("quartz", "15 30 2 * * ?", "names seconds"),
        ("quartz", "0 30 2 * * ? 2027", "names years"),
        ("debian-cron", "0 22-2 * * *", "never fires"),
        ("robfig-cron", "0 25 * * *", "robfig-cron refuses hour"),
        ("croniter", "0 2 * * *", "no schedule fires as croniter does"),
        ("cronies", "0 2 * * *", "did you mean cronie"),
    ],
)
def test_what_no_schedule_can_fire_is_refused(engine: str, expression: str, said: str) -> None:
    with pytest.raises(InvalidCron, match=said):
        dialect_times(engine, expression, BERLIN)
