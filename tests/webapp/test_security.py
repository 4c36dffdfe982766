"""What every answer carries, and what no request may do."""

import re
from io import BytesIO

import pytest
import sqlalchemy as sa
from flask import Flask, request
from werkzeug.test import EnvironBuilder

from tests.support.factories import World, a_job, a_schedule
from tests.webapp.scenes import SETTINGS
from tests.webapp.visitor import Visitor
from tick import clock
from tick.interface.permissions import Permission
from tick.runtime import Runtime
from tick.store.tables import job_log, job_run
from webapp import create_app
from webapp.access import permissions
from webapp.access.security import CONTENT_SECURITY_POLICY
from webapp.config import MAX_BODY

PAGES = [
    "/login",
    "/schedules",
    "/schedules/daily",
    "/schedules/daily/enable",
    "/occurrences/1",
    "/runs",
    "/runs/1",
    "/jobs",
    "/runs/4711",
    "/nowhere",
    "/static/theme.css",
    "/healthz",
    "/internal/tick",
]
HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


def test_every_answer_has_the_strict_policy(ada: Visitor, failed_run: int) -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    for path in PAGES:
        headers = ada.get(path).headers
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY, path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
        assert headers["Referrer-Policy"] == "same-origin", path
        assert ("no-store" in headers["Cache-Control"]) is not path.startswith("/static"), path
        assert not [name for name, _ in headers if name.startswith("Access-Control-")], path


def test_no_page_needs_inline_code_or_another_site(ada: Visitor, failed_run: int) -> None:
    inline = r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:"
    for path in PAGES[:10]:
        page = ada.get(path).text
        assert not re.search(inline, page), path
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page), path


def test_a_session_cookie_stays_out_of_reach_of_scripts(stranger: Visitor) -> None:
    cookie = stranger.get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_cookie_of_taste_is_secure_too(world: World) -> None:
    settings = SETTINGS.model_copy(update={"cookie_secure": True})
    app = create_app(Runtime(settings, world.database))
    app.config["WTF_CSRF_ENABLED"] = False
    answer = app.test_client().post("/theme", data={"theme": "dark"}, base_url="https://a.example")
    (cookie,) = [each for each in answer.headers.getlist("Set-Cookie") if "theme=dark" in each]
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax"):
        assert attribute in cookie


def test_a_secure_cookie_is_bound_to_this_host(world: World) -> None:
    settings = SETTINGS.model_copy(update={"cookie_secure": True})
    app = create_app(Runtime(settings, world.database))
    response = app.test_client().get("/login", base_url="https://console.example")
    assert response.headers["Set-Cookie"].startswith("__Host-tick=")
    assert "Secure" in response.headers["Set-Cookie"]
    insisted = response.headers["Strict-Transport-Security"]
    assert insisted == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize(("scheme", "said"), [("http", "use https://"), ("https", "too long")])
def test_signing_in_without_cookies_explains_why(world: World, scheme: str, said: str) -> None:
    settings = SETTINGS.model_copy(update={"cookie_secure": True})
    client = create_app(Runtime(settings, world.database)).test_client()
    answer = client.post("/login", data={"name": "ada"}, base_url=f"{scheme}://console.example")
    assert (answer.status_code, said in answer.text) == (400, True)


def test_an_unknown_host_name_is_refused_except_for_probes(world: World) -> None:
    settings = SETTINGS.model_copy(update={"allowed_hosts": "console.example, localhost"})
    client = create_app(Runtime(settings, world.database)).test_client()
    assert client.get("/login", base_url="http://evil.example").status_code == 400
    assert client.get("/login", base_url="http://console.example:8000").status_code == 200
    assert client.get("/healthz", base_url="http://10.0.0.7").status_code == 200


def test_hostile_names_logs_and_errors_are_only_text(world: World, ada: Visitor) -> None:
    world.define(
        a_schedule("hostile", name=HOSTILE, description=HOSTILE),
        jobs=[a_job("hostile", description=HOSTILE)],
    )
    ada.post("/schedules/hostile/run")
    run = world.runs()[-1]
    with world.database.write.begin() as connection:
        _spoil(connection, run.id)
    for path in (
        "/schedules",
        "/schedules/hostile",
        f"/occurrences/{run.occurrence_id}",
        "/runs",
        f"/runs/{run.id}",
        f"/runs/{run.id}/tail?after=0",
        "/jobs",
        "/runs?job=" + HOSTILE.replace("<", "%3C"),
        "/schedules?after=" + HOSTILE,
    ):
        page = ada.get(path).text
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path


def _spoil(connection: sa.Connection, run_id: int) -> None:
    texts = ("error_type", "error_message", "error_traceback", "reason", "result", "progress_text")
    spoilt = {**dict.fromkeys(texts, HOSTILE), "params": {HOSTILE: HOSTILE}}
    connection.execute(sa.update(job_run).where(job_run.c.id == run_id).values(spoilt))
    line = {"run_id": run_id, "attempt": 1, "at": clock.now(), "level": "info"}
    line |= {"message": HOSTILE, "fields": {HOSTILE: HOSTILE}}
    connection.execute(sa.insert(job_log), line)


def test_a_nul_or_an_id_beyond_any_database_is_a_clean_refusal(ada: Visitor) -> None:
    assert ada.get("/schedules/%00").status_code == 400
    assert ada.get("/runs?job=%00").status_code == 400
    assert ada.get(f"/runs/{2**63}").status_code == 404
    assert ada.get(f"/runs?before={2**63}").status_code == 422
    assert ada.post("/login", name="a\0b").status_code == 400


def test_an_error_page_names_the_request_and_shows_no_stack(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.add_url_rule("/broken", "broken", lambda: 1 / 0)
    monkeypatch.setitem(permissions.NEEDED, "broken", Permission.READ)
    response = Visitor(app).log_in("ada").get("/broken", X_Request_ID="abc12345-6789")
    assert response.status_code == 500
    assert "abc12345-6789" in response.text
    assert "ZeroDivisionError" not in response.text
    assert "Traceback" not in response.text


FORWARDED = {"X-Forwarded-For": "192.0.2.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "x"}


@pytest.mark.parametrize(("hops", "believed"), [(0, False), (1, True)])
def test_what_a_proxy_says_is_believed_only_where_there_is_one(
    world: World, hops: int, believed: bool
) -> None:
    app = create_app(Runtime(SETTINGS.model_copy(update={"proxy_hops": hops}), world.database))
    seen: list[tuple[str | None, bool, str]] = []
    app.before_request(lambda: seen.append((request.remote_addr, request.is_secure, request.host)))
    app.test_client().get("/healthz", headers=FORWARDED)
    wanted = ("192.0.2.9", True, "x") if believed else ("127.0.0.1", False, "localhost")
    assert seen == [wanted]


@pytest.mark.parametrize(
    "offered", ["", "short", "x" * 65, "a b c d e f", "abc12345\t", "<b>12345678"]
)
def test_an_odd_request_id_is_replaced(stranger: Visitor, offered: str) -> None:
    given = stranger.get("/login", X_Request_ID=offered).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{16}", given)


@pytest.mark.parametrize("method", ["TRACE", "DELETE", "PUT", "PATCH", "CONNECT", "FOO"])
def test_a_method_that_no_page_takes_is_refused(app: Flask, method: str) -> None:
    assert app.test_client().open("/login", method=method).status_code == 405


def test_pages_say_which_characters_they_are_written_in(ada: Visitor) -> None:
    for path in ("/login", "/schedules", "/nowhere"):
        assert ada.get(path).headers["Content-Type"] == "text/html; charset=utf-8"


def test_the_page_of_an_error_has_no_choice_of_times_that_it_does_not_show(ada: Visitor) -> None:
    assert "Times in" in ada.page("/schedules")
    assert "Times in" not in ada.get("/nowhere").text


def test_no_folder_is_listed_and_no_file_beside_the_static_ones_is_served(
    stranger: Visitor,
) -> None:
    for path in ("/static/", "/static/vendor/", "/static/../wsgi.py", "/static/%2e%2e/wsgi.py"):
        assert stranger.get(path).status_code == 404, path


def test_signing_out_clears_what_the_browser_kept(ada: Visitor) -> None:
    ada.page("/schedules")
    assert ada.post("/logout").headers["Clear-Site-Data"] == '"cache", "storage"'


def test_what_is_refused_is_in_the_log_by_name_and_request(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    visitor = Visitor(app).log_in("vic", "not the password\r\nforged line")
    vic = visitor.log_in("vic")
    vic.client.post("/schedules/daily/run", data={"csrf_token": vic.token})
    vic.client.post("/schedules/daily/run")
    lines = [record.getMessage() for record in caplog.records]
    wanted = ("a login as 'vic' was refused", "'vic' has signed in", "'vic' may not schedules.run")
    for words in (*wanted, "CSRF"):
        assert any(words in line and line.startswith("request ") for line in lines), words
    assert "not the password" not in str(lines)
    assert not any("\n" in line for line in lines)


@pytest.mark.parametrize("host", ["..", ".", "a..b", "x" * 64 + ".example"])
def test_what_is_no_host_is_refused_in_plain_words(
    app: Flask, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    for path in ("/login", "/schedules", "/api/admin/jobs", "/nowhere"):
        answer = app.test_client().get(path, headers={"Host": host})
        assert (answer.status_code, answer.mimetype) == (400, "text/plain"), path
        assert "Host header" in answer.text
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert caplog.records == []


@pytest.mark.parametrize(
    ("path", "form"), [("/login", b"name=ada&x="), ("/api/admin/jobs/run", b"{}")]
)
def test_a_body_without_a_length_is_bounded_like_any_other(
    app: Flask, path: str, form: bytes
) -> None:
    def send(body: bytes) -> int:
        builder = EnvironBuilder(path, method="POST", input_stream=BytesIO(body))
        environ = builder.get_environ() | {"wsgi.input_terminated": True}
        environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
        del environ["CONTENT_LENGTH"]
        return app.test_client().open(environ).status_code

    assert send(form.ljust(MAX_BODY, b"x")) in (400, 401)  # for want of a form token, or a secret
    assert send(form.ljust(MAX_BODY + 1, b"x")) == 413


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:81"},
        {"Origin": "null"},
    ],
)
def test_a_form_that_a_page_of_another_site_sent_is_refused_with_its_token(
    world: World, ada: Visitor, headers: dict[str, str]
) -> None:
    form = {"csrf_token": ada.token}
    refused = ada.client.post("/schedules/daily/enable", data=form, headers=headers)
    assert refused.status_code == 403
    assert not world.schedule("daily").enabled


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://as-a-proxy-hides-it.example"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
    ],
)
def test_a_form_of_our_own_is_taken_and_so_is_one_of_an_old_browser(
    world: World, ada: Visitor, headers: dict[str, str]
) -> None:
    form = {"csrf_token": ada.token}
    assert ada.client.post("/schedules/daily/enable", data=form, headers=headers).status_code == 303
    assert world.schedule("daily").enabled
