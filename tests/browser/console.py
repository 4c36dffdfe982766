"""A console on a free port, and somebody who signs in to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, TypeAlias

from playwright.sync_api import Page
from werkzeug.serving import make_server

from tests.support.factories import World
from tests.webapp.scenes import PASSWORD
from webapp import create_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


Front: TypeAlias = Callable[["WSGIApplication"], "WSGIApplication"]


@contextmanager
def served(world: World, before: Front | None = None) -> Iterator[str]:
    """The console of a world, with something before it if need be; its URL."""
    app = create_app(world.runtime)
    server = make_server("127.0.0.1", 0, before(app) if before else app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def log_in(page: Page, name: str = "ada") -> Page:
    """Sign in by the form."""
    page.goto("/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", level=1, name="Overview").wait_for()
    page.goto("/schedules")
    return page
