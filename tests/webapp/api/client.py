"""A program that uses the API with a token, and holds every answer to the OpenAPI document."""

from typing import Any

from flask import Flask
from pydantic import TypeAdapter
from werkzeug.test import TestResponse

from tick.interface.operation import ROOT
from tick.interface.table import OPERATIONS
from webapp.api.routes import document
from webapp.problem import MEDIA_TYPE, Problem


class Program:
    """Sends requests with one token, or with none."""

    def __init__(self, app: Flask, token: str | None = None) -> None:
        self.app = app
        self.client = app.test_client(use_cookies=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(
        self, method: str, path: str, json: Any = None, headers: Any = None, **how: Any
    ) -> TestResponse:
        """The response to a request, known to be as the document says."""
        place = path if path.startswith("/api/") else ROOT + path
        both = {**self.headers, **(headers or {})}
        response = self.client.open(place, method=method, json=json, headers=both, **how)
        self._check(method, place.partition("?")[0], response)
        return response

    def get(self, path: str, **headers: str) -> Any:
        """What a GET that succeeds answers."""
        response = self.ask("GET", path, headers=headers)
        assert response.status_code == 200, response.text
        return response.get_json()

    def post(self, path: str, json: Any = None, **headers: str) -> Any:
        """What a POST that succeeds answers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.ask("POST", path, json, named)
        assert response.status_code in (200, 201, 202), response.text
        return response.get_json()

    def send(self, method: str, path: str, json: Any = None) -> Any:
        """Return the answer of a PUT or DELETE that succeeds."""
        response = self.ask(method, path, json)
        assert response.status_code == 200, response.text
        return response.get_json()

    def refused(self, status: int, method: str, path: str, json: Any = None, **how: Any) -> Problem:
        """The problem that a request ends with."""
        response = self.ask(method, path, json, **how)
        assert response.status_code == status, response.text
        return Problem.model_validate_json(response.data)

    def _check(self, method: str, path: str, response: TestResponse) -> None:
        if response.status_code >= 400:
            assert response.content_type == MEDIA_TYPE, response.text
            problem = Problem.model_validate_json(response.data)
            assert problem.request_id == response.headers["X-Request-ID"]
            assert problem.status == response.status_code
        with self.app.test_request_context(path, method=method) as context:
            endpoint = context.request.endpoint or ""
            rule = context.request.url_rule
        operation = OPERATIONS.get(endpoint.removeprefix("api."))
        if operation is None or rule is None:
            return
        described = described_operation(operation.name)
        assert str(response.status_code) in described["responses"], (method, path, response.text)
        if response.status_code < 300:
            TypeAdapter(operation.output).validate_json(response.data, strict=False)


def described_operation(name: str) -> dict[str, Any]:
    """What the document says of an operation."""
    for methods in document()["paths"].values():
        for described in methods.values():
            if described["operationId"] == name:
                found: dict[str, Any] = described
                return found
    raise AssertionError(f"{name} is not in the document")
