"""Every error that this package raises on purpose. A message says what to do next."""

from collections.abc import Mapping, Sequence


class TickError(Exception):
    """Base of all errors raised on purpose by Job Schedule Manager."""


class SettingsError(TickError):
    """A setting is missing or has an impossible value."""


class DatabaseError(TickError):
    """The database cannot be reached, or its schema is not the one this release needs."""


class InvalidCron(TickError, ValueError):
    """A cron expression or a time zone that we refuse; says which field and what would be right."""


class DefinitionsInvalid(TickError):
    """The definitions hold mistakes; `mistakes` lists all of them, each with file and fix."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        count = len(self.mistakes)
        head = f"{count} mistake{'s' if count != 1 else ''} in the definitions:"
        super().__init__("\n".join([head, *(f"  - {mistake}" for mistake in self.mistakes)]))


class InvalidParams(TickError, ValueError):
    """Parameters do not fit a job's function; `problems` says by parameter what is wrong."""

    def __init__(self, problems: Mapping[str, str], signature: object = None) -> None:
        self.problems = dict(problems)
        said = "; ".join(f"{where}: {problem}" for where, problem in self.problems.items())
        super().__init__(f"{said}. The job takes {signature}." if signature else f"{said}.")


class InvalidFilter(TickError, ValueError):
    """A filter can't be understood: nothing is shown or done by it; `mistakes` says why."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(" ".join(self.mistakes))


class InvalidInput(TickError, ValueError):
    """Values of a request that do not fit; `mistakes` holds the place and problem of each."""

    def __init__(self, mistakes: Sequence[tuple[str, str]]) -> None:
        self.mistakes = tuple(mistakes)
        listed = "".join(f"\n  - {where}: {problem}" for where, problem in self.mistakes)
        super().__init__(f"Some values do not fit:{listed}")


class NotFound(TickError):
    """Nothing has the id or name."""


class Refused(TickError):
    """The action makes no sense in the present state; the message says which one would."""


class InvalidInstant(Refused, ValueError):
    """A datetime has no zone, or lies too far away."""


class OlderZoneData(Refused):
    """This process's time zone data are older than those that schedules are decided by."""


class WrongEnvironment(Refused):
    """The database belongs to another environment than this process is set to."""


class ClockError(TickError):
    """A tick's clock is ahead of the one that all processes share."""


class Busy(Refused):
    """Something unfinished is in the way: a run, or else an occurrence, by its id."""

    def __init__(
        self, said: str, *, run_id: int | None = None, occurrence_id: int | None = None
    ) -> None:
        self.run_id, self.occurrence_id = run_id, occurrence_id
        super().__init__(said)


class Stale(Refused):
    """Somebody else changed the thing since it was read."""


class PlanFailed(TickError):
    """A due schedule could not be planned or enqueued; the others are not affected."""


class RemoteError(TickError):
    """A console that runs elsewhere can't be reached, or gives no valid answer."""


class Unavailable(RemoteError):
    """A console can't be reached or can't answer at the moment; a later request may succeed."""
