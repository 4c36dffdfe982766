"""Work that never happened: ends the queued runs as a worker with four slots would have done."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from tests.support.factories import World
from tick.engine.runs.settle import settle_occurrences
from tick.store.tables import job_log, job_run, job_run_dependency

TRACEBACK = """Traceback (most recent call last):
  File "tick/executors/child.py", line 88, in _call
    return job.function(**params)
  File "definitions/matching.py", line 61, in compatibility
    pairs = score_pairs(members, weights=params["weights"])
  File "definitions/community/similarity.py", line 34, in score_pairs
    return [weights[trait] * overlap for trait, overlap in shared]
KeyError: 'tempo'
"""
AT_ONCE = 3
SLOTS = 4
_r, _d = job_run.c, job_run_dependency.c


def work(
    world: World,
    *,
    fails: Sequence[str] = (),
    speed: float = 1.0,
    stops_after: int | None = None,
    until: datetime | None = None,
) -> None:
    """End every queued run; with `stops_after`, only so many, and a few more are running."""
    shift = _Shift(world, frozenset(fails), speed, until)
    runs = world.rows(sa.select(job_run).where(_r.status == "QUEUED").order_by(_r.id))
    for run in runs if stops_after is None else runs[:stops_after]:
        shift.end(run)
    if stops_after is not None:
        ready = [run for run in runs[stops_after:] if shift.is_ready(run)]
        for number, run in enumerate(ready[:AT_ONCE], start=2):
            shift.begin(run, part=number / 5)
    shift.write({run.occurrence_id for run in runs})


def log_line(world: World, run_id: int, at: datetime, level: str, message: str) -> None:
    """One more line in a run's log."""
    with world.database.write.begin() as connection:
        connection.execute(sa.insert(job_log), _line(run_id, at, level, message))


@dataclass
class _Shift:
    world: World
    fails: frozenset[str]
    speed: float
    until: datetime | None
    changes: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    ends: dict[int, tuple[datetime, str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.slots = [self.world.now + timedelta(seconds=0.6)] * SLOTS
        self.upstream = _upstream(self.world)

    def is_ready(self, run: sa.Row[Any]) -> bool:
        """Whether all that it waits for has ended."""
        return all(other in self.ends for other in self.upstream.get(run.id, {}))

    def begin(self, run: sa.Row[Any], part: float) -> None:
        """It is at work now."""
        now = self.until or self.world.now
        values = {"status": "RUNNING", "started_at": now - timedelta(seconds=3.2), "attempt": 1}
        values |= {"progress": part, "progress_text": f"batch {part * 20:.0f} of 20"}
        self._change(run, values)
        self._log(run, now - timedelta(seconds=3), "info", "reading 1,204 rows")

    def end(self, run: sa.Row[Any]) -> None:
        """It has run, or was skipped for what it waited for."""
        needs = self.upstream.get(run.id, {})
        before = [self.ends[other] for other in needs]
        culprits = [
            (other, name)
            for other, (_, status, name) in zip(needs, before, strict=True)
            if status != "SUCCESS" and not needs[other]
        ]
        ready = max((at for at, _, _ in before), default=self.world.now)
        if culprits:
            self._skip(run, ready, *culprits[0])
            return
        start = max(min(self.slots), ready)
        end = start + timedelta(seconds=self.speed * _usual_seconds(run.job_name))
        end = min(end, self.until - timedelta(seconds=1)) if self.until else end
        self.slots[self.slots.index(min(self.slots))] = end
        (self._fail if run.job_name in self.fails else self._succeed)(run, start, end)

    def write(self, occurrence_ids: set[int]) -> None:
        """Everything in one transaction, then the occurrences' outcomes by the real rules."""
        nothing = dict.fromkeys(key for change in self.changes for key in change)
        by_id = sa.update(job_run).where(_r.id == sa.bindparam("run_id"))
        values = {name: sa.bindparam(name) for name in nothing if name != "run_id"}
        with self.world.database.write.begin() as connection:
            if self.changes:
                rows = [nothing | change for change in self.changes]
                connection.execute(by_id.values(values), rows)
                connection.execute(sa.insert(job_log), self.lines)
            settle_occurrences(connection, sorted(occurrence_ids), self.until or self.world.now)

    def _succeed(self, run: sa.Row[Any], start: datetime, end: datetime) -> None:
        result = json.dumps({"rows": 1204, "kept": 1187})
        self._ended(run, "SUCCESS", end, started_at=start, attempt=1, result=result)
        self._log(run, start, "info", f"starting {run.job_name}")
        self._log(run, start + (end - start) / 3, "info", "read 1,204 rows")
        self._log(run, end, "milestone", "wrote 1,187 rows")

    def _fail(self, run: sa.Row[Any], start: datetime, end: datetime) -> None:
        error = {"error_type": "KeyError", "error_message": "'tempo'"}
        error["error_traceback"] = TRACEBACK
        self._ended(run, "FAILED", end, started_at=start, attempt=1, **error)
        self._log(run, start, "info", f"starting {run.job_name}")
        self._log(run, end - timedelta(seconds=0.1), "warning", "3 members have no tempo")
        self._log(run, end, "error", "giving up: 'tempo'")

    def _skip(self, run: sa.Row[Any], at: datetime, root_id: int, name: str) -> None:
        reason = f"{name} failed"
        self._ended(run, "SKIPPED", at, reason=reason, attempt=0, skipped_for_id=root_id)

    def _ended(self, run: sa.Row[Any], status: str, at: datetime, **values: Any) -> None:
        self.ends[run.id] = (at, status, run.job_name)
        self._change(run, {"status": status, "finished_at": at, **values})

    def _change(self, run: sa.Row[Any], values: Mapping[str, Any]) -> None:
        self.changes.append({"run_id": run.id, **values})

    def _log(self, run: sa.Row[Any], at: datetime, level: str, message: str) -> None:
        self.lines.append(_line(run.id, at, level, message))


def _usual_seconds(name: str) -> float:
    """Between 0.4 and 7.4, and always the same for a name."""
    number = sum(ord(letter) * place for place, letter in enumerate(name, start=3))
    return 0.4 + 7 * (number % 97) / 97


def _upstream(world: World) -> Mapping[int, Mapping[int, bool]]:
    """For each run, what it waits for, and whether any end will do."""
    found: dict[int, dict[int, bool]] = {}
    for row in world.rows(sa.select(_d.run_id, _d.depends_on_id, _d.tolerant)):
        found.setdefault(row.run_id, {})[row.depends_on_id] = row.tolerant
    return found


def _line(run_id: int, at: datetime, level: str, message: str) -> dict[str, Any]:
    return {"run_id": run_id, "attempt": 1, "at": at, "level": level, "message": message}
