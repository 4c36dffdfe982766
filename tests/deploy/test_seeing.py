"""Seeing, on real processes: /metrics under four gunicorn workers, and logs as JSON."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.deploy.site import Site

pytestmark = pytest.mark.servers
TOKEN = "a-metrics-token-of-length"


def test_four_workers_say_the_same_as_the_database(site: Site) -> None:
    assert site.run("tick", "sync").returncode == 0
    for _ in range(3):
        assert site.run("tick", "run", "--all").returncode == 0
    assert site.run("tick", "now", "--drain", "20").returncode == 0
    gunicorn = ("gunicorn", "--config", "gunicorn.conf.py", "webapp.wsgi:app")
    site.start(*gunicorn, WEB_CONCURRENCY="4", TICK_METRICS_TOKEN=TOKEN)
    site.wait_until_ready()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: _scrape(site), range(40)))
    assert set(answers) == {answers[0]}
    assert 'tick_runs_total{job_name="hello",status="succeeded"} 3.0' in answers[0]
    assert "tick_ticks_total 1.0" in answers[0]
    assert site.get("/metrics").status == 401


def _scrape(site: Site) -> str:
    answer = site.get("/metrics", Authorization=f"Bearer {TOKEN}")
    assert answer.status == 200, answer.body
    # What a moment later is another number, or only says when something was made.
    return "\n".join(
        line for line in answer.body.splitlines() if not re.match(r"#|tick_queue_oldest", line)
    )


def test_with_the_setting_every_line_of_the_console_is_an_object(site: Site) -> None:
    gunicorn = ("gunicorn", "--config", "gunicorn.conf.py", "webapp.wsgi:app")
    console = site.start(*gunicorn, TICK_LOG_FORMAT="json", TICK_METRICS_TOKEN=TOKEN)
    site.wait_until_ready()
    site.get("/nowhere")
    assert site.stop(console, 20) == 0
    lines = [json.loads(line) for line in site.log.splitlines()]
    assert {"gunicorn.error", "gunicorn.access"} <= {line["logger"] for line in lines}
    assert all(line["at"] and line["level"] and line["message"] for line in lines)


def test_with_the_setting_so_is_every_line_of_the_loop(site: Site) -> None:
    loop = site.start("tick", "loop", TICK_LOG_FORMAT="json")
    site.wait_for(lambda: "schedules in the definitions" in site.log, "a loop that ticks")
    assert site.stop(loop, 20) == 0
    assert [json.loads(line)["logger"] for line in site.log.splitlines()]
