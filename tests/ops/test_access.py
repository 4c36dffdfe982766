"""People: who may sign in, and how fast somebody may guess."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier, BrokenBarrierError
from time import monotonic
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.factories import TESTER
from tick.engine.ledger.audit import Act, Author
from tick.errors import NotFound, Refused, Stale
from tick.ops.access import identities, login_attempts, users
from tick.ops.access.identities import ExternalIdentity
from tick.ops.access.login_attempts import LoginOrigin
from tick.states import Role
from tick.store.database import Database
from tick.store.tables import audit_entry, pace, user

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
WRONG = "wrong password"


@pytest.fixture
def ada(database: Database) -> int:
    """An administrator's id."""
    return users.create_user(database, Act(NOW, TESTER), "ada", PASSWORD, Role.ADMIN)


def _log_in(database: Database, password: str = PASSWORD, after: float = 0) -> users.User | None:
    return users.log_in(database, "ada", password, now=NOW + timedelta(seconds=after))


def _row(database: Database) -> sa.Row[tuple[object, ...]]:
    with database.read.connect() as connection:
        return connection.execute(sa.select(user)).one()


def test_a_password_is_kept_as_an_argon2id_hash_only(
    database: Database, real_hashes: None, ada: int
) -> None:
    assert _row(database).password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_login_gives_the_user_and_notes_when(database: Database, ada: int) -> None:
    found = _log_in(database)
    assert found is not None
    assert (found.id, found.role, found.last_login_at) == (ada, Role.ADMIN, NOW)


def test_a_password_that_nobody_could_type_is_refused(database: Database) -> None:
    with pytest.raises(Refused, match="no UTF-8 text"):
        users.create_user(database, Act(NOW, TESTER), "ada", "\udcff" * 20, Role.ADMIN)


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_a_weak_password_is_refused(database: Database, password: str) -> None:
    with pytest.raises(Refused, match="12 to 256"):
        users.create_user(database, Act(NOW, TESTER), "ada", password, Role.ADMIN)


@pytest.mark.parametrize(
    "password",
    ["password1234", "iloveyou1234", "qwertyuiop[]", "administrator", "a" * 200, "ada ada ada ada"],
)
def test_a_password_that_others_would_try_is_refused_with_the_reason(
    database: Database, password: str
) -> None:
    with pytest.raises(Refused, match=r"easy to guess: .+ A few unrelated words"):
        users.create_user(database, Act(NOW, TESTER), "ada", password, Role.ADMIN)


@pytest.mark.parametrize(
    "password", ["jobschedule1", "tickconsole!", "adaadmin2026", "grace-viewer"]
)
def test_the_words_of_this_place_and_ones_own_name_are_easy_to_guess(
    database: Database, password: str
) -> None:
    with pytest.raises(Refused, match="easy to guess"):
        users.create_user(database, Act(NOW, TESTER), "grace", password, Role.ADMIN)


def test_ones_own_name_is_easy_to_guess_however_rare_it_is(database: Database) -> None:
    password = "zbigniew-brz-2"
    with pytest.raises(Refused, match="easy to guess"):
        users.create_user(database, Act(NOW, TESTER), "zbigniew-brz", password, Role.ADMIN)
    users.create_user(database, Act(NOW, TESTER), "ada", password, Role.ADMIN)


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "ünïcödé wörds älso", "x7Gk2pQw9Lm4", "雨の中の馬と傘と電池と時計"],
)
def test_any_kind_of_character_will_do(database: Database, password: str) -> None:
    users.create_user(database, Act(NOW, TESTER), "ada", password, Role.ADMIN)
    assert _log_in(database, password) is not None


def test_a_password_is_compared_to_its_last_character(database: Database) -> None:
    most = users.passwords.MAX_PASSWORD
    password = ("correct horse battery staple " * 10)[: most - 9] + "x7Gk2pQw9"
    users.create_user(database, Act(NOW, TESTER), "ada", password, Role.ADMIN)
    assert _log_in(database, password[:-1]) is None
    assert _log_in(database, password + "x") is None
    assert _log_in(database, password) is not None


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_an_odd_name_is_refused(database: Database, name: str) -> None:
    with pytest.raises(Refused, match="printable"):
        users.create_user(database, Act(NOW, TESTER), name, PASSWORD, Role.ADMIN)


SPELLINGS = [
    ("ada", "ADA"),
    ("Émile", "émile"),
    ("Ümit", "U\u0308MIT"),
    ("Straße", "STRASSE"),
    ("İpek", "İPEK"),
    ("Σωκράτης", "ΣΩΚΡΆΤΗΣ"),
]


@pytest.mark.parametrize(("name", "other"), SPELLINGS)
def test_a_name_is_taken_and_opens_in_every_spelling(
    database: Database, name: str, other: str
) -> None:
    number = users.create_user(database, Act(NOW, TESTER), name, PASSWORD, Role.VIEWER)
    with pytest.raises(Refused, match="already"):
        users.create_user(database, Act(NOW, TESTER), other, PASSWORD, Role.VIEWER)
    for typed in (name, other, f" {other} "):
        found = users.log_in(database, typed, PASSWORD, now=NOW)
        assert found is not None and found.id == number


@pytest.mark.parametrize("name", ["system", "CLI", "cli:root", "token:deployer", "Token:x"])
def test_nobody_is_called_as_the_audit_calls_programs(database: Database, name: str) -> None:
    with pytest.raises(Refused, match="would be a program"):
        users.create_user(database, Act(NOW, TESTER), name, PASSWORD, Role.ADMIN)


def test_of_two_who_add_the_same_name_at_once_one_does(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, hash_password = Barrier(2), users.passwords.hash_password

    def hash_together(*what: str) -> str:
        found = hash_password(*what)
        together.wait(timeout=30)
        return found

    def add(name: str) -> str:
        try:
            users.create_user(database, Act(NOW, TESTER), name, PASSWORD, Role.VIEWER)
        except Refused as refusal:
            return str(refusal)
        return "added"

    monkeypatch.setattr(users.passwords, "hash_password", hash_together)
    with ThreadPoolExecutor(2) as pool:
        first, second = sorted(pool.map(add, ["Émile", "émile"]))
    assert "already" in first and second == "added"


def _guess(database: Database, network: str, after: float, password: str = WRONG) -> Any:
    at = NOW + timedelta(seconds=after)
    return users.log_in(database, "ada", password, now=at, origin=LoginOrigin(network))


def test_a_few_mistakes_are_free_then_a_network_tries_once_a_minute(
    database: Database, ada: int
) -> None:
    for _ in range(login_attempts.FREE_ATTEMPTS):
        assert _log_in(database, "wrong password") is None
    assert _log_in(database, after=59) is None
    assert _log_in(database, "wrong password", after=61) is None
    assert _log_in(database, after=119) is None
    assert _log_in(database, after=121) is not None


def test_a_guesser_at_one_network_keeps_nobody_elsewhere_out(database: Database, ada: int) -> None:
    for second in range(0, 300, 3):
        assert _guess(database, "192.0.2.4", second) is None
        if second % 60 == 0:
            assert _guess(database, "192.0.2.9", second + 2, PASSWORD) is not None


def test_many_networks_guess_no_faster_than_strangers_may(
    database: Database, ada: int, compared: list[str]
) -> None:
    nobody = users.passwords.nobodys_hash()
    for minute in range(2):
        for number in range(60):
            _guess(database, f"192.0.2.{number}", minute * 60 + number / 60)
    read = [each for each in compared if each != nobody]
    assert (
        login_attempts.STRANGERS_A_MINUTE <= len(read) <= 2 * login_attempts.STRANGERS_A_MINUTE + 1
    )


def test_a_known_device_gets_in_whoever_guesses_from_wherever(database: Database, ada: int) -> None:
    for number in range(60):
        _guess(database, f"192.0.2.{number}", number / 60)
    at, here = NOW + timedelta(seconds=2), LoginOrigin("192.0.2.200", "c0ffee", epoch=0)
    assert (
        users.log_in(database, "ada", PASSWORD, now=at, origin=LoginOrigin("192.0.2.200")) is None
    )
    for _ in range(login_attempts.FREE_ATTEMPTS):
        assert users.log_in(database, "ada", "a slip of keys", now=at, origin=here) is None
    assert users.log_in(database, "ada", PASSWORD, now=at, origin=here) is None
    soon = at + timedelta(seconds=login_attempts.DEVICE_SECONDS)
    assert soon - at < timedelta(minutes=1)
    assert users.log_in(database, "ada", PASSWORD, now=soon, origin=here) is not None


def test_a_device_is_known_until_the_sessions_of_its_account_end(
    database: Database, ada: int
) -> None:
    users.end_sessions(database, Act(NOW, TESTER), "ada")
    here = LoginOrigin("192.0.2.4", "c0ffee", epoch=0)
    for _ in range(login_attempts.FREE_ATTEMPTS):
        users.log_in(database, "ada", "a wrong guess", now=NOW, origin=here)
    other = LoginOrigin("192.0.2.4", "another", epoch=0)
    assert users.log_in(database, "ada", PASSWORD, now=NOW, origin=other) is None


def test_a_network_that_has_no_turn_takes_none_from_the_others(
    database: Database, ada: int
) -> None:
    for _ in range(10 * login_attempts.STRANGERS_A_MINUTE):
        _guess(database, "192.0.2.4", 0)
    others = range(login_attempts.STRANGERS_A_MINUTE - login_attempts.FREE_ATTEMPTS)
    assert all(_guess(database, f"198.51.100.{number}", 0, PASSWORD) for number in others)


def test_a_login_clears_the_charge_of_its_network_alone(database: Database, ada: int) -> None:
    for network in ("192.0.2.4", "192.0.2.9"):
        for _ in range(login_attempts.FREE_ATTEMPTS - 1):
            _guess(database, network, 0)
    assert _guess(database, "192.0.2.4", 0, PASSWORD) is not None
    for network, free in (("192.0.2.4", 5), ("192.0.2.9", 1)):
        for _ in range(free):
            _guess(database, network, 0)
        assert _guess(database, network, 0, PASSWORD) is None


def test_a_new_password_clears_the_charge_for_guesses_at_the_old_one(
    database: Database, ada: int
) -> None:
    for _ in range(login_attempts.FREE_ATTEMPTS + 1):
        _log_in(database, "wrong password")
    users.set_password(database, Act(NOW, TESTER), "ada", "a second password")
    assert _log_in(database, "a second password") is not None


def test_guesses_that_arrive_together_do_not_pass_together(
    database: Database, ada: int, compared: list[str]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: _log_in(database, "wrong password"), range(16)))
    read = [each for each in compared if each != users.passwords.nobodys_hash()]
    assert len(read) == login_attempts.FREE_ATTEMPTS


def test_a_name_that_is_all_marks_costs_no_more_than_another(database: Database) -> None:
    marks = "\u0300\u0327" * 100_000  # all of them would take half a minute
    began = monotonic()
    assert users.log_in(database, marks, PASSWORD, now=NOW) is None
    assert monotonic() - began < 10


def test_who_is_switched_off_leaves_no_trace_of_a_sign_in(database: Database, ada: int) -> None:
    users.set_active(database, Act(NOW, TESTER), "ada", False)
    before = _row(database)
    assert _log_in(database) is None
    assert _row(database) == before


def test_guessing_at_an_account_without_password_costs_the_same(
    database: Database, compared: list[str]
) -> None:
    person = ExternalIdentity("https://id.example", "17", "eve", Role.ADMIN)
    identities.find_or_create_user(database, Act(NOW, TESTER), person)
    before = _row(database)
    assert users.log_in(database, "eve", "", now=NOW) is None
    assert compared == [users.passwords.nobodys_hash()]
    assert _row(database) == before


@pytest.mark.parametrize("name", ["nobody", "", "x" * 500])
def test_an_unknown_name_costs_as_much_work_as_a_known_one(
    database: Database, real_hashes: None, ada: int, compared: list[str], name: str
) -> None:
    assert users.log_in(database, name, PASSWORD, now=NOW) is None
    assert users.log_in(database, "ada", "wrong password", now=NOW) is None
    assert compared[0][:30] == compared[1][:30]


def test_an_unknown_name_is_written_down_too_but_only_as_a_digest(
    database: Database, ada: int
) -> None:
    for _ in range(10):
        assert users.log_in(database, "Nobody", PASSWORD, now=NOW) is None
    with database.read.connect() as connection:
        names = connection.execute(sa.select(pace.c.id)).scalars().all()
    assert len(names) == 2
    assert all(re.fullmatch("guess:nobody:[0-9a-f]{32}:?", name) for name in names)


def test_every_change_ends_the_sessions_and_is_in_the_audit(database: Database, ada: int) -> None:
    users.set_password(database, Act(NOW, TESTER), "ada", "a second password")
    users.set_role(database, Act(NOW, TESTER), "ada", Role.VIEWER)
    users.set_active(database, Act(NOW, TESTER), "ada", False)
    assert _row(database).session_epoch == 3
    with database.read.connect() as connection:
        assert users.find_user(connection, ada) is None
        (found,) = users.list_users(connection)
        entries = connection.execute(sa.select(audit_entry).order_by(audit_entry.c.id)).all()
    assert (found.role, found.active) == (Role.VIEWER, False)
    assert [entry.action for entry in entries] == [
        "user.create",
        "user.password",
        "user.role",
        "user.active",
    ]
    assert (entries[2].before, entries[2].after) == ({"role": "ADMIN"}, {"role": "VIEWER"})
    assert "password" not in str([entry.after for entry in entries])


def test_a_password_that_is_replaced_while_it_is_compared_opens_nothing(
    database: Database, ada: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    matches = users.passwords.matches

    def then_replaced(*parts: str) -> bool:
        right = matches(*parts)
        users.set_password(database, Act(NOW, TESTER), "ada", "a second password")
        return right

    monkeypatch.setattr(users.passwords, "matches", then_replaced)
    assert _log_in(database) is None
    monkeypatch.undo()
    assert _log_in(database) is None
    assert _log_in(database, "a second password") is not None


def test_the_first_admin_is_made_only_where_there_is_nobody(database: Database) -> None:
    password = users.make_first_admin(database, Act(NOW, TESTER), "ada")
    assert password is not None
    assert _log_in(database, password) is not None
    assert users.make_first_admin(database, Act(NOW, TESTER), "eve") is None
    assert _row(database).name == "ada"


def test_the_list_of_users_is_bounded(database: Database) -> None:
    people = [
        {"name": f"user {number}", "password_hash": "", "role": Role.VIEWER, "created_at": NOW}
        for number in range(501)
    ]
    with database.write.begin() as connection:
        connection.execute(sa.insert(user), people)
        assert len(users.list_users(connection)) == 500


def test_of_two_who_change_a_user_the_second_learns_of_the_first(
    database: Database, ada: int
) -> None:
    with database.read.connect() as connection:
        (both_read,) = users.list_users(connection)
    expected = both_read.revision
    users.set_active(database, Act(NOW, TESTER, revision=expected), "ada", False)
    before = _row(database)
    with pytest.raises(Stale, match=r"ada is ADMIN and may not sign in\. Read it again"):
        users.set_role(database, Act(NOW, TESTER, revision=expected), "ada", Role.VIEWER)
    with pytest.raises(Stale):
        users.set_password(
            database, Act(NOW, TESTER, revision=expected), "ada", "a second password"
        )
    with pytest.raises(Stale):
        users.set_active(database, Act(NOW, TESTER, revision=expected), "ada", True)
    assert _row(database) == before


@pytest.mark.parametrize("how", ["role", "switch"])
def test_of_two_who_take_the_administration_from_one_another_one_keeps_it(
    database: Database, ada: int, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    users.create_user(database, Act(NOW, TESTER), "bob", PASSWORD, Role.ADMIN)
    together, lock = Barrier(2), users._lock

    def lock_together(*what: Any) -> Any:
        found = lock(*what)
        with suppress(BrokenBarrierError):  # whose turn it is not yet, never comes here
            together.wait(timeout=0.3)
        return found

    monkeypatch.setattr(users, "_lock", lock_together)

    def remove(name: str, by: str) -> str | None:
        try:
            if how == "role":
                users.set_role(database, Act(NOW, Author(by)), name, Role.VIEWER)
            else:
                users.set_active(database, Act(NOW, Author(by)), name, False)
        except Refused as refused:
            return str(refused)
        return None

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(remove, ("ada", "bob"), ("bob", "ada")))
    (refusal,) = filter(None, said)
    assert "is no administrator any more" in refusal
    with database.read.connect() as connection:
        found = users.list_users(connection)
    assert sum(person.active and person.role == Role.ADMIN for person in found) == 1


def test_a_user_is_changed_however_the_name_is_written(database: Database, ada: int) -> None:
    users.set_role(database, Act(NOW, TESTER), " ADA", Role.VIEWER)
    assert _row(database).role == Role.VIEWER
    with database.read.connect() as connection:
        subjects = connection.execute(sa.select(audit_entry.c.subject)).scalars().all()
    assert set(subjects) == {"ada"}


def test_somebody_who_is_not_there_cannot_be_changed(database: Database) -> None:
    with pytest.raises(NotFound, match="tick user list"):
        users.set_active(database, Act(NOW, TESTER), "nobody", False)
