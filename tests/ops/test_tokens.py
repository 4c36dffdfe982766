"""API tokens: shown once, kept as a hash, ended by time or by hand."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER
from tick.engine.ledger.audit import Act
from tick.errors import NotFound, Refused
from tick.ops.access import tokens
from tick.ops.access.tokens import Token
from tick.states import Role, TokenScope
from tick.store.database import Database
from tick.store.tables import api_token, audit_entry

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def make(database: Database, name: str = "deployer", days: int = 30) -> tuple[Token, str]:
    return tokens.create_token(database, Act(NOW, TESTER), name, Role.VIEWER, days=days)


def rows(database: Database, table: sa.Table) -> list[sa.Row[tuple[object, ...]]]:
    with database.read.connect() as connection:
        return list(connection.execute(sa.select(table).order_by(table.c.id)))


def test_a_token_has_256_random_bits_and_is_kept_as_a_hash_only(database: Database) -> None:
    texts = {make(database, f"t{number}")[1] for number in range(3)}
    assert len(texts) == 3
    for text in texts:
        assert text.startswith("tick_") and len(text) == len("tick_") + 43
        assert text not in str(rows(database, api_token))
        assert text not in str(rows(database, audit_entry))


def test_a_token_is_known_by_its_text(database: Database) -> None:
    made, text = make(database)
    found = tokens.authenticate(database, text, now=NOW)
    assert found == made
    assert (made.role, made.created_by, made.author_name) == (
        Role.VIEWER,
        "tester",
        "token:deployer",
    )


def test_of_two_who_make_a_token_of_one_name_at_once_one_does(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, find = Barrier(2), tokens.find_usable

    def find_together(*what: Any) -> Token | None:
        found = find(*what)
        with suppress(BrokenBarrierError):  # whose turn it is not yet, never comes here
            together.wait(timeout=0.3)
        return found

    def try_to_make(_: int) -> bool:
        with suppress(Refused):
            return bool(make(database))
        return False

    monkeypatch.setattr(tokens, "find_usable", find_together)
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(try_to_make, range(2))) == [False, True]
    assert len(rows(database, api_token)) == 1


def test_the_usable_token_of_a_name_is_found_among_any_number(database: Database) -> None:
    ended, _ = make(database)
    tokens.revoke_token(database, Act(NOW, TESTER), ended.id)
    made, _ = make(database)
    copies = [
        {"name": f"t{number}", "token_hash": str(number), "created_by": "x", "created_at": NOW}
        for number in range(600)
    ]
    with database.write.begin() as connection:
        connection.execute(sa.insert(api_token), [copy | {"role": "VIEWER"} for copy in copies])
    with database.read.connect() as connection:
        assert tokens.find_usable(connection, "deployer", NOW) == made
        assert tokens.find_usable(connection, "deployer", NOW + timedelta(days=30)) is None


@pytest.mark.parametrize("scope", TokenScope)
def test_a_token_opens_what_it_was_made_for_and_nothing_else(
    database: Database, scope: TokenScope
) -> None:
    _, text = tokens.create_token(
        database, Act(NOW, TESTER), "reader", Role.VIEWER, days=30, scope=scope
    )
    opened = [
        each
        for each in TokenScope
        if tokens.authenticate(database, text, now=NOW, scope=each) is not None
    ]
    assert opened == [scope]


def test_only_the_api_knows_admins(database: Database) -> None:
    with pytest.raises(Refused, match="role VIEWER"):
        tokens.create_token(
            database, Act(NOW, TESTER), "reader", Role.ADMIN, days=30, scope=TokenScope.METRICS
        )


@pytest.mark.parametrize("wrong", ["", "tick_", "x" * 100_000, "é", "\udcff", "tick_\0"])
def test_anything_else_is_nobody(database: Database, wrong: str) -> None:
    make(database)
    assert tokens.authenticate(database, wrong, now=NOW) is None


def test_a_token_ends_when_its_days_are_over(database: Database) -> None:
    made, text = make(database, days=1)
    end = NOW + timedelta(days=1)
    assert tokens.authenticate(database, text, now=end - timedelta(seconds=1)) is not None
    assert tokens.authenticate(database, text, now=end) is None
    assert made.state(end) == "expired"


def test_a_revoked_token_is_nobody_at_once(database: Database) -> None:
    made, text = make(database)
    assert tokens.revoke_token(database, Act(NOW, TESTER), made.id) is True
    assert tokens.revoke_token(database, Act(NOW, TESTER), made.id) is False
    assert tokens.authenticate(database, text, now=NOW) is None
    with database.read.connect() as connection:
        (listed,) = tokens.list_tokens(connection)
    assert listed.state(NOW) == "revoked"


def test_its_use_is_noted_once_a_minute(database: Database) -> None:
    _, text = make(database)
    seen = []
    for seconds in (0, 30, 59, 60, 90):
        tokens.authenticate(database, text, now=NOW + timedelta(seconds=seconds))
        seen.append((rows(database, api_token)[0].last_used_at - NOW).total_seconds())
    assert seen == [0, 0, 0, 60, 60]


def test_a_request_that_comes_late_does_not_set_its_use_back(database: Database) -> None:
    as_both_read_it, _ = make(database)
    for minutes in (3, 2):
        tokens._note_use(database, as_both_read_it, NOW + timedelta(minutes=minutes))
    assert rows(database, api_token)[0].last_used_at == NOW + timedelta(minutes=3)


def test_the_list_shows_the_newest_500(database: Database) -> None:
    values = {"role": Role.VIEWER, "created_by": "tester", "created_at": NOW}
    many = [{"name": f"t{each}", "token_hash": f"{each}", **values} for each in range(501)]
    with database.write.begin() as connection:
        connection.execute(sa.insert(api_token), many)
        found = tokens.list_tokens(connection)
    assert (len(found), found[0].name, found[-1].name) == (500, "t500", "t1")


def test_making_and_revoking_are_in_the_audit(database: Database) -> None:
    made, _ = make(database)
    tokens.revoke_token(database, Act(NOW, TESTER), made.id)
    entries = rows(database, audit_entry)
    assert [(entry.action, entry.subject, entry.actor) for entry in entries] == [
        ("token.create", str(made.id), "tester"),
        ("token.revoke", str(made.id), "tester"),
    ]


@pytest.mark.parametrize("name", ["", "a b", "-a", "x" * 61, "a\n", "ü"])
def test_an_odd_name_is_refused(database: Database, name: str) -> None:
    with pytest.raises(Refused, match="1 to 60"):
        make(database, name)


@pytest.mark.parametrize("days", [0, -1, tokens.MAX_DAYS + 1])
def test_a_token_does_not_live_for_ever(database: Database, days: int) -> None:
    with pytest.raises(Refused, match="730 days"):
        make(database, days=days)


def test_a_name_is_free_again_when_its_token_has_ended(database: Database) -> None:
    made, _ = make(database)
    with pytest.raises(Refused, match="revoke it"):
        make(database)
    tokens.revoke_token(database, Act(NOW, TESTER), made.id)
    assert make(database)[0].id != made.id


def test_a_token_that_is_not_there_cannot_be_revoked(database: Database) -> None:
    with pytest.raises(NotFound, match="tick token list"):
        tokens.revoke_token(database, Act(NOW, TESTER), 4711)
