"""What can be imported: each source with its reader. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tick.importers import crontab
from tick.importers.anacron import read_anacron
from tick.importers.apscheduler import read_apscheduler
from tick.importers.celery_beat import read_celery, read_django
from tick.importers.entries import Choices, File, Found, ImportRefused
from tick.importers.github_actions import read_github_actions
from tick.importers.json_lists import (
    read_cloud_scheduler,
    read_eventbridge,
    read_railway,
    read_vercel,
)
from tick.importers.kubernetes import read_kubernetes
from tick.importers.pg_cron import read_pg_cron
from tick.importers.quartz import read_quartz, read_spring
from tick.importers.ruby_yaml import read_ruby
from tick.importers.systemd_cron import read_systemd_cron
from tick.importers.systemd_timers import read_timers

MOST_CHARACTERS = 2_000_000
Reader = Callable[[Sequence[File], Choices], Found]


@dataclass(frozen=True, slots=True)
class Source:
    """A source: what its files are, and who reads them."""

    name: str
    files: str
    read: Reader


SOURCES = {
    each.name: each
    for each in (
        Source("debian-cron", "crontabs of Debian and Ubuntu", crontab.read_debian),
        Source("cronie", "crontabs of Fedora, RHEL, Arch", crontab.read_cronie),
        Source("busybox", "crontabs of Alpine and other BusyBox", crontab.read_busybox),
        Source("systemd-cron", "crontabs that systemd-cron runs", read_systemd_cron),
        Source("anacron", "anacrontabs", read_anacron),
        Source("kubernetes", "CronJobs in YAML", read_kubernetes),
        Source("celery", "Python with beat_schedule or add_periodic_task", read_celery),
        Source("django-celery-beat", "dumpdata of django_celery_beat in JSON", read_django),
        Source("apscheduler", "Python with add_job or scheduled_job", read_apscheduler),
        Source("systemd", "timers with their services", read_timers),
        Source("quartz", "scheduling data of Quartz, or Spring's beans, in XML", read_quartz),
        Source("spring", "Java or Kotlin with @Scheduled", read_spring),
        Source("github-actions", "workflows in YAML", read_github_actions),
        Source("sidekiq-cron", "its schedule in YAML", read_ruby),
        Source("good-job", "its cron entries in YAML", read_ruby),
        Source("solid-queue", "recurring.yml", read_ruby),
        Source("eventbridge", "schedules or rules of the AWS CLI in JSON", read_eventbridge),
        Source("cloud-scheduler", "jobs of gcloud in JSON", read_cloud_scheduler),
        Source("pg-cron", "SQL with cron.schedule", read_pg_cron),
        Source("railway", "railway.json", read_railway),
        Source("vercel", "vercel.json", read_vercel),
    )
}


def read(source: str, files: Sequence[File], choices: Choices) -> Found:
    """Return what stands in files of a source. Raises ImportRefused if it can't be read."""
    for file in files:
        if len(file.text) > MOST_CHARACTERS:
            raise ImportRefused(
                f"{file.name} has {len(file.text):,} characters; split it into files of at most "
                f"{MOST_CHARACTERS:,}."
            )
    return SOURCES[source].read(files, choices)
