"""Settings that hold several values, as they stand in the environment."""

import pytest

from tick.errors import SettingsError
from tick.settings import load_settings, where_definitions_are


def test_limits_are_names_and_numbers() -> None:
    found = load_settings({"TICK_QUEUE_LIMITS": "media=2, default = 10,"})
    assert found.queue_limits == {"media": 2, "default": 10}
    assert found.group_limits == {}


@pytest.mark.parametrize("value", ["media", "media=", "=2", "media=0", "media=-1", "media=two"])
def test_what_is_no_limit_is_named(value: str) -> None:
    with pytest.raises(SettingsError, match="TICK_GROUP_LIMITS"):
        load_settings({"TICK_GROUP_LIMITS": value})


def test_names_stand_between_commas() -> None:
    assert load_settings({"TICK_HOLIDAYS": " operators, on call,"}).holidays == (
        "operators",
        "on call",
    )


@pytest.mark.parametrize("name", ["WEBHOOK_SECRET", "SECRET_KEY", "TRIGGER_SECRET"])
def test_a_secret_that_is_too_short_is_told_its_length_and_how_to_make_one(name: str) -> None:
    with pytest.raises(SettingsError, match=rf"TICK_{name}: must have at least 16 char"):
        load_settings({f"TICK_{name}": "short"})


def test_the_definitions_are_found_whatever_other_settings_hold() -> None:
    wrong = {"TICK_SECRET_KEY_FILE": "nowhere/key", "TICK_KEEP_DAYS": "many"}
    assert where_definitions_are(wrong) == ("definitions", "production")
    there = wrong | {"TICK_DEFINITIONS": "mine", "TICK_ENVIRONMENT": "staging"}
    assert where_definitions_are(there) == ("mine", "staging")


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("TRIGGER_SECRET_PREVIOUS", "TRIGGER_SECRET"),
        ("TRIGGER_OIDC_AUDIENCE", "TRIGGER_OIDC_ISSUER"),
        ("TRIGGER_OIDC_SUBJECTS", "TRIGGER_OIDC_ISSUER"),
        ("TRIGGER_OIDC_EMAILS", "TRIGGER_OIDC_ISSUER"),
        ("WEBHOOK_SECRET", "WEBHOOK_URLS"),
        ("OIDC_CLIENT_ID", "OIDC_ISSUER"),
        ("OIDC_CLIENT_SECRET", "OIDC_ISSUER"),
        ("OIDC_ADMINS", "OIDC_ISSUER"),
        ("OIDC_VIEWERS", "OIDC_ISSUER"),
    ],
)
def test_a_setting_that_nothing_reads_is_named_with_what_it_needs(name: str, needed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({f"TICK_{name}": "x" * 40})
    assert str(caught.value).startswith(
        f"Settings: TICK_{name} has no effect without TICK_{needed}; set that as well"
    )
