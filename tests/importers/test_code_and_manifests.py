"""Schedules that stand in manifests, Python, units, XML and Java."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.importers.loading import imported
from tick.importers.entries import ImportRefused
from tick.states import MissedPolicy, OverlapPolicy

CRONJOB = """\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: nightly-report
spec:
  schedule: "30 2 * * *"
  timeZone: Europe/Berlin
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 3600
  suspend: true
  jobTemplate:
    spec:
      backoffLimit: 2
      activeDeadlineSeconds: 1800
      template:
        spec:
          serviceAccountName: reporter
          containers:
            - name: report
              image: registry.example.com/report:1.4
              command: ["python", "-m", "report"]
              args: ["--day=$(DAY)"]
              workingDir: /srv
              env:
                - {name: DAY, value: today}
                - name: DB_URL
                  valueFrom: {secretKeyRef: {name: db, key: url}}
              resources: {limits: {memory: 1Gi}}
"""


def test_a_cronjob_becomes_a_command_with_its_policies() -> None:
    found = imported("kubernetes", CRONJOB, None)
    schedule, job = found.schedule("nightly-report"), found.registry.jobs["nightly-report"]
    assert (schedule.cron, schedule.timezone) == ("30 2 * * *", "Europe/Berlin")
    assert (schedule.dst_gap, schedule.dst_fold) == ("skip", "both")
    assert (schedule.missed, schedule.max_catch_up_age) == (MissedPolicy.CATCH_UP, 3600)
    assert (job.retries, job.timeout_seconds) == (2, 1800)
    assert job.description == "python -m report '--day=$(DAY)'"
    assert 'env={"DAY": "today", "DB_URL": "secret:DB_URL"}' in found.text
    assert found.says(4, "changed", "the image registry.example.com/report:1.4")
    assert found.says(4, "changed", "$(NAME)")
    assert found.says(4, "cannot be", "serviceAccountName")
    assert found.says(4, "cannot be", "limits")
    assert found.says(4, "carried", "suspended")


def test_a_cronjob_without_zone_and_command_is_in_utc_and_a_stub() -> None:
    text = CRONJOB.replace("  timeZone: Europe/Berlin\n", "").replace("command", "ignored")
    found = imported("kubernetes", f"kind: Service\n---\n{text}", None)
    assert found.schedule("nightly-report").timezone == "UTC"
    assert "def job_nightly_report() -> None:" in found.text
    assert found.says(6, "cannot be", "the image", "is not known here")


def test_a_length_and_a_zone_within_the_schedule_are_read() -> None:
    every = imported("kubernetes", CRONJOB.replace("30 2 * * *", "@every 1h30m"), None)
    assert every.schedule("nightly-report").every == timedelta(minutes=90)
    zoned = imported("kubernetes", CRONJOB.replace("30 2", "CRON_TZ=Asia/Tokyo 30 2"), None)
    assert zoned.schedule("nightly-report").timezone == "Asia/Tokyo"


@pytest.mark.parametrize("source", ["kubernetes", "github-actions"])
def test_yaml_makes_no_objects_and_templates_are_refused(source: str, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    path = f"!!python/object/apply:pathlib.Path ['{marker}']"
    tag = f"!!python/object/apply:pathlib.Path.touch [{path}]"
    with pytest.raises(ImportRefused, match="is no YAML"):
        imported(source, f"kind: CronJob\nspec: {tag}\n")
    with pytest.raises(ImportRefused, match="helm template"):
        imported(source, "kind: {{ .Values.kind }}\n")
    assert not marker.exists()


BEAT = """\
import os
from celery.schedules import crontab

app.conf.timezone = "Europe/Berlin"
app.conf.beat_schedule = {
    "nightly": {"task": "proj.tasks.nightly", "schedule": crontab(hour=2, minute=30), "args": (1,)},
    "often": {"task": "proj.tasks.often", "schedule": 60 * 5.0},
    "hour": {"task": "proj.tasks.hour", "schedule": crontab(hour="9-17", day_of_week="mon-fri")},
    "both": {"task": "t", "schedule": crontab(0, 0, day_of_week=5, day_of_month="1-7")},
    "asked": {"task": "t", "schedule": crontab(minute=os.environ["MINUTE"])},
    "quick": {"task": "t", "schedule": timedelta(seconds=10), "options": {"queue": "fast"}},
}


@app.on_after_configure.connect
def setup(sender, **kwargs):
    sender.add_periodic_task(crontab(minute=0), hello.s("x"), name="hello hourly")
"""


def test_beat_is_read_without_running_it() -> None:
    found = imported("celery", BEAT, None)
    nightly = found.schedule("nightly")
    assert (nightly.cron, nightly.timezone) == ("30 2 * * *", "Europe/Berlin")
    assert nightly.overlap == OverlapPolicy.ALLOW
    assert 'raise RuntimeError("the task proj.tasks.nightly args=[1]' in found.text
    assert found.schedule("often").every == timedelta(minutes=5)
    assert found.says(8, "minute=0 was perhaps meant")
    assert found.schedule("both").cron == "0 0 * * 5#1"
    assert found.says(10, "cannot be", "only running the file tells crontab(minute=os.environ")
    assert found.says(11, "cannot be", "every 10 seconds")
    assert found.schedule("hello-hourly").cron == "0 0-23 * * *"


def test_python_is_never_run_and_pickles_are_refused(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    text = f"import pathlib\npathlib.Path({str(marker)!r}).touch()\n"
    for source in ("celery", "apscheduler"):
        assert imported(source, text).carried == []
        with pytest.raises(ImportRefused, match="pickled"):
            imported(source, f"cpathlib\nPath\n(S{str(marker)!r}\ntR.")
    assert not marker.exists()


DUMP = """[
{"model": "django_celery_beat.crontabschedule", "pk": 1, "fields": {"minute": "30", "hour": "2",
  "day_of_week": "*", "day_of_month": "*", "month_of_year": "*", "timezone": "Europe/Berlin"}},
{"model": "django_celery_beat.intervalschedule", "pk": 1,
  "fields": {"every": 2, "period": "hours"}},
{"model": "django_celery_beat.clockedschedule", "pk": 4,
  "fields": {"clocked_time": "2027-02-03T04:05:00+01:00"}},
{"model": "django_celery_beat.periodictask", "pk": 1, "fields": {"name": "Nightly", "task": "a.b",
  "crontab": 1, "args": "[]", "kwargs": "{\\"x\\": 1}", "enabled": false, "queue": "Slow"}},
{"model": "django_celery_beat.periodictask", "pk": 2, "fields": {"name": "Two", "task": "a.c",
  "interval": 1}},
{"model": "django_celery_beat.periodictask", "pk": 3, "fields": {"name": "Once", "task": "a.d",
  "clocked": 4, "one_off": true}},
{"model": "django_celery_beat.periodictask", "pk": 5, "fields": {"name": "Sun", "task": "a.e",
  "solar": 9}}
]"""


def test_a_dump_of_django_celery_beat_is_read() -> None:
    found = imported("django-celery-beat", DUMP, None)
    assert (found.schedule("nightly").cron, found.schedule("nightly").timezone) == (
        "30 2 * * *",
        "Europe/Berlin",
    )
    assert found.registry.jobs["nightly"].queue == "slow"
    assert found.schedule("two").every == timedelta(hours=2)
    once = found.schedule("once").at
    assert once is not None and once.isoformat() == "2027-02-03T03:05:00+00:00"
    assert "sun" not in found.registry.schedules
    with pytest.raises(ImportRefused, match="dumpdata"):
        imported("django-celery-beat", "{}")


APS = """\
sched = BlockingScheduler(timezone="Europe/Berlin")

@sched.scheduled_job("cron", day_of_week="mon-fri", hour=9)
def digest():
    pass

sched.add_job(sync, "interval", minutes=10, start_date="2026-01-01 00:05:00", id="sync")
sched.add_job("app.jobs:once", "date", run_date=datetime(2027, 5, 6, 7, 8))
sched.add_job(report, CronTrigger.from_crontab("0 0 * * 0"), max_instances=3)
sched.add_job(seconds, "cron", second="*/10")
sched.add_job(nth, "cron", day="2nd fri", hour=1)
sched.add_job(both, "cron", day=13, day_of_week="fri", hour=1)
sched.add_job(asked, CRON)
"""


def test_apscheduler_is_read_with_the_defaults_of_its_fields() -> None:
    found = imported("apscheduler", APS, None)
    digest, sync = found.schedule("digest"), found.schedule("sync")
    assert (digest.cron, digest.timezone) == ("0 9 * * mon-fri", "Europe/Berlin")
    assert sync.every == timedelta(minutes=10)
    assert str(sync.anchor) == "2025-12-31 23:05:00+00:00"
    assert str(found.schedule("once").at) == "2027-05-06 05:08:00+00:00"
    # Its 0 is Monday, and it loses a midnight after the spring change: it is asked itself.
    report = found.schedule("report")
    assert (report.cron, report.dialect) == ("0 0 * * 0", "APScheduler")
    assert found.says(9, "carried", "instants would differ", "cron='0 0 * * 1'")
    assert found.schedule("report").overlap == OverlapPolicy.ALLOW
    assert found.says(10, "cannot be", "second '*/10'")
    assert found.says(11, "cannot be", "1#2 for the second Monday")
    assert found.schedule("both").dialect == "APScheduler"
    assert found.says(13, "cannot be", "only running the file tells")
    with pytest.raises(ImportRefused, match="--tz ZONE"):
        imported("apscheduler", 'x.add_job(f, "cron", hour=1)\n', None)


TIMER = """\
[Timer]
OnCalendar=
OnCalendar=Mon..Fri *-*-* 02:30
OnCalendar=*-*-01 04:00 Asia/Tokyo
Persistent=true
RandomizedDelaySec=10min
"""
SERVICE = """\
[Service]
Type=oneshot
User=app
WorkingDirectory=/srv
Environment="A=1 2" B=3 API_TOKEN=x
ExecStartPre=/bin/true
ExecStart=-/usr/bin/backup --to \\
  "/mnt/my disk"
RuntimeMaxSec=2h
"""


def test_timers_are_read_with_their_services() -> None:
    found = imported("systemd", {"backup.timer": TIMER, "backup.service": SERVICE})
    first, second = found.registry.schedules.values()
    assert (first.id, first.cron, first.timezone) == ("backup", "30 2 * * 1-5", "Europe/Berlin")
    assert (second.id, second.cron, second.timezone) == ("backup-2", "0 4 1 * *", "Asia/Tokyo")
    assert (first.missed, first.jitter) == (MissedPolicy.CATCH_UP, 600)
    assert '["/usr/bin/backup", "--to", "/mnt/my disk"]' in found.text
    assert 'env={"A": "1 2", "B": "3", "API_TOKEN": "secret:API_TOKEN"}' in found.text
    assert found.registry.jobs["backup"].timeout_seconds == 7200
    said = str(found.carried)
    assert "it runs as app" in said and "ExecStartPre" in said


def test_a_timer_without_a_service_is_a_stub_and_one_without_a_time_has_no_schedule() -> None:
    found = imported("systemd", {"a.timer": "[Timer]\nOnBootSec=5min\n"})
    assert not found.registry.schedules
    assert found.says(0, "give a.service as well")
    with pytest.raises(ImportRefused, match=r"no \[Timer\]"):
        imported("systemd", {"a.service": SERVICE})


QUARTZ = """\
<job-scheduling-data xmlns="http://www.quartz-scheduler.org/xml/JobSchedulingData">
  <schedule><trigger><cron>
    <name>nightly</name><job-name>NightlyJob</job-name>
    <cron-expression>0 30 2 ? * MON-FRI</cron-expression>
    <time-zone>Europe/Berlin</time-zone>
  </cron></trigger></schedule>
  <bean id="last"><property name="cronExpression" value="15 0 9 L * ?"/></bean>
  <bean id="work"><property name="cronExpression"><value>0 0 9 LW * ?</value></property></bean>
</job-scheduling-data>
"""


def test_quartz_triggers_are_read() -> None:
    found = imported("quartz", QUARTZ)
    assert found.schedule("nightly").cron == "30 2 * * MON-FRI".replace("MON-FRI", "1-5")
    assert found.schedule("last").cron == "0 9 L * *"
    assert found.says(7, "changed", "second 15")
    assert (found.schedule("work").cron, found.schedule("work").dialect) == (
        "0 0 9 LW * ?",
        "quartz",
    )


def test_xml_with_a_document_type_is_refused(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    marker.write_text("secret")
    with pytest.raises(ImportRefused, match="delete the <!DOCTYPE"):
        imported("quartz", f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{marker}">]><a>&x;</a>')
    with pytest.raises(ImportRefused, match="is no XML"):
        imported("quartz", "<a>")


JAVA = """\
class Jobs {
    @Scheduled(cron = "0 0 6 * * MON-FRI", zone = "Europe/Berlin")
    public void early() {}

    @Scheduled(cron = "0 0 0 * * 0")
    void sundays() {}

    @Scheduled(fixedRate = 5, timeUnit = TimeUnit.MINUTES)
    void often() {}

    @Scheduled(cron = "${jobs.cron}")
    void configured() {}

    @Scheduled(cron = "0 0 0 13 * FRI")
    void fridays() {}
}
"""


def test_spring_methods_are_read() -> None:
    found = imported("spring", JAVA)
    assert found.schedule("early").cron == "0 6 * * 1-5"
    assert found.schedule("sundays").cron == "0 0 * * 0"
    assert found.schedule("often").every == timedelta(minutes=5)
    assert found.says(11, "cannot be", "${jobs.cron}")
    assert found.says(14, "cannot be", "both day fields must match")


def test_workflows_are_read_though_yaml_takes_on_for_a_truth_value() -> None:
    text = "name: Nightly build\non:\n  schedule:\n    - cron: '17 3 * * 1-5'\njobs: {}\n"
    found = imported("github-actions", text, None, name=".github/workflows/build.yml")
    assert found.schedule("nightly-build").cron == "17 3 * * 1-5"
    assert found.schedule("nightly-build").timezone == "UTC"
    assert "workflow build" in found.text
