"""Settings that hold several values, as they stand in the environment."""

import pytest

from tick.errors import SettingsError
from tick.settings import load_settings


def test_limits_are_names_and_numbers() -> None:
    found = load_settings({"TICK_QUEUE_LIMITS": "media=2, default = 10,"})
    assert found.queue_limits == {"media": 2, "default": 10}
    assert found.group_limits == {}


@pytest.mark.parametrize("value", ["media", "media=", "=2", "media=0", "media=-1", "media=two"])
def test_what_is_no_limit_is_named(value: str) -> None:
    with pytest.raises(SettingsError, match="TICK_GROUP_LIMITS"):
        load_settings({"TICK_GROUP_LIMITS": value})


def test_names_stand_between_commas() -> None:
    assert load_settings({"TICK_OIDC_ADMINS": " operators, on call,"}).oidc_admins == (
        "operators",
        "on call",
    )
