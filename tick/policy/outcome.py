"""The outcome that an occurrence's runs give it. Pure."""

from typing import Any

from tick.states import Outcome


def cases(count: Any) -> tuple[tuple[Any, Outcome], ...]:
    """Return the conditions in order; the first that holds decides, SUCCESS where none does.

    `count` has numbers or columns: `unfinished`, `started` (begun, or held by a worker), `failed`,
    `tolerated` (failed, and all that waits for them tolerates that), `left_out` (skipped for a run
    that failed, and not run again when that was retried), `expired` (failed or cancelled when the
    deadline of the firing was over) and `cancelled`.
    """
    # `and` and `or` would not make SQL: the engine settles by these in one statement.
    return (
        ((count.unfinished > 0) & (count.started > 0), Outcome.RUNNING),
        (count.unfinished > 0, Outcome.QUEUED),
        (
            (count.failed > count.tolerated) | (count.left_out > 0) | (count.expired > 0),
            Outcome.FAILED,
        ),
        (count.failed > 0, Outcome.PARTIAL),
        (count.cancelled > 0, Outcome.CANCELLED),
    )
