"""Work that would be done anew in every test of a process, done once.

Each test opens a database and a console of its own. Without this it would also compile the same
SQL, templates and routes again, and hash the same passwords at the cost that keeps guessers away.
"""

from collections.abc import Iterator
from copy import copy
from datetime import datetime
from functools import cache, lru_cache
from types import CodeType
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import event
from werkzeug.routing import Rule

from tests.support import snapshots
from tests.support.forked import CHILD, Template, start_child
from tick.cron import timetable
from tick.cron.fields import Expression
from tick.executors import child_process
from tick.ops.access import passwords

_REAL_HASHER = passwords._hasher


class CompiledStatements(dict[Any, Any]):
    """Compiled SQL of one kind of database; SQLAlchemy keeps it apart for every engine.

    The first part of its key is the engine's dialect, of which all are alike here.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        """The compiled statement, whichever engine it was compiled for."""
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(key[1:], compiled)


class CompiledTemplates(BytecodeCache):
    """Compiled templates; one whose text has changed is compiled anew."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Hand out what was compiled before."""
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


class Route(Rule):
    """A route whose parts and writers of addresses are shared by all that are alike."""

    _compiled: ClassVar[dict[Any, dict[str, Any]]] = {}
    _made = ("_parts", "_trace", "_converters", "arguments")
    _writers = ("_build", "_build_unknown")

    def compile(self) -> None:
        """Take over what an equal route was compiled to; nothing changes it afterwards."""
        told = (self.rule, self.subdomain, self.host, self.defaults, self.merge_slashes)
        key = repr((told, self.map.host_matching)), *self.map.converters.values()
        if key not in self._compiled:
            super().compile()
            kept = {name: getattr(self, name) for name in self._made}
            writers = {name: getattr(self, name).__func__ for name in self._writers}
            self._compiled[key] = {"kept": kept, "writers": writers}
            return
        known = self._compiled[key]
        vars(self).update(known["kept"])
        for name, writer in known["writers"].items():
            setattr(self, name, writer.__get__(self, None))


class WallClock(timetable._WallClock):
    """The matching wall times; each is sought once, by whichever schedule asks first."""

    def __init__(self, fields: Expression) -> None:
        super().__init__(fields)
        self._fields = fields

    def after(self, wall: datetime) -> datetime:
        """The first one strictly later."""
        if not self._asked <= wall < self._found:
            self._asked, self._found = wall, _wall_after(self._fields, wall)
        return self._found


@lru_cache(maxsize=65_536)
def _wall_after(fields: Expression, wall: datetime) -> datetime:
    found: datetime = copy(timetable._walker(fields)).get_next(datetime, wall)
    return found


@pytest.fixture(scope="session", autouse=True)
def _sought_once() -> Iterator[None]:
    """Ask croniter once for each wall time: it takes a tenth of a millisecond to answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timetable, "_WallClock", WallClock)
        yield


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    """Compile each statement, template and route once."""
    statements: dict[str, CompiledStatements] = {}

    def share(connection: sa.Connection) -> None:
        kind = connection.dialect.name
        shared = statements.setdefault(kind, CompiledStatements())
        connection.execution_options(compiled_cache=shared)

    event.listen(sa.Engine, "engine_connect", share)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Flask.jinja_options, "bytecode_cache", CompiledTemplates())
        patch.setattr(Flask, "url_rule_class", Route)
        yield
    event.remove(sa.Engine, "engine_connect", share)


@pytest.fixture(scope="session", autouse=True)
def _imported_once() -> Iterator[None]:
    """Let the children of workers begin with their imports done."""
    template = Template(CHILD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child_process, "_spawn", template.spawn)
        yield
    template.close()


@pytest.fixture
def real_starts(_imported_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The children of workers are started as an installation starts them."""
    monkeypatch.setattr(child_process, "_spawn", start_child)


@pytest.fixture(scope="session", autouse=True)
def _filled_once() -> Iterator[None]:
    """Let go at the end of what databases were filled with."""
    yield
    snapshots.forget()


@pytest.fixture(scope="session", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Hash passwords at the least cost; tests of that cost ask for `real_hashes`.

    A password is judged once, which takes longer than to write an account.
    """
    with pytest.MonkeyPatch.context() as patch:
        quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "_hasher", quick)
        patch.setattr(passwords, "_easily_guessed", cache(passwords._easily_guessed))
        yield


@pytest.fixture
def real_hashes(_quick_hashes: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords are hashed as an installation hashes them."""
    monkeypatch.setattr(passwords, "_hasher", _REAL_HASHER)
    passwords.nobodys_hash.cache_clear()
    yield
    passwords.nobodys_hash.cache_clear()
