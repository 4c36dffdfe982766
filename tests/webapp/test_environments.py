"""The environment on every page, and a console that is set to another one than its database."""

import pytest
import sqlalchemy as sa

from tests.support.factories import World
from tests.webapp.scenes import SETTINGS
from tests.webapp.test_schedule_form import SYNC, fields_of, text_of, written
from tests.webapp.visitor import Visitor
from tick.engine.ledger.environment import NAME
from tick.ops.access import tokens
from tick.ops.act import Act, Author
from tick.states import Role
from tick.store.tables import setting
from webapp import create_app

BELONGS = "the database belongs to staging"
BEARER = f"Bearer {SETTINGS.trigger_secret.get_secret_value() if SETTINGS.trigger_secret else ''}"


@pytest.fixture
def handed_over(world: World) -> World:
    """The database came to belong to staging, and the console did not."""
    with world.database.write.begin() as connection:
        connection.execute(sa.update(setting).where(setting.c.name == NAME).values(value="staging"))
    return world


def test_every_page_names_the_environment_also_before_one_signs_in(
    stranger: Visitor, ada: Visitor
) -> None:
    for page in (stranger.page("/login"), ada.page("/"), ada.page("/schedules/daily")):
        assert '"The environment of this installation">production<' in page


def test_a_console_of_another_environment_says_so_and_changes_nothing(
    handed_over: World, ada: Visitor
) -> None:
    page = text_of(ada.page("/schedules"))
    assert "Nothing can be changed here." in page
    assert BELONGS in page and "TICK_ENVIRONMENT=staging" in page
    answer = ada.post("/schedules/daily/enable")
    assert answer.status_code == 409 and BELONGS in text_of(answer.text)
    assert not handed_over.schedule("daily").enabled
    assert ada.post("/logout").status_code == 303


def test_its_api_reads_and_changes_nothing(handed_over: World, ada: Visitor) -> None:
    act = Act(handed_over.now, Author("ada"))
    token = tokens.create_token(handed_over.database, act, "ci", Role.ADMIN, days=9)[1]
    app = create_app(handed_over.runtime)
    headers = {"Authorization": f"Bearer {token}"}
    client = app.test_client()
    status = client.get("/api/admin/scheduler/status", headers=headers).get_json()
    assert status["environment"] == "staging"
    assert BELONGS in status["wrong_environment"]
    refused = client.post("/api/admin/schedules/daily/enable", headers=headers, json={})
    assert refused.status_code == 409
    assert BELONGS in refused.get_json()["detail"]


def test_its_trigger_is_answered_with_what_to_do(handed_over: World) -> None:
    client = create_app(handed_over.runtime).test_client()
    answer = client.post("/internal/tick", headers={"Authorization": BEARER})
    assert answer.status_code == 409
    assert BELONGS in answer.get_json()["error"]
    assert handed_over.ledger("daily") == []


def test_the_form_takes_the_environments_of_a_schedule(ada: Visitor, world: World) -> None:
    ada.post("/new-schedule", **SYNC, environments="production, staging")
    assert written(world)["environments"] == ["production", "staging"]
    page = ada.page("/schedules/nightly-match")
    assert "exists in production, staging" in page
    sent = fields_of(ada.page("/schedules/nightly-match/edit"))
    assert sent["environments"] == "production, staging"
    ada.post("/schedules/nightly-match/edit", **sent | {"environments": ""})
    assert "environments" not in written(world)


def test_a_schedule_that_would_not_exist_here_is_told_beside_the_field(ada: Visitor) -> None:
    answer = ada.post("/new-schedule", **SYNC, environments="staging")
    assert answer.status_code == 422
    assert "it does not exist in production, which this is" in text_of(answer.text)


def test_the_form_leaves_what_differs_by_environment_alone(ada: Visitor, world: World) -> None:
    ada.post("/new-schedule", **SYNC, rest='{"environments": {"production": {"jitter": 60}}}')
    page = ada.page("/schedules/nightly-match/edit")
    assert "Its options differ by environment" in page
    ada.post("/schedules/nightly-match/edit", **fields_of(page) | {"description": "new"})
    found = written(world)
    assert found["environments"] == {"production": {"jitter": 60}}
    assert found["description"] == "new"
    assert 'environments={"production": {"jitter": 60}}' in text_of(
        ada.page("/schedules/nightly-match/code")
    )
