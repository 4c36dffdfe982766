"""gunicorn as deploy/gunicorn.conf.py sets it up: what it logs, believes and leaves behind."""

from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tests.deploy.recipes import dockerfile
from tests.deploy.site import Site

pytestmark = pytest.mark.servers
SECRET = "a-trigger-secret-of-length"


@pytest.fixture
def serve(site: Site) -> Callable[..., Site]:
    """Starts the console with more settings, and waits until it is ready."""

    def start(**environment: str) -> Site:
        command = ("gunicorn", "--config", "gunicorn.conf.py", "webapp.wsgi:app")
        site.start(*command, **environment)
        site.wait_until_ready()
        return site

    return start


def test_the_access_log_holds_no_query_and_no_forged_line(serve: Callable[..., Site]) -> None:
    site = serve()
    site.get("/login%0Aforged?token=not-for-the-log")
    line = site.wait_for(lambda: [x for x in site.log.splitlines() if "forged" in x], "a line")[0]
    assert '"GET /login%0Aforged HTTP/1.1" 404' in line
    site.get("/feeds/not-for-the-log.ics")
    site.wait_for(lambda: "GET /feeds/*** HTTP" in site.log, "a line without the secret")
    assert "not-for-the-log" not in site.log


def test_a_visitor_cannot_claim_to_have_come_by_https(serve: Callable[..., Site]) -> None:
    answer = serve().get("/login", X_Forwarded_Proto="https", X_Forwarded_For="203.0.113.9")
    assert "Strict-Transport-Security" not in answer.headers


def test_a_proxy_that_was_declared_is_believed(serve: Callable[..., Site]) -> None:
    site = serve(TICK_PROXY_HOPS="1")
    assert "Strict-Transport-Security" in site.get("/login", X_Forwarded_Proto="https").headers


def test_the_console_ticks_for_whoever_brings_the_secret(serve: Callable[..., Site]) -> None:
    site = serve(TICK_TRIGGER_SECRET=SECRET)
    assert site.get("/internal/tick", "POST").status == 401
    assert site.get("/internal/tick", "POST", Authorization=f"Bearer {SECRET}").status == 200
    assert SECRET not in site.log


def test_chunks_that_are_none_are_the_senders_mistake(serve: Callable[..., Site]) -> None:
    site = serve()
    for path in ("/healthz", "/login", "/api/admin/jobs"):
        with closing(HTTPConnection("127.0.0.1", site.port, timeout=10)) as connection:
            connection.putrequest("POST", path)
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders(b"no length\r\n")
            assert connection.getresponse().status == 400, path
    assert "Traceback" not in site.log


def test_nothing_is_written_beside_the_database(serve: Callable[..., Site]) -> None:
    site = serve(HOME="home", PYTHONDONTWRITEBYTECODE="1")
    expected = {"definitions", "deploy", "gunicorn.conf.py", "secret_key", "log"}
    written = {path.name for path in site.folder.iterdir()} - expected
    assert written <= {"tick.db", "tick.db-wal", "tick.db-shm"}


def test_without_a_secret_key_the_console_ends_and_names_the_setting(site: Site) -> None:
    del site.environment["TICK_SECRET_KEY_FILE"]
    done = site.run("gunicorn", "--config", "gunicorn.conf.py", "webapp.wsgi:app")
    assert done.returncode != 0
    assert "TICK_SECRET_KEY is not set" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_images_health_check_tells_a_ready_console_from_none(
    serve: Callable[..., Site], site: Site
) -> None:
    (check,) = (one for one in dockerfile() if one.name == "HEALTHCHECK")
    assert site.run(*check.argv).returncode != 0
    serve()
    assert site.run(*check.argv).returncode == 0


def test_the_images_health_check_sees_a_database_that_needs_its_migration(empty_site: Site) -> None:
    (check,) = (one for one in dockerfile() if one.name == "HEALTHCHECK")
    empty_site.start("gunicorn", "--config", "gunicorn.conf.py", "webapp.wsgi:app")
    empty_site.wait_for(lambda: empty_site.get("/healthz").status == 200, "a console")
    assert empty_site.run(*check.argv).returncode == 1
