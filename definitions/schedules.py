"""When the jobs run. Each schedule arrives disabled: enable it in the console or by command."""

from datetime import timedelta

from tick import Schedule, alerts

schedules = [
    Schedule(
        id="daily-full-sync",
        name="Daily Full Sync",
        description="Every job once, in dependency order",
        cron="0 2 * * *",
        timezone="UTC",
        mode="ALL_JOBS",
        alerts=(
            *alerts.DEFAULTS,
            alerts.Deadline(after=timedelta(hours=4)),
            alerts.NoSuccess(within=timedelta(hours=26)),
        ),
    ),
    Schedule(
        id="hourly-matching",
        name="Hourly Matching",
        description="Keep match scores and suggestions up to date",
        cron="0 * * * *",
        timezone="UTC",
        mode="GROUP",
        job_group="matching",
    ),
    Schedule(
        id="feed-refresh",
        name="Feed Refresh",
        description="Keep feeds fresh",
        cron="*/15 * * * *",
        timezone="UTC",
        mode="GROUP",
        job_group="feed",
    ),
    Schedule(
        id="search-index",
        name="Search Index",
        description="Rebuild the search index and its suggestions",
        cron="0 */4 * * *",
        timezone="UTC",
        mode="GROUP",
        job_group="search",
    ),
    Schedule(
        id="weekly-cleanup",
        name="Weekly Cleanup",
        description="Remove what has expired, then check and compact the databases",
        cron="0 3 * * 0",
        timezone="UTC",
        mode="GROUP",
        job_group="maintenance",
    ),
    Schedule(
        id="media-processing",
        name="Media Processing",
        description="Thumbnails, palettes and duplicates of uploaded pictures",
        cron="*/30 * * * *",
        timezone="UTC",
        mode="GROUP",
        job_group="media",
    ),
]
