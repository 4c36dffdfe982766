"""Somebody in front of the console, without a browser: pages as text, forms as they stand there."""

import re
import secrets
from html import unescape
from typing import Any

from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from tests.webapp.scenes import PASSWORD


class Visitor:
    """A test client that carries the CSRF token of the page it has seen, as a form would."""

    def __init__(self, app: Flask) -> None:
        self.app, self.client = app, app.test_client()
        self.token = ""

    def log_in(self, name: str, password: str = PASSWORD, **fields: str) -> "Visitor":
        """Sign in as by the form, whose page need not be drawn for that."""
        self.take_token()
        self.answer = self.post("/login", name=name, password=password, **fields)
        self.take_token()
        return self

    def take_token(self) -> None:
        """Take the CSRF token that the next page would carry."""
        with self.client.session_transaction() as session:
            told = session.setdefault("csrf_token", secrets.token_hex(20))
        signer = URLSafeTimedSerializer(self.app.secret_key, salt="wtf-csrf-token")
        self.token = signer.dumps(told)

    def get(self, path: str, **headers: str) -> TestResponse:
        """Ask for a page."""
        response = self.client.get(
            path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        self._remember(response)
        return response

    def post(self, path: str, **fields: str) -> TestResponse:
        """Send a form."""
        return self.client.post(path, data={"csrf_token": self.token, **fields})

    def page(self, path: str) -> str:
        """The text of a page that must be there."""
        response = self.get(path)
        assert response.status_code == 200, (path, response.status_code)
        return response.text

    def press(self, page: str, action: str, **filled: str) -> TestResponse:
        """Send the form of a page that leads to `action`: hidden fields as they are, and `filled`.

        A button may lead there instead, by a form of the page that many buttons share.
        """
        form = re.search(rf'<form[^>]* action="{re.escape(action)}".*?</form>', page, re.DOTALL)
        if form is None:
            button = re.search(rf' form="(\w+)" formaction="{re.escape(action)}"', page)
            shared = re.escape(button[1]) if button else "nowhere"
            form = re.search(rf'<form id="{shared}".*?</form>', page, re.DOTALL)
        assert form, f"no form leads to {action}"
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0]))
        data = {name: unescape(value) for name, value in fields.items()}
        return self.client.post(action, data=data | filled)

    def _remember(self, response: TestResponse) -> None:
        found = re.search(rb'name="csrf_token" value="([^"]+)"', response.data)
        response.close()
        if found:
            self.token = found[1].decode()


def location(response: TestResponse) -> Any:
    """Where a 303 leads."""
    assert response.status_code == 303, response.status_code
    return response.headers["Location"]
