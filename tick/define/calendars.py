"""`Calendar`: which days are working days, as its author wrote it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path

from tick.define.source import caller, caller_folder

NATIONAL = "national"


@dataclass(frozen=True)
class Calendar:
    """A calendar that lives in code; schedules name it.

    Its holidays are those of a `country` and its `subdivision` (known to the package `holidays`),
    those in a `file` (CSV or ICS), and `dates` with their names; what is in `working` is no holiday
    after all. A day of `half_days` is over at its time. `all_of` and `any_of` name other calendars:
    a day is a working day if it is one in all of them, or in any. Nothing is known after `until`.
    """

    name: str
    country: str | None = field(default=None, kw_only=True)
    # Where parts of a country have holidays of their own, one is chosen, or NATIONAL.
    subdivision: str | None = field(default=None, kw_only=True)
    categories: Sequence[str] = field(default=(), kw_only=True)
    file: str | Path | None = field(default=None, kw_only=True)
    dates: Mapping[date | str, str] = field(default_factory=dict, kw_only=True)
    working: Sequence[date | str] = field(default=(), kw_only=True)
    half_days: Mapping[date | str, time | str] = field(default_factory=dict, kw_only=True)
    weekend: Sequence[str] | None = field(default=None, kw_only=True)
    all_of: Sequence[str] = field(default=(), kw_only=True)
    any_of: Sequence[str] = field(default=(), kw_only=True)
    until: date | str | None = field(default=None, kw_only=True)
    source: str = field(default="", compare=False, kw_only=True)
    folder: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", self.source or caller())
        object.__setattr__(self, "folder", self.folder or caller_folder())

    @property
    def members(self) -> tuple[str, ...]:
        """The names of the calendars that it combines."""
        return (*self.all_of, *self.any_of)
