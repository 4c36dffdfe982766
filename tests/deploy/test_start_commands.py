"""Each command that a platform's file starts is started here, and does what it is there for."""

import json

import pytest
import sqlalchemy as sa

from tests.deploy.recipes import Command, compose, start_commands, systemd_units
from tests.deploy.site import Site
from tick.settings import Settings
from tick.store.tables import job_run, tick_log, worker_instance

pytestmark = pytest.mark.servers
COMMANDS = start_commands()
CONSOLES = [command for command in COMMANDS if command[0] == "gunicorn"]
LOOP, WORKER = ("tick", "loop"), ("tick", "worker")
NOW, RELEASE = ("tick", "now"), ("tick", "db", "upgrade")
(UP,) = (command for command in COMMANDS if command[:2] == ("tick", "up"))


def test_no_start_command_goes_untested() -> None:
    assert set(COMMANDS) == {*CONSOLES, LOOP, WORKER, NOW, RELEASE, UP}


@pytest.mark.parametrize("command", CONSOLES, ids=lambda command: " ".join(COMMANDS[command]))
def test_the_console_serves_its_pages_and_ends_in_good_order(site: Site, command: Command) -> None:
    console = site.start(*command)
    site.wait_until_ready()
    assert site.get("/healthz").status == 200
    assert 'type="password"' in site.get("/login").body
    assert site.stop(console, within_seconds=20) == 0
    assert site.processes == []


@pytest.mark.parametrize(
    ("command", "kind"), [(LOOP, "schedule_daemon"), (WORKER, "job_worker")], ids=["loop", "worker"]
)
def test_loop_and_worker_register_and_sign_off(site: Site, command: Command, kind: str) -> None:
    process = site.start(*command)
    site.wait_for(lambda: known(site) == [(kind, "RUNNING")], f"a {kind}")
    assert site.stop(process, within_seconds=20) == 0
    assert known(site) == [(kind, "STOPPED")]
    assert site.processes == []


def test_the_loop_ticks_as_soon_as_it_starts(site: Site) -> None:
    site.start(*LOOP)
    site.wait_for(lambda: "tick loop" in ticks(site), "a tick")


def test_a_timer_ticks_by_a_command_that_ends(site: Site) -> None:
    done = site.run(*NOW)
    assert (done.returncode, ticks(site)) == (0, ["tick now"]), done.stderr


def test_the_release_step_makes_the_schema_and_may_be_repeated(empty_site: Site) -> None:
    first, second = empty_site.run(*RELEASE), empty_site.run(*RELEASE)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert "already" in second.stdout


@pytest.mark.parametrize("command", [LOOP, WORKER, NOW, UP], ids=" ".join)
def test_before_the_release_step_a_process_ends_and_names_it(
    empty_site: Site, command: Command
) -> None:
    done = empty_site.run(*command)
    assert done.returncode == 1
    assert "tick db upgrade" in done.stderr
    assert "Traceback" not in done.stderr


def test_up_serves_ticks_and_works_and_takes_all_of_it_along(site: Site) -> None:
    tree = site.start(*UP)
    site.wait_until_ready()
    site.wait_for(lambda: "tick loop" in ticks(site), "a tick")
    assert site.run("tick", "run", "--job", "hello").returncode == 0
    run = sa.select(job_run.c.status, job_run.c.result)
    site.wait_for(lambda: site.rows(run)[0].status == "SUCCESS", f"{site.rows(run)}")
    assert json.loads(site.rows(run)[0].result) == {"greeted": 1}
    assert site.stop(tree, within_seconds=30) == 0
    assert known(site) == [("job_worker", "STOPPED"), ("schedule_daemon", "STOPPED")]
    assert site.processes == []


def test_up_ends_as_a_whole_when_one_part_ends(site: Site) -> None:
    tree = site.start(*UP)
    site.wait_for(lambda: ("job_worker", "RUNNING") in known(site), "a worker")
    pid = sa.select(worker_instance.c.pid).where(worker_instance.c.worker_type == "job_worker")
    (worker,) = (process for process in site.processes if process.pid == site.rows(pid)[0].pid)
    worker.kill()
    assert tree.wait(30) == 1
    assert "the worker ended by itself" in site.log
    site.wait_for(lambda: site.processes == [], "the end of all parts")


def test_platforms_let_a_worker_drain_before_they_kill_it() -> None:
    drain = Settings().drain_seconds
    worker = systemd_units()["tick-worker.service"]["Service"]
    assert float(worker["TimeoutStopSec"]) > drain + 10
    assert float(compose()["worker"]["stop_grace_period"].removesuffix("s")) > drain + 10


def known(site: Site) -> list[tuple[str, str]]:
    """(type, status) of every process that registered."""
    w = worker_instance.c
    rows = site.rows(sa.select(w.worker_type, w.status).order_by(w.worker_type))
    return [(row.worker_type, row.status) for row in rows]


def ticks(site: Site) -> list[str]:
    """Who ticked."""
    return [row.source for row in site.rows(sa.select(tick_log.c.source))]
