"""The templates and cron expressions that a new schedule can begin with."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Template:
    """A schedule to begin with; `options` are those of `Schedule`."""

    key: str
    purpose: str
    options: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name, which the schedule gets as well."""
        return str(self.options["name"])


def _template(name: str, purpose: str, **options: Any) -> Template:
    key = name.lower().replace(" ", "-")
    return Template(key, purpose, {"name": name, "description": purpose, **options})


TEMPLATES = (
    _template("Daily Full Sync", "All jobs, once a day at night", cron="0 2 * * *"),
    _template(
        "Hourly Matching", "Scores stay fresh all day", cron="0 * * * *", job_group="matching"
    ),
    _template("Feed Refresh", "Feeds every 15 minutes", cron="*/15 * * * *", job_group="feed"),
    _template("Search Index", "Indexes every four hours", cron="0 */4 * * *", job_group="search"),
    _template("Weekly Cleanup", "Sunday nights", cron="0 3 * * 0", job_group="maintenance"),
    _template(
        "Media Processing", "What waits, every half hour", cron="*/30 * * * *", job_group="media"
    ),
    _template("Workday Report", "Mondays to Fridays, before work", cron="30 7 * * MON-FRI"),
    _template("Office Hours Poll", "Every 10 minutes from 8 to 18", cron="*/10 8-17 * * MON-FRI"),
    _template(
        "Month End Close",
        "The last day of each month; one that was missed is made up for",
        cron="0 22 L * *",
        missed="CATCH_UP",
    ),
    _template("First Monday Review", "The first Monday of each month", cron="0 9 * * MON#1"),
    _template(
        "Nightly Export",
        "At a minute of its own between 1 and 2; a late one waits for the one before",
        cron="H 1 * * *",
        overlap="QUEUE_ONE",
    ),
    _template("Steady Pulse", "Every six hours, whatever the clocks do", every=21600.0),
)
BY_KEY = {template.key: template for template in TEMPLATES}
PRESETS = {
    "*/15 * * * *": "Every 15 minutes",
    "0 * * * *": "Every hour",
    "0 */4 * * *": "Every 4 hours",
    "0 2 * * *": "Daily at 02:00",
    "30 7 * * MON-FRI": "Workdays at 07:30",
    "0 3 * * SUN": "Sundays at 03:00",
    "0 4 1 * *": "First of the month",
    "0 22 L * *": "Last of the month",
}
STEPS = (
    *("2 days at 09:00", "2 weeks on mon at 09:00", "month on 31 at 18:00"),
    *("month on business day 3 at 02:00", "month on last business day at 18:00"),
    *("month on last day -3 at 02:00", "month on nearest weekday 15 at 02:00"),
    "month on last weekday at 18:00",
)
"""Steps of the calendar that the form offers, one of each kind."""
MISSED = {
    "SKIP": ("Leave it", "It is recorded as missed, and one click runs it later."),
    "CATCH_UP": ("Run the newest", "After an outage one firing makes up for all of it."),
    "CATCH_UP_ALL": ("Run each", "Oldest first, one after the other: many after a long outage."),
}
OVERLAP = {
    "SKIP": ("Skip it", "The one under way goes on; this instant is recorded as skipped."),
    "QUEUE_ONE": ("Let it wait", "It starts when the one under way has ended; at most one waits."),
    "REPLACE": ("Replace the old one", "What is under way is cancelled, half-done or not."),
    "ALLOW": ("Run both", "Two firings at one time: only for jobs that don't mind."),
}
DAY_RULE = {
    "ONLY_BUSINESS_DAYS": ("Only on business days", "Neither on weekends nor on holidays."),
    "SKIP_HOLIDAYS": ("Not on holidays", "Weekends are days like others."),
    "ONLY_HOLIDAYS": ("Only on holidays", "For what stands in for people."),
    "NEXT_BUSINESS_DAY": (
        "Move to the next business day",
        "At the same time of day; where it meets another firing, one fires for both.",
    ),
    "PREVIOUS_BUSINESS_DAY": ("Move to the business day before", "The same, the other way."),
    "MODIFIED_FOLLOWING": (
        "Move within the month",
        "To the next business day, or to the one before where the next is in another month.",
    ),
}
GAP = {
    "first_valid": ("Fire at once after the gap", "A night job is never left out."),
    "skip": ("Leave it out", "That day has no firing at that time."),
}
FOLD = {
    "first": ("The first time", "Once, an hour of real time before the other."),
    "second": ("The second time", "Once, when the clocks have gone back."),
    "both": ("Both times", "Twice on that day."),
}
