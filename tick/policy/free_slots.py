"""Finds a time nearby at which a schedule's firings would meet no peak of load. Pure."""

from collections.abc import Iterator

from tick.policy.load import MINUTE, Demand, Load, by_minute, steps_of

STEP, FARTHEST = 5, 180
MOST_FIRINGS = 60  # in a week: what fires more often than every few hours has no place to go


def find_shift(load: Load, demand: Demand) -> int | None:
    """Return by how many minutes to move all firings, so that slots are left for each.

    The nearest of those in steps of STEP, to FARTHEST in both directions; None if there is none.
    """
    if not demand.firings or len(demand.firings) > MOST_FIRINGS:
        return None
    minutes = len(load.most_by_minute)
    own_least, own_most = by_minute(steps_of([demand], load.pool), minutes)
    # What the schedule takes all through a minute is not in its way; of the rest of that minute's
    # peak nobody knows whose it is.
    others = [all_ - own for all_, own in zip(load.most_by_minute, own_least, strict=True)]
    room = load.pool.slots - max(own_most)
    spans = [(at // MINUTE, -(-(at + demand.seconds) // MINUTE)) for at in demand.firings]
    for shift in _shifts():
        # None before now, and none that the week does not hold: it would be taken for free.
        if spans[0][0] + shift < 0 or spans[-1][1] + shift > minutes:
            continue
        if all(max(others[begin + shift : end + shift]) <= room for begin, end in spans):
            return shift
    return None


def _shifts() -> Iterator[int]:
    for minutes in range(STEP, FARTHEST + 1, STEP):
        yield minutes
        yield -minutes
