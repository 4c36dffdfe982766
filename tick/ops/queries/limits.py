"""The limits of a schedule, as they are in effect and in words."""

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any

from pydantic import Field

from tick.ops.schemas import Schema
from tick.policy.rule import Rule
from tick.policy.target import Target
from tick.text import counted, exact_length

_INSTEAD = "instead of its jobs'"


class Limits(Schema):
    """How many, how long and how often again; null where it says nothing of its own."""

    max_concurrent: int = Field(description="firings at one time before `overlap` applies")
    deadline_seconds: float | None = Field(description="after which a firing has to have ended")
    timeout_seconds: float | None = Field(description="of each run, in place of its job's")
    retries: int | None = Field(description="of each run, in place of its job's")
    priority: int | None = Field(description="of each run, in place of its job's")
    pause_after: int | None = Field(description="failed firings in a row, then it is PAUSED")

    @property
    def words(self) -> tuple[str, ...]:
        """Return a phrase for each that it has."""
        most, failures = self.max_concurrent, self.pause_after
        said = {
            f"up to {most} firings at one time": most > 1,
            f"each firing ends within {_words(self.deadline_seconds)}": self.deadline_seconds,
            f"timeout {_words(self.timeout_seconds)} {_INSTEAD}": self.timeout_seconds,
            f"{counted(self.retries or 0, 'retry', 'retries')} {_INSTEAD}": self.retries
            is not None,
            f"priority {self.priority} {_INSTEAD}": self.priority is not None,
            f"pauses itself after {counted(failures or 0, 'failed firing')} in a row": failures,
        }
        return tuple(phrase for phrase, applies in said.items() if applies)


def _words(seconds: float | None) -> str:
    # What is not whole would be rounded away.
    seconds = seconds or 0.0
    return f"{seconds:g} seconds" if seconds % 1 else exact_length(timedelta(seconds=seconds))


@lru_cache(maxsize=4096)
def overrides_of(target_text: str | None) -> Mapping[str, Any]:
    """Return what a target says in place of its jobs; nothing where it can't be read."""
    try:
        return Target.from_json(target_text or "").overrides
    except (ValueError, TypeError, KeyError):  # another release wrote it
        return {}


# Every page describes the same few again.
@lru_cache(maxsize=4096)
def limits_of(rule_text: str | None, target_text: str | None) -> Limits | None:
    """Return the limits of a version; None if this release can't read it."""
    try:
        rule, target = Rule.from_json(rule_text or ""), Target.from_json(target_text or "")
    except (ValueError, TypeError, KeyError):
        return None
    return Limits(
        max_concurrent=rule.max_concurrent,
        deadline_seconds=rule.deadline_seconds,
        timeout_seconds=target.timeout_seconds,
        retries=target.overrides.get("retries"),
        priority=target.overrides.get("priority"),
        pause_after=rule.pause_after,
    )
