"""Alert rules as the database holds them."""

from tick.define import alerts


def test_rules_come_back_as_they_were_stored() -> None:
    assert alerts.from_plain(alerts.to_plain(alerts.DEFAULTS)) == alerts.DEFAULTS


def test_what_only_a_newer_release_knows_of_a_rule_is_left_out() -> None:
    stored = {"rules": [{"rule": "failed", "after": 3, "quietly": True}, {"rule": "brand-new"}]}
    assert alerts.of_schedule(stored) == (alerts.Failed(after=3),)
