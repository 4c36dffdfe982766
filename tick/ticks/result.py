"""The decisions of one tick, as its caller gets them."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from tick.cron.zone_age import older_in_words
from tick.engine.ledger.rows import OccurrenceLine
from tick.engine.ledger.tick_log import TickRow


@dataclass
class TickResult:
    """The decisions of one tick.

    `fired` and `not_fired` list at most 200 ledger rows each; the counts are whole. `more` says
    that something due was left over, for want of time or by the limit of runs a tick. `errors` maps
    the id of a schedule that could not be decided to the reason. `older_zones` maps the zones whose
    schedules were left alone, because this process's data of them are older, to the release in
    force. Lengths are seconds.
    """

    tick_id: str
    now: datetime
    fired: list[OccurrenceLine] = field(default_factory=list)
    not_fired: list[OccurrenceLine] = field(default_factory=list)
    fired_count: int = 0
    not_fired_count: int = 0
    runs: int = 0
    due: int = 0
    rescued: int = 0
    more: bool = False
    errors: dict[str, str] = field(default_factory=dict)
    older_zones: dict[str, str | None] = field(default_factory=dict)
    took_seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        plain = asdict(self)
        plain["now"] = self.now.isoformat()
        for name in ("fired", "not_fired"):
            plain[name] = [line.as_dict() for line in getattr(self, name)]
        return plain

    def as_row(self, source: str, late_seconds: float | None) -> TickRow:
        """The row of this tick in the log of ticks."""
        said = [older_in_words(self.older_zones)] if self.older_zones else []
        said += [f"{name}: {error}" for name, error in self.errors.items()]
        return TickRow(
            id=self.tick_id,
            source=source[:100],
            now=self.now,
            started_at=self.now,
            took_seconds=self.took_seconds,
            due=self.due,
            fired=self.fired_count,
            not_fired=self.not_fired_count,
            runs=self.runs,
            rescued=self.rescued,
            late_seconds=late_seconds,
            more=self.more,
            error="; ".join(said)[:2000] or None,
        )
