"""How often a password may be guessed, so that neither a guesser comes in nor its owner stays out.

Guesses at one account are counted apart for each network, so that whoever guesses spends no turn
of anybody elsewhere; and together, so that many networks don't guess many times as fast. A device
on which the account has signed in before is counted alone: it needs no turn of the others.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.ops.access.pace import spend
from tick.store.database import Database
from tick.store.tables import pace

FREE_ATTEMPTS = 5
"""What a network, or a known device, may get wrong at once."""
NETWORK_SECONDS = 60
"""After that, a network has one attempt in this time."""
DEVICE_SECONDS = 12
"""After that, a known device has one attempt in this time."""
STRANGERS_A_MINUTE = 20
"""What all networks together may try, unless a device is known: 28,800 guesses a day."""
_p = pace.c


@dataclass(frozen=True)
class Origin:
    """Where an attempt comes from: a network, and a device that has signed in before, if it has.

    The device is known for as long as `epoch` is that of the account's sessions.
    """

    network: str = ""
    device: str | None = None
    epoch: int | None = None


def may_try(
    database: Database, account: str, origin: Origin, epoch: int | None, now: datetime
) -> bool:
    """Whether a password may be tried for the account; charged before it is read.

    `account` is an id, or stands for a name that nobody has: both cost as much work.
    """
    knows = origin.device is not None and origin.epoch == epoch
    with database.write.begin() as connection:
        if knows:
            name = f"{_all(account)}:device:{origin.device}"
            return spend(
                connection, name, FREE_ATTEMPTS, now, seconds=FREE_ATTEMPTS * DEVICE_SECONDS
            )
        name = f"{_all(account)}:{origin.network}"
        of_network = spend(
            connection, name, FREE_ATTEMPTS, now, seconds=FREE_ATTEMPTS * NETWORK_SECONDS
        )
        # A network that has no turn takes none from the others.
        return of_network and spend(connection, _all(account), STRANGERS_A_MINUTE, now)


def forgive(connection: sa.Connection, account: str, origin: Origin) -> None:
    """Forget what the network and the device got wrong: the password was right."""
    names = [f"{_all(account)}:{origin.network}", f"{_all(account)}:device:{origin.device}"]
    connection.execute(sa.delete(pace).where(_p.id.in_(names)))


def forget_guesses(connection: sa.Connection, account: str) -> None:
    """Forget all guesses at an account, whose password is another now."""
    mine = sa.or_(_p.id == _all(account), _p.id.startswith(f"{_all(account)}:", autoescape=True))
    connection.execute(sa.delete(pace).where(mine))


def _all(account: str) -> str:
    return f"guess:{account}"
