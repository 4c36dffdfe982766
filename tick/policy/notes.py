"""Notes on rules that are allowed, and may not be what their author means. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tick.cron.grammar import parse
from tick.cron.words import either_day
from tick.policy import instants
from tick.policy.rule import Rule
from tick.states import MissedPolicy
from tick.text import exact_length


def notes_on(rule: Rule, now: datetime) -> Iterator[str]:
    """Yield what a rule's author should know before it is deployed."""
    is_ours = rule.cron is not None and rule.dialect is None
    if is_ours and (instead := either_day(parse(rule.cron or ""))):
        yield f"note: {instead}"
    limit, following = rule.max_catch_up_age_seconds, instants.between(rule, now, None, 2)
    if rule.missed is MissedPolicy.SKIP or limit is None or len(following) < 2:
        return
    distance, age = following[1] - following[0], timedelta(seconds=limit)
    if age < distance:
        yield (
            f"note: one that is missed is caught up for {exact_length(age)} (max_catch_up_age) "
            f"of the {exact_length(distance)} until the next one; left out, it would be all of them"
        )
