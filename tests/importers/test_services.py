"""Schedules of services and of Ruby's schedulers."""

from datetime import timedelta

import pytest

from tests.importers.loading import imported
from tick.importers.entries import ImportRefused

RUBY = """\
production:
  nightly_report:
    class: ReportJob
    args: [1]
    queue: Slow
    schedule: 30 2 * * * America/New_York
  words:
    class: WordsJob
    schedule: every day at 5am
  last:
    command: Old.delete_all
    schedule: 0 3 L * *
"""


@pytest.mark.parametrize("source", ["sidekiq-cron", "good-job", "solid-queue"])
def test_the_yaml_of_ruby_is_read(source: str) -> None:
    found = imported(source, RUBY)
    nightly = found.schedule("nightly-report")
    assert (nightly.cron, nightly.timezone) == ("30 2 * * *", "America/New_York")
    assert found.registry.jobs["nightly-report"].queue == "slow"
    assert found.schedule("last").cron == "0 3 L * *"
    assert found.says(7, "cannot be", "said in words")
    flat = "sync:\n  cron: '*/5 * * * *'\n  class: Sync\n  status: disabled\n"
    assert imported(source, flat).schedule("sync").timezone == "Europe/Berlin"


def test_eventbridge_counts_weekdays_from_sunday_as_one() -> None:
    text = """{"Rules": [
      {"Name": "mondays", "ScheduleExpression": "cron(0 12 ? * 2 *)"},
      {"Name": "rate", "ScheduleExpression": "rate(5 minutes)"},
      {"Name": "years", "ScheduleExpression": "cron(0 12 1 * ? 2027)"},
      {"Name": "event"}]}"""
    found = imported("eventbridge", text, None)
    assert found.schedule("mondays").cron == "0 12 * * 1"
    assert found.schedule("rate").every == timedelta(minutes=5)
    assert found.says(4, "cannot be", "names years")
    once = imported(
        "eventbridge",
        '{"Name": "once", "ScheduleExpression": "at(2027-05-06T07:08:09)", '
        '"ScheduleExpressionTimezone": "Europe/Berlin"}',
        None,
    )
    assert str(once.schedule("once").at) == "2027-05-06 05:08:09+00:00"


def test_cloud_scheduler_becomes_requests() -> None:
    text = """[{"name": "projects/p/locations/l/jobs/ping", "schedule": "*/10 * * * *",
      "timeZone": "Asia/Tokyo", "httpTarget": {"uri": "https://example.com/x",
      "httpMethod": "POST", "body": "e30="}}]"""
    found = imported("cloud-scheduler", text, None)
    assert found.schedule("ping").timezone == "Asia/Tokyo"
    assert 'url="https://example.com/x"' in found.text and 'method="POST"' in found.text
    assert found.says(1, "cannot be", "body of the request")


def test_platforms_are_read_in_utc() -> None:
    vercel = '{"crons": [{"path": "/api/clean-up", "schedule": "0 5 * * *"}]}'
    assert imported("vercel", vercel, None).schedule("api-clean-up").cron == "0 5 * * *"
    railway = '{"deploy": {"startCommand": "python work.py", "cronSchedule": "*/15 * * * *"}}'
    found = imported("railway", railway, None)
    assert found.schedule("work").cron == "*/15 * * * *"
    assert found.registry.jobs["work"].description == "python work.py"
    for source in ("vercel", "railway", "eventbridge", "cloud-scheduler"):
        with pytest.raises(ImportRefused, match="is no JSON"):
            imported(source, "{")


def test_pg_cron_runs_sql_through_psql() -> None:
    text = """SELECT cron.schedule('vacuum', '0 3 * * *', 'VACUUM');
SELECT cron.schedule('last', '0 4 $ * *', $$DELETE FROM a WHERE b = 'c'$$);
SELECT cron.schedule('30 seconds', 'SELECT ''x''');
"""
    found = imported("pg-cron", text, None)
    assert found.schedule("vacuum").cron == "0 3 * * *"
    assert found.schedule("last").cron == "0 4 L * *"
    assert "DELETE FROM a WHERE b = 'c'" in found.text
    assert found.says(3, "cannot be", "every 30 seconds")
