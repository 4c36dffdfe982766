"""Looks at the state of affairs, and writes down what is wrong, what is over, and who is to hear.

Everybody looks: workers, loops, whoever ticked, and the console. The looks that write take turns,
and each reads anew what it judges, so several who notice at one moment write one alert. What
happened is never forgotten in between: an occurrence that comes to its outcome is unjudged until
a look has marked it, in the transaction that writes its alerts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.engine.schedules.mutes import all_muted
from tick.notify import events, outbox, rules
from tick.notify.channels import Channel
from tick.notify.inputs import Facts, read_facts
from tick.notify.outbox import Owed, Pace
from tick.notify.rules import Ending, Finding
from tick.store.advisory_locks import AdvisoryLock, try_acquire
from tick.store.database import Database
from tick.store.sql import insert_ignore
from tick.store.tables import alert, alert_delivery, occurrence

_a, _d, _o = alert.c, alert_delivery.c, occurrence.c


@dataclass(frozen=True)
class _News:
    """What a look has to write."""

    facts: Facts
    found: tuple[Finding, ...]
    ended: tuple[Ending, ...]
    owed: tuple[Owed, ...]

    def __bool__(self) -> bool:
        return bool(self.facts.ended or self.found or self.ended or self.owed)


def look(database: Database, channels: Sequence[Channel], now: datetime, pace: Pace) -> int:
    """Look once; how many alerts it opened.

    Most looks find nothing new, and only read. On SQLite a look that writes waits for other
    writers; on PostgreSQL it leaves the writing to a look that is at it.
    """
    with database.read.connect() as connection:
        if not _find_news(connection, channels, now, pace):
            return 0
    with database.write.begin() as connection:
        if not try_acquire(connection, AdvisoryLock.ALERTS):
            return 0
        opened = _write(connection, channels, _find_news(connection, channels, now, pace))
        # Of what was opened or resolved just now.
        outbox.write_owed(connection, outbox.find_owed(connection, channels, now, pace), now)
        return opened


def _find_news(
    connection: sa.Connection, channels: Sequence[Channel], now: datetime, pace: Pace
) -> _News:
    facts = read_facts(connection, now)
    found = rules.find(facts)
    owed = [
        *outbox.find_owed(connection, channels, now, pace),
        *events.find_started(connection, facts),
    ]
    return _News(
        facts,
        tuple(_unknown(connection, facts, found)),
        tuple(rules.find_ended(facts, found)),
        tuple(owed),
    )


def _unknown(
    connection: sa.Connection, facts: Facts, found: Iterable[Finding]
) -> Iterable[Finding]:
    """What is found for the first time. Events are known for good, even after they were closed."""
    is_open = {row.key for row in facts.open}
    new = {finding.key: finding for finding in found if finding.key not in is_open}
    events_ = [key for key, finding in new.items() if finding.expires_at is not None]
    known = sa.select(_a.key).where(_a.key.in_(events_))
    told = set(connection.execute(known).scalars()) if events_ else set()
    return [finding for key, finding in new.items() if key not in told]


def _write(connection: sa.Connection, channels: Sequence[Channel], news: _News) -> int:
    now = news.facts.now
    judged = [told.row.id for told in news.facts.ended]
    if judged:
        connection.execute(
            sa.update(occurrence).where(_o.id.in_(judged), ~_o.judged).values(judged=True)
        )
    outbox.write_owed(connection, news.owed, now)
    outbox.write_owed(connection, events.find_ended(connection, channels, news.facts), now)
    events.drop_starts(connection, news.facts)
    for ending in news.ended:
        _resolve(connection, ending, now)
    return open_alerts(connection, news.found, now)


def open_alerts(connection: sa.Connection, found: Iterable[Finding], now: datetime) -> int:
    """Open alerts; one whose key is open already is left alone. How many were opened."""
    rows = [
        {name: value for name, value in vars(finding).items() if name != "since"}
        | {"at": finding.since or now}
        for finding in found
    ]
    insert = insert_ignore(connection.dialect.name, alert)
    return sum(connection.execute(insert.values(row)).rowcount for row in rows)


def _resolve(connection: sa.Connection, ending: Ending, now: datetime) -> None:
    connection.execute(
        sa.update(alert)
        .where(_a.id == ending.alert_id, _a.resolved_at.is_(None))
        .values(resolved_at=now, resolution=ending.resolution)
    )
    # While it is muted, nobody was told that it began, and need not be told that it is over.
    quiet = sa.true() if all_muted(connection, now) else outbox.muted_alert(now)
    untried = _d.attempt == 0
    outbox.drop(connection, now, _d.alert_id == ending.alert_id, untried, quiet)
