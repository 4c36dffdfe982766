"""The OpenAPI document is whole, and readable by programs and by people."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from flask import Flask

from tests.webapp.api.client import described_operation
from tick.interface.table import OPERATIONS
from webapp.access.security import CONTENT_SECURITY_POLICY
from webapp.api.routes import document


def references(value: Any) -> list[str]:
    """Every $ref inside a JSON value."""
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for part in value.values() for found in references(part)]
    if isinstance(value, list):
        return [found for part in value for found in references(part)]
    return []


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    for reference in references(whole):
        place: Any = whole
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        assert place is not None


def test_every_operation_stands_in_it_with_a_sentence_and_its_parameters() -> None:
    for name, operation in OPERATIONS.items():
        described = described_operation(name)
        assert described["summary"].endswith("."), name
        assert "Needs a token of role" in described["description"]
        in_path = [each["name"] for each in described["parameters"] if each["in"] == "path"]
        assert in_path == re.findall(r"<(?:\w+:)?(\w+)>", operation.path)
        assert ("requestBody" in described) is (operation.body is not None)


def test_every_schema_forbids_what_it_does_not_know_in_a_body() -> None:
    for operation in OPERATIONS.values():
        if operation.body is not None:
            schema = document()["components"]["schemas"][operation.body.__name__]
            assert schema["additionalProperties"] is False


def test_it_is_served_to_everyone_and_names_no_version_of_ours(app: Flask) -> None:
    response = app.test_client().get("/api/admin/openapi.json")
    assert response.get_json() == document() | {"servers": [{"url": "/"}]}
    assert response.get_json()["openapi"] == "3.1.0"


def test_it_is_printed_without_settings_and_without_a_database() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "webapp.openapi"], capture_output=True, check=True, env={}
    )
    assert json.loads(done.stdout) == document()


def test_the_page_for_people_shows_every_operation_and_needs_no_script(app: Flask) -> None:
    response = app.test_client().get("/api/admin/")
    assert response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    for path, methods in document()["paths"].items():
        assert path in response.text
        for described in methods.values():
            assert f'id="{described["operationId"]}"' in response.text
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", response.text)


@pytest.mark.parametrize("name", ["Schedule", "RunDetail", "Occurrence"])
def test_the_page_for_people_shows_the_models(app: Flask, name: str) -> None:
    assert f'id="model-{name}"' in app.test_client().get("/api/admin/").text
