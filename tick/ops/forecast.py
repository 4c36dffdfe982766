"""When a cron expression would fire, before anybody relies on it."""

from dataclasses import dataclass
from datetime import datetime

from tick.policy import cron


@dataclass(frozen=True)
class Forecast:
    """An expression in plain words, and its next instants in UTC."""

    words: str
    times: tuple[datetime, ...]


def forecast_cron(expression: str, timezone: str, *, after: datetime, count: int) -> Forecast:
    """The first `count` instants strictly later than `after`. Raises InvalidCron."""
    words = cron.describe(expression, timezone)
    times = cron.next_times(expression, timezone, after, count) if count else []
    return Forecast(words, tuple(times))
