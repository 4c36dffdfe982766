import pytest

from tick.states import Mode


@pytest.mark.parametrize(
    ("identifier", "name", "cron", "mode", "group"),
    [
        ("daily-full-sync", "Daily Full Sync", "0 2 * * *", Mode.ALL_JOBS, None),
        ("hourly-matching", "Hourly Matching", "0 * * * *", Mode.GROUP, "matching"),
        ("feed-refresh", "Feed Refresh", "*/15 * * * *", Mode.GROUP, "feed"),
        ("search-index", "Search Index", "0 */4 * * *", Mode.GROUP, "search"),
        ("weekly-cleanup", "Weekly Cleanup", "0 3 * * 0", Mode.GROUP, "maintenance"),
        ("media-processing", "Media Processing", "*/30 * * * *", Mode.GROUP, "media"),
    ],
)
def test_the_proposed_schedule_is_there(registry, identifier, name, cron, mode, group):
    schedule = registry.schedules[identifier]
    assert (schedule.name, schedule.cron, schedule.timezone) == (name, cron, "UTC")
    assert (Mode(schedule.mode), schedule.job_group) == (mode, group)


def test_there_is_no_other_schedule(registry):
    assert len(registry.schedules) == 6
