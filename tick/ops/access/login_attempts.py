"""Limits login attempts, so that a guesser does not get in and the owner is not locked out.

Attempts at one account are counted for each network, so that a guesser uses up no attempt of
others, and together, so that many networks do not guess many times as fast. A device on which the
account has signed in before has a count of its own.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from tick.ops.access.rate_limit import take
from tick.store.database import Database
from tick.store.tables import pace

FREE_ATTEMPTS = 5
"""Attempts that a network, or a known device, has at once."""
NETWORK_SECONDS = 60
"""After that, a network has one attempt in this time."""
DEVICE_SECONDS = 12
"""After that, a known device has one attempt in this time."""
STRANGERS_A_MINUTE = 20
"""Attempts of all networks together, known devices aside: 28,800 guesses a day."""
_p = pace.c


@dataclass(frozen=True)
class LoginOrigin:
    """Where a login attempt comes from: a network, and perhaps a device that has signed in before.

    The device counts as known while `epoch` is that of the account's sessions.
    """

    network: str = ""
    device: str | None = None
    epoch: int | None = None


def spend_attempt(
    database: Database, account: str, origin: LoginOrigin, epoch: int | None, now: datetime
) -> bool:
    """Spend one login attempt at the account; False if none is left.

    `account` is the id of a user, or stands for a name that no user has.
    """
    is_known = origin.device is not None and origin.epoch == epoch
    with database.write.begin() as connection:
        if is_known:
            name = f"{_key(account)}:device:{origin.device}"
            return take(
                connection, name, FREE_ATTEMPTS, now, seconds=FREE_ATTEMPTS * DEVICE_SECONDS
            )
        name = f"{_key(account)}:{origin.network}"
        of_network = take(
            connection, name, FREE_ATTEMPTS, now, seconds=FREE_ATTEMPTS * NETWORK_SECONDS
        )
        # A network without an attempt left must not use up those of the others.
        return of_network and take(connection, _key(account), STRANGERS_A_MINUTE, now)


def clear_attempts(connection: sa.Connection, account: str, origin: LoginOrigin) -> None:
    """Give the network and the device all their attempts back, after a right password."""
    names = [f"{_key(account)}:{origin.network}", f"{_key(account)}:device:{origin.device}"]
    connection.execute(sa.delete(pace).where(_p.id.in_(names)))


def clear_all_attempts(connection: sa.Connection, account: str) -> None:
    """Give everybody all attempts at the account back, after its password was changed."""
    mine = sa.or_(_p.id == _key(account), _p.id.startswith(f"{_key(account)}:", autoescape=True))
    connection.execute(sa.delete(pace).where(mine))


def _key(account: str) -> str:
    return f"guess:{account}"
