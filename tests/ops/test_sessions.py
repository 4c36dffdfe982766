"""Who is signed in where: sessions that end by time, by hand, and with the account's epoch."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER
from tick.engine.ledger.audit import Act
from tick.ops.access import sessions, users
from tick.ops.access.sessions import Session, SessionLimits
from tick.states import Role
from tick.store.database import Database
from tick.store.tables import user, user_session

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LIMITS = SessionLimits(longest=timedelta(hours=12), idle=timedelta(hours=4))


@pytest.fixture
def ada(database: Database) -> users.User:
    """An administrator."""
    return make(database, "ada")


def make(database: Database, name: str) -> users.User:
    number = users.create_user(
        database, Act(NOW, TESTER), name, "correct horse battery", Role.ADMIN
    )
    with database.read.connect() as connection:
        found = users.find_user(connection, number)
    assert found is not None
    return found


def begin(database: Database, user: users.User, hours: float = 0) -> tuple[Session, str]:
    return sessions.begin_session(
        database, user, agent="Firefox", now=NOW + timedelta(hours=hours), limits=LIMITS
    )


def is_open(database: Database, text: str, hours: float = 0) -> bool:
    now = NOW + timedelta(hours=hours)
    with database.read.connect() as connection:
        return sessions.find_session(connection, text, now=now, limits=LIMITS) is not None


def rows(database: Database) -> list[sa.Row[tuple[object, ...]]]:
    with database.read.connect() as connection:
        return list(connection.execute(sa.select(user_session).order_by(user_session.c.id)))


def test_the_text_has_256_random_bits_and_is_kept_as_a_hash_only(
    database: Database, ada: users.User
) -> None:
    texts = {begin(database, ada)[1] for _ in range(3)}
    assert len(texts) == 3 and all(len(text) == 43 for text in texts)
    assert not any(text in str(rows(database)) for text in texts)


def test_it_opens_for_its_person_and_nobody_else(database: Database, ada: users.User) -> None:
    begun, text = begin(database, ada)
    with database.read.connect() as connection:
        found = sessions.find_session(connection, text, now=NOW, limits=LIMITS)
    assert found == (begun, ada)
    for wrong in ("", "x" * 43, text[:-1], "\udcff", "1.0"):
        assert not is_open(database, wrong)


def test_it_ends_after_its_longest_time_whatever_is_done(
    database: Database, ada: users.User
) -> None:
    begun, text = begin(database, ada)
    for hours in (3, 6, 9, 11.9):
        sessions.note_use(database, begun, NOW + timedelta(hours=hours))
        assert is_open(database, text, hours)
    assert not is_open(database, text, 12)


def test_it_ends_when_nothing_is_done(database: Database, ada: users.User) -> None:
    begun, text = begin(database, ada)
    assert is_open(database, text, 3.9)
    assert not is_open(database, text, 4)
    sessions.note_use(database, begun, NOW + timedelta(hours=3))
    assert is_open(database, text, 6.9)


def test_its_use_is_noted_once_a_minute(database: Database, ada: users.User) -> None:
    begun, _ = begin(database, ada)
    for seconds, noted in ((59, 0), (60, 60)):
        sessions.note_use(database, begun, NOW + timedelta(seconds=seconds))
        assert (rows(database)[0].seen_at - NOW).total_seconds() == noted


def test_a_request_that_comes_late_does_not_set_its_use_back(
    database: Database, ada: users.User
) -> None:
    as_both_read_it, _ = begin(database, ada)
    for minutes in (3, 2):
        sessions.note_use(database, as_both_read_it, NOW + timedelta(minutes=minutes))
    assert rows(database)[0].seen_at == NOW + timedelta(minutes=3)


def test_it_ends_by_hand_but_only_ones_own(database: Database, ada: users.User) -> None:
    begun, text = begin(database, ada)
    eve = make(database, "eve")
    assert sessions.end_session(database, eve.id, begun.id) is False
    assert is_open(database, text)
    assert sessions.end_session(database, ada.id, begun.id) is True
    assert not is_open(database, text)


def test_all_but_one_end_at_once(database: Database, ada: users.User) -> None:
    kept, text = begin(database, ada)
    others = [begin(database, ada)[1] for _ in range(3)]
    stranger = begin(database, make(database, "eve"))[1]
    assert sessions.end_other_sessions(database, ada.id, kept.id) == 3
    assert [is_open(database, one) for one in (text, *others, stranger)] == [
        True,
        False,
        False,
        False,
        True,
    ]


def test_a_change_of_the_account_ends_them(database: Database, ada: users.User) -> None:
    changes = (
        lambda: users.set_password(database, Act(NOW, TESTER), "ada", "another long password"),
        lambda: users.set_role(database, Act(NOW, TESTER), "ada", Role.VIEWER),
        lambda: users.end_sessions(database, Act(NOW, TESTER), "ada"),
        lambda: users.set_active(database, Act(NOW, TESTER), "ada", False),
    )
    for change in changes:
        with database.read.connect() as connection:
            present = users.find_user(connection, ada.id)
        assert present is not None
        text = begin(database, present)[1]
        assert is_open(database, text)
        change()
        assert not is_open(database, text)


def test_a_switch_set_by_hand_in_the_database_ends_them_too(
    database: Database, ada: users.User
) -> None:
    _, text = begin(database, ada)
    with database.write.begin() as connection:
        connection.execute(sa.update(user).values(active=False))
    assert not is_open(database, text)


def test_the_list_shows_the_living_ones_latest_first(database: Database, ada: users.User) -> None:
    begin(database, ada)
    second, _ = begin(database, ada, hours=3)
    third, _ = begin(database, ada, hours=4.5)
    with database.read.connect() as connection:
        now = NOW + timedelta(hours=4.5)
        found = sessions.list_sessions(connection, ada.id, now=now, limits=LIMITS)
    assert [one.id for one in found] == [third.id, second.id]


def test_what_has_ended_is_forgotten_at_the_next_login(database: Database, ada: users.User) -> None:
    for _ in range(3):
        begin(database, ada)
    begin(database, ada, hours=5)
    assert len(rows(database)) == 1
